"""What must always hold and SQL cannot compare: every row is read, some at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, cast

from peewee import Database, SqliteDatabase, Tuple

from mooring_server.store.assets import SEARCHED_FIELDS
from mooring_server.store.care.checks import Fault, Faults
from mooring_server.store.lists.search import ASSET_WORDS, SESSION_WORDS, WordIndex
from mooring_server.store.statements import Statement, param
from mooring_server.store.tables import Assets, Changes, Engagements, SessionLabels, Sessions, Table
from mooring_server.store.values import from_json, searched_text, sort_key

# The tables whose rows sort by a name and are found by words, and what those words are of.
NAMED: dict[type[Table], tuple[str, ...]] = {
    Engagements: ("display_name",),
    Sessions: ("display_name", "description"),
    Assets: SEARCHED_FIELDS,
}
WORD_INDEXES = (SESSION_WORDS, ASSET_WORDS)

_BATCH_ROWS = 1_000


def derived_texts(database: Database) -> Faults:
    """What a row sorts by and is found by is what its texts make."""
    for table, sources in NAMED.items():
        keys = keys_of(table)
        kind = str(table._meta.table_name)
        for row in _all(database, table, (*keys, *sources, "sort_name", "words")):
            key, texts = row[: len(keys)], row[len(keys) : -2]
            if row[-2:] != derived(texts):
                name = f"{kind}/{'/'.join(key)}"
                yield Fault(f"{name} is not sorted or found by its name.", (kind, *key))


def derived(texts: Sequence[str]) -> tuple[str, str]:
    """What a row sorts by, and the words that find it, from the texts that `NAMED` names."""
    return sort_key(texts[0]), searched_text(texts)


def labels(database: Database) -> Faults:
    """A session's labels are the same in its row and in theirs."""
    rows = _all(database, SessionLabels, ("engagement_id", "session_id", "key", "value"))
    label = next(rows, None)
    # Both come in the order of the sessions' keys.
    for engagement, session, document in _all(database, Sessions, ("engagement_id", "id", "labels")):
        found, key = {}, (engagement, session)
        while label is not None and label[:2] <= key:
            if label[:2] == key:  # else it is of no session, which another check tells
                found[label[2]] = label[3]
            label = next(rows, None)
        if labels_in(document) != found:
            yield Fault(
                f"Session {engagement}/{session} is found by other labels than it has.", (engagement, session)
            )


def labels_in(document: str) -> dict[str, str] | None:
    """The labels of a session's row; None where it is no such document."""
    try:
        found = from_json(document)
    except ValueError:
        return None
    is_sound = isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
    return found if is_sound else None


def concerned(database: Database) -> Faults:
    """A change on an engagement's stream concerns what its resource's name says."""
    columns = ("stream", "revision", "position", "resource", "engagement_id", "session_id")
    for *key, resource, engagement, session in _all(database, Changes, columns):
        stream = key[0]
        if stream.startswith("engagements/") and (engagement, session) != concern(stream, resource):
            yield Fault(
                f"Change {key[1]}.{key[2]} of {stream} is filed under another engagement or session.",
                tuple(key),
            )


def concern(stream: str, resource: str) -> tuple[str, str | None]:
    """The engagement and the session that a change on an engagement's stream is about."""
    parts = resource.split("/")
    session = parts[3] if len(parts) > 3 and parts[2] == "sessions" else None
    return stream.partition("/")[2], session


def word_indexes(database: Database) -> Faults:
    """SQLite's index of words holds exactly the words of the rows. PostgreSQL keeps its own in step."""
    if isinstance(database, SqliteDatabase):
        for index in WORD_INDEXES:
            if _indexed(database, index) != _wanted(database, index):
                yield Fault(f"The index of words of {index.table} is not in step with them.", (index.name,))


def dropping(index: WordIndex) -> list[str]:
    """What drops an index of words on SQLite, as much of it as there is; `index.statements` make it anew."""
    name = index.name
    triggers = [f"DROP TRIGGER IF EXISTS {name}_{event}" for event in ("inserted", "changed", "deleted")]
    return triggers + [f"DROP TABLE IF EXISTS {name}_{table}" for table in ("words", "search", "rows")]


def _indexed(database: Database, index: WordIndex) -> tuple[int, int]:
    query = f"SELECT doc, term FROM {index.name}_words"  # noqa: S608 - a name of our own
    return _fingerprint(f"{number} {term}" for number, term in database.execute_sql(query))


def _wanted(database: Database, index: WordIndex) -> tuple[int, int]:
    scope = index.scope
    query = (
        f"SELECT r.number, t.{scope}, t.words FROM {index.table} t"  # noqa: S608 - the same
        f" LEFT JOIN {index.name}_rows r ON r.{scope} = t.{scope} AND r.id = t.id"
    )
    return _fingerprint(
        f"{number} {token}"
        for number, owner, words in database.execute_sql(query)
        for token in {f"{owner}_{word[1:]}" for word in words.split()}
    )


def _fingerprint(texts: Iterator[str]) -> tuple[int, int]:
    """The same for the same texts in any order: how many, and a sum of their checksums."""
    count = total = 0
    for text in texts:
        count += 1
        total += zlib.crc32(text.encode())
    return count, total


def keys_of(table: type[Table]) -> tuple[str, ...]:
    """The names of the columns of the primary key."""
    return tuple(field.column_name for field in cast("Any", table._meta).get_primary_keys())


def _all(database: Database, table: type[Table], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """These columns of every row, in the order of the primary key, which they begin with or hold."""
    fields = [getattr(table, column) for column in columns]
    keys = [getattr(table, key) for key in keys_of(table)]
    positions = [columns.index(key) for key in keys_of(table)]
    query = table.select(*fields).order_by(*keys).limit(_BATCH_ROWS)
    beyond = Tuple(*keys) > Tuple(*(param(str(place)) for place in range(len(keys))))
    statement, after = Statement(query), Statement(query.where(beyond))
    last: dict[str, Any] = {}
    while True:
        sql, arguments = statement.bind(database, last)
        rows = database.execute_sql(sql, arguments).fetchall()
        yield from rows
        if len(rows) < _BATCH_ROWS:
            return
        statement = after
        last = {str(place): rows[-1][position] for place, position in enumerate(positions)}
