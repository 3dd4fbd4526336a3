"""Keeping what is shown true: one watch a workspace, turned into exact invalidations."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from mooring_widgets.client import Change, MooringClient, WatchEvent
from mooring_widgets.context import ContextState, CurrentContext
from mooring_widgets.errors import MooringError
from mooring_widgets.queries import stale_keys, stream_keys
from mooring_widgets.query import QueryClient

_log = logging.getLogger(__name__)

_STREAMS_MAX = 200
_ENGAGEMENTS_AT_START = 100
_REFUSED_PAUSE_S = 5.0
_ME = "users/me"


class Feed:
    """Follows the caller's own stream and those of the engagements that they have seen. Lives on the loop.

    Every engagement that was current stays watched, so that its cached queries stay true while it is not.
    """

    def __init__(self, client: MooringClient, queries: QueryClient, current: CurrentContext) -> None:
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

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Calls `listener(live)` on the loop whenever that changes; the answer unsubscribes."""
        key = object()
        self._listeners[key] = listener

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

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
                self._set_live(False)
                await self._ask_for_less()

    async def _ask_for_less(self) -> None:
        """One engagement that the caller has lost must not cost them the changes of the others."""
        least = [_ME, self._current.state.engagement_id]
        if self._streams == [_ME]:
            await asyncio.sleep(_REFUSED_PAUSE_S)
        self._streams, self._token = ([_ME] if self._streams in ([_ME], least) else least), ""

    async def _add_listed(self) -> None:
        try:
            page = await self._client.list_engagements(page_size=_ENGAGEMENTS_AT_START)
        except MooringError:
            return  # the watch itself will tell what is wrong
        self._add([engagement.name for engagement in page.items])

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
        self._set_live(event.live)
        if not event.live:
            return
        keys = {key for change in event.changes for key in stale_keys(change)}
        for stream in self._streams if event.gap else self._fresh:
            keys.update(stream_keys(stream))
        for key in keys:
            # Changes may come faster than answers: one that is on its way is shown, and another follows it.
            self._queries.invalidate_queries(key, cancel_refetch=False)
        if event.gap or any(map(self._is_ours, event.changes)):
            await self._follow_context()
        # Last: what a cancelled watch had not finished with, the next one gets again.
        self._token = event.token
        self._fresh.clear()

    def _is_ours(self, change: Change) -> bool:
        return change.kind == "switched" and change.resource == self._current.name

    async def _follow_context(self) -> None:
        try:
            self._current.follow(await self._client.get_context(self._current.name))
        except MooringError as error:
            _log.warning("cannot read %s: %s", self._current.name, error)

    def _set_live(self, live: bool) -> None:
        if live == self._live:
            return
        self._live = live
        for listener in tuple(self._listeners.values()):
            try:
                listener(live)
            except Exception:
                _log.exception("a listener of the connection failed")
