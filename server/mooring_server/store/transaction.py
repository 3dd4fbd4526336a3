"""One transaction: the nouns, the statements they send, and the changes they collect."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

from peewee import Database, Model, SqliteDatabase, __exception_wrapper__  # type: ignore[attr-defined]  # not in its stubs

from mooring_server.store.activity import ActivityLog
from mooring_server.store.assets import Assets
from mooring_server.store.cache import MISSING, Lookups
from mooring_server.store.changes import Changes
from mooring_server.store.comparing import Comparing
from mooring_server.store.contexts import Contexts
from mooring_server.store.dependencies import Dependencies
from mooring_server.store.edits import Edits
from mooring_server.store.engagements import Engagements
from mooring_server.store.imports import Imports
from mooring_server.store.landscapes import Landscapes
from mooring_server.store.members import Members
from mooring_server.store.merges import Merges
from mooring_server.store.operations import Operations
from mooring_server.store.requests import Requests
from mooring_server.store.sessions import Sessions
from mooring_server.store.shortcuts import Shortcuts
from mooring_server.store.statements import Statement, insertions
from mooring_server.store.tokens import Tokens
from mooring_server.store.uploads import Uploads
from mooring_server.store.users import Users
from mooring_server.store.values import to_us
from mooring_server.store.versions import Versions

T = TypeVar("T")

_TURN_ROWS = 30


class Tx:
    """What a function given to `Store.read` or `Store.write` works on.

    Synchronous, and over when the function returns: hand out records, never the transaction. All of a
    transaction happens at `now`, done by `actor` (`users/{user}`).
    """

    def __init__(
        self,
        database: Database,
        *,
        now: datetime,
        actor: str,
        lookups: Lookups | None = None,
        is_awaited: Callable[[], bool] = bool,
    ) -> None:
        self._database = database
        self._lookups = lookups
        self._is_awaited = is_awaited
        self.now = now
        self.now_us = to_us(now)
        self.actor = actor

    @cached_property
    def users(self) -> Users:
        """Callers."""
        return Users(self)

    @cached_property
    def contexts(self) -> Contexts:
        """Users' places."""
        return Contexts(self)

    @cached_property
    def tokens(self) -> Tokens:
        """API tokens."""
        return Tokens(self)

    @cached_property
    def engagements(self) -> Engagements:
        """The rooms that sessions live in."""
        return Engagements(self)

    @cached_property
    def members(self) -> Members:
        """Who may do what in an engagement."""
        return Members(self)

    @cached_property
    def sessions(self) -> Sessions:
        """Sessions."""
        return Sessions(self)

    @cached_property
    def shortcuts(self) -> Shortcuts:
        """Users' own ways to sessions."""
        return Shortcuts(self)

    @cached_property
    def versions(self) -> Versions:
        """Data versions."""
        return Versions(self)

    @cached_property
    def assets(self) -> Assets:
        """The assets of data versions."""
        return Assets(self)

    @cached_property
    def dependencies(self) -> Dependencies:
        """The dependencies of data versions."""
        return Dependencies(self)

    @cached_property
    def edits(self) -> Edits:
        """Single assets and dependencies, changed in place."""
        return Edits(self)

    @cached_property
    def landscapes(self) -> Landscapes:
        """What data versions add up to, cached."""
        return Landscapes(self)

    @cached_property
    def comparing(self) -> Comparing:
        """Two data versions side by side."""
        return Comparing(self)

    @cached_property
    def imports(self) -> Imports:
        """The history of imports."""
        return Imports(self)

    @cached_property
    def merges(self) -> Merges:
        """The history of merges."""
        return Merges(self)

    @cached_property
    def uploads(self) -> Uploads:
        """Files that wait for their import."""
        return Uploads(self)

    @cached_property
    def operations(self) -> Operations:
        """Long work."""
        return Operations(self)

    @cached_property
    def requests(self) -> Requests:
        """Stored answers of mutating calls."""
        return Requests(self)

    @cached_property
    def changes(self) -> Changes:
        """The log; also collects what this transaction changes."""
        return Changes(self)

    @cached_property
    def activity(self) -> ActivityLog:
        """The log by engagement, for people."""
        return ActivityLog(self)

    # What follows is for the nouns.

    @property
    def is_sqlite(self) -> bool:
        """Whether one writer at a time is given, so that no other can come between two statements."""
        return isinstance(self._database, SqliteDatabase)

    def rows(self, statement: Statement, **values: Any) -> list[Any]:
        """Runs a statement that answers rows; all are read, so nothing is left half-read."""
        sql, arguments = statement.bind(self._database, values)
        rows: list[Any] = self._database.execute_sql(sql, arguments).fetchall()
        return rows

    def bound(self, statement: Statement, **values: Any) -> tuple[str, list[Any]]:
        """A statement's SQL and arguments, for whoever sends it over a connection of their own."""
        return statement.bind(self._database, values)

    def row(self, statement: Statement, **values: Any) -> Any:
        """The first row, or None."""
        rows = self.rows(statement, **values)
        return rows[0] if rows else None

    def run(self, statement: Statement, **values: Any) -> int:
        """Runs a statement that answers no rows; how many it touched."""
        sql, arguments = statement.bind(self._database, values)
        return int(self._database.execute_sql(sql, arguments).rowcount)

    def run_many(self, statement: Statement, values: Iterable[Mapping[str, Any]]) -> None:
        """Runs a statement once for each mapping, in one round trip where the driver can."""
        bound = [statement.bind(self._database, each) for each in values]
        if bound:
            with __exception_wrapper__:
                self._database.cursor().executemany(bound[0][0], [arguments for _, arguments in bound])

    def insert_rows(self, table: type[Model], rows: Sequence[Sequence[Any]]) -> None:
        """Adds rows, which have the table's columns in their order.

        Many with one statement. SQLite's driver lets go of the interpreter at each, and where another thread
        computes, it is 5 ms until it has it back: as long for one row as for a hundred.
        """
        for statement, part in insertions(table, rows):
            self._database.execute_sql(statement.sql(self._database), list(chain.from_iterable(part)))

    def is_awaited(self) -> bool:
        """Whether somebody else waits until this transaction has ended."""
        return self._is_awaited()

    def turns(self, rows: Sequence[T], at_once: int = _TURN_ROWS) -> Iterator[Sequence[T]]:
        """The rows in parts that hold a writer for a moment each, until somebody else waits for it."""
        size = at_once if self.is_sqlite else max(len(rows), 1)
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
            if self._is_awaited():
                return

    def cached(
        self, name: str, key: Hashable, load: Callable[[], T], stream_of: Callable[[T], str | None]
    ) -> T:
        """What `load` reads, from memory where a read transaction looked for it before.

        `stream_of` says on which stream every change of the value is noted; None: not to be kept. The value
        is shared: it must be immutable.
        """
        if self._lookups is None:
            return load()
        found: T = self._lookups.find(name, key)
        if found is not MISSING:
            return found
        value = load()
        if (stream := stream_of(value)) is not None:
            self._lookups.keep(name, key, value, stream, self.changes.head(stream))
        return value

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Work that may fail on a constraint and leave the transaction usable."""
        with self._database.atomic():
            yield
