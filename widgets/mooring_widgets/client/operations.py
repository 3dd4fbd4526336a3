"""Waiting for a long operation, told how far it is; giving up on it cancels it."""

import asyncio
import contextlib
from collections.abc import Callable

from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty

from mooring_widgets.client.channel import Channel
from mooring_widgets.client.failures import from_status
from mooring_widgets.errors import MooringError

_PROGRESS_INTERVAL_MS = 300
_OPERATIONS = "/google.longrunning.Operations"


async def finished(
    channel: Channel, operation: operations_pb2.Operation, tell: Callable[[operations_pb2.Operation], None]
) -> operations_pb2.Operation:
    """Waits for the end of an operation; `tell` hears of each step, the last one too.

    Raises:
        MooringError: What it failed with.
    """
    try:
        while not operation.done:
            tell(operation)
            wait = operations_pb2.WaitOperationRequest(
                name=operation.name, timeout=Duration(nanos=_PROGRESS_INTERVAL_MS * 1_000_000)
            )
            operation = await channel.unary(f"{_OPERATIONS}/WaitOperation", wait, operations_pb2.Operation)
    except asyncio.CancelledError:
        with contextlib.suppress(MooringError):  # whatever becomes of that, this one ends as it was told to
            await channel.unary(
                f"{_OPERATIONS}/CancelOperation",
                operations_pb2.CancelOperationRequest(name=operation.name),
                Empty,
            )
        raise
    tell(operation)
    if operation.HasField("error"):
        raise from_status(operation.error)
    return operation
