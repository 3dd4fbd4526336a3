"""Calls about sessions that move: each as one file, out of a server and into it."""

from collections.abc import Generator

from google.longrunning import operations_pb2
from mooring.v1 import sessions_pb2_grpc, transfers_pb2

from mooring_server.cli.connection import Connection, refused, request_id


class Transfers:
    """What can be asked about sessions that move."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sessions = sessions_pb2_grpc.SessionServiceStub(connection.channel)

    def export(self, session: str) -> Generator[transfers_pb2.ExportSessionResponse]:
        """The pieces of the file of `engagements/{e}/sessions/{s}`; the first has the header."""
        request = transfers_pb2.ExportSessionRequest(name=session)
        return self._connection.stream(self._sessions.ExportSession, request)

    def start(
        self, engagement: str, upload_id: str, *, display_name: str, session_id: str, keep_ids: bool
    ) -> operations_pb2.Operation:
        """Begin to make a session of an upload to `engagements/{e}`."""
        request = transfers_pb2.ImportSessionRequest(
            parent=engagement,
            upload_id=upload_id,
            display_name=display_name,
            session_id=session_id,
            keep_ids=keep_ids,
            request_id=request_id(),
        )
        return self._connection.call(self._sessions.ImportSession, request)


def imported_of(operation: operations_pb2.Operation) -> transfers_pb2.ImportSessionResponse:
    """What became of the import of a session that is over.

    Raises:
        Refused: it failed.
    """
    if operation.HasField("error"):
        raise refused(operation.error)
    response = transfers_pb2.ImportSessionResponse()
    operation.response.Unpack(response)
    return response
