"""What an inventory is made of: the types that every reader gives and the rest of the server sees."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mooring_server.ingest.tables import Source

# Names are index keys in the database.
NAME_MAX = 500


@dataclass(frozen=True, slots=True)
class AssetRow:
    """A row that became an asset.

    `sheet` is empty for a file without sheets. `row` counts the records of the sheet from 1, blank ones and
    the header included; a quoted CSV cell with line breaks is part of one record. `fields` holds the asset
    fields whose values are known (`cpu_cores`: float; `memory_bytes` and `storage_bytes`: int;
    `ip_addresses`: tuple of str; else str) and always `display_name`. `attributes` holds every other cell
    that is not empty, by its column's name.
    """

    sheet: str
    row: int
    identity: str
    type: str
    fields: dict[str, object]
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not become an asset, and why; the reason is written like the message of a failure."""

    sheet: str
    row: int
    reason: str


Rows = Iterator[AssetRow | RejectedRow]


@dataclass(slots=True)
class Inventory:
    """An opened inventory: what it was taken for, and its rows.

    `mapping` says which asset field each column goes to; the other columns are kept as attributes. `notes`
    are sentences for the report and grow while rows are read. `row_total` counts the rows that `rows()` will
    give, None where that is not known beforehand.
    """

    kind: str
    mapping: dict[str, str]
    row_total: int | None
    read: Callable[[list[str]], Rows] = field(repr=False)
    notes: list[str] = field(default_factory=list)

    def rows(self) -> Rows:
        """Every row that is not blank, once, in the order of the file."""
        return self.read(self.notes)


@dataclass(frozen=True, slots=True)
class Reader:
    """A way to understand a file.

    `confidence` answers from 0 (cannot read it) to 1 (certain) and looks at its tables' first rows alone;
    `open` is only called where that is above 0.
    """

    kind: str
    confidence: Callable[[Source], float]
    open: Callable[[Source], Inventory]


def asset_row(
    sheet: str, row: int, identity: str, type_: str, fields: dict[str, object], attributes: dict[str, str]
) -> AssetRow | RejectedRow:
    """The row of an asset, which gets a display name if it has none."""
    name = fields.get("display_name") or fields.get("hostname") or fields.get("external_id")
    name = str(name or identity.partition(":")[2])
    if len(name) > NAME_MAX:
        return RejectedRow(sheet, row, f"its name has {len(name):,} characters; at most {NAME_MAX} are kept")
    return AssetRow(sheet, row, identity, type_, {**fields, "display_name": name}, attributes)
