"""What the driver promises for every RPC, seen through a socket."""

from types import SimpleNamespace

import grpc
import pytest
from google.longrunning import operations_pb2
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mooring.v1 import engagements_pb2, sessions_pb2, users_pb2
from mooring_server.api.driver import Driver
from mooring_server.background import Separation
from mooring_server.metrics import Metrics
from mooring_server.settings import Settings
from support_api import rpcs
from support_server import HeaderAuth, create, new_engagement, refused

Code = grpc.StatusCode
CREATE, GET = "mooring.v1.SessionService/CreateSession", "mooring.v1.SessionService/GetSession"
REQUEST_ID = "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b"
OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["Operations"]
UNARY = {
    rpc: method for rpc, method in rpcs().items() if not (method.client_streaming or method.server_streaming)
}
UNARY |= {f"{OPERATIONS.full_name}/{m.name}": m for m in OPERATIONS.methods if m.name != "DeleteOperation"}


def names(caller, engagement):
    listed = caller.sessions.ListSessions(sessions_pb2.ListSessionsRequest(parent=engagement.name))
    assert listed.total_size == len(listed.sessions)
    return [session.display_name for session in listed.sessions]


def revision(caller, engagement):
    return caller.engagements.GetEngagement(
        engagements_pb2.GetEngagementRequest(name=engagement.name)
    ).revision


@pytest.mark.parametrize("rpc", sorted(UNARY))
def test_bytes_that_are_no_message_are_the_callers_mistake(ann, rpc):
    """Malformed bytes are INVALID_ARGUMENT for every RPC, before anybody asks who is calling."""
    with refused(Code.INVALID_ARGUMENT, "MALFORMED_REQUEST"):
        ann.raw(rpc, b"\x0a\xff\xff")


@pytest.mark.parametrize("rpc", sorted(UNARY))
def test_nobody_is_let_in(server, rpc):
    """Every RPC without an identity is UNAUTHENTICATED, whatever it asks for."""
    with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED"):
        server.channel.unary_unary(f"/{rpc}")(b"", timeout=30)


@pytest.mark.parametrize(
    "request_",
    [
        create("engagements/e", "a\0b"),
        create("engagements/e\0", "a"),
        sessions_pb2.CreateSessionRequest(session=sessions_pb2.Session(description="\0")),
    ],
)
def test_a_nul_is_refused_wherever_it_stands(ann, request_):
    """No text with a NUL reaches a rule or the database."""
    with refused(Code.INVALID_ARGUMENT, "MALFORMED_REQUEST"):
        ann.sessions.CreateSession(request_)


def test_a_nul_in_a_repeated_text_is_refused(ann):
    """Also the elements of lists are looked at."""
    request = sessions_pb2.UpdateSessionRequest(session=sessions_pb2.Session(name="sessions/s"))
    request.update_mask.paths.append("display_name\0")
    with refused(Code.INVALID_ARGUMENT, "MALFORMED_REQUEST"):
        ann.sessions.UpdateSession(request)


def test_permission_comes_before_validation(ann, bob):
    """Who may not create learns nothing about what they would have created."""
    engagement = new_engagement(ann)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        bob.sessions.CreateSession(create(engagement.name, " wrong ", request_id="no uuid"))


def test_validation_comes_before_idempotency(ann):
    """A request that is wrong in itself is told so, even where its request id was used before."""
    engagement = new_engagement(ann)
    ann.sessions.CreateSession(create(engagement.name, "A", request_id=REQUEST_ID))
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        ann.sessions.CreateSession(create(engagement.name, " A", request_id=REQUEST_ID))
    assert failure.fields == ["session.display_name"]


def test_a_retry_gives_the_same_bytes(ann):
    """The same request id and payload answer byte for byte what the first call answered, and do nothing."""
    engagement = new_engagement(ann)
    data = create(engagement.name, "A", request_id=REQUEST_ID).SerializeToString()
    first = ann.raw(CREATE, data)
    made = sessions_pb2.Session.FromString(first)
    ann.sessions.UpdateSession(
        sessions_pb2.UpdateSessionRequest(session=sessions_pb2.Session(name=made.name, display_name="B"))
    )
    before = revision(ann, engagement)
    assert ann.raw(CREATE, data) == first
    assert (names(ann, engagement), revision(ann, engagement)) == (["B", "Baseline"], before)


def test_a_request_id_is_good_for_one_payload(ann):
    """Another payload under a used request id is refused and does nothing."""
    engagement = new_engagement(ann)
    ann.sessions.CreateSession(create(engagement.name, "A", request_id=REQUEST_ID))
    with refused(Code.INVALID_ARGUMENT, "REQUEST_ID_REUSED"):
        ann.sessions.CreateSession(create(engagement.name, "B", request_id=REQUEST_ID))
    assert names(ann, engagement) == ["A", "Baseline"]


def test_a_request_id_is_the_callers_own_and_the_rpcs(ann, bob):
    """Another user, and another RPC, may use the same request id."""
    for caller in (ann, bob):
        engagement = new_engagement(caller, request_id=REQUEST_ID)
        caller.sessions.CreateSession(create(engagement.name, "A", request_id=REQUEST_ID))
        assert names(caller, engagement) == ["A", "Baseline"]


def test_a_request_id_must_be_a_uuid(ann):
    """Anything else is refused and named."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        new_engagement(ann, request_id="retry-1")
    assert failure.fields == ["request_id"]


def test_a_failure_is_not_stored(ann):
    """A refused call may be tried again under its request id, once it can succeed."""
    engagement = new_engagement(ann)
    other = ann.sessions.CreateSession(create(engagement.name, "A"))
    wanted = create(engagement.name, "A", request_id=REQUEST_ID)
    with refused(Code.ALREADY_EXISTS, "DISPLAY_NAME_TAKEN"):
        ann.sessions.CreateSession(wanted)
    ann.sessions.DeleteSession(sessions_pb2.DeleteSessionRequest(name=other.name))
    assert ann.sessions.CreateSession(wanted).display_name == "A"


def test_a_stored_answer_goes_with_the_right_to_it(server, ann, bob):
    """Who lost their role gets no stored answer either."""
    engagement = new_engagement(ann)
    engagement_id = engagement.name.split("/")[1]
    user_id = bob.users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name.split("/")[1]
    server.write(lambda tx: tx.members.put(engagement_id, user_id, 2))
    wanted = create(engagement.name, "A", request_id=REQUEST_ID)
    bob.sessions.CreateSession(wanted)
    server.write(lambda tx: tx.members.put(engagement_id, user_id, 1))
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        bob.sessions.CreateSession(wanted)


def test_validate_only_changes_nothing(ann):
    """The answer is what would be made; neither it nor its request id is kept."""
    engagement = new_engagement(ann)
    before = revision(ann, engagement)
    preview = ann.sessions.CreateSession(
        create(engagement.name, "A", session_id="a", validate_only=True, request_id=REQUEST_ID)
    )
    assert (preview.name, preview.display_name) == (f"{engagement.name}/sessions/a", "A")
    assert (names(ann, engagement), revision(ann, engagement)) == (["Baseline"], before)
    made = ann.sessions.CreateSession(create(engagement.name, "A", session_id="a", request_id=REQUEST_ID))
    assert (made.name, made.etag) == (preview.name, preview.etag)


def test_validate_only_refuses_what_the_call_would(ann):
    """A preview of what cannot be done fails as the call itself would."""
    engagement = new_engagement(ann)
    with refused(Code.ALREADY_EXISTS, "DISPLAY_NAME_TAKEN"):
        ann.sessions.CreateSession(create(engagement.name, "Baseline", validate_only=True))
    with refused(Code.FAILED_PRECONDITION, "DEFAULT_SESSION"):
        ann.sessions.DeleteSession(
            sessions_pb2.DeleteSessionRequest(name=engagement.default_session, validate_only=True)
        )


def test_a_fault_keeps_its_text_to_itself(server, ann, monkeypatch, name):
    """What nobody foresaw is INTERNAL with the id of its log line, and nothing of the exception."""
    ann.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())

    def broken(self, metadata, peer):
        raise ValueError("SELECT secret FROM /etc/passwd")

    monkeypatch.setattr(HeaderAuth, "identify", broken)
    with refused(Code.INTERNAL, "INTERNAL") as failure:
        ann.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())
    assert failure.message.startswith("internal error; the server's log has it under ")
    assert "secret" not in failure.message


@pytest.mark.parametrize("rpc", ["mooring.v1.UserService/Invented", "mooring.v1.Invented/Get", "x/y"])
def test_what_does_not_exist_is_unimplemented(ann, rpc):
    """A method or service that nobody has is UNIMPLEMENTED, whoever asks."""
    with pytest.raises(grpc.RpcError) as refusal:
        ann.raw(rpc, b"")
    assert refusal.value.code() is Code.UNIMPLEMENTED


def test_a_large_refusal_still_arrives(ann):
    """A request of megabytes is refused with its details, not with headers that no client takes."""
    huge = "x" * 4_000_000
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        ann.sessions.GetSession(sessions_pb2.GetSessionRequest(name=huge))
    assert failure.fields == ["name"]
    engagement = new_engagement(ann)
    request = sessions_pb2.UpdateSessionRequest(session=sessions_pb2.Session(name=engagement.default_session))
    request.update_mask.paths.extend(["ü" * 1_000] * 1_000)
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        ann.sessions.UpdateSession(request)
    assert set(failure.fields) == {"update_mask"}


def _seeds():
    text = {"name": "engagements/e/sessions/s", "parent": "engagements/e", "page_token": "x.y"}
    for rpc, method in UNARY.items():
        message = GetMessageClass(method.input_type)()
        for field in method.input_type.fields:
            if field.message_type is None and field.type == field.TYPE_STRING:
                if field.is_repeated:
                    getattr(message, field.name).append("text")
                else:
                    setattr(message, field.name, text.get(field.name, "text"))
        yield rpc, message.SerializeToString()


SEEDS = sorted(_seeds())


@st.composite
def mutated(draw):
    """The bytes of a plausible request with some of them replaced, removed or added."""
    rpc, data = draw(st.sampled_from(SEEDS))
    at = draw(st.integers(0, len(data)))
    until = draw(st.integers(at, min(len(data), at + 8)))
    return rpc, data[:at] + draw(st.binary(max_size=12)) + data[until:]


def test_no_bytes_are_a_fault_of_the_server(server):
    """500 mutated requests over all unary RPCs: each is answered or refused for a reason, never a fault."""
    caller = server.user("fuzz")

    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(mutated())
    def send(case):
        rpc, data = case
        call = caller.channel.unary_unary(f"/{rpc}").future(data, timeout=30)
        assert call.code() not in (Code.INTERNAL, Code.UNKNOWN), call.details()

    send()


def test_a_service_without_a_policy_row_is_not_built():
    """An RPC that nobody decided on fails when the server is put together."""
    store = SimpleNamespace(signing_key=b"key", metrics=Metrics())
    driver = Driver(store, Settings(), HeaderAuth(), Separation(store, Settings()))
    with pytest.raises(LookupError, match="DeleteOperation"):
        driver.service(OPERATIONS, {"DeleteOperation": lambda tx, call, request: request})
