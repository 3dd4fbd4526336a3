"""Whoever may not read any more hears no more: roles, tokens, restored databases and slow readers."""

import itertools
from datetime import timedelta

import grpc
import pytest
from mooring.v1 import engagements_pb2, tokens_pb2, watch_pb2
from mooring_server.core import tokens
from mooring_server.core.policy import Caller as PolicyCaller
from mooring_server.settings import Auth, Settings
from mooring_server.store.records import TokenScope
from mooring_server.store.sqlite import connect_sqlite, sqlite_path
from mooring_server.store.tables import Facts
from support_engagements import ANALYST, VIEWER, add, remove, set_role
from support_server import HeaderAuth, create, new_engagement, refused, serving
from support_waiting import until

Code = grpc.StatusCode
DEADLINE_S = 30


def watch(caller, *streams, token=""):
    request = watch_pb2.WatchRequest(streams=streams, resume_token=token)
    return caller.watch.Watch(request, timeout=DEADLINE_S)


def standing(caller, *streams, token=""):
    """A watch that stands, and its first resume token."""
    call = watch(caller, *streams, token=token)
    return call, next(call).resume_token


def changes(call):
    """All changes from here on."""
    return [(change.kind, change.resource) for message in call for change in message.changes]


def changed(call, count):
    """The next changes."""
    every = (change.resource for message in call for change in message.changes)
    return list(itertools.islice(every, count))


def secret_of(server, user_id, life_s=3_600.0):
    """A new token's secret, made past the API."""

    def make(tx):
        user = tokens.bearer(tx, user_id, "")
        draft = tokens.Draft("", "A token", TokenScope.WRITE, tx.now + timedelta(seconds=life_s))
        return tokens.create(tx, PolicyCaller(user.id), user.id, draft, Settings())

    token, secret = server.write(make)
    return f"users/{user_id}/tokens/{token.id}", secret


@pytest.fixture
def settings(tmp_path):
    """Those of a server with a file of its own."""
    return Settings(database=f"sqlite:///{tmp_path}/m.db", port=0, stop_grace_s=1)


def test_a_new_member_hears_of_it_and_can_watch(ann, bob):
    """Membership comes on the user's own stream; from then on the engagement can be watched."""
    engagement = new_engagement(ann).name
    call, _ = standing(bob, "users/me")
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        next(watch(bob, engagement))
    made = add(ann, engagement, bob)
    assert changed(call, 1) == [made.name]
    call, _ = standing(bob, engagement)
    session = ann.sessions.CreateSession(create(engagement, "For everybody"))
    assert changed(call, 1) == [session.name]


def test_a_removed_member_hears_nothing_more(ann, bob):
    """The watch ends with PERMISSION_DENIED before anything that was committed after the removal."""
    engagement = new_engagement(ann).name
    made = add(ann, engagement, bob, ANALYST)
    call, token = standing(bob, engagement, "users/me")
    before = ann.sessions.CreateSession(create(engagement, "Before"))
    assert changed(call, 1) == [before.name]
    remove(ann, made.name)
    ann.sessions.CreateSession(create(engagement, "After"))
    seen = []
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        for message in call:
            seen += message.changes
    assert seen == []
    # What took them out is on their own stream, from the same token on.
    assert changed(watch(bob, "users/me", token=token), 1) == [made.name]


def test_another_role_leaves_a_watch_standing(ann, bob):
    """A member who may still read goes on without a gap."""
    engagement = new_engagement(ann).name
    made = add(ann, engagement, bob, ANALYST)
    call, _ = standing(bob, engagement)
    set_role(ann, made.name, VIEWER)
    session = ann.sessions.CreateSession(create(engagement, "Next"))
    assert changed(call, 2) == [made.name, session.name]


def test_a_removal_in_another_process_ends_the_watch(settings):
    """Two servers on one database: whom one removes, the other stops."""
    with (
        serving(settings, authenticator=HeaderAuth()) as here,
        serving(settings, authenticator=HeaderAuth()) as there,
    ):
        ann, bob = here.user("ann"), there.user("bob")
        engagement = new_engagement(ann).name
        made = add(ann, engagement, bob)
        call, _ = standing(bob, engagement)
        remove(ann, made.name)
        ann.sessions.CreateSession(create(engagement, "After"))
        seen = []
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            for message in call:
                seen += message.changes
        assert seen == []
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            bob.engagements.GetEngagement(engagements_pb2.GetEngagementRequest(name=engagement))


def test_a_revoked_token_ends_its_watches_alone(settings):
    """UNAUTHENTICATED for those of that token, in its own process and in another; the user's others go on."""
    settings = settings.model_copy(update={"auth": Auth.TOKEN})
    with serving(settings) as here, serving(settings) as there:
        name, secret = secret_of(here, "eve")
        _, other = secret_of(here, "eve")
        eve = here.bearer(other)
        calls = [standing(server.bearer(secret), "users/me")[0] for server in (here, there)]
        going_on, _ = standing(eve, "users/me")
        eve.users.RevokeToken(tokens_pb2.RevokeTokenRequest(name=name))
        for call in calls:
            with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED"):
                assert changes(call) == []
        assert changed(going_on, 1) == [name]


def test_an_expired_token_ends_its_watches(settings):
    """A watch lasts no longer than what opened it, however quiet its streams are."""
    settings = settings.model_copy(update={"auth": Auth.TOKEN})
    with serving(settings) as server:
        _, secret = secret_of(server, "eve", life_s=0.5)
        with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED"):
            changes(watch(server.bearer(secret), "users/me"))


def test_a_restored_database_ends_every_watch(settings):
    """UNAVAILABLE once, then tokens of before are refused: clients read everything again."""
    with serving(settings, authenticator=HeaderAuth()) as server:
        call, token = standing(server.user("ann"), "users/me")
        before = server.app.incarnation
        connection = connect_sqlite(sqlite_path(settings.database))
        with connection:
            Facts.update({Facts.value: "another"}).where(Facts.key == "incarnation").execute(connection)
        with refused(Code.UNAVAILABLE, "UNAVAILABLE"):
            changes(call)
        with refused(Code.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN"):
            changes(watch(server.user("ann"), "users/me", token=token))
        assert next(watch(server.user("ann"), "users/me")).incarnation == "another" != before


def stalled(address, *streams):
    """A watch over a connection that takes little, by a reader who has read one message."""
    options = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1_024)]
    channel = grpc.insecure_channel(address, options=options)
    call = channel.unary_stream(
        "/mooring.v1.WatchService/Watch",
        request_serializer=watch_pb2.WatchRequest.SerializeToString,
        response_deserializer=watch_pb2.WatchResponse.FromString,
    )(watch_pb2.WatchRequest(streams=streams), timeout=60, metadata=[("user", "ann")])
    next(call)
    return channel, call


def test_a_reader_who_stops_reading_holds_no_memory(settings):
    """What they leave fills the connection, then a bounded queue: SLOW_READER, and resumed without a gap."""
    settings = settings.model_copy(update={"watch_queue_max": 20})
    with serving(settings, authenticator=HeaderAuth()) as server:
        ann = server.user("ann")
        # Many streams make long resume tokens, so that few messages fill a connection.
        engagements = [new_engagement(ann, f"Engagement {number}").name for number in range(60)]
        channel, slow = stalled(server.address, *engagements)
        left, _ = stalled(server.address, *engagements)
        made = [
            ann.sessions.CreateSession(create(engagements[0], f"Session {number}")).name
            for number in range(120)
        ]
        read = []
        with refused(Code.RESOURCE_EXHAUSTED, "SLOW_READER"):
            read.extend(slow)
        assert 0 < len(read) < len(made)
        resumed = watch(ann, *engagements, token=read[-1].resume_token)
        rest = changed(resumed, len(made) - len(read))
        assert [change.resource for message in read for change in message.changes] + rest == made
        # Whoever leaves in the middle of a message is no fault of the server's.
        channel.close()
        left.close()
        resumed.cancel()
        metrics = server.app.store.metrics.registry
        until(lambda: metrics.get_sample_value("mooring_watches_open") == 0)
        assert not metrics.get_sample_value("mooring_refusals_total", {"reason": "INTERNAL"})
