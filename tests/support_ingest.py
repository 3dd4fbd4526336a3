"""What tests of reading files share."""

from collections.abc import Sequence
from pathlib import Path

from mooring_server.ingest import (
    AssetRow,
    DependencyRow,
    Inventory,
    Limits,
    ReadOptions,
    RejectedRow,
    open_inventory,
)

Row = AssetRow | DependencyRow | RejectedRow


def weight(row: Row) -> int:
    """How many rows of the file a row accounts for."""
    match row:
        case AssetRow():
            return 0 if row.implied else 1 + row.joined
        case DependencyRow():
            return (not row.derived) + row.joined
    return 1


def read_bytes(
    folder: Path, content: str | bytes, options: ReadOptions | None = None
) -> tuple[Inventory, list[Row]]:
    """Reads a file of this content, whose name says nothing."""
    path = folder / "upload"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    inventory = open_inventory(path, "upload", Limits(), options or ReadOptions())
    return inventory, list(inventory.rows())


def names(rows: Sequence[Row]) -> list[str]:
    """The display names of the assets."""
    return [str(row.fields["display_name"]) for row in rows if isinstance(row, AssetRow)]
