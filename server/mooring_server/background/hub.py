"""The watch hub: every subscriber of one process is fed by one reader of the change log.

A commit's notification is only a hint that a stream has moved. The truth is the log and each subscriber's
cursor in it: the hub reads what is new of a stream once, whoever listens, and polls the streams that are
watched for commits of other processes and for hints that were lost. A subscriber catches up from the log on
its own, then joins the live feed at the moment when its cursor has reached the hub's position; since the
revisions of a stream have no gaps, comparing the two numbers is all that it takes to miss and repeat nothing.

The streams of subscribers' warrants are read in the same state of the database as the commits that these
subscribers get. So nothing gets out that was committed after a warrant was withdrawn, whatever was announced.

Everything here runs on the event loop except `WatchHub.notify`.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from mooring_server.background.subscriptions import Commit, Subscription, Warrant, gone
from mooring_server.errors import MooringError, Unavailable
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx
from mooring_server.store.records import Change

_log = structlog.stdlib.get_logger(__name__)

# Changes read from one stream at a time; whole commits, so a large one may bring more.
_READ_MAX = 500
# Streams that are looked at on the loop itself: handing so few to a thread costs more.
_INLINE_MAX = 100


@dataclass(frozen=True, slots=True)
class _News:
    """What is new in a stream after a revision: as much as is read at once, and where the stream ends."""

    stream: str
    after: int
    head: int
    commits: Sequence[Commit]

    @property
    def earliest(self) -> int:
        return self.commits[0].revision if self.commits else self.head + 1

    @property
    def reached(self) -> int:
        return self.commits[-1].revision if self.commits else self.head

    @property
    def has_gap(self) -> bool:
        return self.earliest != self.after + 1

    @property
    def all_changes(self) -> list[Change] | None:
        """All that happened up to the head; None where that is not all here."""
        if self.has_gap or self.reached != self.head:
            return None
        return [change for commit in self.commits for change in commit.changes]


class WatchHub:
    """Spreads what is committed to whoever watches it."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reader: asyncio.Task[None] | None = None
        self._closed = False
        self._subscriptions: set[Subscription] = set()
        self._watchers: dict[str, set[Subscription]] = {}
        # How far each watched stream has been spread.
        self._positions: dict[str, int] = {}
        self._moved: set[str] = set()
        self._wake = asyncio.Event()

    def notify(self, streams: Iterable[str]) -> None:
        """Hints that streams have moved. Cheap, and allowed from every thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed under us: nobody listens any more
                loop.call_soon_threadsafe(self._mark, frozenset(streams))

    @contextlib.asynccontextmanager
    async def subscribe(
        self, cursors: Mapping[str, int | None], warrant: Warrant | None = None
    ) -> AsyncIterator[Subscription]:
        """Subscribes to streams, each from after the revision given, or from now on where that is None.

        Raises:
            OutOfRange: the changes after a revision are no longer kept.
            Unavailable: the hub is closed.
        """
        if self._closed:
            raise _stopping()
        start = await self._store.read(lambda tx: _start(tx, cursors), long=len(cursors) > 1)
        if self._closed:
            raise _stopping()
        if self._reader is None:
            self._loop = asyncio.get_running_loop()
            # In a context of its own: its log is not the first watcher's.
            self._reader = self._loop.create_task(
                self._run(), name="watch hub", context=contextvars.Context()
            )
        subscription = Subscription(start, warrant, self._settings.watch_queue_max, self._catch_up)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._leave(subscription)

    def restart(self) -> None:
        """Ends every subscription with Unavailable: the database was restored, and has another log now."""
        for subscription in self._subscriptions:
            subscription.fail(
                Unavailable("the database was restored: read everything again, then watch without a token")
            )
        self._watchers.clear()
        self._positions.clear()

    async def close(self) -> None:
        """Ends every subscription with Unavailable and stops reading."""
        self._closed = True
        self._loop = None
        for subscription in self._subscriptions:
            subscription.fail(_stopping())
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])

    @property
    def subscriber_count(self) -> int:
        """How many subscriptions are open."""
        return len(self._subscriptions)

    @property
    def watched_streams(self) -> frozenset[str]:
        """The streams that somebody follows live."""
        return frozenset(self._watchers)

    async def _catch_up(self, subscription: Subscription) -> list[Commit]:
        """The next commits after a subscription's cursors; when there are none, it joins the live feed."""
        cursors, warrant = dict(subscription.cursors), subscription.warrant
        looked = {} if warrant is None else {warrant.stream: subscription.warranted_to}

        def read(tx: Tx) -> tuple[list[_News], list[Commit]]:
            return list(_news(tx, looked)), _page(tx, cursors)

        standing_news, commits = await self._store.read(read, long=True)
        for news in standing_news:
            subscription.look_over(news.head, news.all_changes)
        looked = dict.fromkeys(looked, subscription.warranted_to)
        at = [*looked.items(), *cursors.items()]
        if commits or any(self._positions.get(stream, 0) > reached for stream, reached in at):
            return commits
        for stream, reached in at:
            self._watchers.setdefault(stream, set()).add(subscription)
            self._positions.setdefault(stream, reached)
        subscription.live = True
        # A commit since that read may have been announced while nobody watched its stream.
        self._mark(subscription.follows)
        return []

    def _leave(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        for stream in subscription.follows:
            watchers = self._watchers.get(stream, set())
            watchers.discard(subscription)
            if not watchers:
                self._watchers.pop(stream, None)
                self._positions.pop(stream, None)

    def _mark(self, streams: Iterable[str]) -> None:
        self._moved.update(stream for stream in streams if stream in self._watchers)
        if self._moved:
            self._wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        poll_at = loop.time() + self._settings.watch_poll_s
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(poll_at):
                    await self._wake.wait()
            self._wake.clear()
            # By the clock, not by silence: where hints never pause, what had none would never be read.
            if loop.time() >= poll_at:
                self._moved.update(self._watchers)
                poll_at = loop.time() + self._settings.watch_poll_s
            at = self._with_warrants(self._moved)
            self._moved.clear()
            if not at:
                continue
            try:
                await self._spread(at)
            except MooringError as failure:
                # The subscribers keep their cursors, so the next poll makes up for this one.
                _log.warning("the watch hub could not read the change log", error=failure.message)
            except Exception:
                _log.exception("the watch hub failed; it tries again")

    def _with_warrants(self, streams: Iterable[str]) -> dict[str, int]:
        """The positions of these streams and of what their subscribers stand on."""
        watched = self._positions.keys() & streams
        warrants = {
            subscription.warrant.stream
            for stream in watched
            for subscription in self._watchers[stream]
            if subscription.warrant
        }
        return {stream: self._positions[stream] for stream in watched | warrants}

    async def _spread(self, at: Mapping[str, int]) -> None:
        read = await self._store.read(lambda tx: list(_news(tx, at)), long=len(at) > _INLINE_MAX)
        # Of others the last watcher left meanwhile, and perhaps another came with another position.
        valid = {stream for stream, reached in at.items() if self._positions.get(stream) == reached}
        for news in read:
            stream = news.stream
            if stream not in valid:
                continue
            self._positions[stream] = news.reached
            for subscription in self._watchers[stream]:
                if subscription.warrant and subscription.warrant.stream == stream:
                    subscription.look_over(news.head, news.all_changes)
                elif subscription.warrant and subscription.warrant.stream not in valid:
                    subscription.doubt()  # it came while this was read
                if stream not in subscription.cursors:
                    continue
                if news.has_gap:
                    subscription.fail(gone(stream, news.earliest))
                else:
                    subscription.offer(news.commits)
            if news.reached != news.head:
                self._mark((stream,))


def _start(tx: Tx, cursors: Mapping[str, int | None]) -> dict[str, int]:
    heads = tx.changes.heads(cursors)
    start = {}
    for stream, cursor in cursors.items():
        head = heads.get(stream, 0)
        if cursor is not None and cursor != head:
            earliest = tx.changes.earliest(stream)
            # Ahead of the head: the token saw a future that a restored database does not have.
            if cursor < earliest - 1 or cursor > head:
                raise gone(stream, earliest)
        start[stream] = head if cursor is None else cursor
    return start


def _news(tx: Tx, at: Mapping[str, int]) -> Iterator[_News]:
    for stream, head in tx.changes.heads(at).items():
        if head > at[stream]:
            yield _News(stream, at[stream], head, _commits(tx.changes.after(stream, at[stream], _READ_MAX)))


def _page(tx: Tx, cursors: Mapping[str, int]) -> list[Commit]:
    page: list[Commit] = []
    room = _READ_MAX
    for news in _news(tx, cursors):
        if news.has_gap:
            raise gone(news.stream, news.earliest)
        page += news.commits
        room -= sum(len(commit.changes) for commit in news.commits)
        if room <= 0:
            break
    return page


def _commits(changes: Iterable[Change]) -> list[Commit]:
    return [
        Commit(stream, revision, tuple(group))
        for (stream, revision), group in groupby(changes, key=lambda change: (change.stream, change.revision))
    ]


def _stopping() -> Unavailable:
    return Unavailable("the server is stopping; watch again with the last resume token")
