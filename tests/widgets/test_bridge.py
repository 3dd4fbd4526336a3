import asyncio

import pytest
from mooring_widgets.bridge import Outbox, Requests, failure
from mooring_widgets.client import library_loop
from mooring_widgets.errors import FieldViolation, InvalidArgument, PermissionDenied
from support_waiting import until


class Timer:
    """A clock and its calls, moved by hand."""

    def __init__(self):
        self.now = 100.0
        self.calls = []

    def later(self, delay_s, fn):
        self.calls.append((self.now + delay_s, fn))

    def advance(self, seconds):
        self.now += seconds
        due = [fn for when, fn in self.calls if when <= self.now + 1e-9]
        self.calls = [(when, fn) for when, fn in self.calls if when > self.now + 1e-9]
        for fn in due:
            fn()


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def written():
    return []


@pytest.fixture
def outbox(timer, written):
    return Outbox(written.append, call_later=timer.later, now=lambda: timer.now)


def test_an_idle_outbox_writes_at_once(outbox, written):
    """What is put into an idle outbox goes out before put returns."""
    outbox.put(status="ready")
    assert written == [{"status": "ready", "rev": 1}]


def test_a_burst_is_merged(outbox, written, timer):
    """Of thousands of writes within 33 ms three go out at once and the rest as one; the last value wins."""
    for number in range(4_000):
        outbox.put(number=number, other="x")
    assert [change["number"] for change in written] == [0, 1, 2]
    timer.advance(0.033)
    assert written[3:] == [{"number": 3_999, "rev": 4}]


def test_a_stream_of_writes_is_one_each_33_ms(outbox, written, timer):
    """However long it goes on, no more goes out than a second of 33 ms has, and three."""
    for number in range(10_000):
        outbox.put(number=number)
        timer.advance(0.001)
    assert 300 <= len(written) <= 10 / 0.033 + 3


def test_it_is_idle_again_after_the_interval(outbox, written, timer):
    """A write long after the last one does not wait."""
    outbox.put(a=1)
    timer.advance(1)
    outbox.put(a=2)
    assert [change["a"] for change in written] == [1, 2]


def test_a_write_out_of_a_write_is_not_lost(timer, written):
    """An observer that writes again while a flush is under way sees its write go out with the next one."""

    def write(changes):
        written.append(changes)
        if len(written) == 1:
            outbox.put(echo=True)

    outbox = Outbox(write, call_later=timer.later, now=lambda: timer.now)
    outbox.put(a=1)
    timer.advance(0.033)
    assert [change["rev"] for change in written] == [1, 2]
    assert written[1]["echo"] is True


def test_a_failing_write_does_not_stop_the_next(timer, written):
    """After an exception in the write the outbox still takes and writes."""

    def write(changes):
        written.append(changes)
        if len(written) == 1:
            raise RuntimeError("an observer failed")

    outbox = Outbox(write, call_later=timer.later, now=lambda: timer.now)
    with pytest.raises(RuntimeError):
        outbox.put(a=1)
    timer.advance(1)
    outbox.put(a=1)
    assert written[-1]["a"] == 1


def test_what_says_nothing_new_is_not_written(outbox, written, timer):
    """The same value again makes no message, and travels with none."""
    outbox.put(rows=[1, 2], busy=True)
    timer.advance(1)
    outbox.put(rows=[1, 2], busy=True)
    timer.advance(1)
    outbox.put(rows=[1, 2], busy=False)
    assert written == [{"rows": [1, 2], "busy": True, "rev": 1}, {"busy": False, "rev": 2}]


@pytest.fixture
def answers():
    return []


def requests(handlers, answers):
    return Requests(handlers, run=library_loop().run, send=answers.append)


def request(kind, payload=None, id_="1"):
    return {"type": "request", "id": id_, "kind": kind, "payload": payload or {}}


def test_every_request_is_answered(answers):
    """A request is answered under its own id with what its handler returned."""

    async def double(payload):
        return payload["value"] * 2

    requests({"double": double}, answers).handle(request("double", {"value": 21}))
    until(lambda: answers)
    assert answers == [{"type": "answer", "id": "1", "ok": True, "payload": 42}]


def test_an_exception_is_an_answer(answers):
    """A handler that raises still answers, with a message that names the exception."""

    async def fail(payload):
        raise ValueError("no such thing")

    requests({"fail": fail}, answers).handle(request("fail"))
    until(lambda: answers)
    assert answers[0]["error"]["message"] == "ValueError: no such thing"


def test_an_unknown_kind_is_refused(answers):
    """A request that nobody handles is answered with an error, not with silence."""
    requests({}, answers).handle(request("nonsense"))
    until(lambda: answers)
    assert "nonsense" in answers[0]["error"]["message"]


def test_a_cancelled_request_is_stopped_and_not_answered(answers):
    """A cancel ends the work in the kernel, and the next request is served as ever."""
    stopped = []

    async def wait(payload):
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    async def next_one(payload):
        return {}

    served = requests({"wait": wait, "next": next_one}, answers)
    served.handle(request("wait", id_="w"))
    served.handle({"type": "cancel", "id": "w"})
    served.handle(request("next", id_="n"))
    until(lambda: answers)
    assert [answer["id"] for answer in answers] == ["n"]


@pytest.mark.parametrize(
    "message", [{}, {"type": "request"}, {"type": "request", "id": 1, "kind": "ping"}, {"type": 3}]
)
def test_what_is_not_of_the_protocol_is_ignored(answers, message):
    """Malformed messages raise nothing and are answered nothing."""
    requests({}, answers).handle(message)
    assert answers == []


def test_a_refusal_carries_reason_and_fields():
    """What the service refused is shown with its reason, its own words, and each field's."""
    error = InvalidArgument(
        "two fields are wrong", violations=[FieldViolation("session.display_name", "too long")]
    )
    assert failure(error) == {
        "kind": "InvalidArgument",
        "hint": "",
        "reason": "INVALID_FIELD",
        "message": "two fields are wrong",
        "fields": [{"field": "session.display_name", "message": "too long"}],
    }


def test_a_failure_says_what_to_do():
    """By its class, or by the kind that it is shown as."""
    assert "Ask a manager" in failure(PermissionDenied("no access"))["hint"]
    shown = failure(ValueError("no racks are known"), "ViewError")
    assert (shown["kind"], shown["message"]) == ("ViewError", "ValueError: no racks are known")
    assert "the view's own function" in shown["hint"]
