"""What an inventory is made of: the types that every reader gives and the rest of the server sees."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mooring_server.ingest.options import ColumnUse, ReadOptions
from mooring_server.ingest.tables import Source

# Names are index keys in the database.
NAME_MAX = 500


@dataclass(frozen=True, slots=True)
class AssetRow:
    """A row that became an asset.

    `sheet` is empty for a file without sheets. `row` counts the records of the sheet from 1, blank ones and
    the header included; a quoted CSV cell with line breaks is part of one record. `fields` holds the asset
    fields whose values are known (`cpu_cores`: float; `memory_bytes` and `storage_bytes`: int;
    `ip_addresses`, `mac_addresses` and `networks`: tuple of str; else str) and always `display_name`.
    `attributes` holds every other cell that is not empty, by its column's name.

    `joined` is how many further rows of the file are in it already: a VM's disks. `implied`: the row is not
    about the asset, and only mentions it; such a row is counted where it says what it is about.
    """

    sheet: str
    row: int
    identity: str
    type: str
    fields: dict[str, object]
    attributes: dict[str, str]
    joined: int = 0
    implied: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """An end of a dependency, as the file describes it: whatever it says, at least one of the first four.

    `type` is that of the asset to make where the session has none like it.
    """

    name: str = ""
    hostname: str = ""
    external_id: str = ""
    ip_address: str = ""
    location: str = ""
    type: str = "server"


@dataclass(frozen=True, slots=True)
class DependencyRow:
    """A row that became a dependency; `kind` is one of `flow`, `runs_on`, `link`, `uses`, `other`.

    `joined` is how many further rows say the same. `derived`: the row is about an asset, which is counted.
    """

    sheet: str
    row: int
    source: End
    target: End
    kind: str
    port: int | None = None
    protocol: str = ""
    source_process: str = ""
    target_process: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    joined: int = 0
    derived: bool = False


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not be taken, and why; the reason is written like the message of a failure."""

    sheet: str
    row: int
    reason: str


Rows = Iterator[AssetRow | DependencyRow | RejectedRow]


@dataclass(slots=True)
class Inventory:
    """An opened inventory: what it was taken for, and its rows.

    `source` is the same for each new file of one inventory, so that what such a file no longer names can be
    told: by default its kind, for plain tables with a hash of their header. `columns` are those of its main
    sheet, `sheet`, in their order. `notes` are sentences for the report and grow while rows are read.
    `row_total` counts the rows that are not blank, headers apart, None where only reading all tells.
    `encoding` is that of a text file, else empty.
    """

    kind: str
    source: str
    sheet: str
    columns: tuple[ColumnUse, ...]
    row_total: int | None
    read: Callable[[list[str]], Rows] = field(repr=False)
    notes: list[str] = field(default_factory=list)
    encoding: str = ""

    @property
    def mapping(self) -> dict[str, str]:
        """The field of each column that has one."""
        return {use.column: use.field for use in self.columns if use.field}

    def rows(self) -> Rows:
        """Every row that is not blank, once: by itself, or in the `joined` of another."""
        return self.read(self.notes)


@dataclass(frozen=True, slots=True)
class Reader:
    """A way to understand a file. `kind` names it in options and reports, `title` to people.

    `confidence` answers from 0 (cannot read it) to 1 (certain) and looks at its tables' first rows alone;
    `open` is only called where that is above 0.
    """

    kind: str
    title: str
    confidence: Callable[[Source], float]
    open: Callable[[Source, ReadOptions], Inventory]


def asset_row(
    sheet: str, row: int, identity: str, type_: str, fields: dict[str, object], attributes: dict[str, str]
) -> AssetRow | RejectedRow:
    """The row of an asset, which gets a display name if it has none.

    It is rejected where its name is too long, or is a formula.
    """
    name = fields.get("display_name") or fields.get("hostname") or fields.get("external_id")
    name = str(name or identity.partition(":")[2])
    if len(name) > NAME_MAX:
        return RejectedRow(sheet, row, f"its name has {len(name):,} characters; at most {NAME_MAX} are kept")
    if name.startswith("="):
        # A spreadsheet that opens what we export would compute it.
        return RejectedRow(sheet, row, "its name begins with `=`, as a formula does; give it the name itself")
    return AssetRow(sheet, row, identity, type_, {**fields, "display_name": name}, attributes)
