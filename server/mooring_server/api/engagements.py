"""`mooring.v1.EngagementService`."""

import grpc
from mooring.v1 import engagements_pb2

from mooring_server.api.calls import Call
from mooring_server.api.driver import Driver
from mooring_server.api.sessions import pack_session
from mooring_server.api.times import timestamp
from mooring_server.core import engagements, paging, sessions
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
        },
        checks={"CreateEngagement": draft},
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
    order = paging.order(request.order_by)
    window = call.window(request, order)
    page, total = engagements.page(tx, call.caller, order, window)
    return engagements_pb2.ListEngagementsResponse(
        engagements=map(pack_engagement, page.items),
        next_page_token=call.next_page_token(page.next_key, order),
        total_size=total,
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


def pack_engagement(engagement: Engagement) -> engagements_pb2.Engagement:
    """An engagement as a message, in the basic view."""
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
    )


def _view(tx: Tx, engagement: Engagement, view: int) -> engagements_pb2.Engagement:
    if view not in engagements_pb2.EngagementView.values():
        raise InvalidArgument.field("view", "must be BASIC or WITH_SESSION")
    packed = pack_engagement(engagement)
    if view == engagements_pb2.ENGAGEMENT_VIEW_WITH_SESSION:
        default = sessions.get(tx, engagement.id, engagement.default_session_id)
        packed.session.CopyFrom(pack_session(default))
    return packed
