import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from mooring_server.background import TokenUses
from mooring_server.errors import Unavailable
from mooring_server.store.records import TokenScope
from support_store import START, USER

HOUR = timedelta(hours=1)


@pytest.fixture
def token(database):
    """A token of a user."""
    return database.write(
        lambda tx: tx.tokens.insert(USER, "laptop", "hash", "Laptop", TokenScope.WRITE, tx.now + 24 * HOUR)
    )


def used(database):
    return database.read(lambda tx: tx.tokens.get(USER, "laptop")).use_time


def test_a_token_and_hour_is_written_once(database, token, monkeypatch):
    """However often a token is used in an hour, one write keeps that hour; the next hour has one again."""
    uses, writes = TokenUses(database.store), []
    write = database.store.write
    monkeypatch.setattr(database.store, "write", lambda fn: writes.append(1) or write(fn))
    for minutes in (5, 6, 59):
        uses.note(token, START + timedelta(minutes=minutes))
        database.run(uses.flush())
    assert (used(database), len(writes)) == (START, 1)
    uses.note(token, START + HOUR)
    database.run(uses.flush())
    assert (used(database), len(writes)) == (START + HOUR, 2)


def test_what_is_known_is_not_written(database, token):
    """A token whose record says this hour needs no write, whichever server wrote that."""
    uses = TokenUses(database.store)
    uses.note(replace(token, use_time=START), START + timedelta(minutes=1))
    database.run(uses.flush())
    assert used(database) is None


def test_it_writes_by_itself_and_at_its_end(database, token, monkeypatch):
    """A use is written without anybody's waiting, and what waits at a stop is not lost."""
    write = database.store.write

    async def run():
        written = asyncio.Event()

        async def telling(fn):
            await write(fn)
            written.set()

        monkeypatch.setattr(database.store, "write", telling)
        uses = TokenUses(database.store)
        uses.start()
        await asyncio.to_thread(uses.note, token, START)  # as from PostgreSQL's threads
        async with asyncio.timeout(30):
            await written.wait()
        assert (await database.store.read(lambda tx: tx.tokens.get(USER, "laptop"))).use_time == START
        uses.note(token, START + HOUR)
        await uses.close()

    database.run(run())
    assert used(database) == START + HOUR


def test_what_could_not_be_written_waits(database, token, monkeypatch):
    """A database that is away for a moment costs no use."""
    uses = TokenUses(database.store)

    async def away(fn):
        raise Unavailable("away")

    uses.note(token, START)
    with monkeypatch.context() as patched:
        patched.setattr(database.store, "write", away)
        with pytest.raises(Unavailable):
            database.run(uses.flush())
    database.run(uses.flush())
    assert used(database) == START
