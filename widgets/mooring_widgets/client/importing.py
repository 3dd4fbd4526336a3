"""Importing an inventory: the upload in pieces, then the operation until its end."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from google.longrunning import operations_pb2
from mooring.v1 import imports_pb2

from mooring_widgets.client import decode_discovery
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.operations import finished
from mooring_widgets.client.reports import ImportOptions, ImportReport, Progress, Upload

_CHUNK_BYTES = 512 * 2**10
_UPLOAD_TIMEOUT_S = 600.0
_DISCOVERY = "/mooring.v1.DiscoveryService"


async def upload(
    channel: Channel, parent: str, path: Path, name: str, on_progress: Callable[[Progress], None]
) -> Upload:
    """Uploads a file for `parent`; see `MooringClient.upload_inventory`."""
    size_bytes, sha256 = await asyncio.to_thread(_measure, path)

    async def pieces() -> AsyncIterator[imports_pb2.UploadInventoryRequest]:
        header = imports_pb2.UploadHeader(parent=parent, file_name=name, sha256=sha256)
        yield imports_pb2.UploadInventoryRequest(header=header)
        sent = 0
        with await asyncio.to_thread(path.open, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                yield imports_pb2.UploadInventoryRequest(chunk=chunk)
                sent += len(chunk)
                on_progress(Progress("uploading", sent, size_bytes))

    answer = await channel.upload(
        f"{_DISCOVERY}/UploadInventory",
        pieces,
        imports_pb2.UploadInventoryResponse,
        timeout_s=_UPLOAD_TIMEOUT_S,
    )
    return Upload(answer.upload_id, name, answer.size_bytes)


async def import_upload(
    channel: Channel,
    session: str,
    upload_id: str,
    options: ImportOptions,
    request_id: str,
    on_progress: Callable[[Progress], None],
) -> ImportReport:
    """Imports an upload into `session`; see `MooringClient.import_upload`."""
    request = imports_pb2.ImportInventoryRequest(
        parent=session,
        upload_id=upload_id,
        request_id=request_id,
        options=decode_discovery.options_message(options),
    )
    operation = await channel.unary(f"{_DISCOVERY}/ImportInventory", request, operations_pb2.Operation)
    operation = await finished(channel, operation, lambda each: _tell(each, on_progress))
    answer = imports_pb2.ImportInventoryResponse()
    operation.response.Unpack(answer)
    return decode_discovery.report(answer.session, answer.report)


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), sha256


def _tell(operation: operations_pb2.Operation, on_progress: Callable[[Progress], None]) -> None:
    metadata = imports_pb2.ImportInventoryMetadata()
    if operation.metadata.Unpack(metadata):
        on_progress(decode_discovery.progress(metadata))
