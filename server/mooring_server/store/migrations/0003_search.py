"""What filters compare and words are found by: indexes, and the words of what is there already."""

from collections.abc import Sequence
from typing import Any

from peewee import Database
from playhouse.migrate import SchemaMigrator

from mooring_server.store.lists.search import create_search
from mooring_server.store.values import searched_text

_SEARCHED = (
    ("engagements", ("id",), ("display_name",)),
    ("sessions", ("engagement_id", "id"), ("display_name", "description")),
    (
        "assets",
        ("version_id", "id"),
        ("display_name", "hostname", "operating_system", "location", "application"),
    ),
)
_ASSET_TEXTS = (
    "display_name",
    "hostname",
    "external_id",
    "environment",
    "location",
    "operating_system",
    "status",
    "application",
)
_INDEXES = (
    ("engagements_by_name", "engagements", '"sort_name", "id"', ""),
    ("engagements_by_create_time", "engagements", '"create_time", "id"', ""),
    ("contexts_by_create_time", "contexts", '"user_id", "create_time", "id"', ""),
    ("tokens_by_create_time", "tokens", '"user_id", "create_time", "id"', ""),
    ("tokens_by_revocation", "tokens", '"revoke_time"', '("revoke_time" IS NOT NULL)'),
    *(
        (f"sessions_of_{column}", "sessions", f'"engagement_id", "{column}"', "")
        for column in ("display_name", "type", "creator_id", "asset_count", "update_time")
    ),
    *(
        (f"sessions_of_{column}", "sessions", f'"engagement_id", "{column}"', f'("{column}" IS NOT NULL)')
        for column in ("parent_id", "archive_time")
    ),
    *(
        (f"assets_of_{column}", "assets", f'"version_id", SUBSTR("{column}", 1, 64)', f"(\"{column}\" != '')")
        for column in _ASSET_TEXTS
    ),
    *(
        (f"assets_of_{column}", "assets", f'"version_id", "{column}"', f'("{column}" IS NOT NULL)')
        for column in ("cpu_cores", "memory_bytes", "storage_bytes")
    ),
    *(
        (f"assets_of_{column}", "assets", f'"version_id", "{column}"', "")
        for column in ("type", "create_time", "update_time")
    ),
)
_BATCH = 1_000


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Fills the words, then makes the indexes over what is there."""
    for table, keys, sources in _SEARCHED:
        kind = "TEXT" if db.param == "?" else 'TEXT COLLATE "C"'
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "words" {kind} NOT NULL DEFAULT \'\'')
        _fill(db, table, keys, sources)
    create_search(db)
    for name, table, columns, condition in _INDEXES:
        where = f" WHERE {condition}" if condition else ""
        db.execute_sql(f'CREATE INDEX "{name}" ON "{table}" ({columns}){where}')


def _fill(db: Database, table: str, keys: Sequence[str], sources: Sequence[str]) -> None:
    """Sets the words of every row, some rows at a time."""
    order = ", ".join(keys)
    first = f"SELECT {', '.join((*keys, *sources))} FROM {table}"  # noqa: S608 - names of our own
    beyond = f" WHERE ({order}) > ({', '.join([db.param] * len(keys))})"
    key = " AND ".join(f"{name} = {db.param}" for name in keys)
    change = f"UPDATE {table} SET words = {db.param} WHERE {key}"  # noqa: S608 - the same
    last: tuple[Any, ...] = ()
    while True:
        sql = f"{first}{beyond if last else ''} ORDER BY {order} LIMIT {_BATCH}"
        rows = db.execute_sql(sql, last).fetchall()
        if not rows:
            return
        db.cursor().executemany(
            change, [(searched_text(row[len(keys) :]), *row[: len(keys)]) for row in rows]
        )
        last = tuple(rows[-1][: len(keys)])
