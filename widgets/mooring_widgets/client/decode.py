"""From the API's messages to snapshots. Enum values lose their prefix and their capitals."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mooring.v1 import (
    activity_pb2,
    engagements_pb2,
    sessions_pb2,
    users_pb2,
    watch_pb2,
)

from mooring_widgets.client import snapshots
from mooring_widgets.errors import FieldViolation, InvalidArgument

_SESSION_TYPE = "SESSION_TYPE_"


def session_type_value(name: str) -> sessions_pb2.SessionType.ValueType:
    """The API's value of `data_import`, `validation_run`, …; empty: the service's default."""
    if not name:
        return sessions_pb2.SESSION_TYPE_UNSPECIFIED
    try:
        return sessions_pb2.SessionType.Value(_SESSION_TYPE + name.upper())
    except ValueError:
        known = ", ".join(
            key.removeprefix(_SESSION_TYPE).lower() for key in sessions_pb2.SessionType.keys()[1:]
        )
        message = f"there is no session type {name!r}; take one of {known}"
        raise InvalidArgument(message, violations=[FieldViolation("session.type", message)]) from None


def user(message: users_pb2.User) -> snapshots.User:
    """A user."""
    return snapshots.User(message.name, message.display_name, message.email, message.default_engagement)


def context(message: users_pb2.Context) -> snapshots.Context:
    """A context."""
    return snapshots.Context(
        message.name, message.current_engagement, message.current_session, message.revision
    )


def engagement(message: engagements_pb2.Engagement) -> snapshots.Engagement:
    """An engagement."""
    return snapshots.Engagement(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        default_session=message.default_session,
        session_count=message.session_count,
        revision=message.revision,
        etag=message.etag,
        create_time=time(message.create_time),
        update_time=time(message.update_time),
        archive_time=time(message.archive_time),
    )


def session(message: sessions_pb2.Session) -> snapshots.Session:
    """A session."""
    return snapshots.Session(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        type=sessions_pb2.SessionType.Name(message.type).removeprefix(_SESSION_TYPE).lower(),
        is_default=message.is_default,
        creator=message.creator,
        data_version=message.data_version,
        asset_count=message.asset_count,
        etag=message.etag,
        create_time=time(message.create_time),
        update_time=time(message.update_time),
        delete_time=time(message.delete_time),
        labels=dict(message.labels),
        parent_session=message.parent_session,
        dependency_count=message.dependency_count,
        last_activity_time=time(message.last_activity_time),
        archive_time=time(message.archive_time),
    )


def activity(message: activity_pb2.Activity) -> snapshots.Activity:
    """One thing that somebody did."""
    return snapshots.Activity(
        actor=message.actor,
        kind=_kind(message.kind),
        resource=message.resource,
        engagement=message.engagement,
        session=message.session,
        time=time(message.time),
    )


def change(message: watch_pb2.Change) -> snapshots.Change:
    """A change. One of a kind that only a newer service knows counts as an update: it is read again."""
    kind = _kind(message.kind)
    return snapshots.Change(message.stream, message.revision, kind, message.resource, message.actor)


def _kind(value: watch_pb2.ChangeKind.ValueType) -> str:
    known = value in watch_pb2.ChangeKind.values()
    name = watch_pb2.ChangeKind.Name(value if known else watch_pb2.CHANGE_KIND_UPDATED)
    return name.removeprefix("CHANGE_KIND_").lower()


def time(message: Timestamp) -> datetime | None:
    """A time; None where it is unset."""
    if not message.seconds and not message.nanos:
        return None
    return message.ToDatetime(tzinfo=UTC)
