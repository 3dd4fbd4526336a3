"""PostgreSQL: a fixed set of connections, each lent to one thread at a time, and retries.

Writes run at READ COMMITTED, where every rule is either compared in the UPDATE or held by a constraint. Reads
run at REPEATABLE READ, so that all of a function's statements see one state, as they do on SQLite.
"""

from __future__ import annotations

import asyncio
import queue
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from peewee import Database, PeeweeException, PostgresqlDatabase

from mooring_server.metrics import Metrics, StoreVerb
from mooring_server.settings import Settings
from mooring_server.store.engine import Committed, ReadWork, WriteWork, outward, stopping
from mooring_server.store.tables import POSTGRESQL_TYPES

T = TypeVar("T")

_CONNECT_TIMEOUT_S = 5
_ATTEMPTS = 8
_BACKOFF_S = 0.005
_ISOLATION: Mapping[StoreVerb, str] = {"read": "REPEATABLE READ", "write": "READ COMMITTED"}
# serialization_failure and deadlock_detected: the transaction had no effect and may succeed next time.
_TRANSIENT = frozenset({"40001", "40P01"})


def connect_postgresql(url: str) -> PostgresqlDatabase:
    """One connection, made at its first use."""
    return PostgresqlDatabase(
        url,
        prefer_psycopg3=True,
        thread_safe=False,
        field_types=POSTGRESQL_TYPES,
        connect_timeout=_CONNECT_TIMEOUT_S,
        application_name="mooring",
    )


class PostgresqlEngine:
    """An Engine over a server."""

    def __init__(self, url: str, settings: Settings, committed: Committed, metrics: Metrics) -> None:
        self._committed = committed
        self._metrics = metrics
        self._closed = False
        count = settings.postgresql_connections
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="mooring-postgresql")
        self._connections = [connect_postgresql(url) for _ in range(count)]
        self._idle: queue.LifoQueue[PostgresqlDatabase] = queue.LifoQueue()
        for connection in self._connections:
            self._idle.put(connection)

    async def read(self, work: ReadWork[T], *, long: bool) -> T:
        """Runs the work in a thread, long or not."""
        return await self._in_thread("read", lambda: self._run("read", work))

    async def write(self, work: WriteWork[T], *, durable: bool) -> T:
        """Runs the work in a thread. A cancelled caller's work may still be written."""

        def unsynced(database: Database) -> tuple[T, frozenset[str]]:
            # The server's log is one sequence: the next commit that is synced makes this durable too.
            database.execute_sql("SET LOCAL synchronous_commit = off")
            return work(database)

        def run() -> T:
            result, streams = self._run("write", work if durable else unsynced)
            if streams:
                self._committed(streams)
            return result

        return await self._in_thread("write", run)

    def is_awaited(self) -> bool:
        """No: writers work side by side."""
        return False

    async def close(self) -> None:
        """Lets running work end, then closes every connection."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    async def _in_thread(self, verb: StoreVerb, run: Callable[[], T]) -> T:
        if self._closed:
            raise stopping()
        queued_s = time.perf_counter()

        def begin() -> T:
            self._metrics.queued(verb, time.perf_counter() - queued_s)
            return run()

        return await asyncio.get_running_loop().run_in_executor(self._threads, begin)

    def _run(self, verb: StoreVerb, work: Callable[[PostgresqlDatabase], T]) -> T:
        connection = self._idle.get()
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                worked = False
                try:
                    with connection.atomic(_ISOLATION[verb]):
                        result = work(connection)
                        worked = True
                        worked_s = time.perf_counter()
                    if verb == "write":
                        self._metrics.committed(time.perf_counter() - worked_s)
                    return result
                except PeeweeException as failure:
                    lost = _is_lost(connection)
                    # A connection that idled too long is worth another; one that broke during the commit is
                    # not: whether that happened, nobody knows.
                    again = (lost and not worked) or _sqlstate(failure) in _TRANSIENT
                    if not again or attempt == _ATTEMPTS:
                        raise
                # At random, so that those who were in each other's way do not meet again.
                time.sleep(random.uniform(0, _BACKOFF_S * 2**attempt))  # noqa: S311 - chance, not a secret
            raise AssertionError("unreachable")
        except Exception as failure:
            raise outward(failure) from None
        finally:
            self._idle.put(connection)


def _is_lost(connection: PostgresqlDatabase) -> bool:
    """Whether the connection is of no more use; then the next statement opens another."""
    if connection.is_closed():
        return True
    if connection.connection().closed:
        connection.close()
        return True
    return False


def _sqlstate(failure: PeeweeException) -> str | None:
    return getattr(getattr(failure, "orig", None), "sqlstate", None)
