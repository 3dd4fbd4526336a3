"""The watch hub: every subscriber of one process is fed by one reader of the change log.

A commit's notification is only a hint that a stream has moved. The truth is the log and each subscriber's
cursor in it: the hub reads what is new of a stream once, whoever listens, and polls the streams that are
watched for commits of other processes and for hints that were lost. A subscriber catches up from the log on
its own, then joins the live feed at the moment when its cursor has reached the hub's position; since the
revisions of a stream have no gaps, comparing the two numbers is all that it takes to miss and repeat nothing.

Everything here runs on the event loop except `WatchHub.notify`.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

import structlog

from mooring_server.errors import MooringError, OutOfRange, ResourceExhausted, Unavailable
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx
from mooring_server.store.records import Change

_log = structlog.stdlib.get_logger(__name__)

# Changes read from one stream at a time; whole commits, so a large one may bring more.
_READ_MAX = 500


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one commit changed in one stream."""

    stream: str
    revision: int
    changes: tuple[Change, ...]


class Subscription:
    """One reader of some streams. `cursors` holds the last revision that `next` gave, by stream."""

    def __init__(self, hub: "WatchHub", cursors: dict[str, int], queue_max: int) -> None:
        self.cursors = cursors
        self._hub = hub
        self._queue_max = queue_max
        self._queue: deque[Commit] = deque()
        self._ready = asyncio.Event()
        self._failure: MooringError | None = None
        self._live = False

    async def next(self, timeout_s: float) -> Commit | None:
        """The next commit, or None when `timeout_s` seconds pass without one.

        Raises:
            ResourceExhausted: the reader fell too far behind (SLOW_READER); resume from `cursors`.
            OutOfRange: what comes next is no longer kept.
            Unavailable: the hub was closed, or the database does not answer.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            while self._queue:
                commit = self._queue.popleft()
                if commit.revision > self.cursors[commit.stream]:
                    self.cursors[commit.stream] = commit.revision
                    return commit
            if not self._live:
                # Without a bound: one page of the log, which nobody adds to until it has been read.
                self._queue.extend(await self._hub._catch_up(self))
                continue
            self._ready.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._ready.wait()
            except TimeoutError:
                return None

    def _offer(self, commits: Iterable[Commit]) -> None:
        for commit in commits:
            if len(self._queue) >= self._queue_max:
                self._fail(
                    ResourceExhausted(
                        f"more than {self._queue_max} commits wait to be read; resume with the last token",
                        reason="SLOW_READER",
                    )
                )
                return
            self._queue.append(commit)
        self._ready.set()

    def _fail(self, failure: MooringError) -> None:
        self._failure = self._failure or failure
        self._queue.clear()
        self._ready.set()


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
    async def subscribe(self, cursors: Mapping[str, int | None]) -> AsyncIterator[Subscription]:
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
            self._reader = self._loop.create_task(self._run(), name="watch hub")
        subscription = Subscription(self, start, self._settings.watch_queue_max)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._leave(subscription)

    async def close(self) -> None:
        """Ends every subscription with Unavailable and stops reading."""
        self._closed = True
        self._loop = None
        for subscription in self._subscriptions:
            subscription._fail(_stopping())
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
        cursors = dict(subscription.cursors)
        commits = await self._store.read(lambda tx: _page(tx, cursors), long=True)
        if commits or any(self._positions.get(stream, 0) > at for stream, at in cursors.items()):
            return commits
        for stream, at in cursors.items():
            self._watchers.setdefault(stream, set()).add(subscription)
            self._positions.setdefault(stream, at)
        subscription._live = True
        # A commit since that read may have been announced while nobody watched its stream.
        self._mark(cursors)
        return []

    def _leave(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        for stream in subscription.cursors:
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
            at = {stream: self._positions[stream] for stream in self._moved if stream in self._positions}
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

    async def _spread(self, at: Mapping[str, int]) -> None:
        def read(tx: Tx) -> dict[str, list[Change]]:
            return {stream: tx.changes.after(stream, reached, _READ_MAX) for stream, reached in at.items()}

        news = await self._store.read(read, long=len(at) > 1)
        for stream, changes in news.items():
            if self._positions.get(stream) != at[stream] or not changes:
                continue  # the last watcher left meanwhile, and perhaps another came with another position
            watchers = tuple(self._watchers[stream])
            commits = _commits(changes)
            if commits[0].revision != at[stream] + 1:
                for subscription in watchers:
                    subscription._fail(_gone(stream, commits[0].revision))
                continue
            self._positions[stream] = commits[-1].revision
            for subscription in watchers:
                subscription._offer(commits)
            if len(changes) > _READ_MAX // 2:
                self._mark((stream,))  # there may be more


def _start(tx: Tx, cursors: Mapping[str, int | None]) -> dict[str, int]:
    start = {}
    for stream, cursor in cursors.items():
        head = tx.changes.head(stream) or 0
        if cursor is not None:
            earliest = tx.changes.earliest(stream)
            # Ahead of the head: the token saw a future that a restored database does not have.
            if cursor < earliest - 1 or cursor > head:
                raise _gone(stream, earliest)
        start[stream] = head if cursor is None else cursor
    return start


def _page(tx: Tx, cursors: Mapping[str, int]) -> list[Commit]:
    page: list[Commit] = []
    for stream, cursor in cursors.items():
        commits = _commits(tx.changes.after(stream, cursor, _READ_MAX))
        if commits and commits[0].revision != cursor + 1:
            raise _gone(stream, commits[0].revision)
        page += commits
        if len(page) >= _READ_MAX:
            break
    return page


def _commits(changes: Iterable[Change]) -> list[Commit]:
    return [
        Commit(stream, revision, tuple(group))
        for (stream, revision), group in groupby(changes, key=lambda change: (change.stream, change.revision))
    ]


def _gone(stream: str, earliest: int) -> OutOfRange:
    return OutOfRange(
        f"{stream} keeps its changes from revision {earliest} on; read everything again, then watch anew",
        earliest_revision=earliest,
    )


def _stopping() -> Unavailable:
    return Unavailable("the server is stopping; watch again with the last resume token")
