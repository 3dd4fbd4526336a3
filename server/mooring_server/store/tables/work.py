# ruff: noqa: D106  peewee's Meta classes are settings
"""What work leaves behind: facts, uploads, operations, answers, and the one log."""

from peewee import SQL, BigIntegerField, BlobField, BooleanField, CompositeKey, IntegerField

from mooring_server.store.tables.base import Table, Text


class Facts(Table):
    """Facts about the database itself."""

    key = Text(primary_key=True)
    value = Text()

    class Meta:
        table_name = "meta"


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
