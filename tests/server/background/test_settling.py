"""The portions of a merge, of which all but the first come from a process of their own, on both databases."""

from contextlib import aclosing
from datetime import timedelta

import psutil
import pytest
from mooring_server.background.pace import Pace
from mooring_server.background.settling import Settling
from mooring_server.core.merges import Plan
from mooring_server.core.merging import Rules, Strategy
from mooring_server.settings import Settings
from support_store import START, asset, publish, session

NOW = START + timedelta(days=1)
PLAN = Plan("source", Rules(Strategy.OVERWRITE))
COUNT = 10


@pytest.fixture
def versions(database):
    """A target and a source with an owner each for all of their assets."""

    def begin(tx):
        session("source")(tx)
        return [
            publish(tx, *(asset(i, owner=owner, digest=owner) for i in range(COUNT)), session_id=id)
            for id, owner in (("baseline", "ann"), ("source", "bob"))
        ]

    return database.write(begin)


def portions(database, versions, limit, kind="assets"):
    """All portions of so many pairs."""

    async def main():
        return [each async for each in Settling(database.store, *versions, PLAN, NOW).portions(kind, limit)]

    return database.run(main())


def processes():
    return [each for each in psutil.Process().children() if "settling_process" in " ".join(each.cmdline())]


@pytest.mark.parametrize("limit", [1, 3, 5])
def test_portions_are_the_same_whatever_their_size(database, versions, limit):
    """The process says what the first portion would have, had it been large enough."""
    (whole,) = portions(database, versions, COUNT + 1)
    assert (whole.after, whole.until, len(whole.rows), len(whole.drops)) == (None, None, COUNT, COUNT)
    found = portions(database, versions, limit)
    assert [row for each in found for row in map(tuple, each.rows)] == whole.rows
    assert [drop for each in found for drop in map(tuple, each.drops)] == whole.drops
    total = found[0].tally
    for each in found[1:]:
        total.add(each.tally)
    assert total == whole.tally
    assert [each.after for each in found] == [None, *(each.until for each in found[:-1])]
    assert found[-1].until is None


def test_nothing_that_differs_is_one_portion(database, versions):
    """It covers all of the target."""
    for kind in ("assets", "dependencies"):
        (found,) = portions(database, (versions[0], versions[0]), 3, kind)
        assert (found.after, found.until, found.rows, found.drops) == (None, None, [], [])


def test_leaving_early_ends_the_process(database, versions):
    """A merge that is cancelled leaves nobody behind who settles."""

    async def main():
        async with aclosing(Settling(database.store, *versions, PLAN, NOW).portions("assets", 1)) as found:
            await anext(found)
            assert not processes()
            await anext(found)
            (process,) = processes()
            return process

    assert not database.run(main()).is_running()


def test_a_process_that_dies_fails_the_merge(database, versions):
    """Half of the portions must not be taken for all of them."""

    async def main():
        async with aclosing(Settling(database.store, *versions, PLAN, NOW).portions("assets", 1)) as found:
            await anext(found)
            await anext(found)
            processes()[0].kill()
            async for _ in found:
                pass

    with pytest.raises(RuntimeError, match="died"):
        database.run(main())


class Waited:
    """A transaction that somebody waits for, or nobody."""

    def __init__(self, *, is_awaited):
        self.is_awaited = lambda: is_awaited


def test_writes_grow_until_somebody_waits():
    """Alone they hold the writer ever longer, to a quarter of a second; who waits makes them small again."""
    pace, row_s = Pace(Settings(import_write_target_ms=10, import_chunk_rows=10_000)), 1e-4
    for _ in range(40):
        pace.learn(Waited(is_awaited=False), pace.rows, pace.rows * row_s)
    assert pace.rows * row_s == pytest.approx(0.25, rel=0.1)
    pace.learn(Waited(is_awaited=True), pace.rows, pace.rows * row_s)
    assert pace.rows * row_s < 0.02
