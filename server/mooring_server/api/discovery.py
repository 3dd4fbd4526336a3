"""`mooring.v1.DiscoveryService`."""

import grpc
from mooring.v1 import discovery_pb2

from mooring_server.api import assets, dependencies, imports, reading
from mooring_server.api.driver import Driver
from mooring_server.api.landscape import Landscapes
from mooring_server.api.previews import Previews
from mooring_server.api.uploads import Uploads
from mooring_server.background import Operations, Reads

_SERVICE = discovery_pb2.DESCRIPTOR.services_by_name["DiscoveryService"]


def handler(driver: Driver, running: Operations, reads: Reads) -> grpc.GenericRpcHandler:
    """The service."""
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
            "UploadInventory": Uploads(driver).handler(),
            **reading.handlers(driver, reads),
            "PreviewInventory": Previews(driver).handler(),
            "GetLandscape": Landscapes(driver).handler(),
        },
        checks={"UpdateAsset": assets.edit, "UpdateDependency": dependencies.edit},
    )
