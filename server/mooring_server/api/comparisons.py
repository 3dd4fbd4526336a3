"""The comparing part of `mooring.v1.SessionService`."""

from collections.abc import Mapping

from mooring.v1 import comparisons_pb2

from mooring_server.api.assets import pack_asset
from mooring_server.api.calls import Call
from mooring_server.api.dependencies import pack_dependency
from mooring_server.core import comparisons, lists
from mooring_server.core.comparisons import DIFFERENT, Counts, DifferenceKind
from mooring_server.core.names import Kind, sibling
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx

_WIRE_KINDS = {
    kind: comparisons_pb2.DifferenceKind.Value(f"DIFFERENCE_KIND_{kind.name}") for kind in DifferenceKind
}
_KINDS: Mapping[int, DifferenceKind] = {number: kind for kind, number in _WIRE_KINDS.items()}
_Request = comparisons_pb2.ListAssetDifferencesRequest | comparisons_pb2.ListDependencyDifferencesRequest


def compare_sessions(
    tx: Tx, call: Call, request: comparisons_pb2.CompareSessionsRequest
) -> comparisons_pb2.CompareSessionsResponse:
    """How many things two sessions differ in."""
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    other_id = sibling(engagement_id, request.other, "other")
    found = comparisons.compare(tx, engagement_id, session_id, other_id)
    return comparisons_pb2.CompareSessionsResponse(
        data_version=found.data_version,
        other_data_version=found.other_data_version,
        assets=_pack_counts(found.assets),
        dependencies=_pack_counts(found.dependencies),
    )


def list_asset_differences(
    tx: Tx, call: Call, request: comparisons_pb2.ListAssetDifferencesRequest
) -> comparisons_pb2.ListAssetDifferencesResponse:
    """A page of the assets that two sessions differ in."""
    engagement_id, session_id, other_id = _sessions(request)
    query = lists.query(lists.ASSETS, request, call.settings)
    kinds = _kinds(request)
    scope = (request.parent, other_id, *sorted(kinds), *query.scope)
    window = call.window(request, *scope)
    found = comparisons.assets(tx, engagement_id, (session_id, other_id), query, kinds, window)
    own, other = (Kind.SESSION.of(engagement_id, id) for id in (session_id, other_id))
    return comparisons_pb2.ListAssetDifferencesResponse(
        differences=[
            comparisons_pb2.AssetDifference(
                kind=_WIRE_KINDS[each.kind],
                asset=None if each.own is None else pack_asset(own, each.own),
                other_asset=None if each.other is None else pack_asset(other, each.other),
                fields=each.fields,
            )
            for each in found.items
        ],
        next_page_token=call.next_page_token(found.next_key, *scope),
        data_version=found.data_version,
        other_data_version=found.other_data_version,
    )


def list_dependency_differences(
    tx: Tx, call: Call, request: comparisons_pb2.ListDependencyDifferencesRequest
) -> comparisons_pb2.ListDependencyDifferencesResponse:
    """A page of the dependencies that two sessions differ in."""
    engagement_id, session_id, other_id = _sessions(request)
    query = lists.query(lists.DEPENDENCIES, request, call.settings)
    kinds = _kinds(request)
    scope = (request.parent, other_id, *sorted(kinds), *query.scope)
    window = call.window(request, *scope)
    found = comparisons.dependencies(tx, engagement_id, (session_id, other_id), query, kinds, window)
    own, other = (Kind.SESSION.of(engagement_id, id) for id in (session_id, other_id))
    return comparisons_pb2.ListDependencyDifferencesResponse(
        differences=[
            comparisons_pb2.DependencyDifference(
                kind=_WIRE_KINDS[each.kind],
                dependency=None if each.own is None else pack_dependency(own, each.own),
                other_dependency=None if each.other is None else pack_dependency(other, each.other),
                fields=each.fields,
            )
            for each in found.items
        ],
        next_page_token=call.next_page_token(found.next_key, *scope),
        data_version=found.data_version,
        other_data_version=found.other_data_version,
    )


def _sessions(request: _Request) -> tuple[str, str, str]:
    engagement_id, session_id = Kind.SESSION.ids(request.parent, "parent")
    return engagement_id, session_id, sibling(engagement_id, request.other, "other")


def _kinds(request: _Request) -> frozenset[DifferenceKind]:
    """The kinds that are asked for; all but what is unchanged where none are."""
    if unknown := [number for number in request.kinds if number not in _KINDS]:
        names = ", ".join(kind.name for kind in DifferenceKind)
        raise InvalidArgument.field("kinds", f"must be of {names}; {unknown[0]} is none")
    return frozenset(_KINDS[number] for number in request.kinds) or DIFFERENT


def _pack_counts(counts: Counts) -> comparisons_pb2.DifferenceCounts:
    return comparisons_pb2.DifferenceCounts(
        added_count=counts.added,
        removed_count=counts.removed,
        changed_count=counts.changed,
        unchanged_count=counts.unchanged,
    )
