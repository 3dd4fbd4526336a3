"""`mooring.v1.SessionService`."""

from collections.abc import Mapping

import grpc
from mooring.v1 import sessions_pb2

from mooring_server.api.calls import Call
from mooring_server.api.driver import Driver
from mooring_server.api.times import timestamp
from mooring_server.api.users import pack_context
from mooring_server.core import engagements, paging, sessions, users
from mooring_server.core.names import DEFAULT_CONTEXT, Kind, quote
from mooring_server.core.policy import own
from mooring_server.core.sessions import UPDATABLE, Draft, Edit, SessionType
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.records import Session

_UNSPECIFIED = sessions_pb2.SESSION_TYPE_UNSPECIFIED
_WIRE_TYPES = {type_: sessions_pb2.SessionType.Value(f"SESSION_TYPE_{type_.name}") for type_ in SessionType}
_TYPES: Mapping[int, SessionType] = {number: type_ for type_, number in _WIRE_TYPES.items()}


def handler(driver: Driver) -> grpc.GenericRpcHandler:
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
        },
        checks={"CreateSession": draft, "UpdateSession": edit},
    )


def get_session(tx: Tx, call: Call, request: sessions_pb2.GetSessionRequest) -> sessions_pb2.Session:
    """One session."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    return pack_session(sessions.get(tx, engagement_id, session_id))


def list_sessions(
    tx: Tx, call: Call, request: sessions_pb2.ListSessionsRequest
) -> sessions_pb2.ListSessionsResponse:
    """A page of an engagement's living sessions."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
    order = paging.order(request.order_by)
    window = call.window(request, request.parent, order)
    total = engagements.get(tx, engagement_id).session_count
    page = sessions.page(tx, engagement_id, order, window)
    return sessions_pb2.ListSessionsResponse(
        sessions=map(pack_session, page.items),
        next_page_token=call.next_page_token(page.next_key, request.parent, order),
        total_size=total,
    )


def draft(request: sessions_pb2.CreateSessionRequest) -> Draft:
    """What is to be made, checked; fields that are the server's to set are not looked at."""
    wanted = request.session
    type_ = SessionType.DATA_IMPORT if wanted.type == _UNSPECIFIED else _session_type(wanted.type)
    return Draft(request.session_id, wanted.display_name, wanted.description, type_)


def create_session(tx: Tx, call: Call, request: sessions_pb2.CreateSessionRequest) -> sessions_pb2.Session:
    """A new session."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
    return pack_session(sessions.create(tx, call.caller, engagement_id, draft(request)))


def edit(request: sessions_pb2.UpdateSessionRequest) -> Edit:
    """What is to be changed, checked. Without a mask that is everything, but no type is no change of it."""
    wanted = request.session
    paths = tuple(request.update_mask.paths)
    for path in paths:
        if path not in UPDATABLE:
            raise InvalidArgument.field("update_mask", f"{quote(path)} is none of {', '.join(UPDATABLE)}")
    if not paths:
        paths = UPDATABLE if wanted.type != _UNSPECIFIED else ("display_name", "description")
    return Edit(
        {path: _session_type(wanted.type) if path == "type" else getattr(wanted, path) for path in paths}
    )


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
    context_id = DEFAULT_CONTEXT
    if request.context:
        _, context_id = Kind.CONTEXT.ids(own(call.caller, Kind.CONTEXT, request.context, "context"))
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session = sessions.get(tx, engagement_id, session_id)
    expected = request.context_revision if request.HasField("context_revision") else None
    context = users.switch(tx, call.caller, context_id, session, expected)
    return sessions_pb2.SwitchSessionResponse(
        session=pack_session(session),
        engagement=Kind.ENGAGEMENT.of(session.engagement_id),
        context=pack_context(context),
    )


def set_default_session(
    tx: Tx, call: Call, request: sessions_pb2.SetDefaultSessionRequest
) -> sessions_pb2.SetDefaultSessionResponse:
    """The new default session."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    session = sessions.set_default(tx, engagement_id, session_id, request.etag)
    return sessions_pb2.SetDefaultSessionResponse(session=pack_session(session))


def pack_session(session: Session) -> sessions_pb2.Session:
    """A session as a message."""
    return sessions_pb2.Session(
        name=Kind.SESSION.of(session.engagement_id, session.id),
        display_name=session.display_name,
        description=session.description,
        type=_WIRE_TYPES[SessionType(session.type)],
        is_default=session.is_default,
        creator=Kind.USER.of(session.creator_id),
        data_version=session.data_version_id or "",
        asset_count=session.asset_count,
        etag=str(session.etag),
        create_time=timestamp(session.create_time),
        update_time=timestamp(session.update_time),
        delete_time=None if session.delete_time is None else timestamp(session.delete_time),
    )


def _session_type(number: int) -> SessionType:
    if number not in _TYPES:
        names = ", ".join(type_.name for type_ in SessionType)
        raise InvalidArgument.field("session.type", f"must be one of {names}")
    return _TYPES[number]
