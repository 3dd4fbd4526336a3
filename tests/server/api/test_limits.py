"""Every limit of the server, met over a real socket."""

import socket
import threading
from contextlib import contextmanager, suppress

import grpc
import pytest
from google.rpc import error_details_pb2
from mooring.v1 import engagements_pb2, imports_pb2, sessions_pb2, users_pb2, watch_pb2
from mooring_server.settings import Settings
from support_discovery import start, upload
from support_server import Caller, HeaderAuth, create, new_engagement, refused, serving
from support_waiting import until

Code = grpc.StatusCode
REQUEST_ID = "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b"
DEADLINE_S = 30


@pytest.fixture
def limited(tmp_path):
    """Starts a server with these settings, where callers are whom they say they are."""

    def start(**limits):
        settings = Settings(database=f"sqlite:///{tmp_path}/m.db", port=0, stop_grace_s=1, **limits)
        return serving(settings, authenticator=HeaderAuth())

    return start


def me(caller, **options):
    return caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest(), **options)


def watch(caller):
    """A watch that stands, and its messages."""
    call = caller.watch.Watch(watch_pb2.WatchRequest(streams=["users/me"]), timeout=DEADLINE_S)
    next(call)
    return call


def waits(failure):
    return [
        detail.retry_delay.ToTimedelta().total_seconds()
        for detail in failure.details
        if isinstance(detail, error_details_pb2.RetryInfo)
    ]


def handled(server, method, code):
    """How many calls of an EngagementService method ended with a status code."""
    labels = {
        "grpc_type": "unary",
        "grpc_service": "mooring.v1.EngagementService",
        "grpc_method": method,
        "grpc_code": code,
    }
    return server.app.store.metrics.registry.get_sample_value("grpc_server_handled_total", labels) or 0


@contextmanager
def busy(server):
    """While inside, no write gets its turn."""
    begun, over = threading.Event(), threading.Event()

    def hold(tx):
        begun.set()
        over.wait(DEADLINE_S)

    holder = threading.Thread(target=server.write, args=(hold,))
    holder.start()
    try:
        assert begun.wait(DEADLINE_S)
        yield
    finally:
        over.set()
        holder.join()


def test_a_user_over_their_rate_is_told_when_to_come_again(limited):
    """Past the rate a call is RATE_LIMITED with a RetryInfo; other users and other classes go on."""
    with limited(read_rate="3/day", write_rate="1/day") as server:
        ann, bob = server.user("ann"), server.user("bob")
        for _ in range(3):
            me(ann)
        with refused(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED") as failure:
            me(ann)
        assert len(waits(failure)) == 1
        assert 0 < waits(failure)[0] <= 24 * 3600
        assert "read_rate" in failure.message
        me(bob)
        new_engagement(ann)
        with refused(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED"):
            new_engagement(ann)
        new_engagement(bob)


def test_an_empty_rate_is_no_limit(limited):
    """With an empty setting nobody is refused for coming too fast."""
    with limited(read_rate="", write_rate="1/day") as server:
        ann = server.user("ann")
        for _ in range(50):
            me(ann)


def test_permission_is_told_before_rate_and_counts(limited):
    """Who may not call is told so, over the rate too; what was refused so has counted."""
    with limited(write_rate="2/day") as server:
        ann, bob = server.user("ann"), server.user("bob")
        engagement = new_engagement(ann)
        for _ in range(3):
            with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
                bob.sessions.CreateSession(create(engagement.name, "A"))
        with refused(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED"):
            new_engagement(bob)


def test_rate_is_told_before_validation(limited):
    """Over the rate, nothing of the request is judged, and nothing is done."""
    with limited(write_rate="1/day") as server:
        ann = server.user("ann")
        engagement = new_engagement(ann)
        for name in (" wrong ", "right"):
            with refused(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED"):
                ann.sessions.CreateSession(create(engagement.name, name))
        listed = ann.sessions.ListSessions(sessions_pb2.ListSessionsRequest(parent=engagement.name))
        assert [session.display_name for session in listed.sessions] == ["Baseline"]


def test_uploads_have_a_rate_of_their_own(limited):
    """Uploads and imports share bulk_rate; looking at things does not count for it."""
    with limited(bulk_rate="2/day") as server:
        ann = server.user("ann")
        session = new_engagement(ann).default_session
        start(ann, session, b"name,type\nweb-1,server\n")
        with refused(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED") as failure:
            upload(ann, session, b"name")
        assert "bulk_rate" in failure.message
        me(ann)


def test_opening_watches_has_a_rate_of_its_own(limited):
    """Past watch_rate no further watch is opened."""
    with limited(watch_rate="1/day") as server:
        ann = server.user("ann")
        watch(ann).cancel()
        with refused(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED") as failure:
            watch(ann)
        assert "watch_rate" in failure.message


def test_a_user_has_so_many_watches_open(limited):
    """One too many is LIMIT_EXCEEDED without a RetryInfo; one that closes makes room; others have theirs."""
    with limited(watches_per_user_max=2) as server:
        ann = server.user("ann")
        first, _ = watch(ann), watch(ann)
        with refused(Code.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED") as failure:
            watch(ann)
        assert waits(failure) == []
        watch(server.user("bob"))
        first.cancel()

        def opened():
            try:
                return watch(ann)
            except grpc.RpcError:
                return None

        until(opened, "room for another watch")


def test_a_call_ends_at_the_servers_limit(limited):
    """Past call_time_max_s a call is DEADLINE_EXCEEDED; its retry has one effect, whatever became of it."""
    with limited(call_time_max_s=0.2, operation_wait_max_s=0.1) as server:
        ann = server.user("ann")
        me(ann)
        with busy(server), refused(Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"):
            new_engagement(ann, request_id=REQUEST_ID)
        made = new_engagement(ann, request_id=REQUEST_ID)
        listed = ann.engagements.ListEngagements(engagements_pb2.ListEngagementsRequest()).engagements
        assert [engagement.name for engagement in listed] == [made.name]


def test_a_call_ends_at_its_callers_deadline(limited):
    """The server does not work on for a caller who waits no longer, and does not count a fault."""
    with limited() as server:
        ann = server.user("ann")
        me(ann)
        request = engagements_pb2.CreateEngagementRequest(
            engagement=engagements_pb2.Engagement(display_name="Contoso")
        )
        with busy(server):
            call = ann.engagements.CreateEngagement.future(request, timeout=0.2)
            assert call.code() is Code.DEADLINE_EXCEEDED
            # Whichever the server hears of first: its own clock, or the caller who hangs up.
            ends = ("DEADLINE_EXCEEDED", "CANCELLED")
            until(lambda: sum(handled(server, "CreateEngagement", code) for code in ends) == 1)


def test_an_upload_ends_at_a_limit_of_its_own(limited):
    """An upload that does not go on is DEADLINE_EXCEEDED after upload_time_max_s."""
    with limited(upload_time_max_s=0.2) as server:
        ann = server.user("ann")
        session = new_engagement(ann).default_session
        hung_up = threading.Event()

        def parts():
            yield imports_pb2.UploadInventoryRequest(
                header=imports_pb2.UploadHeader(parent=session, file_name="a.csv")
            )
            hung_up.wait(DEADLINE_S)

        with refused(Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"):
            ann.discovery.UploadInventory(parts(), timeout=DEADLINE_S)
        hung_up.set()


def test_a_watch_has_no_limit(limited):
    """A watch goes on past call_time_max_s."""
    with limited(call_time_max_s=0.2, operation_wait_max_s=0.1, heartbeat_s=0.1) as server:
        messages = watch(server.user("ann"))
        for _ in range(6):
            next(messages)


def test_metadata_is_read_up_to_the_limit(limited):
    """What is larger than metadata_size_max_bytes is RESOURCE_EXHAUSTED, unread."""
    with limited(metadata_size_max_bytes=4_096) as server:
        ann = server.user("ann")
        me(ann, metadata=[("x-note", "x" * 3_000)])
        with pytest.raises(grpc.RpcError) as refusal:
            me(ann, metadata=[("x-note", "x" * 5_000)])
        assert refusal.value.code() is Code.RESOURCE_EXHAUSTED


def test_a_connection_has_so_many_calls_open(limited):
    """On a full connection further calls wait; other connections do not."""
    with limited(streams_per_connection_max=2) as server:
        ann = server.user("ann")
        streams = [watch(ann), watch(ann)]
        with pytest.raises(grpc.RpcError) as refusal:
            me(ann, timeout=0.3)
        assert refusal.value.code() is Code.DEADLINE_EXCEEDED
        with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            me(Caller(channel), metadata=[("user", "ann")], timeout=DEADLINE_S)
        streams[0].cancel()
        me(ann, timeout=DEADLINE_S)


def pinging(server, interval_s):
    """A watch on a connection of its own that pings at this interval, and nothing else."""
    options = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.keepalive_time_ms", round(interval_s * 1_000)),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    with grpc.insecure_channel(server.address, options) as channel:
        call = Caller(channel).watch.Watch(
            watch_pb2.WatchRequest(streams=["users/me"]), metadata=[("user", "ann")], timeout=DEADLINE_S
        )
        next(call)
        return next(call, None)


def test_who_pings_all_the_time_is_disconnected(limited):
    """Pings within ping_interval_min_s cost the connection."""
    with limited(ping_interval_min_s=3_600, heartbeat_s=20) as server:
        with pytest.raises(grpc.RpcError) as refusal:
            pinging(server, 0.05)
        assert refusal.value.code() is Code.UNAVAILABLE
        assert "ping" in refusal.value.details().lower()


def test_who_pings_at_the_allowed_interval_stays(limited):
    """Pings no faster than ping_interval_min_s are answered."""
    with limited(ping_interval_min_s=0.02, heartbeat_s=0.5) as server:
        assert pinging(server, 0.05) is not None


@contextmanager
def cable(address):
    """An address that leads to a server, and an event that cuts the connection without closing it."""
    cut = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def carry(source, target):
            with suppress(OSError):
                while data := source.recv(2**16):
                    if not cut.is_set():
                        target.sendall(data)

        def connect():
            near, _ = listener.accept()
            host, _, port = address.rpartition(":")
            far = socket.create_connection((host, int(port)))
            ends.extend((near, far))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=carry, args=pair).start()

        ends = []
        threading.Thread(target=connect).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", cut
    for end in ends:
        end.shutdown(socket.SHUT_RDWR)
        end.close()


def test_a_caller_who_is_gone_without_a_word_is_noticed(limited):
    """Silence of keepalive_time_s and no answer within keepalive_timeout_s end what the connection held."""
    with (
        limited(keepalive_time_s=0.1, keepalive_timeout_s=0.1, heartbeat_s=60) as server,
        cable(server.address) as (address, cut),
        grpc.insecure_channel(address) as channel,
    ):
        stream = Caller(channel).watch.Watch(
            watch_pb2.WatchRequest(streams=["users/me"]), metadata=[("user", "ann")]
        )
        next(stream)
        registry = server.app.store.metrics.registry
        assert registry.get_sample_value("mooring_watches_open") == 1
        cut.set()
        until(lambda: registry.get_sample_value("mooring_watches_open") == 0, "the watch to end")
