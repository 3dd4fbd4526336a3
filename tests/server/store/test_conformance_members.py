"""Members, on every database."""

from dataclasses import replace

import pytest
from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.store import ChangeKind, Role, Tx
from support_store import ENGAGEMENT, USER, Database, begin, session

STREAM = f"engagements/{ENGAGEMENT}"


@pytest.fixture
def begun(database: Database) -> Database:
    """With an engagement that `user-1` manages; `user-2` to `user-6` are there."""

    def make(tx: Tx):
        begin(tx)
        for number in range(2, 7):
            tx.users.insert(f"user-{number}", f"subject {number}", f"User {number}", "")

    database.write(make)
    return database


def last_change(database: Database, stream: str):
    head = database.read(lambda tx: tx.changes.head(stream))
    (change,) = database.read(lambda tx: tx.changes.after(stream, head - 1, 10))
    return change.kind, change.resource


def test_both_streams_tell_of_a_member(begun: Database):
    """The engagement's and the member's own: of their coming, of another role, of their going."""
    resource = f"{STREAM}/members/user-2"
    for kind, work in (
        (ChangeKind.CREATED, lambda tx: tx.members.insert(ENGAGEMENT, "user-2", Role.VIEWER)),
        (ChangeKind.UPDATED, lambda tx: tx.members.set_role(ENGAGEMENT, "user-2", Role.ANALYST, None)),
        (ChangeKind.DELETED, lambda tx: tx.members.delete(ENGAGEMENT, "user-2", None)),
    ):
        begun.write(work)
        assert last_change(begun, STREAM) == (kind, resource)
        assert last_change(begun, "users/user-2") == (kind, resource)
    assert begun.read(lambda tx: tx.members.role(ENGAGEMENT, "user-2")) is None


def test_a_role_is_compare_and_set(begun: Database):
    """Etag and time move with the role; the same role moves nothing; a stale etag is refused."""
    made = begun.write(lambda tx: tx.members.insert(ENGAGEMENT, "user-2", Role.VIEWER))
    assert (made.display_name, made.role, made.etag, made.last_activity_time) == (
        "User 2",
        Role.VIEWER,
        1,
        None,
    )
    begun.clock.advance(1)
    changed = begun.write(lambda tx: tx.members.set_role(ENGAGEMENT, "user-2", Role.ANALYST, 1))
    assert changed == replace(made, role=Role.ANALYST, etag=2, update_time=begun.clock.now)
    head = begun.read(lambda tx: tx.changes.head(STREAM))
    assert begun.write(lambda tx: tx.members.set_role(ENGAGEMENT, "user-2", Role.ANALYST, 2)) == changed
    assert begun.read(lambda tx: tx.changes.head(STREAM)) == head
    for write in (
        lambda tx: tx.members.set_role(ENGAGEMENT, "user-2", Role.MANAGER, 1),
        lambda tx: tx.members.delete(ENGAGEMENT, "user-2", 1),
    ):
        with pytest.raises(Aborted) as moved:
            begun.write(write)
        assert moved.value.reason == "ETAG_MISMATCH"
    assert begun.read(lambda tx: tx.members.get(ENGAGEMENT, "user-2")) == changed
    assert begun.write(lambda tx: tx.members.delete(ENGAGEMENT, "user-2", 2)) == changed


def test_a_member_is_made_once(begun: Database):
    """Of racing calls one makes the member, the others hear that they are one; who is none cannot change."""
    outcomes = begun.together(
        *(lambda tx: tx.members.insert(ENGAGEMENT, "user-2", Role.VIEWER) for _ in range(6))
    )
    refused = [each for each in outcomes if isinstance(each, AlreadyExists)]
    assert {each.reason for each in refused} == {"MEMBER_EXISTS"}
    assert len(refused) == 5
    for write in (
        lambda tx: tx.members.set_role(ENGAGEMENT, "user-3", Role.VIEWER, None),
        lambda tx: tx.members.delete(ENGAGEMENT, "user-3", None),
    ):
        with pytest.raises(NotFound) as absent:
            begun.write(write)
        assert absent.value.reason == "MEMBER_NOT_FOUND"


def test_the_last_manager_stays(begun: Database):
    """They can neither go nor become less, until somebody else is a manager."""
    for write in (
        lambda tx: tx.members.set_role(ENGAGEMENT, USER, Role.ANALYST, None),
        lambda tx: tx.members.delete(ENGAGEMENT, USER, None),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            begun.write(write)
        assert refused.value.reason == "LAST_MANAGER"
    begun.write(lambda tx: tx.members.insert(ENGAGEMENT, "user-2", Role.MANAGER))
    begun.write(lambda tx: tx.members.delete(ENGAGEMENT, USER, None))
    assert begun.read(lambda tx: tx.members.role(ENGAGEMENT, "user-2")) is Role.MANAGER


def test_of_managers_who_all_leave_at_once_one_stays(begun: Database):
    """However they leave: taken out, or given a lower role."""
    users = [f"user-{number}" for number in range(1, 7)]
    for user_id in users[1:]:
        begun.write(lambda tx, user_id=user_id: tx.members.insert(ENGAGEMENT, user_id, Role.MANAGER))

    def leave(user_id: str):
        if user_id in users[::2]:
            return lambda tx: tx.members.delete(ENGAGEMENT, user_id, None)
        return lambda tx: tx.members.set_role(ENGAGEMENT, user_id, Role.VIEWER, None)

    outcomes = begun.together(*map(leave, users))
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [each.reason for each in refused] == ["LAST_MANAGER"]
    members = begun.read(lambda tx: tx.members.page(ENGAGEMENT, None, 0, 10)).items
    assert [member.role for member in members].count(Role.MANAGER) == 1


def test_who_goes_loses_their_default(begun: Database):
    """In the same commit, on their own stream; their contexts stay where they are."""

    def join(tx: Tx):
        tx.members.insert(ENGAGEMENT, "user-2", Role.VIEWER)
        tx.users.set_default_engagement("user-2", ENGAGEMENT)
        tx.contexts.insert("user-2", "default", ENGAGEMENT, "baseline")

    begun.write(join)
    head = begun.read(lambda tx: tx.changes.head("users/user-2"))
    begun.write(lambda tx: tx.members.delete(ENGAGEMENT, "user-2", None))
    assert begun.read(lambda tx: tx.users.get("user-2")).default_engagement_id is None
    assert begun.read(lambda tx: tx.contexts.get("user-2", "default")).engagement_id == ENGAGEMENT
    changes = begun.read(lambda tx: tx.changes.after("users/user-2", head, 10))
    assert {(change.revision, change.kind, change.resource) for change in changes} == {
        (head + 1, ChangeKind.DELETED, f"{STREAM}/members/user-2"),
        (head + 1, ChangeKind.UPDATED, "users/user-2"),
    }


def test_members_are_listed_by_user(begun: Database):
    """Pages follow each other without a gap; another engagement's members are not among them."""
    for number in (5, 3, 2):
        begun.write(lambda tx, n=number: tx.members.insert(ENGAGEMENT, f"user-{n}", Role.VIEWER))
    begun.write(lambda tx: begin(tx, "engagement-2", "user-6"))
    first = begun.read(lambda tx: tx.members.page(ENGAGEMENT, None, 0, 2))
    second = begun.read(lambda tx: tx.members.page(ENGAGEMENT, first.next_key, 0, 2))
    assert [member.user_id for member in (*first.items, *second.items)] == [
        "user-1",
        "user-2",
        "user-3",
        "user-5",
    ]
    assert second.next_key is None
    skipped = begun.read(lambda tx: tx.members.page(ENGAGEMENT, first.next_key, 1, 2))
    assert [member.user_id for member in skipped.items] == ["user-5"]


def test_the_last_activity_is_the_members_own(begun: Database):
    """What they changed or switched to in this engagement counts, neither others' work nor elsewhere."""
    begun.write(lambda tx: tx.members.insert(ENGAGEMENT, "user-2", Role.ANALYST))
    begun.write(lambda tx: begin(tx, "engagement-2", "user-2"), actor="users/user-2")

    def active(user_id: str):
        return begun.read(lambda tx: tx.members.get(ENGAGEMENT, user_id)).last_activity_time

    assert active("user-2") is None
    begun.clock.advance(1)
    changed_at = begun.clock.now
    begun.write(session("wave-1"), actor="users/user-2")
    assert active("user-2") == changed_at
    begun.clock.advance(1)
    switched_at = begun.clock.now
    begun.write(lambda tx: tx.contexts.insert("user-2", "c", ENGAGEMENT, "wave-1"), actor="users/user-2")
    assert active("user-2") == changed_at
    begun.write(
        lambda tx: tx.contexts.switch("user-2", "c", ENGAGEMENT, "baseline", None), actor="users/user-2"
    )
    assert active("user-2") == switched_at
    begun.clock.advance(1)
    begun.write(session("wave-2"))
    assert active("user-2") == switched_at
    assert active(USER) == begun.clock.now


def test_members_of_one_engagement_know_each_other(begun: Database):
    """Strangers do not."""
    begun.write(lambda tx: tx.members.insert(ENGAGEMENT, "user-2", Role.VIEWER))
    assert begun.read(lambda tx: tx.members.share_engagement("user-2", USER))
    assert not begun.read(lambda tx: tx.members.share_engagement("user-2", "user-3"))
