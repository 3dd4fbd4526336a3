"""An index on what data versions were begun on: who edits one must know whether another needs it."""

from peewee import Database
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Adds it."""
    db.execute_sql(
        'CREATE INDEX "data_versions_by_base" ON "data_versions" ("base_id") WHERE ("base_id" IS NOT NULL)'
    )
