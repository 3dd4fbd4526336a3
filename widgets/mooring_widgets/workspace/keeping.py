"""Keeping on disk what a notebook reads, and showing it while the service is away."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mooring_widgets.client import Context
from mooring_widgets.client.codec import decode, encode
from mooring_widgets.context import CurrentContext
from mooring_widgets.errors import NotFound, PermissionDenied
from mooring_widgets.query import DehydratedQuery, QueryClient, QuerySnapshot, hydrate
from mooring_widgets.workspace.feed import Feed
from mooring_widgets.workspace.kept import Entry, Kept, KeptFile

_log = logging.getLogger(__name__)

_PERIOD_S = 5.0


@dataclass(frozen=True, slots=True)
class Origin:
    """How a workspace was opened.

    Attributes:
        reopen: Finds or makes the notebook's context anew.
        file: Where to keep what is read; None for nowhere.
        kept: What that file held.
        away: The service did not answer; the context is of the file.
    """

    reopen: Callable[[], Awaitable[Context]] | None = None
    file: KeptFile | None = None
    kept: Kept | None = None
    away: bool = False


class Keeper:
    """Writes what the queries have learnt, at most every few seconds, and puts it back where they know
    nothing and the service is away. Lives on the loop.

    What is put back is stale: it is asked for again as soon as somebody answers.
    """

    def __init__(
        self, file: KeptFile, queries: QueryClient, current: CurrentContext, feed: Feed, kept: Kept | None
    ) -> None:
        """Begin to keep.

        Args:
            file: Where.
            queries: What is kept.
            current: Whose context is kept.
            feed: Says whether the service is there.
            kept: What the file held when the workspace was opened.
        """
        self._file = file
        self._queries = queries
        self._current = current
        self._feed = feed
        self._known = dict(kept.entries) if kept else {}
        self._incarnation = kept.incarnation if kept else ""
        self._written: Kept | None = kept
        self._changed = asyncio.Event()
        self._closing = False
        self._unsubscribe = feed.subscribe(self._on_live)
        if feed.away:
            self.restore()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Writes for the last time."""
        self._unsubscribe()
        # Not cancelled: a thread that is writing could not be, and would write over the last time.
        self._closing = True
        self._changed.set()
        await self._task

    def restore(self) -> None:
        """Puts back what the queries do not know."""
        found: list[DehydratedQuery] = []
        for entry in tuple(self._known.values()):
            try:
                key = decode(json.loads(entry.key))
                if self._queries.get_query_data(key) is None:
                    found.append(_dehydrated(key, decode(json.loads(entry.data)), entry.updated_at))
            except ValueError as error:
                _log.warning("an answer in %s cannot be used: %s", self._file.path, error)
                self._known.pop(entry.key)
        hydrate(self._queries, {"queries": found, "mutations": []})

    async def _run(self) -> None:
        await asyncio.to_thread(self._file.sweep)
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PERIOD_S):
                    await self._changed.wait()
            self._changed.clear()
            await self._save()
            if self._feed.away and not self._feed.refused:
                self.restore()  # also what was dropped meanwhile, since nobody looked at it
        await self._save()

    def _on_live(self, _: bool) -> None:
        self._changed.set()

    async def _save(self) -> None:
        if self._feed.refused:
            self._known, self._written = {}, None
            await asyncio.to_thread(self._file.remove)
            return
        if self._feed.incarnation not in ("", self._incarnation):
            self._known, self._incarnation = {}, self._feed.incarnation
        self._learn()
        kept = Kept(self._confirmed(), self._incarnation, dict(self._known))
        if kept != self._written:
            await asyncio.to_thread(self._file.write, kept)
            self._written = kept

    def _confirmed(self) -> Context:
        state = self._current.state
        if state.pending and self._written is not None:
            return self._written.context
        return Context(self._current.name, state.engagement_id, state.session_id, state.revision)

    def _learn(self) -> None:
        for query in self._queries.query_cache:
            error = query.state.error
            if isinstance(error, NotFound | PermissionDenied):
                self._forget(query, whole_engagement=isinstance(error, PermissionDenied))
            elif query.state.has_data and not query.state.is_invalidated:
                self._take(query)

    def _take(self, query: QuerySnapshot) -> None:
        try:
            key = json.dumps(encode(query.key))
            known = self._known.get(key)
            if known is None or known.updated_at != query.state.data_updated_at:
                data = json.dumps(encode(query.state.data), separators=(",", ":"))
                self._known[key] = Entry(query.state.data_updated_at, key, data)
        except TypeError:
            return  # a data frame, say: large, and there as long as the kernel is

    def _forget(self, query: QuerySnapshot, *, whole_engagement: bool) -> None:
        """Nothing stays of what the caller may no longer read, or is gone."""
        gone = [encode(query.key)]
        for text in tuple(self._known):
            key = json.loads(text)
            if key in gone or (whole_engagement and key["~tuple"][1:2] == gone[0]["~tuple"][1:2]):
                del self._known[text]


def _dehydrated(key: tuple[Any, ...], data: Any, updated_at: float) -> DehydratedQuery:
    return {"key": key, "data": data, "data_updated_at": updated_at, "is_invalidated": True}
