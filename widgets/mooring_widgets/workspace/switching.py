"""Telling the user's own callbacks about confirmed switches."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

from mooring_widgets import queries
from mooring_widgets.client import Loop, MooringClient, Session
from mooring_widgets.context import ContextState, CurrentContext
from mooring_widgets.errors import MooringError
from mooring_widgets.query import QueryClient

_log = logging.getLogger(__name__)

SwitchCallback = Callable[[Session | None, Session | None], object]

_ERRORS_KEPT = 20


class SwitchCallbacks:
    """Calls functions with the old and the new session, in order, on a thread of their own.

    A session that is gone meanwhile is passed as None. What a callback raises is logged, which a notebook
    shows, and kept in `errors`.
    """

    def __init__(
        self, client: MooringClient, query_client: QueryClient, loop: Loop, current: CurrentContext
    ) -> None:
        self.errors: deque[BaseException] = deque(maxlen=_ERRORS_KEPT)
        self._client = client
        self._queries = query_client
        self._loop = loop
        self._callbacks: dict[Hashable, SwitchCallback] = {}
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mooring-on-switch")
        self._in_order = asyncio.Lock()
        self._last = current.state.session_id
        self._unsubscribe = current.subscribe(self._on_state)

    def add(self, callback: SwitchCallback) -> None:
        """Registers a callback; the one of the same place in the source, from a cell run before, goes."""
        self._callbacks[_place(callback)] = callback

    def remove(self, callback: SwitchCallback) -> None:
        """Unregisters a callback."""
        self._callbacks.pop(_place(callback), None)

    def close(self) -> None:
        """Tells nobody any more."""
        self._unsubscribe()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _on_state(self, state: ContextState) -> None:
        if state.pending or state.session_id == self._last:
            return
        old, self._last = self._last, state.session_id
        if self._callbacks:
            self._loop.run(self._announce(old, state.session_id))

    async def _announce(self, old: str, new: str) -> None:
        async with self._in_order:
            before, after = await self._snapshot(old), await self._snapshot(new)
            self._executor.submit(self._call, tuple(self._callbacks.values()), before, after)

    async def _snapshot(self, name: str) -> Session | None:
        try:
            return await self._queries.fetch_query(queries.session(self._client, name))
        except MooringError:
            return None

    def _call(self, callbacks: tuple[SwitchCallback, ...], old: Session | None, new: Session | None) -> None:
        for callback in callbacks:
            try:
                callback(old, new)
            except BaseException as error:  # sys.exit() too: what is raised in an executor is heard by nobody
                self.errors.append(error)
                _log.exception("an on_switch callback failed")


def _place(callback: SwitchCallback) -> Hashable:
    code = getattr(callback, "__code__", None)
    if code is None or callback.__closure__:
        return callback
    return (code.co_filename, code.co_qualname, code.co_firstlineno)
