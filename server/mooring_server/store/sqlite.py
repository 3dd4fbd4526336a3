"""SQLite: one writer that commits many callers' work together, readers beside it.

An fsync costs far more than a small write, so the writer takes whatever waits, runs each caller's work in a
savepoint of its own, and commits once. A caller's failure rolls back its savepoint alone.

What is committed goes to the write-ahead log, and from there into the database file. Done by the writer, as
SQLite would by itself, that holds up whoever writes next for a tenth of a second at a time while something is
imported. So another thread does it, beside the writer; only what has come meanwhile is left to the writer,
once the log has grown so long that it should begin anew. The same thread brings to the disk, every moment,
what bulk work has added to the log without a sync of its own: whoever is durable next would wait for all of
it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
import time
from collections import deque
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

_log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5
_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "cache_size": -16_384,
}
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
# Changed rows after which a checkpoint is worth its two syncs, and how often at most, in syncs of the log.
_CHECKPOINT_ROWS = 500
_SYNC_INTERVAL_S = 0.02
_SYNCS_PER_CHECKPOINT = 10
_LOG_PAGES_MAX = 16_384
# Each pass has less to do than the one before: that much comes while it runs.
_PASSES = 4


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

    def __init__(self, work: WriteWork[Any], durable: bool) -> None:
        self.work = work
        self.durable = durable
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
        # Those of the jobs that are durable: somebody waits for them.
        self._awaited = 0
        # Reads by key run on the loop itself: handing one to a thread costs more than the read.
        self._inline = connect_sqlite(path, read_only=True)
        self._idle: queue.SimpleQueue[SqliteDatabase] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(settings.read_threads, thread_name_prefix="mooring-read")
        self._connections = [self._inline]
        for _ in range(settings.read_threads):
            reader = connect_sqlite(path, read_only=True)
            self._connections.append(reader)
            self._idle.put(reader)
        self._written = threading.Event()
        self._overlong = threading.Event()
        self._stopped = threading.Event()
        self._writer = threading.Thread(target=self._write_loop, name="mooring-write", daemon=True)
        self._checkpointer = threading.Thread(
            target=self._checkpoint_loop, name="mooring-checkpoint", daemon=True
        )
        self._writer.start()
        self._checkpointer.start()

    async def read(self, work: ReadWork[T], *, long: bool) -> T:
        """Runs the work: inline, or in a reader thread where it is long."""
        if self._closed:
            raise stopping()
        if long:
            return await asyncio.get_running_loop().run_in_executor(
                self._readers, self._read_pooled, work, time.perf_counter()
            )
        return _read(self._inline, work)

    async def write(self, work: WriteWork[T], *, durable: bool) -> T:
        """Queues the work for the next commit. A cancelled caller's work may still be written."""
        job = _Job(work, durable)
        with self._closing:
            if self._closed:
                raise stopping()
            self._jobs.put(job)
            self._awaited += durable
        return await asyncio.wrap_future(job.future)

    def is_awaited(self) -> bool:
        """Whether durable work waits for the writer."""
        return self._awaited > 0

    async def close(self) -> None:
        """Commits what waits, lets readers end, closes every connection."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self._stopped.set()
        self._written.set()
        await asyncio.to_thread(self._checkpointer.join)
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
        # Bulk work waits until nobody else does, and is committed by itself: others' commits stay small.
        bulk: deque[_Job] = deque()
        unchecked = 0
        try:
            connection.execute_sql("PRAGMA wal_autocheckpoint = 0")
            while batch := self._next_batch(bulk):
                if self._overlong.is_set():
                    self._overlong.clear()
                    connection.execute_sql(_CHECKPOINT).fetchall()
                changes = connection.connection().total_changes
                # Who gave up before their turn is left out; from here on nobody can.
                self._commit(connection, [job for job in batch if job.future.set_running_or_notify_cancel()])
                unchecked += connection.connection().total_changes - changes
                if unchecked >= _CHECKPOINT_ROWS:
                    unchecked = 0
                    self._written.set()
        finally:
            connection.close()

    def _next_batch(self, bulk: deque[_Job]) -> list[_Job]:
        """What is committed next; empty at the end. Bulk work that has come is put aside until its turn."""
        batch: list[_Job] = []
        while len(batch) < self._batch_max:
            try:
                job = self._jobs.get(block=not (batch or bulk))
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)  # the end: once all that is waiting has been written
                break
            with self._closing:
                self._awaited -= job.durable
            (batch if job.durable else bulk).append(job)
        return batch or ([bulk.popleft()] if bulk else [])

    def _checkpoint_loop(self) -> None:
        connection = connect_sqlite(self._path)
        try:
            while True:
                self._written.wait()
                # Cleared before anything is looked at: what comes from here on, or the end, wakes it again.
                self._written.clear()
                for _ in range(_SYNCS_PER_CHECKPOINT):
                    if self._stopped.wait(_SYNC_INTERVAL_S):
                        return
                    self._sync_log()
                for _ in range(_PASSES):
                    _, pages, _ = connection.execute_sql(_CHECKPOINT).fetchone()
                    if pages < _LOG_PAGES_MAX:
                        break
                else:
                    self._overlong.set()
        except Exception:
            # The log grows until the file is opened again; nothing is lost.
            _log.exception("checkpoints have ended")
        finally:
            connection.close()

    def _sync_log(self) -> None:
        with Path(f"{self._path}-wal").open("r+b") as log:
            getattr(os, "fdatasync", os.fsync)(log.fileno())

    def _commit(self, connection: SqliteDatabase, batch: Sequence[_Job]) -> None:
        begun = False
        try:
            # The log is one sequence: the next commit that is synced makes those before it durable too.
            synced = any(job.durable for job in batch)
            connection.execute_sql(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
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
