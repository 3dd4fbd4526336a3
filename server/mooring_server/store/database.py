"""The store: two verbs over a database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from peewee import Database

from mooring_server.metrics import Metrics
from mooring_server.settings import Settings
from mooring_server.store.cache import LookupCache
from mooring_server.store.care.doctor import Finding, findings, repair
from mooring_server.store.engine import Engine, outward
from mooring_server.store.migrating import is_sqlite, require_newest, snapshot
from mooring_server.store.postgresql import PostgresqlEngine, connect_postgresql
from mooring_server.store.reading import BulkQuery
from mooring_server.store.sqlite import SqliteEngine, connect_sqlite, sqlite_path
from mooring_server.store.tables import Facts
from mooring_server.store.transaction import Tx
from mooring_server.store.values import utc_now

T = TypeVar("T")

logger = logging.getLogger(__name__)

OnCommit = Callable[[frozenset[str]], None]


class Store:
    """A database behind two verbs.

    `read` and `write` take a function over a `Tx`. It is synchronous, returns plain values, and a write's may
    run twice; what it raises undoes that write alone and reaches its caller. Failures of the database itself
    are `errors.Unavailable`.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        clock: Callable[[], datetime],
        on_commit: OnCommit | None,
        metrics: Metrics,
    ) -> None:
        self.on_commit = on_commit
        self.metrics = metrics
        self.url = url
        self._clock = clock
        self._lookups = LookupCache(settings.lookup_cache_max, metrics)
        # What was looked up is used for so long after a comparison with the log, and not without one.
        self._trust = 2 * timedelta(seconds=settings.lookup_refresh_s)
        self._compared = clock()
        facts = self._facts()
        self._incarnation = facts["incarnation"]
        self.signing_key = bytes.fromhex(facts["signing_key"])
        self._engine: Engine
        if is_sqlite(url):
            self._engine = SqliteEngine(sqlite_path(url), settings, self._committed, metrics)
        else:
            self._engine = PostgresqlEngine(url, settings, self._committed, metrics)

    @property
    def incarnation(self) -> str:
        """The database's own id; another one after `refresh` has found it restored."""
        return self._incarnation

    async def read(self, fn: Callable[[Tx], T], *, long: bool = False, fresh: bool = False) -> T:
        """Runs the function over one state of the database.

        `long` is for all but a few reads by key: it takes the function off the event loop. `fresh` passes the
        lookup cache by: another process's commits count as soon as they are made, not once they are noticed.
        """

        def work(database: Database) -> T:
            now = self._clock()
            trusted = not fresh and now - self._compared <= self._trust
            lookups = self._lookups.lookups() if trusted else None
            return fn(Tx(database, now=now, actor="users/system", lookups=lookups))

        return await self._engine.read(work, long=long)

    async def write(self, fn: Callable[[Tx], T], *, actor: str = "users/system", durable: bool = True) -> T:
        """Runs the function and answers after the commit, which includes the changes that it made.

        A caller that is cancelled may still be written: `request_id` is for that. What is not `durable` may
        be lost with the machine's power, together with all that was committed after it, until the next write
        that is: for rows that nobody sees before such a one.
        """

        def work(database: Database) -> tuple[T, frozenset[str]]:
            tx = Tx(database, now=self._clock(), actor=actor, is_awaited=self._engine.is_awaited)
            result = fn(tx)
            return result, tx.changes.flush()

        return await self._engine.write(work, durable=durable)

    async def refresh(self) -> bool:
        """Notices what other processes have done: call it every `lookup_refresh_s`.

        Streams that have moved are dropped from the lookup cache and told to `on_commit`. Answers whether the
        database is another one than before, as after a restore; then nothing read before is of any use.
        """
        began = self._clock()
        known = self._lookups.compare()

        def look(database: Database) -> tuple[dict[str, int], str]:
            tx = Tx(database, now=self._clock(), actor="users/system")
            return tx.changes.heads(known), _facts(database)["incarnation"]

        heads, incarnation = await self._engine.read(look, long=True)
        moved = frozenset(stream for stream, revision in known.items() if heads.get(stream) != revision)
        if moved:
            self._committed(moved)
        replaced = incarnation != self._incarnation
        if replaced:
            self._incarnation = incarnation
            self._lookups.clear()
        self._compared = began
        return replaced

    def arrow_order(self, query: BulkQuery) -> dict[str, Any]:
        """What `arrow_process` takes to answer a bulk read, but for the file and the size of a batch."""
        return query.order(self.url)

    async def close(self) -> None:
        """Finishes the writes that were begun and lets go of the database."""
        await self._engine.close()

    def check(self) -> list[Finding]:
        """What is broken, [] when sound. Reads everything: not for the event loop."""
        # One state, or writers of this moment would look like faults.
        with snapshot(self.url) as database:
            return findings(database)

    async def repair(self) -> list[str]:
        """Repairs what is safe to repair, and says what that was. Others may go on writing meanwhile."""
        return await repair(self.url, self.write)

    def _facts(self) -> dict[str, str]:
        database = self._connect()
        try:
            return _facts(database)
        except Exception as failure:
            raise outward(failure) from None
        finally:
            database.close()

    def _connect(self) -> Database:
        if is_sqlite(self.url):
            return connect_sqlite(sqlite_path(self.url), read_only=True)
        return connect_postgresql(self.url)

    def _committed(self, streams: frozenset[str]) -> None:
        # First: whoever is told of a commit must find what it left.
        self._lookups.drop(streams)
        if self.on_commit is not None:
            try:
                self.on_commit(streams)
            except Exception:
                # What was committed stays committed, whatever its listener does.
                logger.exception("the listener of commits failed")


def _facts(database: Database) -> dict[str, str]:
    return dict(Facts.select(Facts.key, Facts.value).tuples().execute(database))


def open_store(
    url: str,
    *,
    settings: Settings,
    clock: Callable[[], datetime] = utc_now,
    on_commit: OnCommit | None = None,
    metrics: Metrics | None = None,
) -> Store:
    """Opens `sqlite:///file` or `postgresql://…`; migrates nothing.

    `on_commit` gets the streams of each commit, after it, on any thread; keep it short. `metrics` are what is
    counted into, by default some that nobody reads. Raises Unavailable where the schema is not the newest or
    the database is not there.
    """
    require_newest(url)
    return Store(url, settings, clock, on_commit, metrics or Metrics())
