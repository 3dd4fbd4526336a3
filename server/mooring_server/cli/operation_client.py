"""Calls about operations, whatever they do: listed, waited for, cancelled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import duration_pb2
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from mooring.v1 import imports_pb2, merges_pb2, transfers_pb2

from mooring_server.cli.connection import Connection, Listed, refused
from mooring_server.cli.console import ExitCode, Failure, complain
from mooring_server.cli.plain import enum_name
from mooring_server.cli.progress import OnProgress

POLL_S = 0.3


@dataclass(frozen=True, slots=True)
class State:
    """What an operation does and how far it is: an `import` of `estate.csv`, `writing`, rows of rows.

    `metadata` is all of it, as the server told it.
    """

    noun: str
    of: str
    phase: str
    rows_done: int
    rows_total: int
    metadata: Message

    @property
    def what(self) -> str:
        """`import of estate.csv`."""
        return f"{self.noun} of {self.of}"


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
        self, operation: operations_pb2.Operation, on_progress: OnProgress | None = None
    ) -> operations_pb2.Operation:
        """The operation once it is over."""
        while True:
            if on_progress is not None:
                state = state_of(operation)
                on_progress(state.phase, state.rows_done, state.rows_total)
            if operation.done:
                return operation
            wait = operations_pb2.WaitOperationRequest(
                name=operation.name, timeout=duration_pb2.Duration(nanos=int(POLL_S * 1e9))
            )
            operation = self._call(self._operations.WaitOperation, wait)

    def finished_or_cancelled(
        self, operation: operations_pb2.Operation, on_progress: OnProgress
    ) -> operations_pb2.Operation:
        """The same; an interrupt cancels it on the server before the command ends.

        Raises:
            Failure: it was interrupted, in time.
        """
        try:
            return self.finished(operation, on_progress)
        except KeyboardInterrupt:
            noun = state_of(operation).noun
            self.cancel(operation)
            operation = self.finished(operation)
            if operation.HasField("error"):
                reason = refused(operation.error).reason
                raise Failure(
                    f"interrupted: the {noun} was cancelled and changed nothing [{reason}]",
                    ExitCode.INTERRUPTED,
                ) from None
            complain(f"interrupted too late: the {noun} had finished already")
            return operation


def state_of(operation: operations_pb2.Operation) -> State:
    """How an operation stands."""
    for kind, (noun, phases, of) in _KINDS.items():
        metadata: Any = kind()
        if operation.metadata.Unpack(metadata):
            phase = enum_name(phases, metadata.phase)
            said = _PHASES.get(phase, phase)
            return State(noun, of(metadata), said, metadata.rows_done, metadata.rows_total, metadata)
    return State("operation", operation.name, "working", 0, 0, operation.metadata)  # of a newer server


_PHASES = {"": "working", "queued": "waiting for its turn"}
_Kind = tuple[str, EnumDescriptor, Callable[[Any], str]]
_KINDS: dict[type[Message], _Kind] = {
    imports_pb2.ImportInventoryMetadata: (
        "import",
        imports_pb2.ImportPhase.DESCRIPTOR,
        lambda metadata: metadata.file_name,
    ),
    transfers_pb2.ImportSessionMetadata: (
        "import",
        imports_pb2.ImportPhase.DESCRIPTOR,
        lambda metadata: metadata.file_name,
    ),
    merges_pb2.MergeSessionsMetadata: (
        "merge",
        merges_pb2.MergePhase.DESCRIPTOR,
        lambda metadata: metadata.source_session.rpartition("/")[2],
    ),
}
