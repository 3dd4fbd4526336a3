"""SQLite's single writer: many callers, one commit, and what may go wrong in it."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from mooring_server.errors import Unavailable
from mooring_server.store import Order, Tx
from mooring_server.store import sqlite as sqlite_engine
from mooring_server.store.lists.paging import Window
from support_store import ENGAGEMENT, Database, begin, session


@pytest.fixture
def database(tmp_path: Path):
    with Database(f"sqlite:///{tmp_path}/store.db") as opened:
        opened.write(begin)
        opened.commits.clear()
        yield opened


def _in_one_batch(database: Database, *fns):
    """Runs the writes in one commit: they queue while the writer is held up by one before them."""
    gate, entered = threading.Event(), threading.Event()

    def hold(tx: Tx):
        entered.set()
        gate.wait(30)

    async def scenario():
        holding = asyncio.create_task(database.store.write(hold))
        await asyncio.to_thread(entered.wait, 30)
        writes = [asyncio.create_task(database.store.write(fn)) for fn in fns]
        await asyncio.sleep(0)
        gate.set()
        await holding
        async with asyncio.timeout(30):
            return await asyncio.gather(*writes, return_exceptions=True)

    return database.run(scenario())


def _ids(database: Database) -> set[str]:
    page = database.read(lambda tx: tx.sessions.page(ENGAGEMENT, Order.DISPLAY_NAME, Window(100, 0, None)))
    return {each.id for each in page.items} - {"baseline"}


def test_what_waits_is_committed_together(database: Database):
    """Queued writes share a commit, each with a revision of its own, announced once."""
    _in_one_batch(database, *(session(f"wave-{i}") for i in range(5)))
    assert len(_ids(database)) == 5
    assert database.commits == [frozenset({f"engagements/{ENGAGEMENT}"})]
    assert database.read(lambda tx: tx.changes.head(f"engagements/{ENGAGEMENT}")) == 6


def test_bulk_work_makes_an_end_for_those_who_wait(database: Database):
    """While a durable write waits, bulk work gets one turn; with nobody waiting, or only bulk work, all."""
    turns: dict[str, list[int]] = {}

    def scenario(name: str, *, durable: bool | None):
        entered, gate = threading.Event(), threading.Event()

        def bulk(tx: Tx):
            entered.set()
            gate.wait(30)
            turns[name] = [row for part in tx.turns(range(1_000)) for row in part]

        async def act():
            running = [asyncio.create_task(database.store.write(bulk, durable=False))]
            await asyncio.to_thread(entered.wait, 30)
            if durable is not None:
                running.append(asyncio.create_task(database.store.write(lambda tx: None, durable=durable)))
                await asyncio.sleep(0)
            gate.set()
            async with asyncio.timeout(30):
                await asyncio.gather(*running)

        database.run(act())

    scenario("alone", durable=None)
    scenario("beside bulk", durable=False)
    scenario("awaited", durable=True)
    scenario("alone again", durable=None)
    everything = list(range(1_000))
    assert turns["alone"] == turns["beside bulk"] == turns["alone again"] == everything
    assert 0 < len(turns["awaited"]) < 1_000
    assert turns["awaited"] == everything[: len(turns["awaited"])]


def test_a_statement_that_ends_the_transaction_costs_the_others_nothing(database: Database):
    """When the whole batch is rolled back under its callers, each is run again by itself."""

    def end(tx: Tx):
        session("lost")(tx)
        tx._database.execute_sql("INSERT OR ROLLBACK INTO meta VALUES ('incarnation', 'taken')")

    outcomes = _in_one_batch(database, session("first"), end, session("last"))
    assert isinstance(outcomes[1], Unavailable)
    assert _ids(database) == {"first", "last"}
    assert database.store.check() == []


def test_a_commit_that_fails_costs_the_others_nothing(database: Database):
    """When the commit itself is refused, only the caller who made it so hears of it."""

    def break_it(tx: Tx):
        tx._database.execute_sql("PRAGMA defer_foreign_keys = 1")
        session("orphan", engagement_id="nowhere")(tx)
        tx.changes._notes.clear()

    outcomes = _in_one_batch(database, session("first"), break_it, session("last"))
    assert isinstance(outcomes[1], Exception)
    assert _ids(database) == {"first", "last"}
    assert database.store.check() == []


def test_a_database_that_another_program_holds_is_unavailable(database: Database, monkeypatch):
    """Who cannot begin hears so in plain words, and the writer goes on when the file is free again."""
    other = sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
    database.write(lambda tx: tx._database.execute_sql("PRAGMA busy_timeout = 1").fetchall())
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as refused:
        database.write(session("wave-1"))
    assert "locked" not in refused.value.message
    other.execute("ROLLBACK")
    other.close()
    database.write(session("wave-1"))
    assert _ids(database) == {"wave-1"}


def test_a_store_closes_while_its_log_is_brought_to_the_disk(tmp_path: Path, monkeypatch):
    """The end that comes while the checkpoint thread works is not missed by it."""
    working = threading.Event()

    def sync(engine: sqlite_engine.SqliteEngine):
        working.set()
        engine._stopped.wait(30)

    monkeypatch.setattr(sqlite_engine, "_CHECKPOINT_ROWS", 1)
    monkeypatch.setattr(sqlite_engine, "_SYNCS_PER_CHECKPOINT", 1)
    monkeypatch.setattr(sqlite_engine.SqliteEngine, "_sync_log", sync)
    with Database(f"sqlite:///{tmp_path}/store.db") as opened:
        opened.write(begin)
        assert working.wait(30)

        async def close():
            async with asyncio.timeout(10):
                await opened.store.close()

        opened.run(close())


def test_readers_cannot_write(database: Database):
    """A read function that tries to write is refused by the connection itself."""
    with pytest.raises(Unavailable):
        database.read(session("wave-1"))
    with pytest.raises(Unavailable):
        database.read(session("wave-1"), long=True)
    assert _ids(database) == set()


def test_the_file_is_durable_by_the_book(database: Database):
    """Every connection has WAL, full syncs and foreign keys."""

    def pragmas(tx: Tx):
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [tx._database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert database.write(pragmas) == ["wal", 2, 1]
    assert database.read(pragmas, long=True) == ["wal", 2, 1]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://x", ""])
def test_only_files_are_databases(url: str):
    """A database that would not outlive its connection is refused, with what to write instead."""
    from mooring_server.errors import InvalidArgument
    from mooring_server.settings import Settings
    from mooring_server.store import migrate

    with pytest.raises(InvalidArgument, match="sqlite:///file"):
        migrate(url, Settings())
