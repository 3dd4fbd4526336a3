"""Engagements, on every database."""

import pytest
from mooring_server.errors import Aborted, FailedPrecondition, NotFound
from mooring_server.store import ChangeKind, Engagement, Tx
from support_store import ENGAGEMENT, Database, begin, session

STREAM = f"engagements/{ENGAGEMENT}"


@pytest.fixture
def begun(database: Database) -> Database:
    """With one engagement."""
    database.write(begin)
    return database


def get(tx: Tx) -> Engagement:
    return tx.engagements.get(ENGAGEMENT)


def test_an_update_is_compare_and_set(begun: Database):
    """Fields, etag, time, revision and log move together, or nothing does."""
    before = begun.read(get)
    begun.clock.advance(1)
    after = begun.write(lambda tx: tx.engagements.update(ENGAGEMENT, 1, display_name="Contoso"))
    assert (after.display_name, after.etag, after.revision) == ("Contoso", 2, before.revision + 1)
    assert (after.create_time, after.update_time) == (before.create_time, begun.clock.now)
    assert begun.read(get) == after
    change = begun.read(lambda tx: tx.changes.after(STREAM, before.revision, 10))[0]
    assert (change.kind, change.resource) == (ChangeKind.UPDATED, STREAM)
    with pytest.raises(Aborted) as moved:
        begun.write(lambda tx: tx.engagements.update(ENGAGEMENT, 1, description="Late"))
    assert moved.value.reason == "ETAG_MISMATCH"
    with pytest.raises(NotFound) as absent:
        begun.write(lambda tx: tx.engagements.update("absent", None, description="Lost"))
    assert absent.value.reason == "ENGAGEMENT_NOT_FOUND"
    assert begun.read(get) == after
    assert begun.write(lambda tx: tx.engagements.update(ENGAGEMENT, None)) == after


@pytest.mark.parametrize("to", ["archive", "unarchive"])
def test_archiving_again_changes_nothing(begun: Database, to: str):
    """The first call moves the engagement, with its own kind of change; those after it move no revision."""
    if to == "unarchive":
        begun.write(lambda tx: tx.engagements.archive(ENGAGEMENT, None))
    before = begun.read(get)
    begun.clock.advance(1)
    outcomes = begun.together(*(lambda tx: getattr(tx.engagements, to)(ENGAGEMENT, None) for _ in range(6)))
    after = begun.read(get)
    assert set(outcomes) == {after}
    assert (after.etag, after.revision) == (before.etag + 1, before.revision + 1)
    assert after.archive_time == (begun.clock.now if to == "archive" else None)
    change = begun.read(lambda tx: tx.changes.after(STREAM, before.revision, 10))[0]
    assert change.kind is {"archive": ChangeKind.ARCHIVED, "unarchive": ChangeKind.UNARCHIVED}[to]
    with pytest.raises(Aborted) as moved:
        begun.write(lambda tx: getattr(tx.engagements, to)(ENGAGEMENT, before.etag))
    assert moved.value.reason == "ETAG_MISMATCH"


def test_nothing_gets_into_an_archived_engagement(begun: Database):
    """Of writers that race with the archiving, each commits before it or is refused: none after it."""

    def write(number: int):
        def work(tx: Tx):
            tx.engagements.require_in_use(ENGAGEMENT)
            return session(f"session-{number}")(tx)

        return work

    def archive(tx: Tx):
        return tx.engagements.archive(ENGAGEMENT, None)

    outcomes = begun.together(*map(write, range(8)), archive, *map(write, range(8, 16)))
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert {each.reason for each in refused} <= {"ENGAGEMENT_ARCHIVED"}
    assert begun.read(get).session_count == 1 + 16 - len(refused)
    kinds = [change.kind for change in begun.read(lambda tx: tx.changes.after(STREAM, 0, 100))]
    assert kinds[-1] is ChangeKind.ARCHIVED
    with pytest.raises(FailedPrecondition):
        begun.write(write(99))


def test_a_writer_that_looked_before_the_archiving_is_refused(begun: Database):
    """What it was told at its beginning does not count at its commit, and nothing of its work is kept."""

    def late(tx: Tx):
        tx.engagements.require_in_use(ENGAGEMENT)
        session("late")(tx)
        # As another transaction's, which PostgreSQL would let in between.
        tx.engagements.archive(ENGAGEMENT, None)

    with pytest.raises(FailedPrecondition) as refused:
        begun.write(late)
    assert refused.value.reason == "ENGAGEMENT_ARCHIVED"
    assert begun.read(lambda tx: tx.sessions.get(ENGAGEMENT, "late")) is None
