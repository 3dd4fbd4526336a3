"""Pins and visits, on every database."""

import pytest
from mooring_server.core import shortcuts, users
from mooring_server.core.policy import Caller
from mooring_server.errors import FailedPrecondition, NotFound
from mooring_server.store import ChangeKind, Tx
from support_store import ENGAGEMENT, USER, Database, begin, session

ANN = Caller(USER)


@pytest.fixture
def begun(database: Database) -> Database:
    """With an engagement of three sessions, and another user."""

    def make(tx: Tx):
        begin(tx)
        for id in ("wave-1", "wave-2"):
            session(id)(tx)
        tx.users.insert("user-2", "another subject", "Another", "")

    database.write(make)
    return database


def switch(database: Database, id: str, caller: Caller = ANN, engagement_id: str = ENGAGEMENT):
    """A switch, a second after the one before."""
    database.clock.advance(1)

    def work(tx: Tx):
        return users.switch(tx, caller, "default", tx.sessions.get(engagement_id, id), None)

    return database.write(work)


def pin(database: Database, id: str, caller: Caller = ANN):
    """A pin, a second after the one before."""
    database.clock.advance(1)
    return database.write(lambda tx: shortcuts.pin(tx, caller, ENGAGEMENT, id))


def unpin(database: Database, id: str):
    return database.write(lambda tx: shortcuts.unpin(tx, ANN, ENGAGEMENT, id))


def ids(database: Database, caller: Caller = ANN, engagement_id: str = ENGAGEMENT):
    """The ids of the pinned sessions, and those of the recent ones."""
    found = database.read(lambda tx: shortcuts.get(tx, caller, engagement_id))
    return [one.id for one in found.pinned], [one.id for one in found.recent]


def head(database: Database) -> int:
    return database.read(lambda tx: tx.changes.head(f"users/{USER}"))


def test_the_last_visited_comes_first(begun: Database):
    """Each session once, by its last switch; others' visits and other engagements' are not among them."""
    begun.write(lambda tx: begin(tx, "another"))
    for id in ("baseline", "wave-1", "wave-2", "wave-1"):
        switch(begun, id)
    switch(begun, "baseline", engagement_id="another")
    switch(begun, "baseline", Caller("user-2"))
    assert ids(begun) == ([], ["wave-1", "wave-2", "baseline"])
    assert ids(begun, engagement_id="another") == ([], ["baseline"])
    assert ids(begun, Caller("user-2")) == ([], ["baseline"])


def test_eight_are_recent(begun: Database):
    """However many were visited, and however many of those are gone meanwhile."""
    for number in range(12):
        begun.write(session(f"s-{number}"))
        switch(begun, f"s-{number}")
    for number in (11, 9):
        begun.write(lambda tx, id=f"s-{number}": tx.sessions.delete(ENGAGEMENT, id, None))
    assert ids(begun)[1] == [f"s-{number}" for number in (10, 8, 7, 6, 5, 4, 3, 2)]


def test_a_refused_switch_is_no_visit(begun: Database):
    """What did not happen leaves nothing behind."""
    begun.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "wave-2", None))

    def gone(tx: Tx):
        return users.switch(tx, ANN, "default", tx.sessions.get(ENGAGEMENT, "wave-2", True), None)

    with pytest.raises(NotFound):
        begun.write(gone)
    begun.write(lambda tx: tx.sessions.undelete(ENGAGEMENT, "wave-2", None))
    assert ids(begun) == ([], [])


def test_pins_stay_in_their_order(begun: Database):
    """Pinning again moves nothing and tells nobody; unpinned and pinned again is last."""
    for id in ("wave-2", "baseline", "wave-1"):
        assert pin(begun, id).id == id
    before = head(begun)
    pin(begun, "wave-2")
    assert (ids(begun)[0], head(begun)) == (["wave-2", "baseline", "wave-1"], before)
    unpin(begun, "wave-2")
    assert unpin(begun, "wave-2").id == "wave-2"
    assert (ids(begun)[0], head(begun)) == (["baseline", "wave-1"], before + 1)
    pin(begun, "wave-2")
    assert ids(begun)[0] == ["baseline", "wave-1", "wave-2"]
    assert ids(begun, Caller("user-2"))[0] == []


def test_the_users_stream_tells_of_pins(begun: Database):
    """By the name of the engagement's shortcuts; it is nothing that happened to the session."""
    for work in (pin, unpin):
        work(begun, "wave-1")
        at = head(begun)
        (change,) = begun.read(lambda tx, at=at: tx.changes.after(f"users/{USER}", at - 1, 10))
        assert (change.kind, change.resource) == (ChangeKind.UPDATED, f"engagements/{ENGAGEMENT}/shortcuts")
    session = begun.read(lambda tx: tx.sessions.get(ENGAGEMENT, "wave-1"))
    assert (session.etag, session.last_activity_time) == (1, session.create_time)


def test_deleted_sessions_are_hidden_and_come_back(begun: Database):
    """Archived ones stay, and say so; a deleted one is back where it was when it is undeleted."""
    for id in ("wave-1", "wave-2"):
        pin(begun, id)
        switch(begun, id)
    begun.write(lambda tx: tx.sessions.archive(ENGAGEMENT, "wave-2", None))
    begun.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "wave-1", None))
    found = begun.read(lambda tx: shortcuts.get(tx, ANN, ENGAGEMENT))
    assert ids(begun) == (["wave-2"], ["wave-2"])
    assert all(one.archive_time is not None for one in (*found.pinned, *found.recent))
    for work in (pin, unpin):
        with pytest.raises(NotFound) as absent:
            work(begun, "wave-1")
        assert absent.value.reason == "SESSION_NOT_FOUND"
    begun.write(lambda tx: tx.sessions.undelete(ENGAGEMENT, "wave-1", None))
    assert ids(begun) == (["wave-1", "wave-2"], ["wave-2", "wave-1"])


def test_twenty_are_pinned_at_most(begun: Database):
    """The next is refused, one of them again is not; a deleted one leaves its place to another."""
    for number in range(20):
        begun.write(session(f"s-{number}"))
        pin(begun, f"s-{number}")
    with pytest.raises(FailedPrecondition, match="unpin one first") as refused:
        pin(begun, "wave-1")
    assert refused.value.reason == "TOO_MANY_PINS"
    pin(begun, "s-19")
    begun.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "s-0", None))
    pin(begun, "wave-1")
    assert ids(begun)[0] == [*(f"s-{number}" for number in range(1, 20)), "wave-1"]


def test_of_racing_pins_none_is_too_many(begun: Database):
    """Whoever comes second sees the first one's pin."""
    for number in range(25):
        begun.write(session(f"s-{number:02}"))
    outcomes = begun.together(
        *(lambda tx, id=f"s-{number:02}": shortcuts.pin(tx, ANN, ENGAGEMENT, id) for number in range(25))
    )
    assert sum(isinstance(each, FailedPrecondition) for each in outcomes) == 5
    assert len(ids(begun)[0]) == 20


def test_the_newest_visits_are_kept(begun: Database):
    """What is beyond them is found and forgotten, the oldest first; others' visits stay."""
    for id in ("baseline", "wave-1", "wave-2"):
        switch(begun, id)
    switch(begun, "wave-1", Caller("user-2"))
    assert begun.read(lambda tx: tx.shortcuts.overlong(3, 10)) == []
    assert begun.read(lambda tx: tx.shortcuts.overlong(1, 10)) == [(USER, ENGAGEMENT)]
    assert begun.write(lambda tx: tx.shortcuts.trim(USER, ENGAGEMENT, 2, 10)) == 1
    assert ids(begun)[1] == ["wave-2", "wave-1"]
    assert begun.write(lambda tx: tx.shortcuts.trim(USER, ENGAGEMENT, 2, 10)) == 0
    assert ids(begun, Caller("user-2"))[1] == ["wave-1"]
