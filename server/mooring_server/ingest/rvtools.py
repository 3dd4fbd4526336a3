"""RVTools workbooks: the sheet `vInfo`, one row a virtual machine.

Old versions call the sizes `Provisioned MB` and `In Use MB`, new ones `Provisioned MiB` and `In Use MiB`: the
numbers are the same, MiB. `Memory` names no unit and is MiB too. The operating system is the one that VMware
Tools saw running, else the one that somebody configured. A template is a virtual machine as well.

A VM is known by its `VM UUID`. Where that is missing or, as copies can have it, on several rows, its `VM
ID` is no substitute, being unique in its vCenter alone: then its host name, name and datacenter are its
identity (see `identity.py`), and with them its `VM ID`, host and folder where even those are not alone in
the sheet.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from mooring_server.ingest.identity import identity, identity_of
from mooring_server.ingest.inventory import Inventory, Reader, RejectedRow, Rows, asset_row
from mooring_server.ingest.mapping import FieldMap, Synonyms
from mooring_server.ingest.options import ReadOptions
from mooring_server.ingest.tables import OddRow, Source, Table

_SHEET = "vinfo"
_TELLTALES = frozenset(("vm", "powerstate", "template"))

_SYNONYMS: Synonyms = {
    "external_id": ("vmuuid",),
    "hostname": ("dnsname",),
    "display_name": ("vm",),
    "ip_addresses": ("primaryipaddress",),
    "location": ("datacenter",),
    "platform": ("cluster", "host"),
    "operating_system": ("osaccordingtothevmwaretools", "osaccordingtotheconfigurationfile"),
    "status": ("powerstate",),
    "cpu_cores": ("cpus",),
    "memory_bytes": ("memory",),
    "storage_bytes": ("provisioned",),
}
_UNITS = {"memory_bytes": "mib", "storage_bytes": "mib"}
# What tells apart the rows that share all of the above.
_DETAILS = ("vmid", "host", "folder", "resourcepool")


def _confidence(source: Source) -> float:
    return 1.0 if _find(source) is not None else 0.0


def _find(source: Source) -> Table | None:
    # As CSV, RVTools writes a file per sheet: those have no sheet name, so the header must do.
    for sheet in source.sheets:
        if sheet.name.strip().casefold() in (_SHEET, ""):
            table = source.table(sheet)
            if table is not None and {column.key for column in table.columns} >= _TELLTALES:
                return table
    return None


def _open(source: Source, options: ReadOptions) -> Inventory:
    table = _find(source)
    if table is None:
        raise ValueError("the confidence was 0")
    machines = _Machines(table)
    notes = source.notes(table)
    return Inventory(
        READER.kind,
        READER.kind,
        table.sheet.name,
        machines.field_map.uses,
        table.row_total,
        machines.rows,
        notes,
    )


class _Machines:
    """The rows of vInfo."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.field_map = FieldMap(table.columns, _SYNONYMS, default_units=_UNITS)
        self._details = [c.index for key in _DETAILS for c in table.columns if c.key == key]
        self._candidates = Counter(
            key
            for _, cells in table.rows([])
            if not isinstance(cells, OddRow)
            for key in self._identities(cells, self.field_map.read(cells)[0])
        )

    def rows(self, notes: list[str]) -> Rows:
        shared = 0
        sheet = self._table.sheet.name
        for row, cells in self._table.rows(notes):
            if isinstance(cells, OddRow):
                yield RejectedRow(sheet, row, cells.reason)
                continue
            fields, attributes = self.field_map.read(cells)
            identities = list(self._identities(cells, fields))
            if not identities:
                yield RejectedRow(sheet, row, "it names no VM: VM UUID, DNS name and VM are empty")
                continue
            alone = next((key for key in identities if self._candidates[key] == 1), identities[-1])
            shared += alone != identities[0]
            yield asset_row(sheet, row, alone, "virtual_machine", fields, attributes)
        if shared:
            notes.append(
                f"VMs that share their VM UUID or name with another and were told apart by more: {shared}."
            )

    def _identities(self, cells: Sequence[str], fields: dict[str, object]) -> Iterator[str]:
        """The identities that a row could have, from the most stable to the most particular."""
        whole = identity_of(fields)
        if whole is None:
            return
        yield whole
        plain = identity_of({name: value for name, value in fields.items() if name != "external_id"})
        if plain not in (whole, None):
            yield plain
        kind, _, key = whole.partition(":")
        yield identity(kind, key, *(cells[index] for index in self._details))


READER = Reader("rvtools", "RVTools export", _confidence, _open)
