"""Imports as operations, over a real database: all or nothing, whatever happens meanwhile."""

import asyncio

import pytest
from mooring_server.background import Operations, imports
from mooring_server.core import operations as rules
from mooring_server.errors import Unavailable
from mooring_server.ingest import RejectedRow
from mooring_server.store import OperationState
from support_imports import DEADLINE_S, SESSION, STREAM, Gate, ended, find, queue, row, run, running, shown
from support_store import ENGAGEMENT, USER, asset, publish

CHUNK = 5


def meanwhile(database, operation, gate, act):
    """Runs an import, and `act` (a coroutine function of the runner) while it waits at the gate."""

    async def main():
        async with running(database) as works:
            await asyncio.to_thread(gate.reached)
            await act(works)
            gate.open()
            return await ended(database, operation, works)

    try:
        return database.run(main())
    finally:
        gate.open()


def leftovers(database):
    """Versions and uploads that only a sweep would find."""
    database.clock.advance(10)
    far = database.clock()
    return database.read(lambda tx: tx.versions.abandoned(far, 100))


def test_an_import_publishes_its_rows_and_keeps_what_the_file_does_not_name(database, monkeypatch):
    """The session shows base and file together, its counter is right, and the account balances."""
    base = database.write(lambda tx: publish(tx, *(asset(number) for number in range(12))))
    rows = [row(number, owner="ann") for number in range(10, 20)] + [RejectedRow("", 99, "no name")]
    gate = Gate(rows).install(monkeypatch.setattr)
    gate.open()
    operation = run(database, queue(database))
    assert operation.state is OperationState.SUCCEEDED
    account = operation.result
    assert (account["source_rows"], account["created"], account["updated"]) == (11, 8, 2)
    assert account["rejected"] == [{"sheet": "", "row": 99, "reason": "no name"}]
    assets, version, count = shown(database)
    assert version == account["data_version"] != base
    assert sorted(assets) == [f"name:{number:06}" for number in range(20)]
    assert count == 20
    assert (assets["name:000010"].id, assets["name:000010"].owner) == ("asset-000010", "ann")
    assert database.store.check() == []


def test_the_same_rows_again_change_nothing(database, monkeypatch):
    """No new data version, no change in the log, and nothing left behind."""
    rows = [row(number % 12) for number in range(30)]
    for gate in (Gate(rows), Gate(rows)):
        before, head = shown(database), database.read(lambda tx: tx.changes.head(STREAM))
        gate.install(monkeypatch.setattr).open()
        operation = run(database, queue(database))
    assert (operation.result["created"], operation.result["unchanged"], operation.result["joined"]) == (
        0,
        12,
        18,
    )
    assert operation.result["data_version"] == before[1]
    assert shown(database) == before
    assert database.read(lambda tx: tx.changes.head(STREAM)) == head
    assert leftovers(database) == []


def test_one_change_in_the_log_names_the_whole_import(database, monkeypatch):
    """Watchers hear of an import once, as one change of its session, done by its user."""
    head = database.read(lambda tx: tx.changes.head(STREAM))
    Gate([row(number) for number in range(30)]).install(monkeypatch.setattr).open()
    run(database, queue(database))
    (change,) = database.read(lambda tx: tx.changes.after(STREAM, head, 100))
    assert (change.kind, change.resource) == ("imported", f"{STREAM}/sessions/{SESSION}")
    assert change.actor == f"users/{USER}"


def test_readers_see_nothing_of_an_import_before_it_is_done(database, monkeypatch):
    """Progress is shown while it runs; assets are not."""
    gate = Gate([row(number) for number in range(20)], [row(20)]).install(monkeypatch.setattr)

    async def look(works):
        async with asyncio.timeout(DEADLINE_S):
            while (await find(database, queued)).progress.get("rows_done") != 20:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # progress comes by itself, twice a second
        session = await database.store.read(lambda tx: tx.sessions.get(ENGAGEMENT, SESSION))
        assert (session.data_version_id, session.asset_count) == (None, 0)

    queued = queue(database)
    assert meanwhile(database, queued, gate, look).state is OperationState.SUCCEEDED
    assert len(shown(database)[0]) == 21


def test_a_base_that_moved_refuses_the_import(database, monkeypatch):
    """Whoever published first wins; the import fails with DATA_VERSION_MOVED and leaves no trace."""
    gate = Gate([row(number) for number in range(8)]).install(monkeypatch.setattr)

    async def move(works):
        await database.store.write(lambda tx: publish(tx, asset(500)))

    operation = meanwhile(database, queue(database), gate, move)
    assert operation.state is OperationState.FAILED
    assert (operation.error["failure"], operation.error["reason"]) == ("Aborted", "DATA_VERSION_MOVED")
    assert list(shown(database)[0]) == ["name:000500"]
    assert leftovers(database) == []


def test_a_running_import_can_be_cancelled(database, monkeypatch):
    """It ends as CANCELLED, changes nothing, and what it had built is gone."""
    gate = Gate([row(number) for number in range(8)], [row(9)]).install(monkeypatch.setattr)
    queued = queue(database)

    async def cancel(works):
        await database.store.write(lambda tx: rules.cancel(tx, ENGAGEMENT, SESSION, queued.id))

    operation = meanwhile(database, queued, gate, cancel)
    assert (operation.state, operation.error["reason"]) == (OperationState.CANCELLED, "OPERATION_CANCELLED")
    assert shown(database) == ({}, None, 0)
    assert leftovers(database) == []


def test_a_queued_import_can_be_cancelled(database, monkeypatch):
    """It never begins."""
    monkeypatch.setattr(imports, "parse", lambda *_: pytest.fail("it began"))
    queued = queue(database)
    database.write(lambda tx: rules.cancel(tx, ENGAGEMENT, SESSION, queued.id))
    assert run(database, queued).state is OperationState.CANCELLED


def test_an_ended_operation_stays_as_it_is_when_cancelled(database, monkeypatch):
    """Cancelling too late is not an error and undoes nothing."""
    Gate([row(1)]).install(monkeypatch.setattr).open()
    queued = queue(database)
    run(database, queued)
    after = database.write(lambda tx: rules.cancel(tx, ENGAGEMENT, SESSION, queued.id))
    assert (after.state, after.error) == (OperationState.SUCCEEDED, None)


def test_stopping_the_server_interrupts_an_import(database, monkeypatch):
    """A graceful stop ends it with OPERATION_INTERRUPTED; nothing was changed."""
    gate = Gate([row(number) for number in range(8)], [row(9)]).install(monkeypatch.setattr)
    queued = queue(database)

    async def main():
        works = Operations(database.store, database.settings)
        works.start()
        await asyncio.to_thread(gate.reached)
        closing = asyncio.create_task(works.close())
        await asyncio.sleep(0)
        gate.open()
        await closing

    database.run(main())
    operation = database.run(find(database, queued))
    assert (operation.state, operation.error["reason"]) == (OperationState.FAILED, "OPERATION_INTERRUPTED")
    assert shown(database) == ({}, None, 0)
    assert leftovers(database) == []


def begun_elsewhere(database):
    """An operation that another process runs, with a version under construction."""
    queued = queue(database)

    def take(tx):
        tx.operations.claim(queued.id, "another process")
        version = tx.versions.begin(ENGAGEMENT, SESSION, None)
        tx.assets.insert_many(version.id, [asset(number) for number in range(12)])
        tx.operations.update(queued.id, progress={"version_id": version.id})
        return queued, version.id

    return database.write(take)


def test_an_import_whose_process_died_is_failed_and_discarded(database):
    """Once its lease is over, any process ends it: OPERATION_INTERRUPTED, and what it had built is gone."""
    operation, version_id = begun_elsewhere(database)
    database.clock.advance(database.settings.operation_lease_s + 1)
    found = run(database, operation)
    assert (found.state, found.error["reason"]) == (OperationState.FAILED, "OPERATION_INTERRUPTED")
    assert "nothing was changed; run it again" in found.error["message"]
    assert database.read(lambda tx: tx.versions.get(version_id)) is None
    assert shown(database) == ({}, None, 0)


def test_an_import_that_another_process_runs_is_left_alone(database, monkeypatch):
    """While its lease is fresh it belongs to that process, and queued ones are run beside it."""
    operation, version_id = begun_elsewhere(database)
    Gate([row(1)]).install(monkeypatch.setattr).open()
    assert run(database, queue(database)).state is OperationState.SUCCEEDED
    assert database.run(find(database, operation)).state is OperationState.RUNNING
    assert database.read(lambda tx: tx.versions.get(version_id)) is not None


def test_an_owner_that_was_taken_for_dead_cannot_publish(database, monkeypatch):
    """A process that slept through its lease finds its operation ended, and changes nothing."""
    gate = Gate([row(number) for number in range(8)]).install(monkeypatch.setattr)
    queued = queue(database)

    async def bury(works):
        await database.store.write(lambda tx: tx.operations.update(queued.id, state=OperationState.FAILED))

    async def main():
        async with running(database) as works:
            await asyncio.to_thread(gate.reached)
            await bury(works)
            with works.ending(queued.id) as event:
                gate.open()
                await asyncio.wait_for(event.wait(), DEADLINE_S)

    database.run(main())
    assert database.run(find(database, queued)).result is None
    assert shown(database) == ({}, None, 0)


def test_imports_wait_for_their_turn(database, monkeypatch):
    """No more run at once than the setting says; the next one begins when there is room."""
    gate = Gate([row(1)], [row(2)]).install(monkeypatch.setattr)
    first, second = queue(database), queue(database)

    async def look(works):
        assert (await find(database, second)).state is OperationState.QUEUED

    assert meanwhile(database, first, gate, look).state is OperationState.SUCCEEDED
    assert run(database, second).state is OperationState.SUCCEEDED


def test_an_account_that_does_not_balance_is_never_published(database, monkeypatch):
    """A fault of the service ends the import as INTERNAL, without its text, and changes nothing."""
    Gate([row(number) for number in range(8)]).install(monkeypatch.setattr).open()
    monkeypatch.setattr(imports.Account, "is_balanced", lambda account: False)
    operation = run(database, queue(database))
    assert (operation.state, operation.error["reason"]) == (OperationState.FAILED, "INTERNAL")
    assert operation.error["message"] == f"internal error; the server's log has it under {operation.id}"
    assert shown(database) == ({}, None, 0)
    assert leftovers(database) == []


def test_a_file_of_rejects_is_given_up(database, monkeypatch):
    """Past a fixed number of rejected rows the file is refused as a whole, naming the setting."""
    Gate([RejectedRow("", number, "no name") for number in range(9)]).install(monkeypatch.setattr).open()
    operation = run(database, queue(database))
    assert (operation.error["failure"], operation.error["reason"]) == ("ResourceExhausted", "LIMIT_EXCEEDED")
    assert "rejected_rows_max" in operation.error["message"]


def test_a_failure_that_could_not_be_recorded_is_recorded_later(database, monkeypatch):
    """An operation does not run for ever because the database was away in the moment when it failed."""
    Gate([row(1)]).install(monkeypatch.setattr).open()
    monkeypatch.setattr(imports, "Settlement", lambda *_: 1 / 0)
    queued = queue(database)
    write = database.store.write

    async def away(fn, **options):
        if fn.__name__ == "fail":
            monkeypatch.setattr(database.store, "write", write)
            raise Unavailable("the database does not answer just now; try again")
        return await write(fn, **options)

    monkeypatch.setattr(database.store, "write", away)

    async def main():
        async with running(database) as works:
            with works.ending(queued.id) as event:
                await asyncio.wait_for(event.wait(), DEADLINE_S)
            assert (await find(database, queued)).state is OperationState.RUNNING
            database.clock.advance(database.settings.operation_lease_s + 1)
            works.wake()
            return await ended(database, queued, works)

    assert database.run(main()).error["reason"] == "OPERATION_INTERRUPTED"
    assert leftovers(database) == []


def test_writes_are_cut_to_what_the_writer_can_spare(database, monkeypatch):
    """Where rows take longer to write than the target, fewer are written at once, never fewer than some."""
    settings = database.settings.model_copy(update={"import_write_target_ms": 1e-6, "import_chunk_rows": 500})
    database.settings = settings
    sizes = []
    insert = imports.insert_some
    monkeypatch.setattr(
        imports, "insert_some", lambda *given: (sizes.append(len(given[-1])), insert(*given))[1]
    )
    Gate([row(number) for number in range(800)], chunk=400).install(monkeypatch.setattr).open()
    assert run(database, queue(database)).state is OperationState.SUCCEEDED
    assert (sizes[0], min(sizes[:-1]), sum(sizes)) == (200, 50, 800)
    assert sizes[:-1] == sorted(sizes[:-1], reverse=True)


@pytest.mark.parametrize(("chunk", "writes"), [(5, [5] * 40), (100, [200])])
def test_rows_gather_before_they_are_written_unless_they_are_large(database, monkeypatch, chunk, writes):
    """Batches of many rows share a write; a batch that its size has ended is written as it comes."""
    database.settings = database.settings.model_copy(update={"import_chunk_rows": 500})
    sizes = []
    insert = imports.insert_some
    monkeypatch.setattr(
        imports, "insert_some", lambda *given: (sizes.append(len(given[-1])), insert(*given))[1]
    )
    Gate([row(number) for number in range(200)], chunk=chunk).install(monkeypatch.setattr).open()
    assert run(database, queue(database)).state is OperationState.SUCCEEDED
    assert sizes == writes
