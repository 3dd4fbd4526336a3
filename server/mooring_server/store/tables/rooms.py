# ruff: noqa: D106  peewee's Meta classes are settings
"""Engagements, their members and sessions, and who is where."""

from peewee import SQL, BigIntegerField, BooleanField, Check, CompositeKey, IntegerField

from mooring_server.store.tables.base import Table, Text


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
    data_revision = BigIntegerField(default=0)

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
# With what says whether a session is listed, so that any number of them is passed over in the index alone.
_LISTED = (Sessions.archive_time, Sessions.delete_time)
for _column, _name in (
    ("sort_name", "name"),
    ("create_time", "create_time"),
    ("last_activity_time", "activity"),
):
    Sessions.add_index(
        Sessions.engagement_id, getattr(Sessions, _column), Sessions.id, *_LISTED, name=f"sessions_by_{_name}"
    )
Sessions.add_index(Sessions.id, name="sessions_by_id")
Sessions.add_index(Sessions.data_version_id, name="sessions_by_version")
# What filters compare, and no order sorts by.
for _column in ("display_name", "type", "creator_id", "asset_count", "update_time"):
    Sessions.add_index(Sessions.engagement_id, getattr(Sessions, _column), name=f"sessions_of_{_column}")
for _columns in ((Sessions.parent_id,), _LISTED):
    Sessions.add_index(
        Sessions.engagement_id,
        *_columns,
        where=_columns[0].is_null(False),
        name=f"sessions_of_{_columns[0].name}",
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


class SessionVisits(Table):
    """When a user was last switched to a session. The sweep forgets all but the newest of an engagement."""

    user_id = Text()
    engagement_id = Text()
    session_id = Text()
    visit_time = BigIntegerField()

    class Meta:
        table_name = "session_visits"
        primary_key = CompositeKey("user_id", "engagement_id", "session_id")
        constraints = (
            SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),
            SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
        )


SessionVisits.add_index(
    SessionVisits.user_id,
    SessionVisits.engagement_id,
    SessionVisits.visit_time,
    SessionVisits.session_id,
    name="session_visits_by_time",
)


class SessionPins(Table):
    """Which sessions a user has pinned, and when. The pin of a deleted session waits for its return."""

    user_id = Text()
    engagement_id = Text()
    session_id = Text()
    pin_time = BigIntegerField()

    class Meta:
        table_name = "session_pins"
        primary_key = CompositeKey("user_id", "engagement_id", "session_id")
        constraints = (
            SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),
            SQL("FOREIGN KEY (engagement_id, session_id) REFERENCES sessions (engagement_id, id)"),
        )
