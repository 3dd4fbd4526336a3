"""NetBox's exports: devices, virtual machines and cables, with the headers of its pages or of its API.

A device is known as `identity.py` says: by its name and site, else by its serial number or asset tag. Many
have none of these (patch panels, blades); such a device is known by the place where it is mounted: site,
location, rack, position, face and model, or the bay of another device. A rack without a position is no place,
and nameless devices that share their place are refused, since nothing tells them apart.

Names of devices are unique per site and tenant, those of virtual machines per cluster and tenant. Rows that
share name and site are told apart by these.

A cable is a dependency between the devices at its ends. Two cables between the same devices are two: the
cable's id tells them apart, in the place of a process.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mooring_server.ingest import values
from mooring_server.ingest.asset_types import type_of_text
from mooring_server.ingest.identity import identity, identity_of
from mooring_server.ingest.inventory import (
    DependencyRow,
    End,
    Inventory,
    Reader,
    RejectedRow,
    Rows,
    asset_row,
)
from mooring_server.ingest.mapping import FieldMap, Synonyms
from mooring_server.ingest.options import ColumnUse, ReadOptions
from mooring_server.ingest.tables import OddRow, Source, Table
from mooring_server.ingest.telltales import Telltales

_DEVICES = Telltales(
    needed=(("name",), ("role", "devicerole"), ("manufacturer", "type", "devicetype")),
    usual=frozenset(
        ("manufacturer", "devicetype", "rack", "site", "tenant", "serialnumber", "serial", "assettag",
         "position", "positionu", "face", "platform", "devicerole", "airflow", "virtualchassis",
         "vcposition", "parentdevice")
    ),
    least=4,
)  # fmt: skip
_MACHINES = Telltales(
    needed=(("name",), ("cluster",), ("vcpus",), ("role", "tenant", "platform")),
    usual=frozenset(
        ("status", "site", "role", "tenant", "platform", "memory", "disk", "primaryip4", "primaryip6",
         "primaryip", "ipaddress", "device", "configtemplate")
    ),
    least=5,
)  # fmt: skip
_DEVICE_A = ("devicea", "sideadevice", "terminationadevice")
_DEVICE_B = ("deviceb", "sidebdevice", "terminationbdevice")
_SITE_A, _SITE_B = ("sitea", "sideasite"), ("siteb", "sidebsite")
_CABLES = Telltales(needed=(_DEVICE_A, _DEVICE_B))
_CONFIDENCE = 0.9

_COMMON: Synonyms = {
    "external_id": ("id",),
    "display_name": ("name",),
    "ip_addresses": ("ipaddress", "primaryip", "primaryip4", "primaryip6", "primaryipv4", "primaryipv6"),
    "location": ("site", "location"),
    "operating_system": ("platform",),
    "status": ("status",),
    "owner": ("owner", "contact", "contacts"),
    "business_unit": ("tenant",),
    "serial_number": ("serialnumber", "serial"),
    "platform": ("cluster",),
}
_DEVICE_SYNONYMS: Synonyms = {**_COMMON, "model": ("devicetype", "type")}
_MACHINE_SYNONYMS: Synonyms = {
    **_COMMON,
    "cpu_cores": ("vcpus",),
    "memory_bytes": ("memory",),
    "storage_bytes": ("disk",),
}
# The identity of a device that has nothing but the place where it is mounted.
_PLACE_KIND = "place"
_ROLE = ("role", "devicerole")
_PLACE = (
    ("site",),
    ("location",),
    ("rack",),
    ("position", "positionu"),
    ("face", "rackface"),
    ("devicetype", "type"),
    ("parentdevice", "parent"),
    ("devicebay", "parentbay"),
)


class _Cells:
    """The columns of a table by their names."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._index_of = {column.key: column.index for column in reversed(table.columns)}

    def known(self, cells: Sequence[str], *keys: str) -> str:
        """The first of a row's cells in these columns of which something is known; else empty."""
        texts = (cells[self._index_of[key]] for key in keys if key in self._index_of)
        return next((text for text in texts if not values.is_unknown(text)), "")


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a row says; `identities` are those that it could have, the most stable first."""

    fields: dict[str, object]
    attributes: dict[str, str]
    identities: tuple[str, ...]


class _Machines(_Cells):
    """The rows of virtual machines."""

    def __init__(self, table: Table, options: ReadOptions, synonyms: Synonyms = _MACHINE_SYNONYMS) -> None:
        super().__init__(table)
        self._asset_type = options.asset_type
        self._field_map = FieldMap(table.columns, synonyms, wanted=options.columns)
        self.uses = self._field_map.uses
        self.notes = self._field_map.notes

    def rows(self, notes: list[str]) -> Rows:
        sheet = self.table.sheet.name
        rows_of = Counter(
            key
            for _, cells in self.table.rows([])
            if not isinstance(cells, OddRow)
            for key in self._draft(cells).identities
        )
        for row, cells in self.table.rows(notes):
            if isinstance(cells, OddRow):
                yield RejectedRow(sheet, row, cells.reason)
                continue
            draft = self._draft(cells)
            if not draft.identities:
                yield RejectedRow(
                    sheet,
                    row,
                    "it has no name, serial number, asset tag, or rack and position to be known by in the "
                    "next import",
                )
                continue
            alone = next((key for key in draft.identities if rows_of[key] == 1), draft.identities[-1])
            if rows_of[alone] > 1 and alone.startswith(f"{_PLACE_KIND}:"):
                yield RejectedRow(sheet, row, "another device without a name is in the same place; name them")
            else:
                yield asset_row(sheet, row, alone, self._type_of(cells), draft.fields, draft.attributes)

    def _draft(self, cells: Sequence[str]) -> _Draft:
        fields, attributes = self._field_map.read(cells)
        tag = str(fields.get("serial_number") or self.known(cells, "assettag"))
        whole = identity_of(fields, tag)
        if whole is None:
            return _Draft(fields, attributes, ())
        kind, _, key = whole.partition(":")
        return _Draft(
            fields, attributes, tuple(dict.fromkeys((whole, identity(kind, key, *self._details(cells)))))
        )

    def _details(self, cells: Sequence[str]) -> tuple[str, ...]:
        return self.known(cells, "cluster"), self.known(cells, "tenant")

    def _type_of(self, cells: Sequence[str]) -> str:
        return "virtual_machine"


class _Devices(_Machines):
    """The rows of devices."""

    def __init__(self, table: Table, options: ReadOptions) -> None:
        super().__init__(table, options, _DEVICE_SYNONYMS)

    def _draft(self, cells: Sequence[str]) -> _Draft:
        draft = super()._draft(cells)
        manufacturer, model = self.known(cells, "manufacturer"), str(draft.fields.get("model", ""))
        if manufacturer and not model.casefold().startswith(manufacturer.casefold()):
            model = f"{manufacturer} {model}".strip()
        fields = {**draft.fields, "model": model} if model else draft.fields
        identities = draft.identities
        if not identities:
            place = [self.known(cells, *keys).removesuffix(".0") for keys in _PLACE]
            _, _, rack, position, *_, parent, bay = place
            if (rack and position) or (parent and bay):
                identities = (identity(_PLACE_KIND, *place),)
                fields["display_name"] = (
                    f"{model or 'Device'} in {f'{rack} U{position}' if rack else f'{parent} {bay}'}"
                )
        return _Draft(fields, draft.attributes, identities)

    def _details(self, cells: Sequence[str]) -> tuple[str, ...]:
        return (self.known(cells, "tenant"),)

    def _type_of(self, cells: Sequence[str]) -> str:
        return type_of_text(self.known(cells, *_ROLE)) or self._asset_type or "other"


class _Cables(_Cells):
    """The rows of cables."""

    def __init__(self, table: Table, options: ReadOptions) -> None:
        super().__init__(table)
        self.uses = tuple(ColumnUse(column.name, "") for column in table.columns)
        self.notes: list[str] = []

    def rows(self, notes: list[str]) -> Rows:
        sheet = self.table.sheet.name
        taken = {*_DEVICE_A, *_DEVICE_B, *_SITE_A, *_SITE_B}
        others = [column for column in self.table.columns if column.key not in taken]
        for row, cells in self.table.rows(notes):
            if isinstance(cells, OddRow):
                yield RejectedRow(sheet, row, cells.reason)
                continue
            # What a cable leads to is not said, and `other` takes nothing from an asset of another type.
            source, target = (
                End(name=self.known(cells, *names), location=self.known(cells, *sites), type="other")
                for names, sites in ((_DEVICE_A, _SITE_A), (_DEVICE_B, _SITE_B))
            )
            if not source.name or not target.name:
                yield RejectedRow(
                    sheet, row, f"it names no device at end {'B' if source.name else 'A'} of the cable"
                )
                continue
            cable = self.known(cells, "cableid", "cable", "id", "label")
            yield DependencyRow(
                sheet,
                row,
                source,
                target,
                "link",
                source_process=f"cable {cable}" if cable else "",
                attributes={c.name: cells[c.index] for c in others if not values.is_unknown(cells[c.index])},
            )


def _reader(
    kind: str, title: str, telltales: Telltales, rows_of: Callable[[Table, ReadOptions], _Machines | _Cables]
) -> Reader:
    def confidence(source: Source) -> float:
        return 0.0 if telltales.find(source) is None else _CONFIDENCE

    def open_(source: Source, options: ReadOptions) -> Inventory:
        table = telltales.find(source)
        if table is None:
            raise ValueError("the confidence was 0")
        reading = rows_of(table, options)
        return Inventory(
            kind,
            kind,
            table.sheet.name,
            reading.uses,
            table.row_total,
            reading.rows,
            source.notes(table) + reading.notes,
        )

    return Reader(kind, title, confidence, open_)


DEVICES = _reader("netbox_devices", "NetBox devices", _DEVICES, _Devices)
VIRTUAL_MACHINES = _reader("netbox_virtual_machines", "NetBox virtual machines", _MACHINES, _Machines)
CABLES = _reader("netbox_cables", "NetBox cables", _CABLES, _Cables)
