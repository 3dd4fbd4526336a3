"""Keeping what is shown true: one watch a workspace, turned into exact invalidations."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from mooring_widgets.client import Change, MooringClient, WatchEvent
from mooring_widgets.context import ContextState, CurrentContext
from mooring_widgets.errors import MooringError, Unauthenticated, Unavailable
from mooring_widgets.query import QueryClient, QueryKey
from mooring_widgets.staleness import stale_keys, stream_keys

_log = logging.getLogger(__name__)

_STREAMS_MAX = 200
_ENGAGEMENTS_AT_START = 100
_REFUSED_PAUSE_S = 5.0
_ME = "users/me"


class Feed:
    """Follows the caller's own stream and those of the engagements that they have seen. Lives on the loop.

    Every engagement that was current stays watched, so that its cached queries stay true while it is not.

    Attributes:
        incarnation: The id of the database that changes come from; empty until that is known.
        refused: Whether the service does not take the caller's token any more.
    """

    def __init__(
        self,
        client: MooringClient,
        queries: QueryClient,
        current: CurrentContext,
        *,
        away: bool = False,
        incarnation: str = "",
    ) -> None:
        """Begin to follow.

        Args:
            client: Asks the service.
            queries: What is kept true.
            current: Which engagement is followed.
            away: The service was away when the workspace was opened.
            incarnation: The id of the database that what is known comes from.
        """
        self.incarnation = incarnation
        self.refused = False
        self._away = away
        self._listed = False
        self._heard_at = 0.0
        self._client = client
        self._queries = queries
        self._current = current
        self._live = False
        self._listeners: dict[object, Callable[[bool], None]] = {}
        self._streams: list[str] = [_ME, current.state.engagement_id]
        self._fresh: set[str] = set()
        self._token = ""
        self._watch: asyncio.Task[None] | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._unsubscribe = current.subscribe(self._on_state)

    @property
    def live(self) -> bool:
        """Whether changes arrive just now."""
        return self._live

    @property
    def away(self) -> bool:
        """Whether the service does not answer just now; False also while it is first being asked."""
        return self._away

    def as_of(self, *keys: QueryKey) -> float | None:
        """How old the data of some queries is, in seconds since the epoch; None while it is kept true.

        What was not said to be stale was true for as long as changes arrived.
        """
        if not self._away:
            return None
        states = filter(None, map(self._queries.get_query_state, keys))
        return min(
            (
                max(state.data_updated_at, 0.0 if state.is_invalidated else self._heard_at)
                for state in states
                if state.has_data
            ),
            default=None,
        )

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Calls `listener(live)` on the loop whenever that changes; the answer unsubscribes."""
        key = object()
        self._listeners[key] = listener

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    def hurry(self) -> None:
        """Tries again now where the connection is lost: somebody looks."""
        if not self._live and self._watch is not None:
            self._watch.cancel()  # it starts again, from its token, without the pause

    async def close(self) -> None:
        """Stops following."""
        self._unsubscribe()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._set_live(False)

    async def _run(self) -> None:
        await self._add_listed()
        while True:
            watch = self._watch = asyncio.get_running_loop().create_task(self._follow())
            try:
                await asyncio.wait([watch])
            finally:
                watch.cancel()
            error = None if watch.cancelled() else watch.exception()
            if error is not None:
                _log.warning("the watch of %s ended", self._streams, exc_info=error)
                self.refused = isinstance(error, Unauthenticated)
                self._set_live(False)
                await self._ask_for_less()

    async def _ask_for_less(self) -> None:
        """One engagement that the caller has lost must not cost them the changes of the others."""
        least = [_ME, self._current.state.engagement_id]
        if self._streams == [_ME]:
            await asyncio.sleep(_REFUSED_PAUSE_S)
        self._streams, self._token = ([_ME] if self._streams in ([_ME], least) else least), ""

    async def _add_listed(self) -> bool:
        """Whether there are streams that the watch did not have."""
        try:
            page = await self._client.list_engagements(page_size=_ENGAGEMENTS_AT_START)
        except MooringError:
            return False  # the watch itself will tell what is wrong
        self._listed = True
        return self._add([engagement.name for engagement in page.items])

    def _on_state(self, state: ContextState) -> None:
        if self._add([state.engagement_id]) and self._watch is not None:
            self._watch.cancel()  # it starts again, from its token, with one stream more

    def _add(self, streams: list[str]) -> bool:
        new = [stream for stream in streams if stream not in self._streams]
        self._streams = [_ME, *[*self._streams[1:], *new][-_STREAMS_MAX:]]
        self._fresh.update(new)
        return bool(new)

    async def _follow(self) -> None:
        events = self._client.watch(tuple(self._streams), resume_token=self._token)
        async with contextlib.aclosing(events):
            async for event in events:
                await self._take(event)

    async def _take(self, event: WatchEvent) -> None:
        if not event.live:
            self._set_live(False)
            return
        back = self._away
        self.refused = False
        replaced = "" not in (self.incarnation, event.incarnation) and self.incarnation != event.incarnation
        self.incarnation = event.incarnation or self.incarnation
        self._heard_at = self._queries.query_cache.runtime.wall()
        self._set_live(True)
        if back:
            await self._mend()
        keys = {key for change in event.changes for key in stale_keys(change)}
        for stream in self._streams if event.gap else self._fresh:
            keys.update(stream_keys(stream))
        for key in keys:
            # Changes may come faster than answers: one that is on its way is shown, and another follows it.
            self._queries.invalidate_queries(key, cancel_refetch=False)
        if event.gap or any(map(self._is_ours, event.changes)):
            await self._follow_context(anew=replaced)
        # Last: what a cancelled watch had not finished with, the next one gets again.
        self._token = event.token
        self._fresh.clear()

    async def _mend(self) -> None:
        """Asks again for what could not be had while the service was away."""
        if not self._listed and await self._add_listed() and self._watch is not None:
            self._watch.cancel()
        for query in self._queries.query_cache:
            if isinstance(query.state.error or query.state.failure_reason, Unavailable):
                self._queries.invalidate_queries(query.key, exact=True)

    def _is_ours(self, change: Change) -> bool:
        return change.kind == "switched" and change.resource == self._current.name

    async def _follow_context(self, *, anew: bool) -> None:
        try:
            await self._current.refresh(anew=anew)
        except MooringError as error:
            _log.warning("cannot read %s: %s", self._current.name, error)

    def _set_live(self, live: bool) -> None:
        if (live, not live) == (self._live, self._away):
            return
        self._live, self._away = live, not live
        for listener in tuple(self._listeners.values()):
            try:
                listener(live)
            except Exception:
                _log.exception("a listener of the connection failed")
