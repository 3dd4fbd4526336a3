"""Sessions that move: exported as a stream, imported as an operation."""

from __future__ import annotations  # the generic classes of grpc are generic in its stubs alone

from typing import Any

import grpc
from google.longrunning import operations_pb2
from mooring.v1 import transfers_pb2

from mooring_server.api.calls import Call, decode
from mooring_server.api.driver import Driver, Handler
from mooring_server.api.operations import pack_operation
from mooring_server.api.reading import write
from mooring_server.background import Operations, Reads
from mooring_server.core import transfers
from mooring_server.core.names import Kind
from mooring_server.core.transfers import Export
from mooring_server.store import Tx

_EXPORT = "mooring.v1.SessionService/ExportSession"


def export_session(driver: Driver, reads: Reads) -> grpc.RpcMethodHandler[Any, Any]:
    """The handler that streams a session as one file."""

    async def export(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        request = decode(transfers_pb2.ExportSessionRequest, data)
        admission = driver.admission(_EXPORT, await driver.identify(context))

        def plan(tx: Tx) -> Export:
            engagement_id, session_id = Kind.SESSION.ids(admission(tx, request.name))
            return transfers.export(tx, engagement_id, session_id, driver.settings)

        async with reads.export(await driver.store.read(plan, long=True)) as found:
            header = transfers_pb2.ExportHeader(data_version=found.label, asset_count=found.row_count)
            await write(context, transfers_pb2.ExportSessionResponse(header=header))
            async for piece in found.pieces:
                await write(context, transfers_pb2.ExportSessionResponse(data=piece))

    return grpc.unary_stream_rpc_method_handler(driver.guarded(_EXPORT, export))


def import_session(running: Operations) -> Handler:
    """The handler that queues the import of a session."""

    def handle(tx: Tx, call: Call, request: transfers_pb2.ImportSessionRequest) -> operations_pb2.Operation:
        (engagement_id,) = Kind.ENGAGEMENT.ids(request.parent, "parent")
        operation = transfers.request(
            tx,
            call.caller,
            engagement_id,
            request.upload_id,
            session_id=request.session_id,
            display_name=request.display_name,
            keep_ids=request.keep_ids,
        )
        call.after_commit(running.wake)
        return pack_operation(operation)

    return handle
