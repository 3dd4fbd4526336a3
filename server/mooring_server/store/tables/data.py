# ruff: noqa: D106  peewee's Meta classes are settings
"""Discovery data."""

from peewee import SQL, BigIntegerField, BooleanField, CompositeKey, DoubleField, IntegerField

from mooring_server.store.tables.base import Table, Text, indexed_part


class DataVersions(Table):
    """Sets of assets. `idle_time` says since when no session shows it; NULL while one does."""

    id = Text(primary_key=True)
    engagement_id = Text()
    session_id = Text()
    base_id = Text(null=True)
    published = BooleanField()
    asset_count = BigIntegerField()
    create_time = BigIntegerField()
    idle_time = BigIntegerField(null=True)

    class Meta:
        table_name = "data_versions"
        constraints = (
            SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
        )


DataVersions.add_index(
    DataVersions.idle_time, where=DataVersions.idle_time.is_null(False), name="data_versions_idle"
)


class Assets(Table):
    """The assets of a data version; the same asset has the same id in each version that holds it."""

    version_id = Text()
    id = Text()
    identity = Text()
    digest = Text()
    display_name = Text()
    type = Text()
    external_id = Text()
    hostname = Text()
    ip_addresses = Text()
    environment = Text()
    location = Text()
    platform = Text()
    operating_system = Text()
    status = Text()
    owner = Text()
    application = Text()
    criticality = Text()
    cpu_cores = DoubleField(null=True)
    memory_bytes = BigIntegerField(null=True)
    storage_bytes = BigIntegerField(null=True)
    attributes = Text()
    source_file = Text()
    source_sheet = Text()
    source_row = IntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()
    sort_name = Text()
    words = Text(default="")

    class Meta:
        table_name = "assets"
        primary_key = CompositeKey("version_id", "id")
        constraints = (SQL("FOREIGN KEY (version_id) REFERENCES data_versions (id)"),)


Assets.add_index(Assets.version_id, Assets.identity, unique=True, name="assets_identity")
Assets.add_index(Assets.version_id, Assets.sort_name, Assets.id, name="assets_by_name")
# What filters compare. Much of an estate is unknown: that is in no index.
ASSET_TEXTS = (
    "display_name",
    "hostname",
    "external_id",
    "environment",
    "location",
    "operating_system",
    "status",
    "application",
)
for _column in ASSET_TEXTS:
    Assets.add_index(
        Assets.version_id,
        indexed_part(getattr(Assets, _column)),
        where=getattr(Assets, _column) != "",
        name=f"assets_of_{_column}",
    )
for _column in ("cpu_cores", "memory_bytes", "storage_bytes"):
    Assets.add_index(
        Assets.version_id,
        getattr(Assets, _column),
        where=getattr(Assets, _column).is_null(False),
        name=f"assets_of_{_column}",
    )
for _column in ("type", "create_time", "update_time"):
    Assets.add_index(Assets.version_id, getattr(Assets, _column), name=f"assets_of_{_column}")


class Landscapes(Table):
    """What a data version adds up to, computed once."""

    version_id = Text(primary_key=True)
    document = Text()

    class Meta:
        table_name = "landscapes"
        constraints = (SQL("FOREIGN KEY (version_id) REFERENCES data_versions (id)"),)
