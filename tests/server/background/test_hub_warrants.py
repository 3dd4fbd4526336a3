"""What a subscription stands on: when it is withdrawn, nothing that was committed later gets out."""

import asyncio
import random

import pytest
from mooring_server.background import Warrant
from mooring_server.errors import PermissionDenied, ResourceExhausted, Unavailable
from mooring_server.store import Role
from mooring_server.store.changes import Changes
from mooring_server.store.sqlite import connect_sqlite, sqlite_path
from support_hub import watching
from support_store import ENGAGEMENT, Database, begin, session

STREAM = f"engagements/{ENGAGEMENT}"
GUEST = "guest"
LONG_S = 20.0


@pytest.fixture
def database(tmp_path):
    """A SQLite file with one engagement and a guest in it; the hub polls seldom."""
    with Database(f"sqlite:///{tmp_path}/store.db", watch_queue_max=50, watch_poll_s=60) as opened:
        opened.write(begin)
        opened.write(lambda tx: tx.users.insert(GUEST, GUEST, "Guest", ""))
        opened.write(admit)
        yield opened


def admit(tx):
    tx.members.put(ENGAGEMENT, GUEST, Role.VIEWER)


def expel(tx):
    tx.members.delete(ENGAGEMENT, GUEST, None)


async def warrant(database, checks=None):
    """The guest's membership, as of now."""

    async def check():
        if checks is not None:
            checks.append(True)
        role = await database.store.read(lambda tx: tx.members.role(ENGAGEMENT, GUEST), fresh=True)
        if role is None:
            raise PermissionDenied("expelled")

    stream = f"users/{GUEST}"
    head = await database.store.read(lambda tx: tx.changes.head(stream))
    return Warrant(stream, head, lambda change: "/members/" in change.resource, check)


async def read_on(subscription):
    """Everything until the subscription fails: the revisions, and the failure."""
    seen = []
    while True:
        try:
            commit = await subscription.next(LONG_S)
        except Exception as failure:
            return seen, failure
        assert commit is not None, "nothing came"
        seen.append(commit.revision)


def test_a_subscription_ends_with_its_warrant(database):
    """Whoever waits is told at once, and the warrant's stream is no part of what they get."""

    async def test(hub):
        async with hub.subscribe({STREAM: None}, await warrant(database)) as subscription:
            assert await subscription.next(0.01) is None  # it is live
            waiting = asyncio.create_task(read_on(subscription))
            await database.store.write(expel)
            seen, failure = await waiting
            assert (seen, type(failure)) == ([], PermissionDenied)
            assert set(subscription.cursors) == {STREAM}

    watching(database, test)


def test_an_unannounced_end_comes_before_what_is_announced(database):
    """Where the hint of the withdrawal is lost, later commits stay in all the same."""

    async def test(hub):
        async with hub.subscribe({STREAM: None}, await warrant(database)) as subscription:
            assert await subscription.next(0.01) is None
            database.store.on_commit = None
            await database.store.write(expel)
            await database.store.write(session("secret"))
            hub.notify([STREAM])
            seen, failure = await read_on(subscription)
            assert (seen, type(failure)) == ([], PermissionDenied)

    watching(database, test)


def test_who_catches_up_is_checked_too(database):
    """History that is read after the withdrawal is not handed out, whatever its age."""

    async def test(hub):
        head = await database.store.read(lambda tx: tx.changes.head(STREAM))
        allowed = await warrant(database)
        await database.store.write(session("before"))
        await database.store.write(expel)
        await database.store.write(session("after"))
        async with hub.subscribe({STREAM: head}, allowed) as subscription:
            seen, failure = await read_on(subscription)
            assert (seen, type(failure)) == ([], PermissionDenied)

    watching(database, test)


def test_a_warrant_that_stands_costs_nothing(database):
    """It is checked after a change that concerns it, and only then; nothing is lost over it."""

    async def test(hub):
        checks = []
        async with hub.subscribe({STREAM: None}, await warrant(database, checks)) as subscription:
            assert await subscription.next(0.01) is None
            start = subscription.cursors[STREAM]
            for number, write in enumerate((session("one"), session("two"), admit, session("three"))):
                await database.store.write(lambda tx: tx.users.update(GUEST, None, display_name="Another"))
                await database.store.write(write)
                assert (await subscription.next(LONG_S)).revision == start + number + 1
                assert checks == [True] * (number >= 2)

    watching(database, test)


def test_a_warrants_stream_can_be_asked_for(database):
    """Who follows their own stream gets it whole, and is checked by it nevertheless."""
    own = f"users/{GUEST}"

    async def test(hub):
        async with hub.subscribe({STREAM: None, own: 0}, await warrant(database)) as subscription:
            assert [(await subscription.next(LONG_S)).stream for _ in range(2)] == [own, own]
            await database.store.write(expel)
            seen, failure = await read_on(subscription)
            assert (seen, type(failure)) == ([], PermissionDenied)

    watching(database, test)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_committed_after_the_end_is_ever_seen(database, seed):
    """Writers beside the withdrawal, subscribers in every state: none sees a revision after it."""
    choose = random.Random(seed)

    async def reader(hub, pause, start):
        for _ in range(pause):
            await asyncio.sleep(0)
        try:
            async with hub.subscribe({STREAM: start}, await warrant(database)) as subscription:
                await (await warrant(database)).check()
                return (await read_on(subscription))[0]
        except PermissionDenied:
            return []

    async def test(hub):
        start = await database.store.read(lambda tx: tx.changes.head(STREAM))
        readers = [asyncio.create_task(reader(hub, choose.randrange(200), start)) for _ in range(12)]
        works = [session(f"s{number}") for number in range(60)]
        works.insert(choose.randrange(60), expel)
        for work in works:
            writing = asyncio.create_task(database.store.write(work))
            if choose.random() < 0.3:
                await writing
        seen = await asyncio.gather(*readers)
        await writing
        log = await database.store.read(lambda tx: tx.changes.after(STREAM, start, 1_000))
        end = next(change.revision for change in log if change.resource.endswith(f"/members/{GUEST}"))
        for revisions in seen:
            assert revisions == list(range(start + 1, start + 1 + len(revisions)))
            assert not revisions or revisions[-1] < end

    watching(database, test, watch_queue_max=1_000)


def test_what_waits_is_bounded_in_changes(database):
    """A commit of many changes counts as many; one that is larger than the bound passes alone."""

    def many(prefix):
        return lambda tx: [session(f"{prefix}{number}")(tx) for number in range(60)]

    async def test(hub):
        async with hub.subscribe({STREAM: None}) as slow, hub.subscribe({STREAM: None}) as quick:
            for subscription in (slow, quick):
                assert await subscription.next(0.01) is None
            await database.store.write(many("a"))
            for subscription in (slow, quick):
                assert len((await subscription.next(LONG_S)).changes) == 60
            for write in (many("b"), session("c")):
                await database.store.write(write)
                await quick.next(LONG_S)  # what one was offered, all were
            with pytest.raises(ResourceExhausted) as refused:
                await slow.next(LONG_S)
            assert refused.value.reason == "SLOW_READER"

    watching(database, test)


def test_a_restored_database_ends_every_subscription(database):
    """Those who follow the old log are told UNAVAILABLE; the new one, shorter perhaps, is followed anew."""

    async def test(hub):
        async with hub.subscribe({STREAM: None}) as old:
            assert await old.next(0.01) is None
            await database.store.write(session("lost"))
            await old.next(LONG_S)
            other = connect_sqlite(sqlite_path(database.url))
            with other:
                other.execute_sql("UPDATE engagements SET revision = 1")
                other.execute_sql("DELETE FROM changes WHERE revision > 1")
            hub.restart()
            async with hub.subscribe({STREAM: None}) as new:
                with pytest.raises(Unavailable):
                    await old.next(LONG_S)
                assert await new.next(0.01) is None
                await database.store.write(session("kept"))
                assert (await new.next(LONG_S)).revision == 2

    watching(database, test)


def test_a_poll_reads_only_what_has_moved(database, monkeypatch):
    """However many streams are watched, a poll reads the changes of those alone that have some."""
    streams = {f"engagements/e{number}": None for number in range(100)}
    read = []
    after = Changes.after

    def counted(self, stream, *rest):
        read.append(stream)
        return after(self, stream, *rest)

    async def test(hub):
        async with hub.subscribe({**streams, STREAM: None}) as subscription:
            assert await subscription.next(0.01) is None
            database.store.on_commit = None
            monkeypatch.setattr(Changes, "after", counted)
            await database.store.write(session("unannounced"))
            assert (await subscription.next(LONG_S)).stream == STREAM

    watching(database, test, watch_poll_s=0.02)
    assert read == [STREAM]
