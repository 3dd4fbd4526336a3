"""`mooring.v1.DiscoveryService`."""

import asyncio
from typing import Any

import grpc
from mooring.v1 import discovery_pb2, landscape_pb2

from mooring_server.api import assets, dependencies, imports
from mooring_server.api.calls import decode
from mooring_server.api.driver import Driver
from mooring_server.api.uploads import UPLOAD, Uploads
from mooring_server.background import Operations
from mooring_server.core import discovery, sessions
from mooring_server.core.names import Kind
from mooring_server.store import Tx

_SERVICE = discovery_pb2.DESCRIPTOR.services_by_name["DiscoveryService"]
_LANDSCAPE = f"{_SERVICE.full_name}/GetLandscape"


def handler(driver: Driver, running: Operations) -> grpc.GenericRpcHandler:
    """The service."""

    uploads = Uploads(driver)
    landscapes = _Landscapes(driver)
    return driver.service(
        _SERVICE,
        {
            "ImportInventory": imports.import_inventory(running),
            "ListImports": imports.list_imports,
            "GetImport": imports.get_import,
            "RevertImport": imports.revert_import,
            "ListAssets": assets.list_assets,
            "GetAsset": assets.get_asset,
            "UpdateAsset": assets.update_asset,
            "DeleteAsset": assets.delete_asset,
            "ListDependencies": dependencies.list_dependencies,
            "GetDependency": dependencies.get_dependency,
            "UpdateDependency": dependencies.update_dependency,
            "DeleteDependency": dependencies.delete_dependency,
        },
        {
            "UploadInventory": grpc.stream_unary_rpc_method_handler(driver.guarded(UPLOAD, uploads.receive)),
            "GetLandscape": grpc.unary_unary_rpc_method_handler(driver.guarded(_LANDSCAPE, landscapes.get)),
        },
        checks={"UpdateAsset": assets.edit, "UpdateDependency": dependencies.edit},
    )


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
        landscape = await self._store.read(lambda tx: tx.landscapes.aggregate(version_id), long=True)
        await self._store.write(lambda tx: tx.landscapes.put(version_id, landscape))
        return landscape


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
