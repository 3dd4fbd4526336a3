"""UploadInventory: files that arrive, checked as they come."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
from mooring.v1 import imports_pb2

from mooring_server.api.calls import decode
from mooring_server.api.driver import Driver
from mooring_server.core import imports, sessions
from mooring_server.core.names import Kind, parse
from mooring_server.core.policy import Caller
from mooring_server.errors import InvalidArgument, MooringError, ResourceExhausted
from mooring_server.store import Tx
from mooring_server.store.records import Upload

_UPLOAD = "mooring.v1.DiscoveryService/UploadInventory"


class Uploads:
    """Receives files: checked as they come, kept in pieces of one size however they were cut."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._store = driver.store
        self._settings = driver.settings

    def handler(self) -> grpc.RpcMethodHandler[Any, Any]:
        """The RPC."""
        return grpc.stream_unary_rpc_method_handler(self._driver.guarded(_UPLOAD, self._receive))

    async def _receive(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]
    ) -> bytes:
        """Answers what has arrived; on any failure nothing of it is kept."""
        parts = (decode(imports_pb2.UploadInventoryRequest, data) async for data in requests)
        header = await _header(parts)
        caller = await self._driver.identify(context)
        admission = self._driver.admission(_UPLOAD, caller)
        upload = await self._store.write(
            lambda tx: self._open(tx, caller, admission(tx, header.parent), header),
            actor=f"users/{caller.user_id}",
        )
        try:
            complete = await self._keep(upload, header, parts)
        except BaseException:
            # Where this fails, the cleanup does it later.
            with contextlib.suppress(MooringError):
                await self._store.write(lambda tx: tx.uploads.delete(upload.id))
            raise
        return imports_pb2.UploadInventoryResponse(
            upload_id=complete.id, sha256=complete.sha256, size_bytes=complete.size_bytes
        ).SerializeToString()

    def _open(self, tx: Tx, caller: Caller, parent: str, header: imports_pb2.UploadHeader) -> Upload:
        kind, ids = parse(parent, (Kind.SESSION, Kind.ENGAGEMENT), "header.parent")
        # What is for no session yet waits with the default one.
        engagement_id, session_id = ids if kind is Kind.SESSION else (ids[0], sessions.default(tx, ids[0]).id)
        return imports.open_upload(tx, caller, engagement_id, session_id, header.file_name, header.sha256)

    async def _keep(
        self,
        upload: Upload,
        header: imports_pb2.UploadHeader,
        parts: AsyncIterator[imports_pb2.UploadInventoryRequest],
    ) -> Upload:
        piece_max = self._settings.upload_chunk_max_bytes
        hashed = hashlib.sha256()
        buffer = bytearray()
        size = count = 0

        async def flush() -> None:
            nonlocal count
            index, data = count, bytes(buffer[:piece_max])
            await self._store.write(lambda tx: tx.uploads.add_chunk(upload.id, index, data))
            del buffer[:piece_max]
            count += 1

        async for part in parts:
            if part.WhichOneof("part") != "chunk":
                raise InvalidArgument("after its header an upload holds chunks alone")
            if len(part.chunk) > piece_max:
                raise _too_large("a chunk", piece_max, "upload_chunk_max_bytes")
            size += len(part.chunk)
            if size > self._settings.upload_size_max_bytes:
                raise _too_large("the file", self._settings.upload_size_max_bytes, "upload_size_max_bytes")
            hashed.update(part.chunk)
            buffer += part.chunk
            if len(buffer) >= piece_max:
                await flush()
        if buffer:
            await flush()
        if not size:
            raise InvalidArgument("the file is empty", reason="UNREADABLE_INVENTORY")
        digest = hashed.hexdigest()
        if header.sha256 and header.sha256.lower() != digest:
            raise InvalidArgument.field(
                "header.sha256", f"the {size:,} bytes that arrived have another hash; upload the file again"
            )
        return await self._store.write(lambda tx: tx.uploads.complete(upload.id, digest, size, count))


async def _header(
    parts: AsyncIterator[imports_pb2.UploadInventoryRequest],
) -> imports_pb2.UploadHeader:
    async for part in parts:
        if part.WhichOneof("part") == "header":
            return part.header
        break
    raise InvalidArgument("an upload begins with its header")


def _too_large(what: str, most: int, setting: str) -> ResourceExhausted:
    return ResourceExhausted(f"{what} has more than {most:,} bytes (setting `{setting}`)")
