"""ListActivity and GetUsage, which are RPCs of two services over one log."""

from mooring.v1 import activity_pb2, watch_pb2

from mooring_server.api.calls import Call
from mooring_server.api.times import timestamp
from mooring_server.core import activity, lists
from mooring_server.core.names import Kind, parse
from mooring_server.store import Tx
from mooring_server.store.records import Activity, UsageDay


def list_activity(
    tx: Tx, call: Call, request: activity_pb2.ListActivityRequest
) -> activity_pb2.ListActivityResponse:
    """A page of what happened in an engagement, or to a session."""
    _, (engagement_id, *session) = parse(request.parent, (Kind.ENGAGEMENT, Kind.SESSION), "parent")
    query = lists.query(activity.ACTIVITY, request, call.settings)
    window = call.window(request, request.parent, *query.scope)
    page = activity.page(tx, engagement_id, session[0] if session else None, query, window)
    return activity_pb2.ListActivityResponse(
        activity=map(_pack, page.items),
        next_page_token=call.next_page_token(page.next_key, request.parent, *query.scope),
    )


def get_usage(tx: Tx, call: Call, request: activity_pb2.GetUsageRequest) -> activity_pb2.Usage:
    """How much happened in an engagement, day by day."""
    (engagement_id,) = Kind.USAGE.ids(request.name)
    asked = activity.period(request.start_date, request.end_date, tx.now.date())
    usage = activity.usage(tx, engagement_id, asked)
    since = usage.history_start
    return activity_pb2.Usage(
        name=request.name,
        days=map(_pack_day, usage.days),
        active_user_count=usage.active_users,
        history_start_time=None if since is None else timestamp(since),
    )


def _pack(one: Activity) -> activity_pb2.Activity:
    session = one.session_id and Kind.SESSION.of(one.engagement_id, one.session_id)
    return activity_pb2.Activity(
        actor=one.actor,
        kind=watch_pb2.ChangeKind.Value(f"CHANGE_KIND_{one.kind.name}"),
        resource=one.resource,
        engagement=Kind.ENGAGEMENT.of(one.engagement_id),
        session=session or "",
        time=timestamp(one.time),
    )


def _pack_day(day: UsageDay) -> activity_pb2.UsageDay:
    return activity_pb2.UsageDay(
        date=day.date.isoformat(),
        sessions_created=day.sessions_created,
        switches=day.switches,
        imports=day.imports,
        active_user_count=day.active_users,
    )
