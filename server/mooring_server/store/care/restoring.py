"""Restoring: a backup takes the place of everything that a database holds, in one transaction."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, TypeVar

from peewee import (  # type: ignore[attr-defined]  # not in its stubs
    Database,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    PeeweeException,
    ProgrammingError,
    SqliteDatabase,
    __exception_wrapper__,
)

from mooring_server.errors import AlreadyExists, InvalidArgument
from mooring_server.settings import Settings
from mooring_server.store.care.backups import (
    BACKED_UP,
    Backup,
    Manifest,
    OnProgress,
    back_up,
    name_of,
    reading,
    stored_columns,
)
from mooring_server.store.care.scans import WORD_INDEXES, dropping
from mooring_server.store.engine import outward
from mooring_server.store.migrating import is_sqlite, known_migrations, migrate
from mooring_server.store.postgresql import connect_postgresql
from mooring_server.store.records import OperationState
from mooring_server.store.sqlite import connect_sqlite, sqlite_path
from mooring_server.store.tables import TABLES, Engagements, Facts, Operations, Requests, Users
from mooring_server.store.values import to_json

T = TypeVar("T")

_BUSY_WAIT_S = 60.0
_ATTEMPTS = 8
_PROGRESS_ROWS = 1_000
# As `core/operations.py` keeps failures.
_INTERRUPTED = {
    "failure": "Aborted",
    "reason": "OPERATION_INTERRUPTED",
    "message": "the database was restored from a backup while this ran; start it again",
}


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: the backup's manifest, and the id of the new life that the database has begun."""

    manifest: Manifest
    incarnation: str


def restore(
    url: str, source: IO[bytes], settings: Settings, on_progress: OnProgress, *, replace: bool = False
) -> Restored:
    """Puts a backup in the place of everything in the database, which is brought to the newest schema first.

    Servers may go on: they see the old state until the commit and the new one from then on, under a fresh
    incarnation, and their writes wait meanwhile. The signing key stays the database's own. A backup of an
    older schema is brought up to the newest one on the way, in a temporary SQLite file.

    Raises:
        InvalidArgument: the file is no sound backup. Nothing was changed.
        AlreadyExists: the database holds something, and `replace` does not say that it may go.
        Unavailable: the database cannot be had.
    """
    with reading(source) as given:
        given.verify(on_progress)
        with _newest(given, settings, on_progress) as backup:
            migrate(url, settings)
            database = _connect(url)
            try:
                incarnation = _alone(
                    database, lambda: _replace(database, backup, on_progress, may_lose=replace)
                )
                if not is_sqlite(url):
                    database.execute_sql("ANALYZE")
            except PeeweeException as failure:
                raise outward(failure) from failure
            finally:
                database.close()
    return Restored(given.manifest, incarnation)


@contextmanager
def _newest(backup: Backup, settings: Settings, on_progress: OnProgress) -> Iterator[Backup]:
    """The backup, or what the migrations make of it where it is of an older schema."""
    if backup.manifest.schema == known_migrations()[-1]:
        yield backup
        return
    with tempfile.TemporaryDirectory(prefix="mooring-restore-") as folder:
        url = f"sqlite:///{folder}/old.db"
        migrate(url, settings, target=backup.manifest.schema)
        database = _connect(url)
        try:
            with database.atomic():
                for table in backup.manifest.tables:
                    _insert(database, backup, table, on_progress)
        except PeeweeException as failure:
            raise outward(failure) from failure
        finally:
            database.close()
        migrate(url, settings)
        with tempfile.TemporaryFile(dir=folder) as file:
            back_up(url, file, on_progress)
            with reading(file) as newest:
                yield newest


def _connect(url: str) -> Database:
    if is_sqlite(url):
        return connect_sqlite(sqlite_path(url), timeout_s=_BUSY_WAIT_S)
    return connect_postgresql(url)


def _alone(database: Database, work: Callable[[], T]) -> T:
    """Runs the work in a transaction beside which nobody writes."""
    if isinstance(database, SqliteDatabase):
        with database.atomic("IMMEDIATE"):
            return work()
    names = ", ".join(f'"{name_of(table)}"' for table in TABLES)
    attempt, locked = 0, False
    while True:
        try:
            with database.atomic():
                # Readers go on. A writer that has rows of one table and wants another's may be in our way,
                # and we in its: then the database ends one of us.
                database.execute_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
                locked = True
                return work()
        except OperationalError:
            attempt += 1
            if locked or attempt == _ATTEMPTS:
                raise


def _require_empty(database: Database) -> None:
    for table, what in ((Users, "users"), (Engagements, "engagements")):
        if table.select(table.id).limit(1).tuples().execute(database):
            raise AlreadyExists(
                f"the database holds {what} already; --replace says that all of it may go", reason="ID_TAKEN"
            )


def _replace(database: Database, backup: Backup, on_progress: OnProgress, *, may_lose: bool) -> str:
    """All that the database holds goes, all of the backup comes; answers the new incarnation."""
    if not may_lose:
        _require_empty(database)
    expected = {name_of(table): stored_columns(database, table) for table in BACKED_UP}
    if {name: entry.columns for name, entry in backup.manifest.tables.items()} != expected:
        raise InvalidArgument("this is no sound backup: its tables are not those of its schema")
    # Row by row, an index of words would take longer than all the rest.
    indexes = WORD_INDEXES if isinstance(database, SqliteDatabase) else ()
    _run(database, (statement for index in indexes for statement in dropping(index)))
    Requests.delete().execute(database)
    for table in reversed(BACKED_UP):
        table.delete().execute(database)
    done, total = 0, backup.manifest.rows
    for name in expected:  # in the order of their references
        _insert(
            database,
            backup,
            name,
            lambda what, rows, _, base=done: on_progress(what, base + rows, total),  # type: ignore[misc]
        )
        done += backup.manifest.tables[name].rows
    _run(database, (statement for index in indexes for statement in index.statements(sqlite=True)))
    Operations.update(
        {
            Operations.state: OperationState.FAILED.value,
            Operations.error: to_json(_INTERRUPTED),
            Operations.host: "",
        }
    ).where(Operations.state == OperationState.RUNNING.value).execute(database)
    incarnation = str(uuid.uuid4())
    Facts.update({Facts.value: incarnation}).where(Facts.key == "incarnation").execute(database)
    return incarnation


def _run(database: Database, statements: Iterable[str]) -> None:
    for statement in statements:
        database.execute_sql(statement)


def _insert(database: Database, backup: Backup, table: str, on_progress: OnProgress) -> None:
    entry = backup.manifest.tables[table]
    columns = ", ".join(f'"{column}"' for column in entry.columns)
    rows = _told(backup.rows(table), entry.rows, on_progress)
    with _fitting(table), __exception_wrapper__:
        if isinstance(database, SqliteDatabase):
            places = ", ".join("?" * len(entry.columns))
            statement = f'INSERT INTO "{table}" ({columns}) VALUES ({places})'  # noqa: S608 - checked names
            database.cursor().executemany(statement, rows)
        else:
            with database.cursor().copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)


@contextmanager
def _fitting(table: str) -> Iterator[None]:
    """Says of rows that the database does not take whose fault that is."""
    try:
        yield
    except (DataError, IntegrityError, InterfaceError, OverflowError, ProgrammingError, ValueError) as fault:
        raise InvalidArgument(
            f"this is no sound backup: the database does not take its {table}; take another one"
        ) from fault


def _told(rows: Iterator[list[Any]], total: int, on_progress: OnProgress) -> Iterator[list[Any]]:
    for done, row in enumerate(rows, 1):
        yield row
        if done % _PROGRESS_ROWS == 0 or done == total:
            on_progress("restoring", done, total)
