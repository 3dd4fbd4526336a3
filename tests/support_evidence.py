"""What the evidence shares."""

from mooring_server.store import tables
from mooring_server.store.migrating import connection


def kind(database_url: str) -> str:
    """Which database a URL is of, for a figure."""
    return "PostgreSQL" if database_url.startswith("postgresql:") else "SQLite"


def staged(database_url: str) -> int:
    """Rows of versions that were never published, and of merges that there are not."""
    versions, drops = tables.DataVersions, tables.MergeDrops
    with connection(database_url) as database:
        building = versions.select(versions.id).where(~versions.published)
        rows = sum(
            table.select().where(table.version_id.in_(building)).count(database)
            for table in (tables.Assets, tables.Dependencies)
        )
        merged = tables.Merges.select(tables.Merges.id)
        return int(rows + drops.select().where(drops.merge_id.not_in(merged)).count(database))
