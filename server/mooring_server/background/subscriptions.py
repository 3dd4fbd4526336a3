"""One watcher's end of the watch hub: what waits for it, how far it has come, and what it stands on.

Everything here runs on the event loop.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from mooring_server.errors import MooringError, OutOfRange, ResourceExhausted
from mooring_server.store.records import Change


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one commit changed in one stream."""

    stream: str
    revision: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Warrant:
    """What a subscription stands on, whether it asks for that stream or not.

    After a change on `stream` past `revision` that `concerns` it, nothing more is handed out before `check`
    has been awaited; what that raises ends the subscription.
    """

    stream: str
    revision: int
    concerns: Callable[[Change], bool]
    check: Callable[[], Awaitable[None]]


class Subscription:
    """One reader of some streams. `cursors` holds the last revision that `next` gave, by stream.

    Made by the hub, which calls all but `next`.
    """

    def __init__(
        self,
        cursors: dict[str, int],
        warrant: Warrant | None,
        changes_max: int,
        catch_up: Callable[["Subscription"], Awaitable[Sequence[Commit]]],
    ) -> None:
        self.cursors = cursors
        self.warrant = warrant
        # How far the warrant's stream has been looked at.
        self.warranted_to = warrant.revision if warrant else 0
        # Whether the hub feeds it; until then it catches up from the log.
        self.live = False
        self._suspect = False
        self._changes_max = changes_max
        self._catch_up = catch_up
        self._queue: deque[Commit] = deque()
        self._queued_changes = 0
        self._ready = asyncio.Event()
        self._failure: MooringError | None = None

    async def next(self, timeout_s: float) -> Commit | None:
        """The next commit, or None when `timeout_s` seconds pass without one.

        Raises:
            ResourceExhausted: the reader fell too far behind (SLOW_READER); resume from `cursors`.
            OutOfRange: what comes next is no longer kept.
            Unavailable: the hub was closed, the database was restored, or it does not answer.
            MooringError: what the warrant's check raises.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            if self._suspect and self.warrant is not None:
                self._suspect = False
                await self.warrant.check()
                continue
            while self._queue:
                commit = self._queue.popleft()
                self._queued_changes -= len(commit.changes)
                if commit.revision > self.cursors[commit.stream]:
                    self.cursors[commit.stream] = commit.revision
                    return commit
            if not self.live:
                # Without a bound: one page of the log, which nobody adds to until it has been read.
                for commit in await self._catch_up(self):
                    self._append(commit)
                continue
            self._ready.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._ready.wait()
            except TimeoutError:
                return None

    @property
    def follows(self) -> frozenset[str]:
        """The streams that it has to hear of."""
        return frozenset(self.cursors) | ({self.warrant.stream} if self.warrant else frozenset())

    def offer(self, commits: Iterable[Commit]) -> None:
        """More of a stream that it asked for, to wait until it is read."""
        if self._failure is not None:
            return
        for commit in commits:
            # A commit that is larger than the bound passes alone.
            if self._queue and self._queued_changes + len(commit.changes) > self._changes_max:
                self.fail(
                    ResourceExhausted(
                        f"more than {self._changes_max:,} changes wait to be read (setting "
                        "`watch_queue_max`): resume with the last token",
                        reason="SLOW_READER",
                    )
                )
                return
            self._append(commit)
        self._ready.set()

    def look_over(self, head: int, changes: Iterable[Change] | None) -> None:
        """The warrant's stream has come to `head`, by these changes; None: by more than what was read."""
        if self.warrant is None or head <= self.warranted_to:
            return
        if changes is None or any(
            self.warrant.concerns(change) for change in changes if change.revision > self.warranted_to
        ):
            self.doubt()
        self.warranted_to = head

    def doubt(self) -> None:
        """Has the warrant checked before anything more is handed out."""
        self._suspect = True
        self._ready.set()

    def fail(self, failure: MooringError) -> None:
        """Ends it, with what waits unread."""
        self._failure = self._failure or failure
        self._queue.clear()
        self._queued_changes = 0
        self._ready.set()

    def _append(self, commit: Commit) -> None:
        self._queue.append(commit)
        self._queued_changes += len(commit.changes)


def gone(stream: str, earliest: int) -> OutOfRange:
    """The failure of a reader whose next change of a stream is no longer kept."""
    return OutOfRange(
        f"{stream} keeps its changes from revision {earliest} on; read everything again, then watch anew",
        earliest_revision=earliest,
    )
