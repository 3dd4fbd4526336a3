"""SQLite: one writer that commits many callers' work together, readers beside it.

An fsync costs far more than a small write, so the writer takes whatever waits, runs each caller's work in a
savepoint of its own, and commits once. A caller's failure rolls back its savepoint alone.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from peewee import OperationalError, SqliteDatabase

from mooring_server.errors import InvalidArgument
from mooring_server.metrics import Metrics
from mooring_server.settings import Settings
from mooring_server.store.engine import Committed, ReadWork, WriteWork, outward, stopping
from mooring_server.store.tables import SQLITE_TYPES

T = TypeVar("T")

BUSY_TIMEOUT_S = 5
_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "cache_size": -16_384,
}


def sqlite_path(url: str) -> Path:
    """The file of `sqlite:///relative` or `sqlite:////absolute`."""
    path = url.removeprefix("sqlite:///")
    if not path or path == url or path == ":memory:":
        # A database in memory is another one for each of our connections.
        raise InvalidArgument("the database must be a file, `sqlite:///file`, or `postgresql://…`")
    return Path(path)


def connect_sqlite(
    path: Path, *, read_only: bool = False, foreign_keys: bool = True, timeout_s: float = BUSY_TIMEOUT_S
) -> SqliteDatabase:
    """One connection. It may move between threads, as long as one at a time uses it."""
    pragmas = dict(_PRAGMAS)
    if not foreign_keys:
        pragmas["foreign_keys"] = 0
    if read_only:
        pragmas["query_only"] = 1
    return SqliteDatabase(
        str(path),
        pragmas=pragmas,
        timeout=timeout_s,
        thread_safe=False,
        check_same_thread=False,
        field_types=SQLITE_TYPES,
    )


class _BatchLost(OperationalError):
    """A statement ended the transaction under everybody in the batch, as a full disk does."""


class _Job:
    """A caller's work and the future that waits for it."""

    def __init__(self, work: WriteWork[Any]) -> None:
        self.work = work
        self.queued_s = time.perf_counter()
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.streams: frozenset[str] = frozenset()
        self.failure: BaseException | None = None

    def settle(self) -> None:
        """Answers the caller."""
        if self.failure is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(outward(self.failure))


class SqliteEngine:
    """An Engine over one file."""

    def __init__(self, path: Path, settings: Settings, committed: Committed, metrics: Metrics) -> None:
        self._path = path
        self._committed = committed
        self._metrics = metrics
        self._batch_max = settings.write_batch_max
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        # Reads by key run on the loop itself: handing one to a thread costs more than the read.
        self._inline = connect_sqlite(path, read_only=True)
        self._idle: queue.SimpleQueue[SqliteDatabase] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(settings.read_threads, thread_name_prefix="mooring-read")
        self._connections = [self._inline]
        for _ in range(settings.read_threads):
            reader = connect_sqlite(path, read_only=True)
            self._connections.append(reader)
            self._idle.put(reader)
        self._writer = threading.Thread(target=self._write_loop, name="mooring-write", daemon=True)
        self._writer.start()

    async def read(self, work: ReadWork[T], *, long: bool) -> T:
        """Runs the work: inline, or in a reader thread where it is long."""
        if self._closed:
            raise stopping()
        if long:
            return await asyncio.get_running_loop().run_in_executor(
                self._readers, self._read_pooled, work, time.perf_counter()
            )
        return _read(self._inline, work)

    async def write(self, work: WriteWork[T]) -> T:
        """Queues the work for the next commit. A cancelled caller's work may still be written."""
        job = _Job(work)
        with self._closing:
            if self._closed:
                raise stopping()
            self._jobs.put(job)
        return await asyncio.wrap_future(job.future)

    async def close(self) -> None:
        """Commits what waits, lets readers end, closes every connection."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._connections:
            connection.close()

    def _read_pooled(self, work: ReadWork[T], queued_s: float) -> T:
        connection = self._idle.get()
        self._metrics.queued("read", time.perf_counter() - queued_s)
        try:
            return _read(connection, work)
        finally:
            self._idle.put(connection)

    def _write_loop(self) -> None:
        connection = connect_sqlite(self._path)
        try:
            while (job := self._jobs.get()) is not None:
                batch = [job]
                while len(batch) < self._batch_max and (job := self._next()) is not None:
                    batch.append(job)
                # Who gave up before their turn is left out; from here on nobody can.
                self._commit(connection, [job for job in batch if job.future.set_running_or_notify_cancel()])
        finally:
            connection.close()

    def _next(self) -> _Job | None:
        try:
            job = self._jobs.get_nowait()
        except queue.Empty:
            return None
        if job is None:
            self._jobs.put(None)  # The end: for the outer loop to see.
        return job

    def _commit(self, connection: SqliteDatabase, batch: Sequence[_Job]) -> None:
        begun = False
        try:
            with connection.atomic("IMMEDIATE"):
                begun = True
                begun_s = time.perf_counter()
                for job in batch:
                    _attempt(connection, job)
                worked_s = time.perf_counter()
            self._metrics.committed(time.perf_counter() - worked_s)
        except Exception as failure:
            # Nothing of the batch was kept. Without a transaction to begin with, each alone would only wait
            # for the same lock as long again.
            if begun and len(batch) > 1:
                for job in batch:
                    self._commit(connection, [job])
                return
            for job in batch:
                job.failure = job.failure or failure
        else:
            self._metrics.batched(len(batch))
            for job in batch:
                self._metrics.queued("write", begun_s - job.queued_s)
            if streams := frozenset[str]().union(*(job.streams for job in batch)):
                self._committed(streams)
        for job in batch:
            job.settle()


def _attempt(connection: SqliteDatabase, job: _Job) -> None:
    job.failure, job.streams = None, frozenset()
    try:
        with connection.atomic():
            job.result, job.streams = job.work(connection)
    except BaseException as failure:  # The writer outlives whatever a caller's work does.
        job.failure, job.streams = failure, frozenset()
    # Without this, the next caller's statements would commit one by one.
    if not connection.connection().in_transaction:
        raise _BatchLost("the transaction ended before its commit")


def _read(connection: SqliteDatabase, work: ReadWork[T]) -> T:
    try:
        with connection.atomic():
            return work(connection)
    except Exception as failure:
        raise outward(failure) from None
