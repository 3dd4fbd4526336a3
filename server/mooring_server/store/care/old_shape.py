"""The shape of the first prototype's database: recognised, put aside, and read as it is.

docs/migration.md defines it. Nothing in it can be relied on: ids are numbers or texts, times are texts or
times, references point nowhere. What reads it here never fails on a value.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from peewee import Database, SqliteDatabase

from mooring_server.errors import Unavailable
from mooring_server.store.values import to_us

OLD_TABLES: Mapping[str, Sequence[str]] = {
    "users": ("id", "username", "email", "created_at"),
    "engagements": ("id", "name", "description", "default_session_id", "created_by", "created_at"),
    "engagement_members": ("engagement_id", "user_id", "role"),
    "sessions": (
        "id", "engagement_id", "name", "session_type", "is_default", "status",
        "created_by", "created_at", "updated_at",
    ),
    "user_current": ("user_id", "engagement_id", "session_id"),
}  # fmt: skip
PREFIX = "old_"
REPORT_TABLE = "old_report"

Row = Mapping[str, Any]

# As `core/names.py` has it.
_ID = re.compile(r"[a-z][a-z0-9-]{0,62}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"[0-9]{1,40}")
_NAMESPACE = uuid.UUID("6d6f6f72-696e-5670-8000-6f6c64736861")
_IDENTIFIER_MAX = 63
_TRUE = frozenset({"1", "t", "true", "y", "yes", "on"})
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def is_old_shape(database: Database) -> bool:
    """Whether the tables are those of the prototype, and none of ours are there."""
    tables = set(database.get_tables())
    return OLD_TABLES.keys() <= tables and all(
        set(columns) <= {column.name for column in database.get_columns(table)}
        for table, columns in OLD_TABLES.items()
    )


def old_tables(database: Database) -> list[str]:
    """Those of the tables that `put_aside` made, and the report, that are there still."""
    kept = {*(PREFIX + table for table in OLD_TABLES), REPORT_TABLE}
    return sorted(kept.intersection(database.get_tables()))


def put_aside(database: Database) -> None:
    """Renames the old tables to `old_…`, and frees the names of their indexes. Raises Unavailable."""
    if old_tables(database):
        raise Unavailable("tables called old_… are in the way of the old shape's; rename or drop them first")
    names = ", ".join(f"'{table}'" for table in OLD_TABLES)
    if isinstance(database, SqliteDatabase):
        query = f"SELECT name FROM sqlite_master WHERE type = 'index' AND sql <> '' AND tbl_name IN ({names})"  # noqa: S608 - names of our own
        change = 'DROP INDEX "{0}"'  # SQLite cannot rename one, and nobody looks for anything there again
    else:
        query = (
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"  # noqa: S608 - the same
            f" AND tablename IN ({names})"
        )
        change = 'ALTER INDEX "{0}" RENAME TO "{1}"'
    for (index,) in database.execute_sql(query).fetchall():
        database.execute_sql(change.format(index, (PREFIX + index)[:_IDENTIFIER_MAX]))
    for table in OLD_TABLES:
        database.execute_sql(f'ALTER TABLE "{table}" RENAME TO "{PREFIX}{table}"')


def drop(database: Database) -> list[str]:
    """Drops what `put_aside` kept, and the report; answers the names of the tables."""
    tables = old_tables(database)
    for table in tables:
        cascade = "" if isinstance(database, SqliteDatabase) else " CASCADE"
        database.execute_sql(f'DROP TABLE "{table}"{cascade}')
    return tables


def read_old(database: Database) -> dict[str, list[Row]]:
    """The rows of each old table, after `put_aside`: the oldest first, so that reading again is the same."""
    connection = database.connection()
    if isinstance(database, SqliteDatabase):
        # A text may hold any bytes there.
        connection.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        return {table: _read(database, table, columns) for table, columns in OLD_TABLES.items()}
    finally:
        if isinstance(database, SqliteDatabase):
            connection.text_factory = str


def _read(database: Database, table: str, columns: Sequence[str]) -> list[Row]:
    query = f'SELECT {", ".join(columns)} FROM "{PREFIX}{table}"'  # noqa: S608 - names of our own
    rows = [dict(zip(columns, row, strict=True)) for row in database.execute_sql(query).fetchall()]
    return sorted(rows, key=lambda row: (to_moment(row.get("created_at"), 0), *map(_order, row.values())))


def _order(value: Any) -> tuple[int, int, str]:
    text = key(value)
    return (0, int(text), "") if _NUMBER.fullmatch(text) else (1, 0, text)


def key(value: Any) -> str:
    """What identifies a row, whether it was written as a number or as a text; empty for none."""
    return "" if value is None else str(value)


def new_ids(kind: str, olds: Iterable[str], reserved: Iterable[str]) -> dict[str, str]:
    """The new ids of old ones, the same each time.

    One that may stay stays, a number gets its kind in front, and any other becomes a UUID.
    """
    olds = [old for old in dict.fromkeys(olds) if old]
    taken = set(reserved)
    made = {old: old for old in olds if _ID.fullmatch(old) and old not in taken}
    taken.update(made)
    for old in olds:
        if old not in made:
            numbered = f"{kind}-{int(old)}" if _NUMBER.fullmatch(old) else ""
            made[old] = numbered if numbered and numbered not in taken else named_id(kind, old)
            taken.add(made[old])
    return made


def named_id(kind: str, name: str) -> str:
    """A UUID that is the same each time."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


def to_line(value: Any, length_max: int) -> str:
    """A text on one line, without control characters and white space around it; empty for none."""
    text = "" if value is None else str(value)
    plain = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return (
        " ".join(plain.split())[:length_max].strip() if plain != text else text.strip()[:length_max].strip()
    )


def to_text(value: Any, length_max: int) -> str:
    """A text without NULs; empty for none."""
    return "" if value is None else str(value).replace("\0", "")[:length_max]


def to_flag(value: Any) -> bool:
    """Whether it says yes, as a truth value, a number or a text."""
    return str(value).strip().lower() in _TRUE


def to_word(value: Any) -> str:
    """A word of a vocabulary as ours are written: `Data Import` is `data_import`."""
    return re.sub(r"[^a-z0-9]+", "_", str(value or "").strip().lower()).strip("_")


def to_moment(value: Any, default: int) -> int:
    """Microseconds since 1970 of a time or of a text that is one in ISO 8601, UTC where it does not say."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return default
    if not isinstance(value, datetime):
        return default
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    try:
        return to_us(moment) if _EARLIEST <= moment < _LATEST else default
    except OverflowError:
        return default
