"""The calls of a merge, as tests make them."""

from typing import Any

from google.longrunning import operations_pb2
from mooring.v1 import merges_pb2
from support_discovery import done
from support_server import Caller

TARGET, SOURCE, NEWEST = (
    merges_pb2.MergeSide.Value(f"MERGE_SIDE_{name}") for name in ("TARGET", "SOURCE", "NEWEST")
)
PRESERVE, OVERWRITE, COMBINE = (
    merges_pb2.MergeStrategy.Value(f"MERGE_STRATEGY_{name}")
    for name in ("PRESERVE_TARGET", "OVERWRITE", "COMBINE")
)


def plan(
    source: str, strategy: int = COMBINE, conflicts: int = TARGET, **fields: Any
) -> merges_pb2.MergePlan:
    """What to merge; `fields` are the plan's."""
    return merges_pb2.MergePlan(source=source, strategy=strategy, conflicts=conflicts, **fields)


def preview(caller: Caller, target: str, wanted: merges_pb2.MergePlan) -> merges_pb2.PreviewMergeResponse:
    return caller.sessions.PreviewMerge(merges_pb2.PreviewMergeRequest(name=target, plan=wanted))


def start(
    caller: Caller, target: str, wanted: merges_pb2.MergePlan, digest: str = "", **fields: Any
) -> operations_pb2.Operation:
    """Begins a merge; `fields` are the request's."""
    return caller.sessions.MergeSessions(
        merges_pb2.MergeSessionsRequest(name=target, plan=wanted, digest=digest, **fields)
    )


def merge(caller: Caller, target: str, wanted: merges_pb2.MergePlan, digest: str = "") -> merges_pb2.Merge:
    """Merges; the record of it."""
    operation = done(caller, start(caller, target, wanted, digest))
    assert operation.WhichOneof("result") == "response", operation.error
    response = merges_pb2.MergeSessionsResponse()
    assert operation.response.Unpack(response)
    return response.merge


def revert(caller: Caller, name: str, *, force: bool = False) -> merges_pb2.Merge:
    return caller.sessions.RevertMerge(merges_pb2.RevertMergeRequest(name=name, force=force)).merge


def drops(caller: Caller, name: str, page_size: int = 50) -> dict[tuple[str, str], tuple[str, str, int]]:
    """What a merge left out: the target's value, the source's, and whose was taken.

    By field and an asset's name; a dependency's alone is not its own, so its id goes with it.
    """
    request = merges_pb2.ListMergeDropsRequest(parent=name, page_size=page_size)
    found = {}
    while True:
        page = caller.sessions.ListMergeDrops(request)
        for each in page.drops:
            for value in each.values:
                is_asset = "/assets/" in each.resource
                id = "" if is_asset else f" {each.resource.rpartition('/')[2]}"
                key = f"{each.display_name}{id}", value.field
                assert key not in found
                found[key] = value.target, value.source, value.taken
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token
