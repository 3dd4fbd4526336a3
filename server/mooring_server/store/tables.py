# ruff: noqa: D106  peewee's Meta classes are settings
"""The schema as it is now. The migrations hold how it came to be, as copies of their own.

The models are bound to no database: `statements.py` compiles queries over them for either dialect. Times are
whole microseconds since 1970 in UTC, and texts sort by their bytes, so that both databases agree to the bit.
"""

from typing import Any

from peewee import (
    SQL,
    BigIntegerField,
    BlobField,
    BooleanField,
    Check,
    CompositeKey,
    DoubleField,
    IntegerField,
    Model,
    TextField,
    fn,
)

# For peewee's databases. PostgreSQL would sort by the locale of its cluster; SQLite sorts by bytes anyway.
SQLITE_TYPES = {"BINARY_TEXT": "TEXT"}
POSTGRESQL_TYPES = {"BINARY_TEXT": 'TEXT COLLATE "C"'}


class Text(TextField):
    """A text that sorts and compares by its bytes."""

    field_type = "BINARY_TEXT"


class Table(Model):
    """The base of every table."""


# An index holds so much of a long text: PostgreSQL refuses entries of more than a third of a page.
INDEXED_LENGTH = 64


def indexed_part(text: Any) -> Any:
    """As much of a text as its index holds; in these very words, or no planner sees that it is that index."""
    return fn.SUBSTR(text, SQL("1"), SQL(str(INDEXED_LENGTH)))


class Facts(Table):
    """Facts about the database itself."""

    key = Text(primary_key=True)
    value = Text()

    class Meta:
        table_name = "meta"


class Users(Table):
    """Callers. The row carries the revision of the stream `users/{id}`."""

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
    """Rooms for sessions. The row carries the revision of the stream `engagements/{id}`."""

    id = Text(primary_key=True)
    display_name = Text()
    description = Text()
    session_count = BigIntegerField()
    revision = BigIntegerField()
    etag = BigIntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()
    sort_name = Text()
    archive_time = BigIntegerField(null=True)
    words = Text(default="")

    class Meta:
        table_name = "engagements"


Engagements.add_index(Engagements.sort_name, Engagements.id, name="engagements_by_name")
Engagements.add_index(Engagements.create_time, Engagements.id, name="engagements_by_create_time")


class Members(Table):
    """Who may do what in an engagement."""

    engagement_id = Text()
    user_id = Text()
    role = IntegerField()
    etag = BigIntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()

    class Meta:
        table_name = "members"
        primary_key = CompositeKey("engagement_id", "user_id")
        constraints = (
            SQL("FOREIGN KEY (engagement_id) REFERENCES engagements (id)"),
            SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),
        )


Members.add_index(Members.user_id, name="members_by_user")


class Sessions(Table):
    """Sessions. Deleted ones stay, with their name free again. `labels` is JSON, to read; to find: below."""

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
    sort_name = Text()
    labels = Text()
    parent_id = Text(null=True)
    dependency_count = BigIntegerField()
    last_activity_time = BigIntegerField()
    archive_time = BigIntegerField(null=True)
    words = Text(default="")

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
# `== True` would not compile on PostgreSQL.
Sessions.add_index(
    Sessions.engagement_id, unique=True, where=Sessions.is_default, name="sessions_one_default"
)
Sessions.add_index(Sessions.engagement_id, Sessions.sort_name, Sessions.id, name="sessions_by_name")
Sessions.add_index(Sessions.engagement_id, Sessions.create_time, Sessions.id, name="sessions_by_create_time")
Sessions.add_index(
    Sessions.engagement_id, Sessions.last_activity_time, Sessions.id, name="sessions_by_activity"
)
Sessions.add_index(Sessions.id, name="sessions_by_id")
Sessions.add_index(Sessions.data_version_id, name="sessions_by_version")
# What filters compare, and no order sorts by.
for _column in ("display_name", "type", "creator_id", "asset_count", "update_time"):
    Sessions.add_index(Sessions.engagement_id, getattr(Sessions, _column), name=f"sessions_of_{_column}")
for _column in ("parent_id", "archive_time"):
    Sessions.add_index(
        Sessions.engagement_id,
        getattr(Sessions, _column),
        where=getattr(Sessions, _column).is_null(False),
        name=f"sessions_of_{_column}",
    )


class SessionLabels(Table):
    """The labels of sessions, a row each."""

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


class Contexts(Table):
    """Users' places. A binding belongs to one context of a user at a time."""

    user_id = Text()
    id = Text()
    engagement_id = Text()
    session_id = Text()
    revision = BigIntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()
    kernel_key = Text()
    notebook_key = Text()
    use_time = BigIntegerField()

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
Contexts.add_index(Contexts.use_time, name="contexts_by_use")
Contexts.add_index(Contexts.user_id, Contexts.create_time, Contexts.id, name="contexts_by_create_time")


class Tokens(Table):
    """API tokens. `hash` is all that is known of the secret."""

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


class Uploads(Table):
    """Files that wait for their import."""

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
    """The bytes of an upload."""

    upload_id = Text()
    position = IntegerField()
    data = BlobField()

    class Meta:
        table_name = "upload_chunks"
        primary_key = CompositeKey("upload_id", "position")
        constraints = (SQL("FOREIGN KEY (upload_id) REFERENCES uploads (id)"),)


class Operations(Table):
    """Long work."""

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
    """Answers of mutating calls, for those who ask again."""

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
    """The one log. Rows of one stream and revision are one commit, in the order of `position`.

    `engagement_id` and `session_id` say what a change concerns, where it concerns one: also a switch, which
    is on its user's stream.
    """

    stream = Text()
    revision = BigIntegerField()
    position = IntegerField()
    kind = Text()
    resource = Text()
    actor = Text()
    commit_time = BigIntegerField()
    detail = Text()
    engagement_id = Text(null=True)
    session_id = Text(null=True)

    class Meta:
        table_name = "changes"
        primary_key = CompositeKey("stream", "revision", "position")


_ACTIVITY = (Changes.commit_time, Changes.stream, Changes.revision, Changes.position)
Changes.add_index(Changes.engagement_id, *_ACTIVITY, name="changes_by_engagement")
Changes.add_index(Changes.engagement_id, Changes.session_id, *_ACTIVITY, name="changes_by_session")
Changes.add_index(Changes.engagement_id, Changes.actor, *_ACTIVITY, name="changes_by_actor")


TABLES: tuple[type[Table], ...] = (
    Facts,
    Users,
    Engagements,
    Members,
    Sessions,
    SessionLabels,
    Contexts,
    Tokens,
    DataVersions,
    Assets,
    Landscapes,
    Uploads,
    UploadChunks,
    Operations,
    Requests,
    Changes,
)
