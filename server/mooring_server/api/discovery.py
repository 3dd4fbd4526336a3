"""`mooring.v1.DiscoveryService`."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.longrunning import operations_pb2
from mooring.v1 import assets_pb2, discovery_pb2, imports_pb2, landscape_pb2

from mooring_server.api.calls import Call, decode
from mooring_server.api.driver import Driver
from mooring_server.api.operations import pack_operation
from mooring_server.api.times import timestamp
from mooring_server.background import Operations
from mooring_server.core import discovery, lists, sessions
from mooring_server.core.names import Kind
from mooring_server.core.policy import Caller
from mooring_server.errors import InvalidArgument, MooringError, ResourceExhausted
from mooring_server.store import Tx
from mooring_server.store.records import Asset, AssetType, Upload

_SERVICE = discovery_pb2.DESCRIPTOR.services_by_name["DiscoveryService"]
_UPLOAD = f"{_SERVICE.full_name}/UploadInventory"
_LANDSCAPE = f"{_SERVICE.full_name}/GetLandscape"

_WIRE_TYPES = {type_: assets_pb2.AssetType.Value(f"ASSET_TYPE_{type_.name}") for type_ in AssetType}
_SAME_NAMES = (*discovery.VALUES, "attributes")


def handler(driver: Driver, running: Operations) -> grpc.GenericRpcHandler:
    """The service."""

    def import_inventory(
        tx: Tx, call: Call, request: imports_pb2.ImportInventoryRequest
    ) -> operations_pb2.Operation:
        engagement_id, session_id = Kind.SESSION.ids(request.parent, "parent")
        operation = discovery.request_import(tx, call.caller, engagement_id, session_id, request.upload_id)
        call.after_commit(running.wake)
        return pack_operation(operation)

    uploads = _Uploads(driver)
    landscapes = _Landscapes(driver)
    return driver.service(
        _SERVICE,
        {"ImportInventory": import_inventory, "ListAssets": list_assets},
        {
            "UploadInventory": grpc.stream_unary_rpc_method_handler(driver.guarded(_UPLOAD, uploads.receive)),
            "GetLandscape": grpc.unary_unary_rpc_method_handler(driver.guarded(_LANDSCAPE, landscapes.get)),
        },
    )


def list_assets(tx: Tx, call: Call, request: assets_pb2.ListAssetsRequest) -> assets_pb2.ListAssetsResponse:
    """A page of a session's assets."""
    engagement_id, session_id = Kind.SESSION.ids(request.parent, "parent")
    query = lists.query(lists.ASSETS, request, call.settings)
    window = call.window(request, request.parent, *query.scope)
    found = discovery.list_assets(tx, engagement_id, session_id, query, window)
    return assets_pb2.ListAssetsResponse(
        assets=[_pack_asset(request.parent, asset) for asset in found.assets],
        next_page_token=call.next_page_token(found.next_key, request.parent, *query.scope),
        total_size=found.total.rows,
        total_size_at_least=found.total.at_least,
        data_version=found.version_id,
    )


class _Uploads:
    """Receives files: checked as they come, kept in pieces of one size however they were cut."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._store = driver.store
        self._settings = driver.settings

    async def receive(
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
        engagement_id, session_id = Kind.SESSION.ids(parent, "header.parent")
        return discovery.open_upload(tx, caller, engagement_id, session_id, header.file_name, header.sha256)

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


class _Landscapes:
    """Sums over data versions: computed at the first question, then kept, since a version never changes."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._store = driver.store
        self._running: dict[str, asyncio.Task[dict[str, Any]]] = {}

    async def get(self, data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """A session's landscape."""
        request = decode(landscape_pb2.GetLandscapeRequest, data)
        admission = self._driver.admission(_LANDSCAPE, await self._driver.identify(context))

        def look(tx: Tx) -> tuple[str, str | None, dict[str, Any] | None]:
            name = admission(tx, request.name)
            version_id = sessions.get(tx, *Kind.LANDSCAPE.ids(name)).data_version_id
            return name, version_id, tx.landscapes.get(version_id) if version_id else None

        name, version_id, landscape = await self._store.read(look)
        if version_id and landscape is None:
            landscape = await self._compute(version_id)
        return _pack_landscape(name, version_id, landscape or discovery.empty_landscape()).SerializeToString()

    async def _compute(self, version_id: str) -> dict[str, Any]:
        """Many may ask at once: one computes, whoever hangs up meanwhile."""
        task = self._running.get(version_id)
        if task is None:
            task = self._running[version_id] = asyncio.create_task(self._aggregate(version_id))
            task.add_done_callback(lambda _: self._running.pop(version_id))
        return await asyncio.shield(task)

    async def _aggregate(self, version_id: str) -> dict[str, Any]:
        landscape = await self._store.read(lambda tx: tx.assets.aggregate(version_id), long=True)
        await self._store.write(lambda tx: tx.landscapes.put(version_id, landscape))
        return landscape


def _pack_asset(parent: str, asset: Asset) -> assets_pb2.Asset:
    return assets_pb2.Asset(
        name=f"{parent}/assets/{asset.id}",
        type=_WIRE_TYPES[asset.type],
        provenance=assets_pb2.Provenance(
            file=asset.source_file, sheet=asset.source_sheet, row=asset.source_row
        ),
        create_time=timestamp(asset.create_time),
        update_time=timestamp(asset.update_time),
        **{name: getattr(asset, name) for name in _SAME_NAMES},
    )


def _pack_landscape(name: str, version_id: str | None, landscape: dict[str, Any]) -> landscape_pb2.Landscape:
    return landscape_pb2.Landscape(
        name=name,
        data_version=version_id or "",
        totals=_pack_totals(landscape["totals"]),
        groups=[
            landscape_pb2.LandscapeGroup(
                field=group["field"],
                buckets=[
                    landscape_pb2.LandscapeBucket(value=bucket["value"], totals=_pack_totals(bucket))
                    for bucket in group["buckets"]
                ],
                value_count=group["value_count"],
            )
            for group in landscape["groups"]
        ],
    )


def _pack_totals(sums: dict[str, Any]) -> landscape_pb2.LandscapeTotals:
    names = ("asset_count", "cpu_cores", "memory_bytes", "storage_bytes")
    return landscape_pb2.LandscapeTotals(**{name: sums[name] for name in names})
