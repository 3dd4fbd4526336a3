"""WatchService over a real socket."""

import itertools
import uuid

import grpc
import pytest
from mooring.v1 import engagements_pb2, sessions_pb2, users_pb2, watch_pb2
from mooring_server.settings import Settings
from support_discovery import import_file
from support_server import HeaderAuth, refused, serving

DEADLINE_S = 30


@pytest.fixture
def engagement(ann):
    """An engagement that ann manages."""
    wanted = engagements_pb2.Engagement(display_name="Harbour")
    return ann.engagements.CreateEngagement(engagements_pb2.CreateEngagementRequest(engagement=wanted)).name


def watch(caller, *streams, token=""):
    request = watch_pb2.WatchRequest(streams=streams, resume_token=token)
    return caller.watch.Watch(request, timeout=DEADLINE_S)


def create(caller, engagement):
    session = sessions_pb2.Session(display_name=uuid.uuid4().hex)
    return caller.sessions.CreateSession(
        sessions_pb2.CreateSessionRequest(parent=engagement, session=session)
    )


def commits(call, count):
    """The next messages with changes; heartbeats are passed over."""
    return list(itertools.islice((message for message in call if message.changes), count))


def test_a_watch_says_at_once_that_it_stands(server, ann, engagement):
    """The first message comes without any change, and carries a resume token and the incarnation."""
    first = next(watch(ann, engagement))
    assert (len(first.changes), first.incarnation) == (0, server.app.incarnation)
    assert first.resume_token


def test_changes_of_another_client_arrive(ann, engagement):
    """What one client commits, another sees: what, by whom, in which revision."""
    call = watch(ann, engagement)
    next(call)
    made = create(ann, engagement)
    (message,) = commits(call, 1)
    change = next(each for each in message.changes if each.resource == made.name)
    assert (change.stream, change.kind) == (engagement, watch_pb2.CHANGE_KIND_CREATED)
    assert change.actor == ann.users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name
    assert change.HasField("commit_time")


def test_an_import_is_announced_once(ann, engagement):
    """A finished import is one change of its session, of kind IMPORTED."""
    session = create(ann, engagement).name
    call = watch(ann, engagement)
    next(call)
    import_file(ann, session, b"hostname\nweb\n")
    (message,) = commits(call, 1)
    assert [(each.kind, each.resource) for each in message.changes] == [
        (watch_pb2.CHANGE_KIND_IMPORTED, session)
    ]


def test_a_watch_resumes_without_gap_or_repeat(ann, engagement):
    """From any message's token the next watch goes on with the very next revision."""
    call = watch(ann, engagement)
    start = next(call)
    for _ in range(6):
        create(ann, engagement)
    seen = commits(call, 6)
    call.cancel()
    revisions = [message.changes[0].revision for message in seen]
    assert revisions == list(range(revisions[0], revisions[0] + 6))
    for message, expected in zip([start, *seen[:5]], range(6), strict=True):
        resumed = commits(watch(ann, engagement, token=message.resume_token), 6 - expected)
        assert [each.changes[0].revision for each in resumed] == revisions[expected:]


def test_a_heartbeat_moves_the_resume_token_on(tmp_path):
    """Silence is broken in time, and a heartbeat's token is as good as any."""
    settings = Settings(database=f"sqlite:///{tmp_path}/m.db", port=0, heartbeat_s=0.1, stop_grace_s=1)
    with serving(settings, authenticator=HeaderAuth()) as server:
        ann = server.user("ann")
        user = ann.users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name
        call = watch(ann, user, "users/me")
        tokens = [message.resume_token for message in itertools.islice(call, 3)]
        assert all(next(watch(ann, user, token=token)) for token in tokens)


def test_own_and_readable_streams_alone(ann, bob, engagement):
    """Another user's stream and a foreign or absent engagement are PERMISSION_DENIED."""
    next(watch(ann, engagement, "users/me"))
    mine = ann.users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name
    for stream in (engagement, mine, "engagements/absent"):
        with refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"):
            next(watch(bob, "users/me", stream))


def test_bad_requests_are_refused(ann, bob, engagement):
    """No streams, a name that is no stream, an altered token, another user's token: INVALID_ARGUMENT."""
    token = next(watch(ann, engagement)).resume_token
    for streams in ((), ("sessions/x",), ["users/me"] * 1_001):
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"):
            next(watch(ann, *streams))
    for caller, altered in ((ann, token + "x"), (ann, "x"), (bob, token)):
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN"):
            next(watch(caller, "users/me", token=altered))


def test_history_that_is_gone_is_out_of_range(server, ann, engagement):
    """A token older than the kept history is refused, and the earliest revision is named."""
    token = next(watch(ann, engagement)).resume_token
    for _ in range(5):
        create(ann, engagement)
    server.write(lambda tx: tx.changes.trim(engagement, 2, 100))
    earliest = server.read(lambda tx: tx.changes.earliest(engagement))
    with refused(grpc.StatusCode.OUT_OF_RANGE, "HISTORY_GONE") as refusal:
        next(watch(ann, engagement, token=token))
    assert refusal.details[0].metadata["earliest_revision"] == str(earliest)


def test_a_stopping_server_ends_watches(tmp_path):
    """Whoever watches is told UNAVAILABLE, so that the client resumes elsewhere or later."""
    settings = Settings(database=f"sqlite:///{tmp_path}/m.db", port=0, stop_grace_s=5)
    with serving(settings, authenticator=HeaderAuth()) as server:
        call = watch(server.user("ann"), "users/me")
        next(call)
        channel = server.channel
        server.stop()
        with refused(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE"):
            for _ in call:
                pass
        channel.close()
