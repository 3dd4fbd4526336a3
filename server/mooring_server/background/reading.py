"""Bulk reads: of a version that was read before from its file, else by a process that asks the database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from mooring_server.background.jobs import in_thread
from mooring_server.background.read_cache import Found, Key, ReadCache
from mooring_server.background.spools import PIECE_BYTES, Spool
from mooring_server.core.reading import Plan
from mooring_server.core.transfers import Export
from mooring_server.settings import Settings
from mooring_server.store import Store
from mooring_server.store.reading import BulkQuery
from mooring_server.store.records import DataVersion, version_label

_log = structlog.stdlib.get_logger(__name__)

# Each is a core's work, and some 100 MiB.
_PROCESSES_MAX = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """An Arrow IPC stream, in pieces of about 1 MiB.

    `label` and `row_count` are of the version that is read; with a filter fewer rows may come.
    """

    label: str
    row_count: int
    pieces: AsyncGenerator[bytes, None]


class _File:
    """A kept file; to be read as a spool is."""

    def __init__(self, descriptor: int, revision: int, row_count: int) -> None:
        self.descriptor = descriptor
        self.revision = revision
        self.row_count = row_count

    async def full(self) -> None:
        """Nothing is to come."""

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        offset = 0
        while piece := os.pread(self.descriptor, PIECE_BYTES, offset):
            offset += len(piece)
            yield piece


class Reads:
    """The bulk reads of one server."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._cache = ReadCache.of(settings)
        self._slots = asyncio.Semaphore(_PROCESSES_MAX)
        self._spools: set[Spool] = set()
        self._building: dict[Key, Spool] = {}
        self._ends: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Removes what a server before this one has left. Called on the event loop."""
        self._later(self._sweep())

    async def close(self) -> None:
        """Ends every read."""
        for spool in list(self._spools):
            self._release(spool)
        await self.settled()

    async def settled(self) -> None:
        """Waits until what is no longer read has let go of its process and its file."""
        while self._ends:
            await asyncio.wait(self._ends)

    @asynccontextmanager
    async def open(self, plan: Plan) -> AsyncIterator[Reading]:
        """What a plan reads, for as long as the context lasts.

        Raises:
            Unavailable: the database or the disk does not do its part. So do the pieces.
            Aborted: DATA_VERSION_MOVED, where the version is gone.
        """
        if plan.version is None or plan.query is None:
            with self._used(self._spool({"kind": "empty", "columns": plan.columns})) as spool:
                yield Reading("", 0, spool.pieces())
        elif plan.kept:
            async with self._kept(plan, plan.version, plan.query) as reading:
                yield reading
        else:
            with self._used(self._spool(self._order(plan.query))) as spool:
                await spool.began()
                yield _reading(plan.version, spool, spool.pieces())

    @asynccontextmanager
    async def export(self, export: Export) -> AsyncIterator[Reading]:
        """The file of a session, likewise; `row_count` is of its assets. Raises as `open` does."""
        tables = [
            {"name": table.name, "columns": table.columns, **({} if query is None else self._order(query))}
            for table, query in export.tables
        ]
        order = {"kind": "export", "manifest": export.manifest, "tables": tables}
        with self._used(self._spool(order)) as spool:
            if export.version is None:
                yield Reading("", 0, spool.pieces())
            else:
                await spool.began()
                yield _reading(export.version, spool, spool.pieces())

    @asynccontextmanager
    async def _kept(self, plan: Plan, version: DataVersion, query: BulkQuery) -> AsyncIterator[Reading]:
        """A read of every row: some columns of a file that all such reads share."""
        key = Key(self._store.incarnation, plan.table.name, version.id, version.revision)
        async with self._whole(key, query) as whole:
            if plan.columns == query.columns:
                yield _reading(version, whole, whole.pieces())
                return
            await whole.full()
            order = {
                "kind": "select",
                "source": f"/dev/fd/{whole.descriptor}",
                "names": [name for name, _ in plan.columns],
            }
            with self._used(self._spool(order, taken=[whole.descriptor])) as chosen:
                yield _reading(version, whole, chosen.pieces())

    @asynccontextmanager
    async def _whole(self, key: Key, query: BulkQuery) -> AsyncIterator[_File | Spool]:
        """The file of a key, or the one that is to become it, which is begun where nobody has."""
        if self._begun(key) is None:
            found = await in_thread(self._cache.find, key)
            with _opened(found, key) as file:
                if file is not None:
                    self._store.metrics.cache("reads", True)
                    yield file
                    return
        spool = self._begun(key)
        self._store.metrics.cache("reads", spool is not None)
        if spool is None:
            spool = self._building[key] = self._spool(self._order(query), keep=partial(self._keep, key))
        with self._used(spool):
            await spool.began()
            yield spool

    def _begun(self, key: Key) -> Spool | None:
        spool = self._building.get(key)
        return None if spool is None or spool.failure is not None else spool

    def _keep(self, key: Key, path: Path, revision: int, row_count: int, crc32: int) -> None:
        try:
            self._cache.keep(path, replace(key, revision=revision), row_count, crc32)
        except OSError:
            _log.warning("a version that was read is not kept", exc_info=True)

    def _order(self, query: BulkQuery) -> Mapping[str, Any]:
        return {**self._store.arrow_order(query), "batch_rows": self._settings.read_batch_rows}

    def _spool(self, order: Mapping[str, Any], **options: Any) -> Spool:
        make = partial(self._cache.spool, self._store.incarnation)
        spool = Spool(make, order, self._slots, **options)
        self._spools.add(spool)
        return spool

    @contextmanager
    def _used(self, spool: Spool) -> Iterator[Spool]:
        spool.users += 1
        try:
            yield spool
        finally:
            spool.users -= 1
            if not spool.users:
                self._release(spool)

    def _release(self, spool: Spool) -> None:
        if spool in self._spools:
            self._spools.remove(spool)
            self._building = {key: other for key, other in self._building.items() if other is not spool}
            self._later(spool.close())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _sweep(self) -> None:
        try:
            await asyncio.to_thread(self._cache.sweep, self._store.incarnation)
        except OSError:
            _log.warning("the folder of read versions cannot be swept", exc_info=True)


@contextmanager
def _opened(found: Found | None, key: Key) -> Iterator[_File | None]:
    """A file that was found, unless it has gone meanwhile."""
    try:
        descriptor = -1 if found is None else os.open(found.path, os.O_RDONLY)
    except FileNotFoundError:
        descriptor = -1
    try:
        yield None if found is None or descriptor < 0 else _File(descriptor, key.revision, found.row_count)
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _reading(version: DataVersion, source: _File | Spool, pieces: AsyncGenerator[bytes, None]) -> Reading:
    return Reading(version_label(version.id, source.revision), source.row_count, pieces)
