"""Bringing a database to the newest schema, one process at a time."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from peewee import Database, OperationalError, PeeweeException
from playhouse.migrations import Migration, Runner

from mooring_server.errors import Unavailable
from mooring_server.settings import Settings
from mooring_server.store.care.adopting import Adoption, adopt, kept_report
from mooring_server.store.care.old_shape import PREFIX, drop, is_old_shape, put_aside
from mooring_server.store.engine import outward
from mooring_server.store.postgresql import connect_postgresql
from mooring_server.store.sqlite import connect_sqlite, sqlite_path
from mooring_server.store.values import to_us, utc_now

logger = logging.getLogger(__name__)

ADOPTION = "adoption of the old shape"

_DIRECTORY = Path(__file__).parent / "migrations"
_HISTORY = "schema_migrations"
_LOCK_WAIT_S = 60.0
# Any number that no other program on the same PostgreSQL database locks.
_ADVISORY_LOCK = 0x6D6F6F72696E67


def migrate(url: str, settings: Settings, *, target: str | None = None) -> list[str]:
    """Applies what is pending and answers its names; [] where nothing was. `target` is the last to apply.

    Safe to call again and from several processes at once: the others wait, then find nothing to do. On
    SQLite all of it is one transaction. A database of the old shape is adopted, which is called ADOPTION and
    is one transaction everywhere. Raises Unavailable where the database cannot be had, or is of a newer
    Mooring.
    """
    try:
        with connection(url) as database:
            if is_sqlite(url):
                with _sqlite_lock(database):
                    return _up(database, target)
            database.execute_sql("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
            return _up(database, target)  # The lock goes with the connection.
    except PeeweeException as failure:
        raise outward(failure) from failure


def pending_migrations(url: str, settings: Settings) -> list[str]:
    """The names of the migrations that the database lacks; all of them where there is no database."""
    pending = [each.name for each in _status(url) if each.applied is None]
    return [ADOPTION, *pending] if pending and _is_old(url) else pending


def adoption_report(url: str) -> Adoption | None:
    """What the adoption of the old shape did; None where there was none, or its tables were dropped."""
    with snapshot(url) as database:
        return kept_report(database)


def drop_old_tables(url: str) -> list[str]:
    """Drops what an adoption put aside, and its report; answers the names of the tables."""
    try:
        with connection(url) as database, database.atomic():
            return drop(database)
    except PeeweeException as failure:
        raise outward(failure) from failure


def require_newest(url: str) -> None:
    """Raises Unavailable unless the schema is exactly the one that this program knows."""
    status = _status(url)
    _refuse_newer(status)
    if any(each.applied is None for each in status):
        raise Unavailable("the database's schema is not the newest; run `mooring migrate`")


def schema_version(database: Database) -> str:
    """The name of the last migration that was applied. Raises Unavailable where it is none that we know."""
    status = list(_runner(database).status())
    applied = [each.name for each in status if each.applied is not None]
    if not applied:
        raise Unavailable("this is no database of Mooring's; `mooring migrate` makes one")
    _refuse_newer(status)
    return str(applied[-1])


def known_migrations() -> list[str]:
    """The names of all migrations that this program knows, in order."""
    return [each.name for each in sorted(Migration.load_directory(str(_DIRECTORY)))]


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


@contextmanager
def snapshot(url: str) -> Iterator[Database]:
    """A connection that reads one state of the database, for as long as the block lasts."""
    if is_sqlite(url):
        database: Database = connect_sqlite(sqlite_path(url), read_only=True)
    else:
        database = connect_postgresql(url)
    try:
        with database.atomic(*(() if is_sqlite(url) else ("REPEATABLE READ READ ONLY",))):
            yield database
    except PeeweeException as failure:
        raise outward(failure) from failure
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
        checked = database.execute_sql("PRAGMA foreign_key_check").fetchall()
        # What was put aside may refer to nothing, as it always did.
        if broken := [row for row in checked if not row[0].startswith(PREFIX)]:
            raise Unavailable(f"the migration would leave {len(broken)} rows that refer to nothing")


def _up(database: Database, target: str | None) -> list[str]:
    if _HISTORY in database.get_tables() or not is_old_shape(database):
        runner = _runner(database)
        _refuse_newer(runner.status())
        return list(runner.up(target))
    with database.atomic():
        put_aside(database)
        applied = list(_runner(database).up(target))
        adopt(database, to_us(utc_now()))
    return [ADOPTION, *applied]


def _refuse_newer(status: Iterable[Migration]) -> None:
    if any(each.path is None for each in status):
        raise Unavailable("a newer Mooring has migrated this database; update this one")


def _is_old(url: str) -> bool:
    if is_sqlite(url) and not sqlite_path(url).exists():
        return False
    with snapshot(url) as database:
        return _HISTORY not in database.get_tables() and is_old_shape(database)


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
