# ruff: noqa: S608  every name in these statements is our own
"""The index of words: which rows of a list have a word that begins so.

A row's `words` (`values.searched_text`) are kept as they are read, and indexed behind the row's scope, its
engagement or data version: `engagement-1_web`. So a search reads the words of one scope alone, and what it
costs does not depend on others. On PostgreSQL that is a GIN index over an expression; on SQLite an FTS5
table beside the list's. FTS5 knows rows by a number, and VACUUM may change those that SQLite gives by itself:
the number is a column of a table of its own.

PostgreSQL keeps its index itself. On SQLite triggers do for sessions, which come one by one; for assets, who
come by the thousand, the nouns say `add` and `forget`: FTS5 writes what it has gathered at the end of every
statement that fires a trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from peewee import SQL, Database, NodeList, Select, SqliteDatabase

from mooring_server.store.statements import Statement, param
from mooring_server.store.values import WORD_MARKS, after_prefix, to_json

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class WordIndex:
    """The words of one table's rows. `scope` is the column that a search is within, `name` a prefix.

    `triggered`: on SQLite triggers keep it.
    """

    table: str
    scope: str
    name: str
    triggered: bool

    def statements(self, *, sqlite: bool) -> list[str]:
        """What makes the index, over the rows that are there."""
        name, scope = self.name, self.scope
        if not sqlite:
            return [f"CREATE INDEX {name}_search ON {self.table} USING gin ({self._lexemes()})"]
        made = [
            f"CREATE TABLE {name}_rows (number INTEGER PRIMARY KEY, {scope} TEXT NOT NULL,"
            f" id TEXT NOT NULL, UNIQUE ({scope}, id))",
            f"CREATE VIRTUAL TABLE {name}_search USING fts5 (words, content='', columnsize=0,"
            " detail=none, tokenize=\"ascii tokenchars '-_'\")",
            f"CREATE VIRTUAL TABLE {name}_words USING fts5vocab ({name}_search, instance)",
            f"INSERT INTO {name}_rows ({scope}, id) SELECT {scope}, id FROM {self.table}",
            f"INSERT INTO {name}_search (rowid, words) {self.numbered()} ORDER BY r.number",
        ]
        return made + self._triggers() if self.triggered else made

    def _triggers(self) -> list[str]:
        name, scope = self.name, self.scope
        key = f"{scope} = old.{scope} AND id = old.id"
        number = f"(SELECT number FROM {name}_rows WHERE {key})"
        add = f"INSERT INTO {name}_search (rowid, words)"
        # Without a copy of the words, FTS5 has to be told what it is to forget.
        forget = (
            f"INSERT INTO {name}_search ({name}_search, rowid, words)"
            f" VALUES ('delete', {number}, {self._tokens('old.')});"
        )
        return [
            f"CREATE TRIGGER {name}_inserted AFTER INSERT ON {self.table} BEGIN"
            f" INSERT INTO {name}_rows ({scope}, id) VALUES (new.{scope}, new.id);"
            f" {add} VALUES (last_insert_rowid(), {self._tokens('new.')}); END",
            f"CREATE TRIGGER {name}_changed AFTER UPDATE OF words ON {self.table}"
            f" WHEN old.words <> new.words BEGIN {forget}"
            f" {add} VALUES ({number}, {self._tokens('new.')}); END",
            f"CREATE TRIGGER {name}_deleted AFTER DELETE ON {self.table} BEGIN {forget}"
            f" DELETE FROM {name}_rows WHERE {key}; END",
        ]

    def numbered(self, command: str = "") -> str:
        """The numbers of the rows, and what is indexed of them, for FTS5 to take in or do something else."""
        commanded = f", '{command}'" if command else ""
        return (
            f"SELECT r.number, {self._tokens('t.')}{commanded} FROM {self.name}_rows AS r"
            f" CROSS JOIN {self.table} AS t ON t.{self.scope} = r.{self.scope} AND t.id = r.id"
        )

    def matches(self) -> Any:
        """PostgreSQL: whether a row has a word of the scope that begins as the parameter `search` says."""
        return NodeList((SQL(self._lexemes()), SQL("@@"), param("search").cast("TSQUERY")))

    def ids(self) -> Any:
        """SQLite: the ids of the rows that have such a word, once for each, of at most `examined` entries."""
        source = (
            SQL(f"(SELECT doc FROM {self.name}_words WHERE term >="),
            param("search"),
            SQL("AND term <"),
            param("search_until"),
            SQL("LIMIT"),
            param("examined"),
            SQL(f") AS w CROSS JOIN {self.name}_rows AS r ON r.number = w.doc"),
        )
        return Select([NodeList(source)], [SQL("r.id").alias("id")])

    def _tokens(self, row: str = "") -> str:
        """The words of a row behind its scope, each after a space."""
        words = f"{row}words"
        for mark in WORD_MARKS:
            words = f"replace({words}, ' {mark}', ' ' || {row}{self.scope} || '_')"
        return words

    def _lexemes(self, row: str = "") -> str:
        return f"array_to_tsvector(string_to_array(substr({self._tokens(row)}, 2), ' '))"


SESSION_WORDS = WordIndex("sessions", "engagement_id", "session", triggered=True)
ASSET_WORDS = WordIndex("assets", "version_id", "asset", triggered=False)


class AssetWords:
    """Keeps the index of assets' words on SQLite; on PostgreSQL there is nothing to do."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def add(self, version_id: str, ids: Sequence[str]) -> None:
        """Enters assets that a version has got."""
        if ids and self._tx.is_sqlite:
            (last,) = self._tx.row(_LAST)
            self._tx.run(_NUMBER, version_id=version_id, ids=to_json(ids))
            self._tx.run(_ADD, last=last)

    def forget(self, version_id: str, ids: Sequence[str]) -> None:
        """Takes out assets that are going to be changed or deleted."""
        if ids and self._tx.is_sqlite:
            self._tx.run(_FORGET, version_id=version_id, ids=to_json(ids))
            self._tx.run(_UNNUMBER, version_id=version_id, ids=to_json(ids))


_IDS = (SQL("(SELECT value FROM json_each("), param("ids"), SQL("))"))
_LAST = Statement(SQL("SELECT COALESCE(MAX(number), 0) FROM asset_rows"))
_NUMBER = Statement(
    NodeList(
        (
            SQL("INSERT INTO asset_rows (version_id, id) SELECT"),
            param("version_id"),
            SQL(", value FROM json_each("),
            param("ids"),
            SQL(")"),
        )
    )
)
_ADD = Statement(
    NodeList(
        (
            SQL(f"INSERT INTO asset_search (rowid, words) {ASSET_WORDS.numbered()} WHERE r.number >"),
            param("last"),
            SQL("ORDER BY r.number"),
        )
    )
)
_FORGET = Statement(
    NodeList(
        (
            SQL(f"INSERT INTO asset_search (rowid, words, asset_search) {ASSET_WORDS.numbered('delete')}"),
            SQL("WHERE r.version_id ="),
            param("version_id"),
            SQL("AND r.id IN"),
            *_IDS,
        )
    )
)
_UNNUMBER = Statement(
    NodeList((SQL("DELETE FROM asset_rows WHERE version_id ="), param("version_id"), SQL("AND id IN"), *_IDS))
)


def search_arguments(scope: str, word: str, *, sqlite: bool) -> dict[str, str | None]:
    """The arguments of a search within a scope for words that begin so."""
    token = f"{scope}_{word}"
    if sqlite:
        return {"search": token, "search_until": after_prefix(token)}
    # Neither an id nor a word holds a quote.
    return {"search": f"'{token}':*"}


def create_search(database: Database) -> None:
    """Makes the indexes, over tables that are there already."""
    sqlite = isinstance(database, SqliteDatabase)
    for index in (SESSION_WORDS, ASSET_WORDS):
        for statement in index.statements(sqlite=sqlite):
            database.execute_sql(statement)
