"""What imports do to the session itself, over a real database; nothing, where it was put away meanwhile."""

import asyncio
from dataclasses import replace

import pytest
from mooring_server.errors import FailedPrecondition
from mooring_server.store import OperationState
from support_imports import SESSION, Gate, ended, queue, row, run, running, shown
from support_store import ENGAGEMENT, asset, publish, session

ARCHIVE = {
    "SESSION_ARCHIVED": lambda tx: tx.sessions.archive(ENGAGEMENT, SESSION, None),
    "ENGAGEMENT_ARCHIVED": lambda tx: tx.engagements.archive(ENGAGEMENT, None),
}


@pytest.fixture
def database(database):
    """With another default session, so that the one to import into can go."""

    def begin(tx):
        session("other")(tx)
        tx.sessions.set_default(ENGAGEMENT, "other", None)
        return publish(tx, asset(0), session_id=SESSION)

    database.write(begin)
    return database


@pytest.mark.parametrize("reason", ARCHIVE)
def test_what_is_archived_while_an_import_runs_stays_as_it_is(database, monkeypatch, reason):
    """The operation fails with the reason, the session shows what it showed, and nothing is left behind."""
    gate = Gate([row(number) for number in range(12)], [row(99)]).install(monkeypatch.setattr)
    before = shown(database)
    operation = queue(database)

    async def main():
        async with running(database) as works:
            await asyncio.to_thread(gate.reached)
            await database.store.write(ARCHIVE[reason])
            gate.open()
            return await ended(database, operation, works)

    try:
        failed = database.run(main())
    finally:
        gate.open()
    assert (failed.state, failed.result) == (OperationState.FAILED, None)
    assert (failed.error["failure"], failed.error["reason"]) == (FailedPrecondition.__name__, reason)
    assert shown(database) == before
    database.clock.advance(10)
    assert database.read(lambda tx: tx.versions.abandoned(database.clock.now, 100)) == []
    assert database.store.check() == []


def test_an_import_that_changes_nothing_is_activity(database, monkeypatch):
    """Somebody was there, so the last activity moves; the session's version does not."""
    Gate([]).install(monkeypatch.setattr).open()
    before = database.read(lambda tx: tx.sessions.get(ENGAGEMENT, SESSION))
    database.clock.advance(1)
    run(database, queue(database))
    after = database.read(lambda tx: tx.sessions.get(ENGAGEMENT, SESSION))
    assert after == replace(before, last_activity_time=database.clock.now)


def test_a_queued_import_finds_its_session_archived(database, monkeypatch):
    """It fails before a row is read, also where the file would change nothing."""
    Gate([row(0)]).install(monkeypatch.setattr).open()
    operation = queue(database)
    database.write(ARCHIVE["SESSION_ARCHIVED"])
    failed = run(database, operation)
    assert (failed.state, failed.error["reason"]) == (OperationState.FAILED, "SESSION_ARCHIVED")
    database.write(lambda tx: tx.sessions.unarchive(ENGAGEMENT, SESSION, None))
    assert run(database, queue(database)).state is OperationState.SUCCEEDED
