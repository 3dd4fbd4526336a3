"""Talking to a widget as its front end does, and waiting for what it shows."""

import itertools
from typing import Any

from support_waiting import until

_ids = itertools.count()


def ask(widget: Any, kind: str, **payload: Any) -> Any:
    """A request of the front end that must be granted; the payload of its answer."""
    answer = answer_of(widget, kind, **payload)
    assert answer["ok"], answer["error"]
    return answer["payload"]


def refusal(widget: Any, kind: str, **payload: Any) -> Any:
    """A request of the front end that must be refused; the failure."""
    answer = answer_of(widget, kind, **payload)
    assert not answer["ok"], answer
    return answer["error"]


def answer_of(widget: Any, kind: str, **payload: Any) -> Any:
    """A request of the front end, and its answer."""
    answers = listen(widget)
    id_ = begin(widget, kind, **payload)
    until(lambda: id_ in answers, f"an answer to {kind}")
    return answers[id_]


def listen(widget: Any) -> dict[str, Any]:
    """The answers from now on, by their requests' ids."""
    answers: dict[str, Any] = {}
    widget._requests._send = lambda answer: answers.__setitem__(answer["id"], answer)
    return answers


def begin(widget: Any, kind: str, **payload: Any) -> str:
    """Sends a request; its id."""
    id_ = f"test-{next(_ids)}"
    widget._handle_custom_msg({"type": "request", "id": id_, "kind": kind, "payload": payload}, [])
    return id_


def shows(widget: Any, **wanted: Any) -> None:
    """Waits until the front end is shown this."""
    until(
        lambda: all(widget._state.get(key) == value for key, value in wanted.items()),
        f"{wanted} in {widget._state}",
    )
