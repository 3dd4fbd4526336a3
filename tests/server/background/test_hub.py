"""The watch hub over a real database: every promise that a watch makes."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from mooring_server.errors import OutOfRange, ResourceExhausted, Unavailable
from mooring_server.store.changes import Changes
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.testing import capture_logs
from support_hub import watching
from support_store import ENGAGEMENT, USER, Database, begin, session

STREAM = f"engagements/{ENGAGEMENT}"
LONG_S = 20.0


@pytest.fixture
def database(tmp_path):
    """A SQLite file with one engagement; the hub is told of its commits, and polls seldom."""
    with Database(f"sqlite:///{tmp_path}/store.db", watch_queue_max=50, watch_poll_s=60) as opened:
        opened.write(begin)
        yield opened


async def take(subscription, count):
    commits = [await subscription.next(LONG_S) for _ in range(count)]
    assert None not in commits, "nothing came"
    return commits


def revisions(commits):
    return [commit.revision for commit in commits]


def test_commits_come_in_order_without_a_gap(database):
    """Writers at once: a subscriber gets each commit once, in the order of the revisions."""

    async def test(hub):
        async with hub.subscribe({STREAM: None}) as subscription:
            start = subscription.cursors[STREAM]
            writes = [database.store.write(session(f"s{number}")) for number in range(40)]
            _, commits = await asyncio.gather(asyncio.gather(*writes), take(subscription, 40))
            assert revisions(commits) == list(range(start + 1, start + 41))
            assert subscription.cursors[STREAM] == start + 40

    watching(database, test)


def test_what_one_commit_changed_comes_together(database):
    """A commit of several changes is one item, however many resources it touched."""

    def two(tx):
        session("s1")(tx)
        session("s2")(tx)

    async def test(hub):
        async with hub.subscribe({STREAM: None}) as subscription:
            await database.store.write(two)
            (commit,) = await take(subscription, 1)
            resources = [change.resource for change in commit.changes]
            assert [name.rpartition("/")[2] for name in resources if "/sessions/" in name] == ["s1", "s2"]

    watching(database, test)


def test_subscribers_join_a_busy_stream_without_gap_or_repeat(database):
    """Whoever subscribes while commits pour in gets all of them from its cursor on, each once."""
    total = 150
    head = database.read(lambda tx: tx.changes.head(STREAM))

    async def late(hub, pause):
        for _ in range(pause):
            await asyncio.sleep(0)
        async with hub.subscribe({STREAM: head}) as subscription:
            return revisions(await take(subscription, total))

    async def test(hub):
        async def pour():
            for number in range(total):
                await database.store.write(session(f"s{number}"))

        _, *seen = await asyncio.gather(pour(), *(late(hub, pause) for pause in (0, 3, 30, 300, 900)))
        assert all(each == list(range(head + 1, head + total + 1)) for each in seen)

    watching(database, test, watch_queue_max=10_000)


def test_a_commit_is_read_once_for_all_subscribers(database):
    """The log is read once for a commit, not once for each of its subscribers."""

    reads = []
    read = database.store.read

    async def counted(*arguments, **options):
        reads.append(arguments)
        return await read(*arguments, **options)

    async def test(hub):
        async with AsyncExitStack() as stack:
            entered = [await stack.enter_async_context(hub.subscribe({STREAM: None})) for _ in range(20)]
            for subscription in entered:
                assert await subscription.next(0.01) is None  # it is live
            database.store.read = counted
            await database.store.write(session("s1"))
            await asyncio.gather(*(take(subscription, 1) for subscription in entered))
            assert len(reads) == 1

    watching(database, test)


def test_a_slow_reader_is_refused_and_can_resume(database):
    """A subscriber that does not read is cut off with SLOW_READER; from its cursors on it loses nothing."""

    async def test(hub):
        async with hub.subscribe({STREAM: None}) as subscription:
            assert await subscription.next(0.01) is None  # it is live
            head = subscription.cursors[STREAM]
            for number in range(60):
                await database.store.write(session(f"s{number}"))
            with pytest.raises(ResourceExhausted) as refused:
                await take(subscription, 60)
            assert refused.value.reason == "SLOW_READER"
        async with hub.subscribe(subscription.cursors) as resumed:
            assert revisions(await take(resumed, 60)) == list(range(head + 1, head + 61))

    watching(database, test)


def test_history_that_is_gone_is_never_a_silent_gap(database):
    """A cursor before the kept history is OUT_OF_RANGE and names the earliest revision that is kept."""
    for number in range(10):
        database.write(session(f"s{number}"))
    database.write(lambda tx: tx.changes.trim(STREAM, 3, 100))
    earliest = database.read(lambda tx: tx.changes.earliest(STREAM))

    async def test(hub):
        with pytest.raises(OutOfRange) as refused:
            async with hub.subscribe({STREAM: earliest - 2}):
                pass
        assert refused.value.earliest_revision == earliest
        async with hub.subscribe({STREAM: earliest - 1}) as subscription:
            assert revisions(await take(subscription, 3)) == [earliest, earliest + 1, earliest + 2]

    watching(database, test)


def test_a_cursor_from_the_future_is_refused(database):
    """A database restored to an earlier state does not pretend to continue what a subscriber saw."""

    async def test(hub):
        with pytest.raises(OutOfRange):
            async with hub.subscribe({STREAM: 1_000}):
                pass

    watching(database, test)


def test_polling_makes_up_for_a_lost_notification(database):
    """Commits that nobody announced, as those of another process, arrive all the same."""

    async def test(hub):
        database.store.on_commit = None
        async with hub.subscribe({STREAM: None}) as subscription:
            assert await subscription.next(0.01) is None
            await database.store.write(session("quiet"))
            await take(subscription, 1)

    watching(database, test, watch_poll_s=0.05)


def test_the_hub_logs_for_itself(database, monkeypatch):
    """Its lines do not name the caller whose watch happened to be the first."""
    broken = asyncio.Event()

    def heads(*_):
        broken.set()
        raise OSError

    async def test(hub):
        with capture_logs(processors=[merge_contextvars]) as lines, bound_contextvars(user="first"):
            async with hub.subscribe({STREAM: None}) as subscription:
                assert await subscription.next(0) is None
                monkeypatch.setattr(Changes, "heads", heads)
                hub.notify([STREAM])
                await broken.wait()
            await hub.close()
        assert [line.get("user") for line in lines] == [None]

    watching(database, test)


def test_streams_are_kept_apart(database):
    """A subscriber gets what it named, and each stream counts for itself."""

    async def test(hub):
        user = f"users/{USER}"
        async with hub.subscribe({STREAM: None}) as one, hub.subscribe({STREAM: None, user: None}) as both:
            await database.store.write(lambda tx: tx.users.set_default_engagement(USER, ENGAGEMENT))
            await database.store.write(session("s1"))
            assert [commit.stream for commit in await take(one, 1)] == [STREAM]
            assert sorted(commit.stream for commit in await take(both, 2)) == [STREAM, user]

    watching(database, test)


def test_closing_the_hub_ends_every_subscription(database):
    """When the server stops, those who wait are told UNAVAILABLE at once, and nobody new gets in."""

    async def test(hub):
        async with hub.subscribe({STREAM: None}) as subscription:
            waiting = asyncio.create_task(subscription.next(LONG_S))
            await asyncio.sleep(0)
            await hub.close()
            with pytest.raises(Unavailable):
                await waiting
        with pytest.raises(Unavailable):
            async with hub.subscribe({STREAM: None}):
                pass

    watching(database, test)


def test_a_cancelled_subscriber_leaves_nothing_behind(database):
    """Subscribers that go away in any state are forgotten, with the streams that only they watched."""

    async def test(hub):
        async def read():
            async with hub.subscribe({STREAM: 0}) as subscription:
                await take(subscription, 1_000)

        for pause in (0, 1, 5, 50):
            task = asyncio.create_task(read())
            for _ in range(pause):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        assert (hub.subscriber_count, hub.watched_streams) == (0, frozenset())

    watching(database, test)


def test_hints_without_a_pause_do_not_hide_other_commits(database):
    """A commit that nobody announced is found at the next poll, however busy the other streams are."""
    database.write(lambda tx: begin(tx, "engagement-2"))
    other = "engagements/engagement-2"

    async def test(hub):
        async def hint():
            while True:
                hub.notify([STREAM])
                await asyncio.sleep(0)

        async with hub.subscribe({STREAM: None, other: None}) as subscription:
            assert await subscription.next(0.01) is None
            database.store.on_commit = None
            busy = asyncio.create_task(hint())
            try:
                await database.store.write(session("unannounced", engagement_id="engagement-2"))
                (commit,) = await take(subscription, 1)
            finally:
                busy.cancel()
            assert commit.stream == other

    watching(database, test, watch_poll_s=0.05)
