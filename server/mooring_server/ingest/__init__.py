from mooring_server.ingest.inventory import AssetRow, DependencyRow, End, Inventory, Reader, RejectedRow, Rows
from mooring_server.ingest.limits import Limits
from mooring_server.ingest.options import ColumnUse, ReadOptions
from mooring_server.ingest.readers import open_inventory

__all__ = [
    "AssetRow",
    "ColumnUse",
    "DependencyRow",
    "End",
    "Inventory",
    "Limits",
    "ReadOptions",
    "Reader",
    "RejectedRow",
    "Rows",
    "open_inventory",
]
