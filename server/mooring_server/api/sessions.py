"""`mooring.v1.SessionService`."""

from collections.abc import Mapping
from typing import Any

import grpc
from mooring.v1 import sessions_pb2

from mooring_server.api import activity, comparisons, merges, transfers
from mooring_server.api.calls import Call
from mooring_server.api.driver import Driver
from mooring_server.api.times import timestamp
from mooring_server.api.users import switch
from mooring_server.background import Operations, Reads
from mooring_server.core import lists, sessions, shortcuts
from mooring_server.core.fields import is_label_key, mask
from mooring_server.core.names import Kind, sibling
from mooring_server.core.sessions import UPDATABLE, Draft, Edit, SessionType
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.records import Session

_UNSPECIFIED = sessions_pb2.SESSION_TYPE_UNSPECIFIED
_WIRE_TYPES = {type_: sessions_pb2.SessionType.Value(f"SESSION_TYPE_{type_.name}") for type_ in SessionType}
_TYPES: Mapping[int, SessionType] = {number: type_ for type_, number in _WIRE_TYPES.items()}


def handler(driver: Driver, running: Operations, reads: Reads) -> grpc.GenericRpcHandler:
    """The service."""
    return driver.service(
        sessions_pb2.DESCRIPTOR.services_by_name["SessionService"],
        {
            "GetSession": get_session,
            "ListSessions": list_sessions,
            "CreateSession": create_session,
            "UpdateSession": update_session,
            "DeleteSession": delete_session,
            "SwitchSession": switch_session,
            "SetDefaultSession": set_default_session,
            "UndeleteSession": undelete_session,
            "ArchiveSession": archive_session,
            "UnarchiveSession": unarchive_session,
            "GetShortcuts": get_shortcuts,
            "PinSession": pin_session,
            "UnpinSession": unpin_session,
            "CompareSessions": comparisons.compare_sessions,
            "ListAssetDifferences": comparisons.list_asset_differences,
            "ListDependencyDifferences": comparisons.list_dependency_differences,
            "PreviewMerge": merges.preview_merge,
            "ListMergeConflicts": merges.list_merge_conflicts,
            "MergeSessions": merges.merge_sessions(running),
            "GetMerge": merges.get_merge,
            "ListMerges": merges.list_merges,
            "ListMergeDrops": merges.list_merge_drops,
            "RevertMerge": merges.revert_merge,
            "ImportSession": transfers.import_session(running),
            "ListActivity": activity.list_activity,
        },
        {"ExportSession": transfers.export_session(driver, reads)},
        checks={"CreateSession": draft, "UpdateSession": edit},
    )


def get_session(tx: Tx, call: Call, request: sessions_pb2.GetSessionRequest) -> sessions_pb2.Session:
    """One session."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    return pack_session(sessions.get(tx, engagement_id, session_id))


def list_sessions(
    tx: Tx, call: Call, request: sessions_pb2.ListSessionsRequest
) -> sessions_pb2.ListSessionsResponse:
    """A page of an engagement's sessions."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
    query = lists.query(lists.SESSIONS, request, call.settings)
    window = call.window(request, request.parent, *query.scope)
    found = sessions.page(tx, engagement_id, query, window)
    return sessions_pb2.ListSessionsResponse(
        sessions=map(pack_session, found.items),
        next_page_token=call.next_page_token(found.next_key, request.parent, *query.scope),
        total_size=found.total.rows,
        total_size_at_least=found.total.at_least,
    )


def draft(request: sessions_pb2.CreateSessionRequest) -> Draft:
    """What is to be made, checked; fields that are the server's to set are not looked at."""
    wanted = request.session
    type_ = SessionType.DATA_IMPORT if wanted.type == _UNSPECIFIED else _session_type(wanted.type)
    source_id = _related(request, request.source_session, "source_session")
    return Draft(
        request.session_id,
        wanted.display_name,
        wanted.description,
        type_,
        dict(wanted.labels),
        _related(request, wanted.parent_session, "session.parent_session") or source_id,
        source_id,
    )


def create_session(tx: Tx, call: Call, request: sessions_pb2.CreateSessionRequest) -> sessions_pb2.Session:
    """A new session."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
    return pack_session(sessions.create(tx, call.caller, engagement_id, draft(request)))


def edit(request: sessions_pb2.UpdateSessionRequest) -> Edit:
    """What is to be changed, checked. `labels.key` in the mask takes one label; where it is not set, away."""
    wanted = request.session
    paths, single = [], {}
    for path in request.update_mask.paths:
        field, _, key = path.partition(".")
        if field == "labels" and is_label_key(key):
            single[key] = wanted.labels.get(key)
        else:
            paths.append(path)
    populated = () if single else [field.name for field, _ in wanted.ListFields()]
    values: dict[str, Any] = {path: getattr(wanted, path) for path in mask(paths, UPDATABLE, populated)}
    if "type" in values:
        values["type"] = _session_type(wanted.type)
    if "labels" in values:
        values["labels"] = dict(wanted.labels)
    return Edit(values, single)


def update_session(tx: Tx, call: Call, request: sessions_pb2.UpdateSessionRequest) -> sessions_pb2.Session:
    """A session with new fields."""
    engagement_id, session_id = Kind.SESSION.ids(request.session.name, "session.name")
    return pack_session(sessions.update(tx, engagement_id, session_id, request.session.etag, edit(request)))


def delete_session(tx: Tx, call: Call, request: sessions_pb2.DeleteSessionRequest) -> sessions_pb2.Session:
    """A session that is gone."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    return pack_session(sessions.delete(tx, engagement_id, session_id, request.etag))


def switch_session(
    tx: Tx, call: Call, request: sessions_pb2.SwitchSessionRequest
) -> sessions_pb2.SwitchSessionResponse:
    """What is current after a switch."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session, context = switch(tx, call, request, sessions.get(tx, engagement_id, session_id))
    return sessions_pb2.SwitchSessionResponse(
        session=pack_session(session),
        engagement=Kind.ENGAGEMENT.of(session.engagement_id),
        context=context,
    )


def set_default_session(
    tx: Tx, call: Call, request: sessions_pb2.SetDefaultSessionRequest
) -> sessions_pb2.SetDefaultSessionResponse:
    """The new default session."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session = sessions.set_default(tx, engagement_id, session_id, request.etag)
    return sessions_pb2.SetDefaultSessionResponse(session=pack_session(session))


def undelete_session(
    tx: Tx, call: Call, request: sessions_pb2.UndeleteSessionRequest
) -> sessions_pb2.UndeleteSessionResponse:
    """A session that is back."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session = sessions.undelete(tx, engagement_id, session_id, request.etag)
    return sessions_pb2.UndeleteSessionResponse(session=pack_session(session))


def archive_session(
    tx: Tx, call: Call, request: sessions_pb2.ArchiveSessionRequest
) -> sessions_pb2.ArchiveSessionResponse:
    """A session that is put away."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session = sessions.archive(tx, engagement_id, session_id, request.etag)
    return sessions_pb2.ArchiveSessionResponse(session=pack_session(session))


def unarchive_session(
    tx: Tx, call: Call, request: sessions_pb2.UnarchiveSessionRequest
) -> sessions_pb2.UnarchiveSessionResponse:
    """A session that is taken up again."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session = sessions.unarchive(tx, engagement_id, session_id, request.etag)
    return sessions_pb2.UnarchiveSessionResponse(session=pack_session(session))


def get_shortcuts(tx: Tx, call: Call, request: sessions_pb2.GetShortcutsRequest) -> sessions_pb2.Shortcuts:
    """The caller's own ways to some sessions."""
    (engagement_id,) = Kind.SHORTCUTS.ids(request.name)
    found = shortcuts.get(tx, call.caller, engagement_id)
    return sessions_pb2.Shortcuts(
        name=request.name, pinned=map(pack_session, found.pinned), recent=map(pack_session, found.recent)
    )


def pin_session(
    tx: Tx, call: Call, request: sessions_pb2.PinSessionRequest
) -> sessions_pb2.PinSessionResponse:
    """A session that is pinned."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session = shortcuts.pin(tx, call.caller, engagement_id, session_id)
    return sessions_pb2.PinSessionResponse(session=pack_session(session))


def unpin_session(
    tx: Tx, call: Call, request: sessions_pb2.UnpinSessionRequest
) -> sessions_pb2.UnpinSessionResponse:
    """A session that is not pinned."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session = shortcuts.unpin(tx, call.caller, engagement_id, session_id)
    return sessions_pb2.UnpinSessionResponse(session=pack_session(session))


def pack_session(session: Session) -> sessions_pb2.Session:
    """A session as a message."""
    return sessions_pb2.Session(
        name=Kind.SESSION.of(session.engagement_id, session.id),
        display_name=session.display_name,
        description=session.description,
        type=_WIRE_TYPES[SessionType(session.type)],
        is_default=session.is_default,
        creator=Kind.USER.of(session.creator_id),
        data_version=session.data_label,
        asset_count=session.asset_count,
        etag=str(session.etag),
        create_time=timestamp(session.create_time),
        update_time=timestamp(session.update_time),
        delete_time=None if session.delete_time is None else timestamp(session.delete_time),
        labels=session.labels,
        parent_session=Kind.SESSION.of(session.engagement_id, session.parent_id) if session.parent_id else "",
        dependency_count=session.dependency_count,
        last_activity_time=timestamp(session.last_activity_time),
        archive_time=None if session.archive_time is None else timestamp(session.archive_time),
    )


def _related(request: sessions_pb2.CreateSessionRequest, name: str, field: str) -> str | None:
    """The id of a session that the field names, of the new session's engagement; None where it is empty."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
    return sibling(engagement_id, name, field) if name else None


def _session_type(number: int) -> SessionType:
    if number not in _TYPES:
        names = ", ".join(type_.name for type_ in SessionType)
        raise InvalidArgument.field("session.type", f"must be one of {names}")
    return _TYPES[number]
