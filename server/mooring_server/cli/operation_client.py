"""Calls about operations, whatever they do: listed, waited for, cancelled."""

from collections.abc import Callable

from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import duration_pb2

from mooring_server.cli.connection import Connection, Listed

POLL_S = 0.3


class Operations:
    """What can be asked about the operations of sessions, which are `engagements/{e}/sessions/{s}` here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._call = connection.call
        self._operations = operations_pb2_grpc.OperationsStub(connection.channel)

    def list(self, session: str, limit: int) -> Listed[operations_pb2.Operation]:
        """The first operations of a session, newest first; 0 for all."""
        request = operations_pb2.ListOperationsRequest(name=session)
        return self._connection.first(self._operations.ListOperations, request, "operations", limit)

    def get(self, name: str) -> operations_pb2.Operation:
        """The operation `engagements/{e}/sessions/{s}/operations/{o}` as it is now."""
        return self._call(self._operations.GetOperation, operations_pb2.GetOperationRequest(name=name))

    def cancel(self, operation: operations_pb2.Operation) -> None:
        """Ask for an operation to end; `finished` then tells how it did."""
        request = operations_pb2.CancelOperationRequest(name=operation.name)
        self._call(self._operations.CancelOperation, request)

    def finished(
        self, operation: operations_pb2.Operation, tell: Callable[[operations_pb2.Operation], None]
    ) -> operations_pb2.Operation:
        """The operation once it is over; `tell` hears now and then how it stands."""
        while True:
            tell(operation)
            if operation.done:
                return operation
            wait = operations_pb2.WaitOperationRequest(
                name=operation.name, timeout=duration_pb2.Duration(nanos=int(POLL_S * 1e9))
            )
            operation = self._call(self._operations.WaitOperation, wait)
