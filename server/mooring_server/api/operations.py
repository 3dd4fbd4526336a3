"""`google.longrunning.Operations`, over the operations of sessions."""

import asyncio
import contextlib
from typing import Any

import grpc
from google.longrunning import operations_pb2
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from mooring.v1 import imports_pb2, merges_pb2, transfers_pb2

from mooring_server.api import failures
from mooring_server.api.calls import Call, decode
from mooring_server.api.driver import Driver
from mooring_server.api.merge_messages import pack_merge
from mooring_server.background import Operations
from mooring_server.core import operations
from mooring_server.core.imports import IMPORT
from mooring_server.core.merges import MERGE
from mooring_server.core.names import Kind
from mooring_server.core.transfers import IMPORT_SESSION
from mooring_server.errors import InvalidArgument
from mooring_server.settings import Settings
from mooring_server.store import Tx
from mooring_server.store.records import Merge, Operation

_SERVICE = operations_pb2.DESCRIPTOR.services_by_name["Operations"]
_WAIT = f"{_SERVICE.full_name}/WaitOperation"

# How often a waiting call looks for itself: another process may run the operation.
_LOOK_S = 1.0


def handler(driver: Driver, running: Operations) -> grpc.GenericRpcHandler:
    """The service."""
    store = driver.store

    async def wait_operation(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        request = decode(operations_pb2.WaitOperationRequest, data)
        caller = await driver.identify(context)

        admission = driver.admission(_WAIT, caller)

        def look(tx: Tx) -> Operation:
            return _find(tx, admission(tx, request.name))

        operation = await store.read(look)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _wait_s(request, driver.settings)
        with running.ending(operation.id) as ended:
            while True:
                ended.clear()
                operation = await store.read(look)
                left_s = deadline - loop.time()
                if operation.state in operations.ENDED or left_s <= 0 or running.closed:
                    packed: bytes = pack_operation(operation).SerializeToString()
                    return packed
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(left_s, _LOOK_S)):
                        await ended.wait()

    def cancel_operation(tx: Tx, call: Call, request: operations_pb2.CancelOperationRequest) -> Empty:
        operations.cancel(tx, *Kind.OPERATION.ids(request.name))
        return Empty()

    return driver.service(
        _SERVICE,
        {
            "GetOperation": get_operation,
            "ListOperations": list_operations,
            "CancelOperation": cancel_operation,
        },
        {"WaitOperation": grpc.unary_unary_rpc_method_handler(driver.guarded(_WAIT, wait_operation))},
    )


def get_operation(
    tx: Tx, call: Call, request: operations_pb2.GetOperationRequest
) -> operations_pb2.Operation:
    """One operation."""
    return pack_operation(_find(tx, request.name))


def list_operations(
    tx: Tx, call: Call, request: operations_pb2.ListOperationsRequest
) -> operations_pb2.ListOperationsResponse:
    """A page of a session's operations, newest first."""
    if request.filter:
        raise InvalidArgument.field("filter", "must be empty")
    window = call.window(request, request.name)
    engagement_id, session_id = Kind.SESSION.ids(request.name)
    page = operations.page(tx, engagement_id, session_id, window)
    return operations_pb2.ListOperationsResponse(
        operations=map(pack_operation, page.items),
        next_page_token=call.next_page_token(page.next_key, request.name),
    )


def pack_operation(operation: Operation) -> operations_pb2.Operation:
    """An operation as a message."""
    session = Kind.SESSION.of(operation.engagement_id, operation.session_id)
    progress = operation.progress
    packed = operations_pb2.Operation(
        name=Kind.OPERATION.of(operation.engagement_id, operation.session_id, operation.id),
        done=operation.state in operations.ENDED,
    )
    metadata, response = _PACKERS[operation.kind](
        operation, session, "done" if packed.done else progress.get("phase", "queued")
    )
    packed.metadata.Pack(metadata)
    if operation.error is not None:
        packed.error.CopyFrom(failures.status(operations.failure_from_json(operation.error)))
    elif response is not None:
        packed.response.Pack(response)
    return packed


def _pack_import(operation: Operation, session: str, phase: str) -> tuple[Message, Message | None]:
    """The metadata and, where it succeeded, the response of an import."""
    metadata = imports_pb2.ImportInventoryMetadata(
        session=session,
        file_name=operation.arguments["file_name"],
        phase=imports_pb2.ImportPhase.Value(f"IMPORT_PHASE_{phase.upper()}"),
        rows_done=operation.progress.get("rows_done", 0),
        rows_total=operation.progress.get("rows_total", 0),
    )
    if operation.result is None:
        return metadata, None
    report = ParseDict(operation.result, imports_pb2.ImportReport())
    return metadata, imports_pb2.ImportInventoryResponse(session=session, report=report)


def _pack_merge(operation: Operation, session: str, phase: str) -> tuple[Message, Message | None]:
    """The same of a merge."""
    source_id = operation.arguments["plan"]["source_id"]
    metadata = merges_pb2.MergeSessionsMetadata(
        session=session,
        source_session=Kind.SESSION.of(operation.engagement_id, source_id),
        phase=merges_pb2.MergePhase.Value(f"MERGE_PHASE_{phase.upper()}"),
        rows_done=operation.progress.get("rows_done", 0),
        rows_total=operation.progress.get("rows_total", 0),
    )
    if operation.result is None:
        return metadata, None
    # The write that ended it made the record.
    record = Merge(**operation.result, create_time=operation.update_time, revert_time=None, reverter_id=None)
    return metadata, merges_pb2.MergeSessionsResponse(merge=pack_merge(record, revertible=True))


def _pack_session_import(operation: Operation, session: str, phase: str) -> tuple[Message, Message | None]:
    """The same of an import of a session, which has another name than the one that it belongs to."""
    metadata = transfers_pb2.ImportSessionMetadata(
        engagement=Kind.ENGAGEMENT.of(operation.engagement_id),
        file_name=operation.arguments["file_name"],
        phase=imports_pb2.ImportPhase.Value(f"IMPORT_PHASE_{phase.upper()}"),
        rows_done=operation.progress.get("rows_done", 0),
        rows_total=operation.progress.get("rows_total", 0),
    )
    if operation.result is None:
        return metadata, None
    result = dict(operation.result)
    made = Kind.SESSION.of(operation.engagement_id, result.pop("session_id"))
    return metadata, transfers_pb2.ImportSessionResponse(session=made, **result)


_PACKERS = {IMPORT: _pack_import, MERGE: _pack_merge, IMPORT_SESSION: _pack_session_import}


def _find(tx: Tx, name: str) -> Operation:
    return operations.find(tx, *Kind.OPERATION.ids(name))


def _wait_s(request: operations_pb2.WaitOperationRequest, settings: Settings) -> float:
    """How long to wait: what the request says, never more than the setting, which stands for "not said"."""
    if not request.HasField("timeout"):
        return settings.operation_wait_max_s
    asked_s: float = request.timeout.seconds + request.timeout.nanos / 1e9
    return min(asked_s, settings.operation_wait_max_s)
