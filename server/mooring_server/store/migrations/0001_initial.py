"""The first schema: a copy that later changes of `tables.py` do not reach."""

import secrets
import uuid

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    BooleanField,
    Check,
    CompositeKey,
    Database,
    DoubleField,
    IntegerField,
    Model,
)
from playhouse.migrate import SchemaMigrator

from mooring_server.store.tables import Text


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Makes the tables, the database's id and its signing key."""

    class Table(Model):
        class Meta:
            database = db

    class Facts(Table):
        key = Text(primary_key=True)
        value = Text()

        class Meta:
            table_name = "meta"

    class Users(Table):
        id = Text(primary_key=True)
        subject = Text(unique=True)
        display_name = Text()
        email = Text()
        default_engagement_id = Text(null=True)
        revision = BigIntegerField()
        etag = BigIntegerField()
        create_time = BigIntegerField()
        update_time = BigIntegerField()

        class Meta:
            table_name = "users"

    class Engagements(Table):
        id = Text(primary_key=True)
        display_name = Text()
        description = Text()
        session_count = BigIntegerField()
        revision = BigIntegerField()
        etag = BigIntegerField()
        create_time = BigIntegerField()
        update_time = BigIntegerField()

        class Meta:
            table_name = "engagements"

    class Members(Table):
        engagement_id = Text()
        user_id = Text()
        role = IntegerField()

        class Meta:
            table_name = "members"
            primary_key = CompositeKey("engagement_id", "user_id")
            constraints = (
                SQL("FOREIGN KEY (engagement_id) REFERENCES engagements (id)"),
                SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),
            )

    Members.add_index(Members.user_id, name="members_by_user")

    class Sessions(Table):
        engagement_id = Text()
        id = Text()
        display_name = Text()
        description = Text()
        type = Text()
        is_default = BooleanField()
        creator_id = Text()
        data_version_id = Text(null=True)
        asset_count = BigIntegerField()
        etag = BigIntegerField()
        create_time = BigIntegerField()
        update_time = BigIntegerField()
        delete_time = BigIntegerField(null=True)

        class Meta:
            table_name = "sessions"
            primary_key = CompositeKey("engagement_id", "id")
            constraints = (
                SQL("FOREIGN KEY (engagement_id) REFERENCES engagements (id)"),
                Check("NOT is_default OR delete_time IS NULL"),
            )

    Sessions.add_index(
        Sessions.engagement_id,
        Sessions.display_name,
        unique=True,
        where=Sessions.delete_time.is_null(),
        name="sessions_display_name",
    )
    Sessions.add_index(
        Sessions.engagement_id, unique=True, where=Sessions.is_default, name="sessions_one_default"
    )
    Sessions.add_index(
        Sessions.engagement_id,
        Sessions.create_time,
        Sessions.id,
        where=Sessions.delete_time.is_null(),
        name="sessions_by_time",
    )
    Sessions.add_index(Sessions.id, name="sessions_by_id")
    Sessions.add_index(Sessions.data_version_id, name="sessions_by_version")

    class Contexts(Table):
        user_id = Text()
        id = Text()
        engagement_id = Text()
        session_id = Text()
        revision = BigIntegerField()
        create_time = BigIntegerField()
        update_time = BigIntegerField()
        kernel_key = Text()
        notebook_key = Text()

        class Meta:
            table_name = "contexts"
            primary_key = CompositeKey("user_id", "id")
            constraints = (
                SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),
                SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
            )

    Contexts.add_index(
        Contexts.user_id,
        Contexts.kernel_key,
        unique=True,
        where=Contexts.kernel_key != "",
        name="contexts_kernel_key",
    )
    Contexts.add_index(
        Contexts.user_id,
        Contexts.notebook_key,
        unique=True,
        where=Contexts.notebook_key != "",
        name="contexts_notebook_key",
    )

    class DataVersions(Table):
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

        class Meta:
            table_name = "assets"
            primary_key = CompositeKey("version_id", "id")
            constraints = (SQL("FOREIGN KEY (version_id) REFERENCES data_versions (id)"),)

    Assets.add_index(Assets.version_id, Assets.identity, unique=True, name="assets_identity")
    Assets.add_index(Assets.version_id, Assets.display_name, Assets.id, name="assets_by_name")

    class Landscapes(Table):
        version_id = Text(primary_key=True)
        document = Text()

        class Meta:
            table_name = "landscapes"
            constraints = (SQL("FOREIGN KEY (version_id) REFERENCES data_versions (id)"),)

    class Uploads(Table):
        id = Text(primary_key=True)
        engagement_id = Text()
        session_id = Text()
        user_id = Text()
        file_name = Text()
        sha256 = Text()
        size_bytes = BigIntegerField()
        chunk_count = IntegerField()
        complete = BooleanField()
        create_time = BigIntegerField()

        class Meta:
            table_name = "uploads"
            constraints = (
                SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
            )

    Uploads.add_index(Uploads.create_time, name="uploads_by_time")

    class UploadChunks(Table):
        upload_id = Text()
        position = IntegerField()
        data = BlobField()

        class Meta:
            table_name = "upload_chunks"
            primary_key = CompositeKey("upload_id", "position")
            constraints = (SQL("FOREIGN KEY (upload_id) REFERENCES uploads (id)"),)

    class Operations(Table):
        id = Text(primary_key=True)
        engagement_id = Text()
        session_id = Text()
        user_id = Text()
        kind = Text()
        state = Text()
        cancel_requested = BooleanField()
        host = Text()
        arguments = Text()
        progress = Text()
        result = Text(null=True)
        error = Text(null=True)
        create_time = BigIntegerField()
        update_time = BigIntegerField()

        class Meta:
            table_name = "operations"
            constraints = (
                SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
            )

    Operations.add_index(
        Operations.engagement_id, Operations.session_id, Operations.id, name="operations_by_session"
    )
    Operations.add_index(Operations.state, Operations.id, name="operations_by_state")

    class Requests(Table):
        user_id = Text()
        rpc = Text()
        request_id = Text()
        payload_hash = Text()
        answer = BlobField()
        create_time = BigIntegerField()

        class Meta:
            table_name = "requests"
            primary_key = CompositeKey("user_id", "rpc", "request_id")

    Requests.add_index(Requests.create_time, name="requests_by_time")

    class Changes(Table):
        stream = Text()
        revision = BigIntegerField()
        position = IntegerField()
        kind = Text()
        resource = Text()
        actor = Text()
        commit_time = BigIntegerField()
        detail = Text()

        class Meta:
            table_name = "changes"
            primary_key = CompositeKey("stream", "revision", "position")

    # In this order: peewee knows nothing of our foreign keys over two columns.
    for table in (
        Facts,
        Users,
        Engagements,
        Members,
        Sessions,
        Contexts,
        DataVersions,
        Assets,
        Landscapes,
        Uploads,
        UploadChunks,
        Operations,
        Requests,
        Changes,
    ):
        table.create_table()
    facts = {"incarnation": str(uuid.uuid4()), "signing_key": secrets.token_hex(32)}
    for key, value in facts.items():
        Facts.insert(key=key, value=value).execute()
