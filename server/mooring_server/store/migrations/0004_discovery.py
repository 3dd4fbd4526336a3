"""Dependencies, the history of imports, edits of data versions, and more that is known of an asset."""

from peewee import (
    SQL,
    BigIntegerField,
    CompositeKey,
    Database,
    IntegerField,
    Model,
    PostgresqlDatabase,
)
from playhouse.migrate import SchemaMigrator

from mooring_server.store.tables import Text

_TEXTS = (
    "technology",
    "model",
    "serial_number",
    "business_unit",
    "migration_status",
    "migration_strategy",
    "migration_wave",
    "source",
)
_COLUMNS = (
    ("data_versions", "dependency_count", "BIGINT", "0"),
    ("data_versions", "revision", "BIGINT", "0"),
    ("data_versions", "base_revision", "BIGINT", "0"),
    ("assets", "mac_addresses", "TEXT", "'[]'"),
    ("assets", "networks", "TEXT", "'[]'"),
    *(("assets", name, "TEXT", "''") for name in _TEXTS),
    ("assets", "implied", "BOOLEAN", "false"),
    ("landscapes", "revision", "BIGINT", "0"),
    ("sessions", "data_revision", "BIGINT", "0"),
)


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Adds what is new; landscapes lack what they say by now, so they are computed again when asked for."""
    for table, column, kind, default in _COLUMNS:
        sql_type = kind
        if isinstance(db, PostgresqlDatabase):
            sql_type = 'TEXT COLLATE "C"' if kind == "TEXT" else kind
        elif kind != "TEXT":
            sql_type, default = "INTEGER", "0"
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {sql_type} NOT NULL DEFAULT {default}')
    db.execute_sql("DELETE FROM landscapes")
    _make_tables(db)


def _make_tables(db: Database) -> None:
    class Table(Model):
        class Meta:
            database = db

    class Dependencies(Table):
        version_id = Text()
        id = Text()
        identity = Text()
        digest = Text()
        source_id = Text()
        target_id = Text()
        kind = Text()
        port = IntegerField(null=True)
        protocol = Text()
        source_process = Text()
        target_process = Text()
        description = Text()
        attributes = Text()
        source_file = Text()
        source_sheet = Text()
        source_row = IntegerField()
        create_time = BigIntegerField()
        update_time = BigIntegerField()

        class Meta:
            table_name = "dependencies"
            primary_key = CompositeKey("version_id", "id")
            constraints = (SQL("FOREIGN KEY (version_id) REFERENCES data_versions (id)"),)

    Dependencies.add_index(
        Dependencies.version_id, Dependencies.identity, unique=True, name="dependencies_identity"
    )
    Dependencies.add_index(
        Dependencies.version_id, Dependencies.create_time, Dependencies.id, name="dependencies_by_time"
    )
    for column in ("source_id", "target_id"):
        Dependencies.add_index(
            Dependencies.version_id, getattr(Dependencies, column), name=f"dependencies_of_{column}"
        )

    class Imports(Table):
        id = Text(primary_key=True)
        engagement_id = Text()
        session_id = Text()
        user_id = Text()
        file_name = Text()
        sha256 = Text()
        size_bytes = BigIntegerField()
        options = Text()
        options_hash = Text()
        report = Text()
        details = Text()
        base_id = Text(null=True)
        base_revision = BigIntegerField()
        version_id = Text(null=True)
        revision = BigIntegerField()
        create_time = BigIntegerField()
        revert_time = BigIntegerField(null=True)
        reverter_id = Text(null=True)

        class Meta:
            table_name = "imports"
            constraints = (
                SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
            )

    Imports.add_index(Imports.engagement_id, Imports.session_id, Imports.id, name="imports_by_session")
    Imports.add_index(Imports.engagement_id, Imports.session_id, Imports.sha256, name="imports_by_content")
    for table in (Dependencies, Imports):
        table.create_table()
