"""What the server logs of its calls, and what it never does."""

import json
import re
from contextlib import contextmanager

import grpc
import pytest
from mooring.v1 import engagements_pb2, sessions_pb2, users_pb2
from mooring_server.core.tokens import new_secret
from mooring_server.settings import Settings
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from support_cli import serving as serving_process
from support_server import Caller, HeaderAuth, create, new_engagement, refused, serving
from support_waiting import until

Code = grpc.StatusCode
REQUEST_ID = "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b"
SECRET = new_secret()
DEADLINE_S = 30


@pytest.fixture
def server(tmp_path):
    settings = Settings(database=f"sqlite:///{tmp_path}/m.db", port=0, stop_grace_s=1)
    with serving(settings, authenticator=HeaderAuth()) as running:
        yield running


def me(caller, **options):
    return caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest(), **options)


@contextmanager
def logged():
    """The lines about calls that were logged inside, at info and above."""
    lines = []
    with capture_logs(processors=[merge_contextvars]) as entries:
        yield lines
        lines += [entry for entry in entries if "rpc" in entry and entry["log_level"] != "debug"]


def trailer(error):
    return dict(error.trailing_metadata())["x-request-id"]


def test_a_refused_call_is_one_line(server):
    """It names the RPC, the user, the code and reason, the duration, and the id that the caller is told."""
    ann = server.user("ann")
    user_id = me(ann).name.removeprefix("users/")
    with logged() as lines:
        with pytest.raises(grpc.RpcError) as refusal:
            ann.engagements.GetEngagement(engagements_pb2.GetEngagementRequest(name="engagements/none"))
        me(ann)
    (line,) = lines
    assert line.pop("duration_ms") > 0
    assert line == {
        "event": "refused",
        "log_level": "info",
        "rpc": "mooring.v1.EngagementService/GetEngagement",
        "user": user_id,
        "code": "PERMISSION_DENIED",
        "reason": "PERMISSION_DENIED",
        "request_id": trailer(refusal.value),
    }


def test_a_call_is_logged_under_the_id_that_its_caller_gave(server):
    """The metadata's x-request-id is the line's; another call gets another id."""
    ann, told = server.user("ann"), []
    with logged() as lines:
        for metadata in ([("x-request-id", "trace-42.a_B")], []):
            with pytest.raises(grpc.RpcError) as refusal:
                ann.sessions.GetSession(sessions_pb2.GetSessionRequest(name="x"), metadata=metadata)
            told.append(trailer(refusal.value))
    assert [line["request_id"] for line in lines] == told
    assert [request_id == "trace-42.a_B" for request_id in told] == [True, False]


@pytest.mark.parametrize("given", ["two words", "x" * 65, "{}", "", SECRET])
def test_an_id_that_could_be_anything_else_is_not_logged(server, given):
    """Only up to 64 letters, digits, dots, dashes and underscores are taken over, and no API token."""
    with logged() as lines, pytest.raises(grpc.RpcError):
        server.user("ann").sessions.GetSession(
            sessions_pb2.GetSessionRequest(name="x"), metadata=[("x-request-id", given)]
        )
    assert lines[0]["request_id"] != given
    assert re.fullmatch(r"[0-9a-f-]{36}", lines[0]["request_id"])


def test_a_request_is_logged_under_the_beginning_of_its_own_id(server):
    """A request_id is known by its first eight characters: the whole of it would open a stored answer."""
    ann = server.user("ann")
    with logged() as lines:
        for _ in range(2):
            with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
                ann.sessions.CreateSession(create("engagements/none", "A", request_id=REQUEST_ID))
    assert [line["request_id"] for line in lines] == [REQUEST_ID[:8]] * 2
    assert REQUEST_ID[9:] not in str(lines)


def test_a_fault_is_found_by_the_id_in_its_answer(server, monkeypatch):
    """A fault's line has the place and kind of the exception under the caller's id, not its text."""
    ann = server.user("ann")

    def broken(self, tx, metadata, peer):
        raise ValueError(f"cannot read {metadata['authorization']}")

    monkeypatch.setattr(HeaderAuth, "identify", broken)
    with logged() as lines, refused(Code.INTERNAL, "INTERNAL") as failure:
        me(ann, metadata=[("authorization", f"Bearer {SECRET}")])
    fault, refusal = lines
    assert (fault["event"], fault["log_level"]) == ("fault", "error")
    assert failure.message.endswith(f"log has it under {fault['request_id']}")
    assert refusal["request_id"] == fault["request_id"]
    assert refusal["code"] == "INTERNAL"
    assert "in broken" in fault["stack"]
    assert "ValueError" in fault["stack"]
    assert SECRET not in str(lines)


def test_an_answered_call_is_no_line(server):
    """What went well, and who hung up, is not told at info."""
    ann = server.user("ann")
    with logged() as lines:
        me(ann)
        ann.users.GetCurrentUser.future(users_pb2.GetCurrentUserRequest()).cancel()
        new_engagement(ann)
    assert lines == []


def secretive(caller):
    """Calls that are answered and calls that are refused, with a secret in each part that a caller fills."""
    metadata = [("authorization", f"Bearer {SECRET}"), ("x-request-id", SECRET), ("x-note", SECRET)]
    calls = [
        (caller.users.GetCurrentUser, users_pb2.GetCurrentUserRequest()),
        (caller.sessions.GetSession, sessions_pb2.GetSessionRequest(name=SECRET)),
        (
            caller.sessions.GetSession,
            sessions_pb2.GetSessionRequest(name=f"engagements/demo/sessions/{SECRET}"),
        ),
        (
            caller.sessions.ListSessions,
            sessions_pb2.ListSessionsRequest(parent="engagements/demo", page_token=SECRET),
        ),
        (
            caller.sessions.ListSessions,
            sessions_pb2.ListSessionsRequest(parent="engagements/demo", filter=SECRET),
        ),
        (caller.sessions.CreateSession, create("engagements/demo", f" {SECRET}", request_id=SECRET)),
        (caller.sessions.CreateSession, create("engagements/demo", SECRET, session_id=SECRET)),
        (caller.sessions.CreateSession, create("engagements/demo", SECRET)),
        (caller.sessions.CreateSession, create("engagements/demo", SECRET)),
    ]
    refusals = 0
    for method, request in calls:
        try:
            method(request, metadata=metadata, timeout=DEADLINE_S)
        except grpc.RpcError:
            refusals += 1
    return refusals


def test_nothing_that_a_caller_sent_is_in_the_log(tmp_path):
    """At debug level, in the lines of a real server: each refusal is there, no token and no payload is."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    options = ("--port", 0, "--database", f"sqlite:///{tmp_path}/m.db", "--log-level", "debug")
    with serving_process(*options, data_folder=folder, MOORING_LOG_FORMAT="json") as process:
        with grpc.insecure_channel(process.address) as channel:
            refusals = secretive(Caller(channel))

        def lines():
            found = [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]
            return [line for line in found if line["event"] == "refused"]

        until(lambda: len(lines()) == refusals, "every refusal's line")
        assert refusals >= 5
        wanted = {
            "rpc",
            "user",
            "request_id",
            "code",
            "reason",
            "duration_ms",
            "timestamp",
            "level",
            "logger",
        }
        assert all(wanted <= line.keys() for line in lines())
        assert process.stop() == 0
        assert SECRET not in process.log()
