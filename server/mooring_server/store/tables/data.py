# ruff: noqa: D106  peewee's Meta classes are settings
"""Discovery data."""

from peewee import SQL, BigIntegerField, BooleanField, CompositeKey, DoubleField, IntegerField

from mooring_server.store.tables.base import Table, Text, indexed_part


class DataVersions(Table):
    """Sets of assets and dependencies. `idle_time` says since when no session shows it; NULL while one does.

    `revision` counts the edits since it was published; `base_revision` is how many the base had had when this
    version was begun on it.
    """

    id = Text(primary_key=True)
    engagement_id = Text()
    session_id = Text()
    base_id = Text(null=True)
    published = BooleanField()
    asset_count = BigIntegerField()
    dependency_count = BigIntegerField(default=0)
    revision = BigIntegerField(default=0)
    base_revision = BigIntegerField(default=0)
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
DataVersions.add_index(
    DataVersions.base_id, where=DataVersions.base_id.is_null(False), name="data_versions_by_base"
)


class Assets(Table):
    """The assets of a data version; the same asset has the same id in each version that holds it.

    `source` is the inventory that it was last read from, the same for each new file of one (see
    `core/settlement.py`); empty for one that was written by hand.
    """

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
    mac_addresses = Text(default="[]")
    networks = Text(default="[]")
    technology = Text(default="")
    model = Text(default="")
    serial_number = Text(default="")
    business_unit = Text(default="")
    migration_status = Text(default="")
    migration_strategy = Text(default="")
    migration_wave = Text(default="")
    source = Text(default="")
    implied = BooleanField(default=False)

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


class Dependencies(Table):
    """The dependencies of a data version; the same one has the same id in each version that holds it.

    `identity` is what tells one from another: its ends, kind, port, protocol and processes.
    """

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
for _column in ("source_id", "target_id"):
    Dependencies.add_index(
        Dependencies.version_id, getattr(Dependencies, _column), name=f"dependencies_of_{_column}"
    )


class Imports(Table):
    """The history of a session's imports. An import has the id of its operation.

    `version_id` and `revision` are what it left the session with; `base_id` what was there before.
    `options_hash` tells apart imports of one file that were read in different ways.
    """

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


class Merges(Table):
    """The merges of an engagement. A merge has the id of its operation.

    `version_id` is what it left its target with, `base_id` what was there before; `source_state` what it
    found of the source session, to be put back, `null` where it left that alone.
    """

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
    """What a merge left out: of an asset or dependency, the fields of which one side's value is not in it.

    They are written while the merge runs, before there is a row of it.
    """

    merge_id = Text()
    kind = Text()
    id = Text()
    display_name = Text()
    dropped = Text()

    class Meta:
        table_name = "merge_drops"
        primary_key = CompositeKey("merge_id", "kind", "id")


class Landscapes(Table):
    """What a data version adds up to, computed once for each revision of it."""

    version_id = Text(primary_key=True)
    revision = BigIntegerField(default=0)
    document = Text()

    class Meta:
        table_name = "landscapes"
        constraints = (SQL("FOREIGN KEY (version_id) REFERENCES data_versions (id)"),)
