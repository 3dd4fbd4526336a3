"""Bringing a database to the newest schema, one process at a time."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peewee import Database, OperationalError, PeeweeException
from playhouse.migrations import Migration, Runner

from mooring_server.errors import Unavailable
from mooring_server.settings import Settings
from mooring_server.store.engine import outward
from mooring_server.store.postgresql import connect_postgresql
from mooring_server.store.sqlite import connect_sqlite, sqlite_path

logger = logging.getLogger(__name__)

_DIRECTORY = Path(__file__).parent / "migrations"
_HISTORY = "schema_migrations"
_LOCK_WAIT_S = 60.0
# Any number that no other program on the same PostgreSQL database locks.
_ADVISORY_LOCK = 0x6D6F6F72696E67


def migrate(url: str, settings: Settings) -> list[str]:
    """Applies what is pending and answers its names; [] where nothing was.

    Safe to call again and from several processes at once: the others wait, then find nothing to do. On
    SQLite all of it is one transaction. Raises Unavailable where the database cannot be had.
    """
    try:
        with connection(url) as database:
            if is_sqlite(url):
                with _sqlite_lock(database):
                    return list(_runner(database).up())
            database.execute_sql("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
            return list(_runner(database).up())  # The lock goes with the connection.
    except PeeweeException as failure:
        raise outward(failure) from failure


def pending_migrations(url: str, settings: Settings) -> list[str]:
    """The names of the migrations that the database lacks; all of them where there is no database."""
    return [each.name for each in _status(url) if each.applied is None]


def require_newest(url: str) -> None:
    """Raises Unavailable unless the schema is exactly the one that this program knows."""
    status = _status(url)
    if any(each.path is None for each in status):
        raise Unavailable("a newer Mooring has migrated this database; update this one")
    if any(each.applied is None for each in status):
        raise Unavailable("the database's schema is not the newest; run `mooring migrate`")


def is_sqlite(url: str) -> bool:
    """Whether the URL names a SQLite file; `postgresql://` is the other kind."""
    return not url.startswith("postgresql://")


@contextmanager
def connection(url: str) -> Iterator[Database]:
    """A connection that may change the schema, for as long as the block lasts."""
    if is_sqlite(url):
        path = sqlite_path(url)
        _make_file(path)
        # Foreign keys stay off, or rebuilding a table would delete what refers to it.
        database: Database = connect_sqlite(path, foreign_keys=False, timeout_s=_LOCK_WAIT_S)
    else:
        database = connect_postgresql(url)
    try:
        _connect(database)
        yield database
    finally:
        database.close()


def _make_file(path: Path) -> None:
    """Makes the file if it is not there, for its owner alone; SQLite would let everybody read it.

    Its companions (`-wal`, `-shm`) get the same mode from SQLite.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as failure:
        logger.error("the database file cannot be made", exc_info=failure)
        raise Unavailable("the database file or its folder cannot be made or written") from None


def _connect(database: Database) -> None:
    """Connects; two processes that turn a new file to WAL at once make one of them fail, without waiting."""
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            database.connect()
            return
        except OperationalError as failure:
            if "locked" not in str(failure) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # here SQLite does not honour its busy timeout


@contextmanager
def _sqlite_lock(database: Database) -> Iterator[None]:
    with database.atomic("IMMEDIATE"):
        yield
        if broken := database.execute_sql("PRAGMA foreign_key_check").fetchall():
            raise Unavailable(f"the migration would leave {len(broken)} rows that refer to nothing")


def _status(url: str) -> list[Migration]:
    """Every migration, known or applied. Looking does not make a database."""
    if is_sqlite(url) and not sqlite_path(url).exists():
        return sorted(Migration.load_directory(str(_DIRECTORY)))
    try:
        with connection(url) as database:
            return list(_runner(database).status())
    except PeeweeException as failure:
        raise outward(failure) from failure


def _runner(database: Database) -> Runner:
    return Runner(database, str(_DIRECTORY), table_name=_HISTORY)
