from mooring_server.ingest.inventory import AssetRow, Inventory, RejectedRow
from mooring_server.ingest.limits import Limits
from mooring_server.ingest.readers import open_inventory

__all__ = ["AssetRow", "Inventory", "Limits", "RejectedRow", "open_inventory"]
