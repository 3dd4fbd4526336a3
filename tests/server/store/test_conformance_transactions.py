"""The two verbs, on every database."""

import asyncio
import threading

import pytest
from mooring_server.errors import Unavailable
from mooring_server.store import Order, Tx
from mooring_server.store.lists.paging import Window
from support_store import ENGAGEMENT, USER, Database, begin, session


class Refused(Exception):
    """What a caller's own work raises."""


def _ids(tx: Tx) -> list[str]:
    return [each.id for each in tx.sessions.page(ENGAGEMENT, Order.DISPLAY_NAME, Window(100, 0, None)).items]


def _failing(id: str):
    def write(tx: Tx):
        session(id)(tx)
        raise Refused

    return write


def test_a_failure_undoes_its_own_write_alone(database: Database):
    """Of writes that run together, one that raises leaves nothing behind and takes nothing with it."""
    database.write(begin)
    fns = [_failing(f"bad-{i}") if i % 2 else session(f"good-{i}") for i in range(10)]
    outcomes = database.together(*fns)
    assert [isinstance(each, Refused) for each in outcomes] == [i % 2 == 1 for i in range(10)]
    assert database.read(_ids) == ["baseline", *(f"good-{i}" for i in range(0, 10, 2))]
    assert database.read(lambda tx: tx.engagements.get(ENGAGEMENT)).revision == 6
    assert database.store.check() == []


def test_a_failed_write_announces_nothing(database: Database):
    """The listener hears of commits alone, each with all of its streams."""
    database.write(begin)
    assert database.commits == [frozenset({f"engagements/{ENGAGEMENT}", f"users/{USER}"})]
    with pytest.raises(Refused):
        database.write(_failing("bad"))
    database.write(lambda tx: tx.changes.head(f"users/{USER}"))
    assert len(database.commits) == 1


def test_the_listener_hears_of_a_commit_that_others_can_read(database: Database):
    """By the time that on_commit is called, the change is there for every reader."""
    database.write(begin)
    seen = []

    async def scenario():
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()
        database.store.on_commit = lambda streams: loop.call_soon_threadsafe(heard.set)
        writing = asyncio.create_task(database.store.write(session("wave-1")))
        async with asyncio.timeout(30):
            await heard.wait()
        seen.append(await database.store.read(lambda tx: tx.sessions.get(ENGAGEMENT, "wave-1")))
        await writing

    database.run(scenario())
    assert seen[0] is not None


def test_a_listener_that_fails_fails_nobody(database: Database):
    """What was committed is answered, whatever the listener does."""

    def fail(streams):
        raise RuntimeError("listener")

    database.store.on_commit = fail
    database.write(begin)
    assert database.read(_ids) == ["baseline"]


def test_a_cancelled_caller_does_not_stop_the_others(database: Database):
    """Callers that give up, before or during their turn, leave the writers alive."""
    database.write(begin)
    gate, entered = threading.Event(), threading.Event()

    def slow(tx: Tx):
        entered.set()
        gate.wait(30)
        return session("slow")(tx)

    async def scenario():
        running = asyncio.create_task(database.store.write(slow))
        await asyncio.to_thread(entered.wait, 30)
        waiting = [asyncio.create_task(database.store.write(session(f"gone-{i}"))) for i in range(20)]
        kept = asyncio.create_task(database.store.write(session("kept")))
        await asyncio.sleep(0)
        running.cancel()
        for each in waiting:
            each.cancel()
        gate.set()
        async with asyncio.timeout(30):
            await kept
            await database.store.write(session("after"))

    database.run(scenario())
    assert {"kept", "after"} <= set(database.read(_ids))
    assert database.store.check() == []


def test_close_finishes_what_was_begun_and_refuses_what_comes_after(database: Database):
    """A stopping server loses no accepted write, and says that it is stopping."""
    database.write(begin)

    async def scenario():
        writes = [asyncio.create_task(database.store.write(session(f"wave-{i}"))) for i in range(10)]
        await asyncio.sleep(0)
        await database.store.close()
        await asyncio.gather(*writes)
        with pytest.raises(Unavailable):
            await database.store.write(session("late"))
        with pytest.raises(Unavailable):
            await database.store.read(_ids)

    database.run(scenario())
    with Database(database.url) as again:
        assert len(again.read(_ids)) == 11


def test_a_read_sees_one_state(database: Database):
    """All statements of one read see the same commit, whatever is written between them."""
    database.write(begin)
    gate, entered = threading.Event(), threading.Event()

    def look_twice(tx: Tx):
        before = _ids(tx)
        entered.set()
        gate.wait(30)
        return before, _ids(tx)

    async def scenario():
        looking = asyncio.create_task(database.store.read(look_twice, long=True))
        await asyncio.to_thread(entered.wait, 30)
        await database.store.write(session("meanwhile"))
        gate.set()
        return await looking

    before, after = database.run(scenario())
    assert before == after == ["baseline"]


def test_a_stop_iteration_reaches_its_caller_as_a_fault(database: Database):
    """A careless next() must not leave its caller waiting for ever."""

    async def scenario():
        async with asyncio.timeout(30):
            await database.store.write(lambda tx: next(iter(())))

    with pytest.raises(RuntimeError):
        database.run(scenario())
