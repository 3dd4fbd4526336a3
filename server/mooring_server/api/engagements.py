"""`mooring.v1.EngagementService`."""

import grpc
from mooring.v1 import engagements_pb2

from mooring_server.api import activity, members
from mooring_server.api.calls import Call, masked
from mooring_server.api.driver import Driver
from mooring_server.api.sessions import pack_session
from mooring_server.api.times import timestamp
from mooring_server.api.users import switch
from mooring_server.core import engagements, lists, sessions
from mooring_server.core.names import Kind
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.records import Engagement


def handler(driver: Driver) -> grpc.GenericRpcHandler:
    """The service."""
    return driver.service(
        engagements_pb2.DESCRIPTOR.services_by_name["EngagementService"],
        {
            "GetEngagement": get_engagement,
            "GetDefaultEngagement": get_default_engagement,
            "ListEngagements": list_engagements,
            "CreateEngagement": create_engagement,
            "UpdateEngagement": update_engagement,
            "ArchiveEngagement": archive_engagement,
            "UnarchiveEngagement": unarchive_engagement,
            "SwitchEngagement": switch_engagement,
            "GetUsage": activity.get_usage,
            **members.HANDLERS,
        },
        checks={"CreateEngagement": draft, "UpdateEngagement": edit, **members.CHECKS},
    )


def get_engagement(
    tx: Tx, call: Call, request: engagements_pb2.GetEngagementRequest
) -> engagements_pb2.Engagement:
    """One engagement, with its default session where asked for."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.name)
    return _view(tx, engagements.get(tx, engagement_id), request.view)


def get_default_engagement(
    tx: Tx, call: Call, request: engagements_pb2.GetDefaultEngagementRequest
) -> engagements_pb2.Engagement:
    """The caller's default engagement."""
    return _view(tx, engagements.default(tx, call.caller), request.view)


def list_engagements(
    tx: Tx, call: Call, request: engagements_pb2.ListEngagementsRequest
) -> engagements_pb2.ListEngagementsResponse:
    """A page of the engagements that the caller may read."""
    query = lists.query(lists.ENGAGEMENTS, request, call.settings)
    window = call.window(request, *query.scope)
    found = engagements.page(tx, call.caller, query, window)
    return engagements_pb2.ListEngagementsResponse(
        engagements=map(pack_engagement, found.items),
        next_page_token=call.next_page_token(found.next_key, *query.scope),
        total_size=found.total.rows,
        total_size_at_least=found.total.at_least,
    )


def draft(request: engagements_pb2.CreateEngagementRequest) -> engagements.Draft:
    """What is to be made, checked; fields that are the server's to set are not looked at."""
    wanted = request.engagement
    return engagements.Draft(request.engagement_id, wanted.display_name, wanted.description)


def create_engagement(
    tx: Tx, call: Call, request: engagements_pb2.CreateEngagementRequest
) -> engagements_pb2.Engagement:
    """A new engagement."""
    return pack_engagement(engagements.create(tx, call.caller, draft(request)))


def edit(request: engagements_pb2.UpdateEngagementRequest) -> engagements.Edit:
    """What is to be changed, checked."""
    taken = masked(request, "engagement", engagements.UPDATABLE)
    return engagements.Edit({field: getattr(request.engagement, field) for field in taken})


def update_engagement(
    tx: Tx, call: Call, request: engagements_pb2.UpdateEngagementRequest
) -> engagements_pb2.Engagement:
    """An engagement with new fields."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.engagement.name, "engagement.name")
    return pack_engagement(engagements.update(tx, engagement_id, request.engagement.etag, edit(request)))


def archive_engagement(
    tx: Tx, call: Call, request: engagements_pb2.ArchiveEngagementRequest
) -> engagements_pb2.ArchiveEngagementResponse:
    """An engagement that is put away."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.name)
    archived = engagements.archive(tx, engagement_id, request.etag)
    return engagements_pb2.ArchiveEngagementResponse(engagement=pack_engagement(archived))


def unarchive_engagement(
    tx: Tx, call: Call, request: engagements_pb2.UnarchiveEngagementRequest
) -> engagements_pb2.UnarchiveEngagementResponse:
    """An engagement that is in use again."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.name)
    in_use = engagements.unarchive(tx, engagement_id, request.etag)
    return engagements_pb2.UnarchiveEngagementResponse(engagement=pack_engagement(in_use))


def switch_engagement(
    tx: Tx, call: Call, request: engagements_pb2.SwitchEngagementRequest
) -> engagements_pb2.SwitchEngagementResponse:
    """What is current after a switch to an engagement's default session."""
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.name)
    engagement = engagements.get(tx, engagement_id)
    default = sessions.get(tx, engagement_id, engagement.default_session_id)
    session, context = switch(tx, call, request, default)
    return engagements_pb2.SwitchEngagementResponse(
        engagement=pack_engagement(engagement), session=pack_session(session), context=context
    )


def pack_engagement(engagement: Engagement) -> engagements_pb2.Engagement:
    """An engagement as a message, in the basic view."""
    archived = engagement.archive_time
    return engagements_pb2.Engagement(
        name=Kind.ENGAGEMENT.of(engagement.id),
        display_name=engagement.display_name,
        description=engagement.description,
        default_session=Kind.SESSION.of(engagement.id, engagement.default_session_id),
        session_count=engagement.session_count,
        revision=engagement.revision,
        etag=str(engagement.etag),
        create_time=timestamp(engagement.create_time),
        update_time=timestamp(engagement.update_time),
        archive_time=None if archived is None else timestamp(archived),
    )


def _view(tx: Tx, engagement: Engagement, view: int) -> engagements_pb2.Engagement:
    if view not in engagements_pb2.EngagementView.values():
        raise InvalidArgument.field("view", "must be BASIC or WITH_SESSION")
    packed = pack_engagement(engagement)
    if view == engagements_pb2.ENGAGEMENT_VIEW_WITH_SESSION:
        packed.session.CopyFrom(pack_session(sessions.default(tx, engagement.id)))
        packed.default_session = packed.session.name
    return packed
