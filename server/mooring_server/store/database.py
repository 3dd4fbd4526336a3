"""The store: two verbs over a database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from peewee import Database

from mooring_server.settings import Settings
from mooring_server.store.checks import broken_invariants
from mooring_server.store.engine import Engine, outward
from mooring_server.store.migrating import is_sqlite, require_newest
from mooring_server.store.postgresql import PostgresqlEngine, connect_postgresql
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
        self, url: str, settings: Settings, clock: Callable[[], datetime], on_commit: OnCommit | None
    ) -> None:
        self.on_commit = on_commit
        self._url = url
        self._clock = clock
        facts = self._facts()
        self.incarnation = facts["incarnation"]
        self.signing_key = bytes.fromhex(facts["signing_key"])
        self._engine: Engine
        if is_sqlite(url):
            self._engine = SqliteEngine(sqlite_path(url), settings, self._committed)
        else:
            self._engine = PostgresqlEngine(url, settings, self._committed)

    async def read(self, fn: Callable[[Tx], T], *, long: bool = False) -> T:
        """Runs the function over one state of the database.

        `long` is for all but a few reads by key: it takes the function off the event loop.
        """

        def work(database: Database) -> T:
            return fn(Tx(database, now=self._clock(), actor="users/system"))

        return await self._engine.read(work, long=long)

    async def write(self, fn: Callable[[Tx], T], *, actor: str = "users/system") -> T:
        """Runs the function and answers after the commit, which includes the changes that it made.

        A caller that is cancelled may still be written: `request_id` is for that.
        """

        def work(database: Database) -> tuple[T, frozenset[str]]:
            tx = Tx(database, now=self._clock(), actor=actor)
            result = fn(tx)
            return result, tx.changes.flush()

        return await self._engine.write(work)

    async def close(self) -> None:
        """Finishes the writes that were begun and lets go of the database."""
        await self._engine.close()

    def check(self) -> list[str]:
        """Sentences about broken invariants, [] when sound. Reads everything: not for the event loop."""
        database = self._connect()
        try:
            # One state, or writers of this moment would look like faults.
            isolation = () if is_sqlite(self._url) else ("REPEATABLE READ",)
            with database.atomic(*isolation):
                return broken_invariants(database)
        except Exception as failure:
            raise outward(failure) from None
        finally:
            database.close()

    def _facts(self) -> dict[str, str]:
        database = self._connect()
        try:
            return dict(Facts.select(Facts.key, Facts.value).tuples().execute(database))
        except Exception as failure:
            raise outward(failure) from None
        finally:
            database.close()

    def _connect(self) -> Database:
        if is_sqlite(self._url):
            return connect_sqlite(sqlite_path(self._url), read_only=True)
        return connect_postgresql(self._url)

    def _committed(self, streams: frozenset[str]) -> None:
        if self.on_commit is not None:
            try:
                self.on_commit(streams)
            except Exception:
                # What was committed stays committed, whatever its listener does.
                logger.exception("the listener of commits failed")


def open_store(
    url: str,
    *,
    settings: Settings,
    clock: Callable[[], datetime] = utc_now,
    on_commit: OnCommit | None = None,
) -> Store:
    """Opens `sqlite:///file` or `postgresql://…`; migrates nothing.

    `on_commit` gets the streams of each commit, after it, on any thread; keep it short. Raises Unavailable
    where the schema is not the newest or the database is not there.
    """
    require_newest(url)
    return Store(url, settings, clock, on_commit)
