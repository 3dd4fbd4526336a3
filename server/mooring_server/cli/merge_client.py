"""Calls about merges: previewed, done, listed, undone."""

from google.longrunning import operations_pb2
from mooring.v1 import merges_pb2, sessions_pb2_grpc

from mooring_server.cli.connection import Connection, Listed, refused, request_id


class Merges:
    """What can be asked about merges; sessions are `engagements/{e}/sessions/{s}` here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._call = connection.call
        self._sessions = sessions_pb2_grpc.SessionServiceStub(connection.channel)

    def preview(self, target: str, plan: merges_pb2.MergePlan) -> merges_pb2.PreviewMergeResponse:
        """What a merge would do."""
        request = merges_pb2.PreviewMergeRequest(name=target, plan=plan)
        return self._call(self._sessions.PreviewMerge, request, timeout_s=None)

    def conflicts(
        self, request: merges_pb2.ListMergeConflictsRequest, limit: int
    ) -> Listed[merges_pb2.MergeConflict]:
        """The first conflicts; 0 for all."""
        return self._connection.first(self._sessions.ListMergeConflicts, request, "conflicts", limit)

    def start(self, target: str, plan: merges_pb2.MergePlan, digest: str) -> operations_pb2.Operation:
        """Begin a merge."""
        request = merges_pb2.MergeSessionsRequest(
            name=target, plan=plan, digest=digest, request_id=request_id()
        )
        return self._call(self._sessions.MergeSessions, request)

    def history(self, engagement: str, limit: int) -> Listed[merges_pb2.Merge]:
        """The first merges of an engagement, newest first; 0 for all."""
        request = merges_pb2.ListMergesRequest(parent=engagement)
        return self._connection.first(self._sessions.ListMerges, request, "merges", limit)

    def drops(self, merge: str, limit: int) -> Listed[merges_pb2.MergeDrop]:
        """The first of what a merge left out; 0 for all."""
        request = merges_pb2.ListMergeDropsRequest(parent=merge)
        return self._connection.first(self._sessions.ListMergeDrops, request, "drops", limit)

    def revert(self, name: str, *, force: bool, validate_only: bool = False) -> merges_pb2.Merge:
        """Undo a merge; with `force` also where the data was edited since."""
        request = merges_pb2.RevertMergeRequest(
            name=name, force=force, validate_only=validate_only, request_id=request_id()
        )
        return self._call(
            self._sessions.RevertMerge, request, timeout_s=None, changes=not validate_only
        ).merge


def merge_of(operation: operations_pb2.Operation) -> merges_pb2.Merge:
    """The record of a merge that is over.

    Raises:
        Refused: it failed.
    """
    if operation.HasField("error"):
        raise refused(operation.error)
    response = merges_pb2.MergeSessionsResponse()
    operation.response.Unpack(response)
    return response.merge
