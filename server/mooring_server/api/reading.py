"""ReadAssets and ReadDependencies: Arrow, as a stream of messages."""

from __future__ import annotations  # the generic classes of grpc are generic in its stubs alone

import asyncio
from collections.abc import Mapping
from typing import Any

import grpc
from mooring.v1 import assets_pb2, dependencies_pb2

from mooring_server.api.calls import decode
from mooring_server.api.driver import Driver
from mooring_server.background import Reads
from mooring_server.core import reading
from mooring_server.core.names import Kind
from mooring_server.core.reading import Bulk, Plan
from mooring_server.errors import DeadlineExceeded
from mooring_server.store import Tx

# A caller who takes nothing for so long is not coming back.
_PATIENCE_S = 300.0

_READS: Mapping[str, tuple[Bulk, Any, Any]] = {
    "ReadAssets": (reading.ASSETS, assets_pb2.ReadAssetsRequest, assets_pb2.ReadAssetsResponse),
    "ReadDependencies": (
        reading.DEPENDENCIES,
        dependencies_pb2.ReadDependenciesRequest,
        dependencies_pb2.ReadDependenciesResponse,
    ),
}


def handlers(driver: Driver, reads: Reads) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """The handlers of the bulk reads, by method name."""
    return {name: _handler(driver, reads, name, *each) for name, each in _READS.items()}


def _handler(
    driver: Driver, reads: Reads, name: str, bulk: Bulk, request_class: Any, answer_class: Any
) -> grpc.RpcMethodHandler[Any, Any]:
    rpc = f"mooring.v1.DiscoveryService/{name}"

    async def read(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        request = decode(request_class, data)
        admission = driver.admission(rpc, await driver.identify(context))

        def plan(tx: Tx) -> Plan:
            engagement_id, session_id = Kind.SESSION.ids(admission(tx, request.parent), "parent")
            return reading.plan(
                tx, bulk, engagement_id, session_id, request.fields, request.filter, driver.settings
            )

        async with reads.open(await driver.store.read(plan, long=True)) as found:
            header = assets_pb2.ReadHeader(data_version=found.label, row_count=found.row_count)
            await write(context, answer_class(header=header))
            async for piece in found.pieces:
                await write(context, answer_class(data=piece))

    return grpc.unary_stream_rpc_method_handler(driver.guarded(rpc, read))


async def write(context: grpc.aio.ServicerContext[Any, Any], message: Any) -> None:
    """Sends a message of a stream.

    Raises:
        DeadlineExceeded: nothing was taken for too long.
    """
    try:
        # Waits while the connection is full: what is unread stays in its file.
        async with asyncio.timeout(_PATIENCE_S):
            await context.write(message.SerializeToString())
    except TimeoutError:
        raise DeadlineExceeded("nothing was taken for five minutes; read it again") from None
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None  # the reader left in the middle of a message
