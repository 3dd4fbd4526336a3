"""From the API's messages to snapshots. Enum values lose their prefix and their capitals."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mooring.v1 import (
    assets_pb2,
    engagements_pb2,
    imports_pb2,
    landscape_pb2,
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
        create_time=_time(message.create_time),
        update_time=_time(message.update_time),
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
        create_time=_time(message.create_time),
        update_time=_time(message.update_time),
        delete_time=_time(message.delete_time),
    )


def asset(message: assets_pb2.Asset) -> snapshots.Asset:
    """An asset."""
    return snapshots.Asset(
        name=message.name,
        display_name=message.display_name,
        type=assets_pb2.AssetType.Name(message.type).removeprefix("ASSET_TYPE_").lower(),
        external_id=message.external_id,
        hostname=message.hostname,
        ip_addresses=tuple(message.ip_addresses),
        environment=message.environment,
        location=message.location,
        platform=message.platform,
        operating_system=message.operating_system,
        status=message.status,
        owner=message.owner,
        application=message.application,
        criticality=message.criticality,
        cpu_cores=message.cpu_cores if message.HasField("cpu_cores") else None,
        memory_bytes=message.memory_bytes if message.HasField("memory_bytes") else None,
        storage_bytes=message.storage_bytes if message.HasField("storage_bytes") else None,
        attributes=dict(message.attributes),
        source_file=message.provenance.file,
        source_sheet=message.provenance.sheet,
        source_row=message.provenance.row,
        create_time=_time(message.create_time),
        update_time=_time(message.update_time),
    )


def landscape(message: landscape_pb2.Landscape) -> snapshots.Landscape:
    """A landscape."""
    groups = tuple(
        snapshots.Group(
            group.field,
            tuple(snapshots.Bucket(bucket.value, _totals(bucket.totals)) for bucket in group.buckets),
            group.value_count,
        )
        for group in message.groups
    )
    return snapshots.Landscape(message.name, message.data_version, _totals(message.totals), groups)


def progress(message: imports_pb2.ImportInventoryMetadata) -> snapshots.Progress:
    """How far an import is."""
    phase = imports_pb2.ImportPhase.Name(message.phase).removeprefix("IMPORT_PHASE_").lower()
    return snapshots.Progress(phase, message.rows_done, message.rows_total)


def report(message: imports_pb2.ImportInventoryResponse) -> snapshots.ImportReport:
    """What an import did."""
    told = message.report
    return snapshots.ImportReport(
        session=message.session,
        kind=told.kind,
        source_rows=told.source_rows,
        created=told.created,
        updated=told.updated,
        unchanged=told.unchanged,
        joined=told.joined,
        implied=told.implied,
        rejected=tuple(snapshots.RejectedRow(row.sheet, row.row, row.reason) for row in told.rejected),
        created_by_type=dict(told.created_by_type),
        mapping=dict(told.mapping),
        data_version=told.data_version,
        notes=tuple(told.notes),
    )


def change(message: watch_pb2.Change) -> snapshots.Change:
    """A change. One of a kind that only a newer service knows counts as an update: it is read again."""
    known = message.kind in watch_pb2.ChangeKind.values()
    name = watch_pb2.ChangeKind.Name(message.kind if known else watch_pb2.CHANGE_KIND_UPDATED)
    kind = name.removeprefix("CHANGE_KIND_").lower()
    return snapshots.Change(message.stream, message.revision, kind, message.resource, message.actor)


def _totals(message: landscape_pb2.LandscapeTotals) -> snapshots.Totals:
    return snapshots.Totals(
        message.asset_count, message.cpu_cores, message.memory_bytes, message.storage_bytes
    )


def _time(message: Timestamp) -> datetime | None:
    if not message.seconds and not message.nanos:
        return None
    return message.ToDatetime(tzinfo=UTC)
