"""Merges, and what they left out."""

from peewee import SQL, BigIntegerField, CompositeKey, Database, Model
from playhouse.migrate import SchemaMigrator

from mooring_server.store.tables import Text


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Makes both tables."""

    class Table(Model):
        class Meta:
            database = db

    class Merges(Table):
        id = Text(primary_key=True)
        engagement_id = Text()
        target_id = Text()
        source_id = Text()
        user_id = Text()
        plan = Text()
        counts = Text()
        base_id = Text(null=True)
        base_revision = BigIntegerField()
        source_version_id = Text(null=True)
        source_revision = BigIntegerField()
        version_id = Text()
        revision = BigIntegerField()
        source_state = Text()
        create_time = BigIntegerField()
        revert_time = BigIntegerField(null=True)
        reverter_id = Text(null=True)

        class Meta:
            table_name = "merges"
            constraints = (
                SQL("FOREIGN KEY (engagement_id, target_id) REFERENCES sessions (engagement_id, id)"),
                SQL("FOREIGN KEY (engagement_id, source_id) REFERENCES sessions (engagement_id, id)"),
            )

    Merges.add_index(Merges.engagement_id, Merges.id, name="merges_by_engagement")

    class MergeDrops(Table):
        merge_id = Text()
        kind = Text()
        id = Text()
        display_name = Text()
        dropped = Text()

        class Meta:
            table_name = "merge_drops"
            primary_key = CompositeKey("merge_id", "kind", "id")

    for table in (Merges, MergeDrops):
        table.create_table()
