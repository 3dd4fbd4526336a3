"""The server as a whole: where it listens, who gets in, how it stops."""

import threading

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from mooring.endpoints import is_local
from mooring.v1 import discovery_pb2, engagements_pb2, sessions_pb2, users_pb2, watch_pb2
from mooring_server.errors import InvalidArgument, Unavailable
from mooring_server.settings import Settings
from support_server import Caller, HeaderAuth, create, new_engagement, refused, serving

Code = grpc.StatusCode
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture
def settings(tmp_path):
    return Settings(database=f"sqlite:///{tmp_path}/m.db", port=0, stop_grace_s=1)


def me(caller):
    return caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())


def default_engagement(caller):
    return caller.engagements.GetDefaultEngagement(engagements_pb2.GetDefaultEngagementRequest())


def test_without_auth_everybody_is_the_demo_user(settings):
    """The demo user has the demo engagement with its Baseline from the first call, and manages it."""
    with serving(settings) as server:
        caller = Caller(server.channel)
        assert (me(caller).name, me(caller).default_engagement) == ("users/demo", "engagements/demo")
        engagement = default_engagement(caller)
        assert (engagement.display_name, engagement.session_count) == ("Demo engagement", 1)
        session = caller.sessions.CreateSession(create("", "A"))
        caller.sessions.SetDefaultSession(sessions_pb2.SetDefaultSessionRequest(name=session.name))


def test_a_real_user_never_falls_back_to_demo_data(settings):
    """On the same database, who proves who they are gets neither the demo user nor the demo engagement."""
    with serving(settings) as server:
        me(Caller(server.channel))
    with serving(settings, authenticator=HeaderAuth()) as server:
        caller = server.user("demo")
        assert me(caller).name != "users/demo"
        with refused(Code.FAILED_PRECONDITION, "NO_DEFAULT_ENGAGEMENT"):
            default_engagement(caller)
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            caller.engagements.GetEngagement(engagements_pb2.GetEngagementRequest(name="engagements/demo"))


@pytest.mark.parametrize(
    "address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", ":0", "127.0.0.1.example.com:0"]
)
def test_without_auth_nobody_else_may_reach_it(settings, address):
    """`auth none` on anything but loopback and Unix sockets is refused before anything listens."""
    with pytest.raises(InvalidArgument, match="auth: `none`"), serving(settings, addresses=[address]):
        pass
    assert not is_local(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "127.8.8.8:1", "localhost:1", "[::1]:1", "unix:/run/m.sock"]
)
def test_loopback_and_unix_sockets_are_local(address):
    """These alone need no proof of who is calling."""
    assert is_local(address)


def test_it_listens_on_a_unix_socket(settings, tmp_path):
    """The address it tells is the one to connect to."""
    with serving(settings, addresses=[f"unix:{tmp_path}/s"]) as server:
        assert server.address == f"unix:{tmp_path}/s"
        assert me(Caller(server.channel)).name == "users/demo"


def test_a_taken_port_is_said(settings, tmp_path):
    """Two servers never share a port; the second is told in a sentence."""
    other = Settings(database=f"sqlite:///{tmp_path}/other.db")
    with (
        serving(settings) as server,
        pytest.raises(Unavailable, match="cannot be listened on"),
        serving(other, addresses=[server.address]),
    ):
        pass


def test_health_is_told_for_each_service(settings):
    """Health answers for the server and for every service of the API, and does not count as use."""
    with serving(settings) as server:
        health = health_pb2_grpc.HealthStub(server.channel)
        for service in ("", "mooring.v1.SessionService", "google.longrunning.Operations"):
            assert health.Check(health_pb2.HealthCheckRequest(service=service)).status == SERVING
        before = server.app.idle_s()
        health.Check(health_pb2.HealthCheckRequest())
        assert server.app.idle_s() > before
        me(Caller(server.channel))
        assert server.app.incarnation


def test_an_open_stream_is_use(settings):
    """While a watch is open the server is not idle; afterwards it is again."""
    with serving(settings) as server:
        caller = Caller(server.channel)
        me(caller)
        watch = caller.watch.Watch(watch_pb2.WatchRequest(streams=["users/me"]))
        next(watch)
        assert server.app.idle_s() == 0
        watch.cancel()
        until = threading.Event()
        for _ in range(1_000):
            if server.app.idle_s() > 0:
                break
            until.wait(0.01)
        assert server.app.idle_s() > 0


def test_a_stop_ends_watches_with_a_reason(settings):
    """A watch would last for ever: a stopping server ends it as UNAVAILABLE, so that clients come again."""
    with serving(settings) as server:
        caller = Caller(server.channel)
        me(caller)
        watch = caller.watch.Watch(watch_pb2.WatchRequest(streams=["users/me"]))
        next(watch)
        outcome = []

        def drain():
            try:
                for _ in watch:
                    pass
            except grpc.RpcError as error:
                outcome.append(error.code())

        reader = threading.Thread(target=drain)
        reader.start()
        server.stop()
        reader.join(30)
    assert outcome == [Code.UNAVAILABLE]


def reflect(server):
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    return reflection_pb2_grpc.ServerReflectionStub(server.channel).ServerReflectionInfo(iter([request]))


def test_reflection_is_behind_a_switch(settings):
    """With the switch the services are listed; without it there is no such service."""
    with serving(settings) as server:
        assert reflect(server).code() is Code.UNIMPLEMENTED
    with serving(settings.model_copy(update={"reflection": True})) as server:
        (answer,) = reflect(server)
        listed = {service.name for service in answer.list_services_response.service}
        assert {"mooring.v1.SessionService", "mooring.v1.WatchService", "grpc.health.v1.Health"} <= listed


def test_a_request_is_read_up_to_the_limit(settings):
    """What is larger than message_size_max_bytes is RESOURCE_EXHAUSTED, unread."""
    with serving(settings.model_copy(update={"message_size_max_bytes": 10_000})) as server:
        with pytest.raises(grpc.RpcError) as refusal:
            Caller(server.channel).sessions.GetSession(sessions_pb2.GetSessionRequest(name="x" * 20_000))
        assert refusal.value.code() is Code.RESOURCE_EXHAUSTED


def test_every_service_of_the_api_is_served(settings):
    """No RPC of `mooring.v1` is UNIMPLEMENTED."""
    with serving(settings) as server:
        for file in (users_pb2, engagements_pb2, sessions_pb2, discovery_pb2, watch_pb2):
            for service in file.DESCRIPTOR.services_by_name.values():
                for method in service.methods:
                    request = GetMessageClass(method.input_type)().SerializeToString()
                    path = f"/{service.full_name}/{method.name}"
                    if method.client_streaming:
                        call = server.channel.stream_unary(path).future(iter([request]), timeout=30)
                    elif method.server_streaming:
                        call = server.channel.unary_stream(path)(request, timeout=30)
                    else:
                        call = server.channel.unary_unary(path).future(request, timeout=30)
                    assert call.code() not in (Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNKNOWN), path


def test_what_was_written_is_there_after_a_restart(settings):
    """An answer leaves after COMMIT: the next server on the same database shows it."""
    with serving(settings, authenticator=HeaderAuth()) as server:
        engagement = new_engagement(server.user("ann"))
    with serving(settings, authenticator=HeaderAuth()) as server:
        assert default_engagement(server.user("ann")) == engagement
