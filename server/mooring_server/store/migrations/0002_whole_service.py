"""Members, tokens, labels, archives, activity, and names that sort as people read them."""

import unicodedata
from typing import Any

from peewee import SQL, BigIntegerField, CompositeKey, Database, Model, PostgresqlDatabase
from playhouse.migrate import SchemaMigrator

from mooring_server.store.tables import Text

_COLUMNS = (
    ("engagements", "sort_name", "TEXT", "''"),
    ("engagements", "archive_time", "BIGINT", None),
    ("members", "etag", "BIGINT", "1"),
    ("members", "create_time", "BIGINT", "0"),
    ("members", "update_time", "BIGINT", "0"),
    ("sessions", "sort_name", "TEXT", "''"),
    ("sessions", "labels", "TEXT", "'{}'"),
    ("sessions", "parent_id", "TEXT", None),
    ("sessions", "dependency_count", "BIGINT", "0"),
    ("sessions", "last_activity_time", "BIGINT", "0"),
    ("sessions", "archive_time", "BIGINT", None),
    ("contexts", "use_time", "BIGINT", "0"),
    ("assets", "sort_name", "TEXT", "''"),
    ("changes", "engagement_id", "TEXT", None),
    ("changes", "session_id", "TEXT", None),
)
_ACTIVITY = "commit_time, stream, revision, position"
_INDEXES = (
    ("sessions_by_name", "sessions", "engagement_id, sort_name, id"),
    ("sessions_by_create_time", "sessions", "engagement_id, create_time, id"),
    ("sessions_by_activity", "sessions", "engagement_id, last_activity_time, id"),
    ("contexts_by_use", "contexts", "use_time"),
    ("assets_by_name", "assets", "version_id, sort_name, id"),
    ("changes_by_engagement", "changes", f"engagement_id, {_ACTIVITY}"),
    ("changes_by_session", "changes", f"engagement_id, session_id, {_ACTIVITY}"),
    ("changes_by_actor", "changes", f"engagement_id, actor, {_ACTIVITY}"),
)
_BATCH = 1_000


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Adds what is new and fills it from what is there."""
    for table, column, kind, default in _COLUMNS:
        _add_column(db, table, column, kind, default)
    db.execute_sql(
        "UPDATE members SET create_time = (SELECT create_time FROM engagements WHERE id = engagement_id),"
        " update_time = (SELECT create_time FROM engagements WHERE id = engagement_id)"
    )
    db.execute_sql("UPDATE sessions SET last_activity_time = update_time")
    db.execute_sql("UPDATE contexts SET use_time = update_time")
    for table, keys in (
        ("engagements", ("id",)),
        ("sessions", ("engagement_id", "id")),
        ("assets", ("version_id", "id")),
    ):
        _fill(db, table, keys, ("display_name",), ("sort_name",), lambda row: (_sort_key(row[0]),))
    _fill(
        db,
        "changes",
        ("stream", "revision", "position"),
        ("stream", "resource"),
        ("engagement_id", "session_id"),
        lambda row: _concerned(*row),
    )
    for old in ("sessions_by_time", "assets_by_name"):
        db.execute_sql(f"DROP INDEX {old}")
    for name, table, columns in _INDEXES:
        quoted = ", ".join(f'"{column}"' for column in columns.split(", "))
        db.execute_sql(f'CREATE INDEX "{name}" ON "{table}" ({quoted})')
    _make_tables(db)


def _add_column(db: Database, table: str, column: str, kind: str, default: str | None) -> None:
    if isinstance(db, PostgresqlDatabase) and kind == "TEXT":
        kind = 'TEXT COLLATE "C"'
    if not isinstance(db, PostgresqlDatabase) and kind == "BIGINT":
        kind = "INTEGER"
    wanted = "" if default is None else f" NOT NULL DEFAULT {default}"
    db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}{wanted}')


def _fill(
    db: Database,
    table: str,
    keys: tuple[str, ...],
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    values: Any,
) -> None:
    """Sets the targets of every row to what `values` makes of its sources, some rows at a time."""
    order = ", ".join(keys)
    first = f"SELECT {', '.join((*keys, *sources))} FROM {table}"  # noqa: S608 - names of our own
    beyond = f" WHERE ({order}) > ({', '.join([db.param] * len(keys))})"
    change = (
        f"UPDATE {table} SET {', '.join(f'{target} = {db.param}' for target in targets)}"  # noqa: S608 - the same
        f" WHERE {' AND '.join(f'{key} = {db.param}' for key in keys)}"
    )
    last: tuple[Any, ...] = ()
    while True:
        sql = f"{first}{beyond if last else ''} ORDER BY {order} LIMIT {_BATCH}"
        rows = db.execute_sql(sql, last).fetchall()
        if not rows:
            return
        db.cursor().executemany(change, [(*values(row[len(keys) :]), *row[: len(keys)]) for row in rows])
        last = tuple(rows[-1][: len(keys)])


def _sort_key(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _concerned(stream: str, resource: str) -> tuple[str | None, str | None]:
    """The engagement and the session that a change on an engagement's stream concerns."""
    if not stream.startswith("engagements/"):
        return None, None
    parts = resource.split("/")
    session_id = parts[3] if len(parts) > 3 and parts[2] == "sessions" else None
    return stream.partition("/")[2], session_id


def _make_tables(db: Database) -> None:
    class Table(Model):
        class Meta:
            database = db

    class SessionLabels(Table):
        engagement_id = Text()
        session_id = Text()
        key = Text()
        value = Text()

        class Meta:
            table_name = "session_labels"
            primary_key = CompositeKey("engagement_id", "session_id", "key")
            constraints = (
                SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
            )

    SessionLabels.add_index(
        SessionLabels.engagement_id,
        SessionLabels.key,
        SessionLabels.value,
        SessionLabels.session_id,
        name="session_labels_by_value",
    )

    class Tokens(Table):
        user_id = Text()
        id = Text()
        hash = Text(unique=True)
        display_name = Text()
        scope = Text()
        expire_time = BigIntegerField()
        create_time = BigIntegerField()
        revoke_time = BigIntegerField(null=True)
        use_time = BigIntegerField(null=True)

        class Meta:
            table_name = "tokens"
            primary_key = CompositeKey("user_id", "id")
            constraints = (SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),)

    Tokens.add_index(Tokens.expire_time, name="tokens_by_expiry")
    for table in (SessionLabels, Tokens):
        table.create_table()
