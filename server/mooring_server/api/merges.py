"""The merging part of `mooring.v1.SessionService`."""

import json

from google.longrunning import operations_pb2
from google.protobuf.json_format import ParseDict
from mooring.v1 import merges_pb2

from mooring_server.api import operations
from mooring_server.api.assets import pack_asset
from mooring_server.api.calls import Call
from mooring_server.api.driver import Handler
from mooring_server.api.merge_messages import WIRE_SIDES, pack_drop, pack_merge, unpack_plan
from mooring_server.background import Operations
from mooring_server.core import lists, merges
from mooring_server.core.merges import History
from mooring_server.core.names import Kind
from mooring_server.store import Tx


def preview_merge(
    tx: Tx, call: Call, request: merges_pb2.PreviewMergeRequest
) -> merges_pb2.PreviewMergeResponse:
    """What a merge would do."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    found = merges.preview(
        tx, engagement_id, session_id, unpack_plan(engagement_id, session_id, request.plan)
    )
    return merges_pb2.PreviewMergeResponse(
        counts=ParseDict(found.counts, merges_pb2.MergeCounts()),
        digest=found.digest,
        data_version=found.sides.target.data_label,
        source_data_version=found.sides.source.data_label,
    )


def list_merge_conflicts(
    tx: Tx, call: Call, request: merges_pb2.ListMergeConflictsRequest
) -> merges_pb2.ListMergeConflictsResponse:
    """A page of the assets that a merge finds in conflict."""
    engagement_id, session_id = Kind.SESSION.ids(request.parent, "parent")
    plan = unpack_plan(engagement_id, session_id, request.plan)
    query = lists.query(lists.ASSETS, request, call.settings)
    scope = (
        request.parent,
        json.dumps(plan.to_json(), sort_keys=True),
        json.dumps(sorted(request.fields)),
        *query.scope,
    )
    window = call.window(request, *scope)
    found = merges.conflicts(tx, engagement_id, session_id, plan, query, request.fields, window)
    target, source = (Kind.SESSION.of(engagement_id, id) for id in (session_id, plan.source_id))
    return merges_pb2.ListMergeConflictsResponse(
        conflicts=[
            merges_pb2.MergeConflict(
                asset=pack_asset(target, each.target),
                source_asset=pack_asset(source, each.source),
                fields=[
                    merges_pb2.FieldOutcome(field=name, side=WIRE_SIDES[side]) for name, side in each.fields
                ],
            )
            for each in found.items
        ],
        next_page_token=call.next_page_token(found.next_key, *scope),
        data_version=found.data_version,
        source_data_version=found.source_data_version,
    )


def merge_sessions(running: Operations) -> Handler:
    """The handler that queues a merge."""

    def handle(tx: Tx, call: Call, request: merges_pb2.MergeSessionsRequest) -> operations_pb2.Operation:
        engagement_id, session_id = Kind.SESSION.ids(request.name)
        plan = unpack_plan(engagement_id, session_id, request.plan)
        operation = merges.request(tx, call.caller, engagement_id, session_id, plan, request.digest)
        call.after_commit(running.wake)
        return operations.pack_operation(operation)

    return handle


def get_merge(tx: Tx, call: Call, request: merges_pb2.GetMergeRequest) -> merges_pb2.Merge:
    """One merge."""
    return _pack(merges.get(tx, *Kind.MERGE.ids(request.name)))


def list_merges(tx: Tx, call: Call, request: merges_pb2.ListMergesRequest) -> merges_pb2.ListMergesResponse:
    """A page of an engagement's merges, newest first."""
    window = call.window(request, request.parent)
    (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
    history, next_key = merges.page(tx, engagement_id, window)
    return merges_pb2.ListMergesResponse(
        merges=[pack_merge(each.record, revertible=each.revertible, whole=False) for each in history],
        next_page_token=call.next_page_token(next_key, request.parent),
    )


def list_merge_drops(
    tx: Tx, call: Call, request: merges_pb2.ListMergeDropsRequest
) -> merges_pb2.ListMergeDropsResponse:
    """A page of what a merge left out."""
    window = call.window(request, request.parent)
    engagement_id, merge_id = Kind.MERGE.ids(request.parent, "parent")
    record, drops, next_key = merges.drops(tx, engagement_id, merge_id, window)
    return merges_pb2.ListMergeDropsResponse(
        drops=[pack_drop(record, each) for each in drops],
        next_page_token=call.next_page_token(next_key, request.parent),
    )


def revert_merge(
    tx: Tx, call: Call, request: merges_pb2.RevertMergeRequest
) -> merges_pb2.RevertMergeResponse:
    """Undoes a merge."""
    engagement_id, merge_id = Kind.MERGE.ids(request.name)
    undone = merges.revert(tx, call.caller, engagement_id, merge_id, force=request.force)
    return merges_pb2.RevertMergeResponse(merge=_pack(undone))


def _pack(history: History) -> merges_pb2.Merge:
    return pack_merge(history.record, revertible=history.revertible)
