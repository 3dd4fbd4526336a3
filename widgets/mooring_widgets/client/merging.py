"""The methods about merges: previewed, done, listed, undone."""

import uuid
from collections.abc import Callable, Collection

from google.longrunning import operations_pb2
from mooring.v1 import merges_pb2

from mooring_widgets.client import decode_merges
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.merges import MergeConflict, MergeDrop, MergePlan, MergePreview, MergeRecord
from mooring_widgets.client.operations import finished
from mooring_widgets.client.reports import Progress
from mooring_widgets.client.snapshots import PageOf

_SERVICE = "/mooring.v1.SessionService"


class MergeCalls:
    """The part of `MooringClient` that is about merges. A `target` is a session's full name."""

    _channel: Channel

    async def preview_merge(self, target: str, plan: MergePlan) -> MergePreview:
        """What a merge into a session would do; nothing is changed.

        Raises:
            InvalidArgument: For a plan that is wrong.
        """
        request = merges_pb2.PreviewMergeRequest(name=target, plan=decode_merges.plan_message(plan))
        answer = await self._channel.unary(
            f"{_SERVICE}/PreviewMerge", request, merges_pb2.PreviewMergeResponse
        )
        return decode_merges.preview(answer)

    async def list_merge_conflicts(
        self,
        target: str,
        plan: MergePlan,
        *,
        page_size: int = 50,
        page_token: str = "",
        filter: str = "",
        order_by: str = "",
        fields: Collection[str] = (),
    ) -> PageOf[MergeConflict]:
        """The assets that a merge has conflicts in, by display name.

        Args:
            target: The session to merge into.
            plan: What is merged, and how.
            page_size: At most 1,000.
            page_token: Where the page starts.
            filter: AIP-160, of an asset as the target has it.
            order_by: `display_name`, and ` desc` to turn it round.
            fields: Only those with a conflict in one of them.

        Raises:
            InvalidArgument: For a wrong filter, and for a token once either side has moved on.
        """
        request = merges_pb2.ListMergeConflictsRequest(
            parent=target,
            plan=decode_merges.plan_message(plan),
            page_size=page_size,
            page_token=page_token,
            filter=filter,
            order_by=order_by,
            fields=fields,
        )
        answer = await self._channel.unary(
            f"{_SERVICE}/ListMergeConflicts", request, merges_pb2.ListMergeConflictsResponse
        )
        items = tuple(map(decode_merges.conflict, answer.conflicts))
        return PageOf(items, -1, answer.next_page_token)

    async def merge_sessions(
        self,
        target: str,
        plan: MergePlan,
        *,
        digest: str = "",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> MergeRecord:
        """Merges a session into another, all or nothing; cancelling it cancels the merge.

        With `digest`, that of a preview, it is exactly what was previewed.

        Raises:
            Conflict: MERGE_MOVED, where the plan or either side is not what was previewed.
            PermissionDenied: For who may only look.
        """
        request = merges_pb2.MergeSessionsRequest(
            name=target, plan=decode_merges.plan_message(plan), digest=digest, request_id=str(uuid.uuid4())
        )

        def tell(operation: operations_pb2.Operation) -> None:
            metadata = merges_pb2.MergeSessionsMetadata()
            if on_progress is not None and operation.metadata.Unpack(metadata):
                on_progress(decode_merges.progress(metadata))

        begun = await self._channel.unary(f"{_SERVICE}/MergeSessions", request, operations_pb2.Operation)
        operation = await finished(self._channel, begun, tell)
        answer = merges_pb2.MergeSessionsResponse()
        operation.response.Unpack(answer)
        return decode_merges.record(answer.merge)

    async def get_merge(self, name: str) -> MergeRecord:
        """One merge."""
        request = merges_pb2.GetMergeRequest(name=name)
        return decode_merges.record(
            await self._channel.unary(f"{_SERVICE}/GetMerge", request, merges_pb2.Merge)
        )

    async def list_merges(
        self, engagement: str, *, page_size: int = 50, page_token: str = ""
    ) -> PageOf[MergeRecord]:
        """The merges of an engagement, newest first."""
        request = merges_pb2.ListMergesRequest(parent=engagement, page_size=page_size, page_token=page_token)
        answer = await self._channel.unary(f"{_SERVICE}/ListMerges", request, merges_pb2.ListMergesResponse)
        return PageOf(tuple(map(decode_merges.record, answer.merges)), -1, answer.next_page_token)

    async def list_merge_drops(
        self, merge: str, *, page_size: int = 50, page_token: str = ""
    ) -> PageOf[MergeDrop]:
        """What of both sides is not in the result of a merge."""
        request = merges_pb2.ListMergeDropsRequest(parent=merge, page_size=page_size, page_token=page_token)
        answer = await self._channel.unary(
            f"{_SERVICE}/ListMergeDrops", request, merges_pb2.ListMergeDropsResponse
        )
        return PageOf(tuple(map(decode_merges.drop, answer.drops)), -1, answer.next_page_token)

    async def revert_merge(
        self, name: str, *, force: bool = False, validate_only: bool = False
    ) -> MergeRecord:
        """Undoes a merge; with `validate_only` it is only checked.

        Raises:
            FailedPrecondition: DATA_EDITED, where edits would be lost, unless `force`; NOT_REVERTIBLE.
        """
        request = merges_pb2.RevertMergeRequest(
            name=name, force=force, validate_only=validate_only, request_id=str(uuid.uuid4())
        )
        answer = await self._channel.unary(f"{_SERVICE}/RevertMerge", request, merges_pb2.RevertMergeResponse)
        return decode_merges.record(answer.merge)
