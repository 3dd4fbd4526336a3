"""A user's own shortcuts through the API."""

import uuid

import grpc
import pytest
from mooring.v1 import sessions_pb2, watch_pb2
from mooring_server.store.records import Role
from support_engagements import me, open_context, remove, switch_engagement
from support_server import new_engagement, refused
from support_sessions import archive, delete, join, make, switch

Code = grpc.StatusCode


@pytest.fixture
def engagement(ann):
    return new_engagement(ann).name


def shortcuts(caller, engagement):
    """The display names of the pinned sessions, and those of the recent ones."""
    request = sessions_pb2.GetShortcutsRequest(name=f"{engagement}/shortcuts")
    answer = caller.sessions.GetShortcuts(request)
    assert answer.name == request.name
    return [one.display_name for one in answer.pinned], [one.display_name for one in answer.recent]


def pin(caller, name, **fields):
    return caller.sessions.PinSession(sessions_pb2.PinSessionRequest(name=name, **fields)).session


def unpin(caller, name, **fields):
    return caller.sessions.UnpinSession(sessions_pb2.UnpinSessionRequest(name=name, **fields)).session


def test_shortcuts_follow_their_user(server, ann, bob, engagement):
    """Through all their contexts, by switches of sessions and of engagements; nobody else's show there."""
    join(server, bob, engagement, Role.VIEWER)
    first, second = (make(ann, engagement, name) for name in ("A", "B"))
    assert pin(ann, second.name) == second
    switch(ann, first.name, context=open_context(ann, "kernel").context.name)
    switch(ann, f"sessions/{second.name.rpartition('/')[2]}")
    switch_engagement(ann, engagement)
    assert shortcuts(ann, engagement) == (["B"], ["Baseline", "B", "A"])
    assert shortcuts(bob, engagement) == ([], [])
    assert unpin(ann, second.name).name == second.name
    assert shortcuts(ann, engagement) == ([], ["Baseline", "B", "A"])


def test_whoever_reads_may_pin(server, ann, bob, engagement):
    """A viewer too, and in an archived engagement; an archived session is pinned as it is."""
    join(server, bob, engagement, Role.VIEWER)
    made = make(ann, engagement)
    away = archive(ann, made.name)
    server.write(lambda tx: tx.engagements.archive(engagement.split("/")[1], None))
    assert pin(bob, made.name) == away
    assert shortcuts(bob, engagement) == (["A"], [])
    assert unpin(bob, made.name) == away


def test_shortcuts_go_with_the_role(server, ann, bob, engagement):
    """Strangers are refused, and former members, whose pins wait for their return."""
    made = make(ann, engagement)
    for call in (
        lambda: shortcuts(bob, engagement),
        lambda: pin(bob, made.name),
        lambda: unpin(bob, made.name),
        lambda: shortcuts(bob, "engagements/nowhere"),
    ):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            call()
    join(server, bob, engagement, Role.VIEWER)
    pin(bob, made.name)
    remove(ann, f"{engagement}/members/{me(bob).name.partition('/')[2]}")
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        shortcuts(bob, engagement)
    join(server, bob, engagement, Role.VIEWER)
    assert shortcuts(bob, engagement) == (["A"], [])


def test_a_token_for_reading_pins_nothing(server, name, ann, engagement):
    """It reads the shortcuts of its user."""
    made = make(ann, engagement)
    pin(ann, made.name)
    reader = server.user(name, "read")
    assert shortcuts(reader, engagement) == (["A"], [])
    for call in (pin, unpin):
        with refused(Code.PERMISSION_DENIED, "SCOPE_TOO_NARROW"):
            call(reader, made.name)


def test_pins_are_refused_with_a_reason(ann, engagement):
    """One too many, and one of what is not there; names are checked."""
    for number in range(20):
        pin(ann, make(ann, engagement, f"S {number}").name)
    late = make(ann, engagement, "Late")
    with refused(Code.FAILED_PRECONDITION, "TOO_MANY_PINS"):
        pin(ann, late.name)
    delete(ann, late.name)
    for call in (pin, unpin):
        with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
            call(ann, late.name)
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
            call(ann, engagement)
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
        ann.sessions.GetShortcuts(sessions_pb2.GetShortcutsRequest(name=engagement))


def test_a_repeated_pin_is_made_once(ann, engagement):
    """A retry gets the answer of the first call, also where somebody unpinned meanwhile."""
    made, request_id = make(ann, engagement), str(uuid.uuid4())
    answer = pin(ann, made.name, request_id=request_id)
    unpin(ann, made.name)
    assert pin(ann, made.name, request_id=request_id) == answer
    assert shortcuts(ann, engagement) == ([], [])


def test_another_kernel_hears_of_pins(ann, engagement):
    """The watch of the user's own stream tells of each change, and of none where nothing changed."""
    made = make(ann, engagement)
    call = ann.watch.Watch(watch_pb2.WatchRequest(streams=["users/me"]), timeout=30)
    next(call)
    pin(ann, made.name)
    pin(ann, made.name)
    unpin(ann, made.name)
    switch(ann, made.name)
    heard = []
    while len(heard) < 3:
        heard += [(each.kind, each.resource) for each in next(call).changes]
    pinned = (watch_pb2.CHANGE_KIND_UPDATED, f"{engagement}/shortcuts")
    assert heard[:2] == [pinned, pinned]
    assert heard[2][0] == watch_pb2.CHANGE_KIND_SWITCHED
