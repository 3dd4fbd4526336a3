"""Columns -> asset fields.

A header is reduced to its words: case, punctuation and a unit at its end are dropped, so that `Memory (in
MB)`, `memory_mb` and `memoryMB` are all `memory` in MB. A field takes the first column that its synonyms
name, in their order, and where a row leaves that one empty, the next. Whatever no field takes of a row is
an attribute.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from mooring_server.ingest import values
from mooring_server.ingest.options import ColumnUse

# A name is kept with every row's attributes, so a long one would multiply.
COLUMN_NAME_MAX = 100

Synonyms = Mapping[str, Sequence[str]]
"""Names of columns, in lower case and without blanks or punctuation, by asset field; the best comes first."""

SYNONYMS: Synonyms = {
    "external_id": (
        "uuid", "instanceuuid", "vmuuid", "biosuuid", "externalid", "resourceid", "arn", "machineid",
        "instanceid", "assetid", "objectid", "ciid", "sysid", "id", "vmid",
    ),
    "hostname": (
        "fqdn", "dnsname", "primarydnsname", "fullyqualifieddomainname", "hostname", "dns", "guesthostname",
    ),
    "display_name": (
        "displayname", "name", "vm", "virtualmachine", "server", "machine", "computer", "device", "node",
        "instance", "asset", "ciname",
    ),
    "ip_addresses": (
        "ipaddresses", "ipaddress", "ips", "ip", "primaryipaddress", "primaryip", "privateipaddress",
        "privateip", "ipv4", "ipv4address", "ipv6", "ipv6address", "publicipaddress", "publicip",
    ),
    "environment": ("environment", "env", "environmenttype", "stage"),
    "location": ("site", "datacenter", "datacentre", "location", "region", "zone", "availabilityzone"),
    "platform": ("cluster", "clustername", "host", "esxhost", "esxihost", "hypervisor", "vmhost"),
    "operating_system": (
        "operatingsystem", "osname", "os", "osfullname", "guestos", "osversion", "operatingsystemversion",
        "osfamily", "ostype", "platform",
    ),
    "status": ("powerstate", "powerstatus", "powerstats", "status", "state", "lifecyclestatus"),
    "owner": (
        "owner", "businessowner", "applicationowner", "technicalowner", "ownername", "owneremail", "contact",
        "team", "agency",
    ),
    "application": (
        "application", "applicationname", "app", "appname", "businessapplication", "businessservice",
    ),
    "criticality": ("criticality", "businesscriticality", "businessimpact", "importance"),
    "cpu_cores": (
        "vcpus", "vcpu", "cpus", "cpu", "cores", "cpucores", "cpucount", "numcpus", "numberofcores",
        "corecount",
    ),
    "memory_bytes": ("memory", "ram", "mem", "memorysize", "totalmemory", "memoryallocated"),
    "storage_bytes": (
        "storage", "disk", "disksize", "totaldisksize", "totaldiskcapacity", "provisioned",
        "provisionedstorage", "provisionedspace", "storagesize", "totalstorage", "diskspace",
        "capacity", "totaldisk",
    ),
}  # fmt: skip

# Where no column of a table names its rows by the synonyms above, one of these does, also if a field has it.
_LAST_NAMES: Synonyms = {
    "hostname": ("domain", "domainname", "website", "url", "host"),
    "display_name": (
        "application",
        "applicationname",
        "app",
        "appname",
        "service",
        "servicename",
        "database",
        "databasename",
    ),
}

# What a tool puts before the name of any column (`server_os_version`, `Machine Name`). `host` is not among
# them: a VM's `Host memory` is not its own.
_SUBJECT = re.compile("^(?:server|virtualmachine|vm|machine|device|instance|asset|computer|node|guest)+(?=.)")
# `MiB` is one word: a capital at the very end begins none.
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z][A-Za-z])|[\W_]+")
_UNITS: dict[str, float] = {**values.UNITS_BYTES, **values.UNITS_CORES}
_IDENTIFYING = frozenset(("external_id", "hostname", "display_name"))

# What a bare number means where neither its header nor its cell names a unit: what vCenter, RVTools, NetBox
# and Azure Migrate mean by it.
DEFAULT_UNITS: Mapping[str, str] = {"memory_bytes": "mib", "storage_bytes": "gib"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its place from 0, its name (unique in its table), its words run together, and its unit.

    `short_key` is `key` without the subject: `name` for `Server name`. `unit` is empty where none is named.
    """

    index: int
    name: str
    key: str
    short_key: str
    unit: str

    @classmethod
    def of(cls, index: int, name: str, header: str) -> Self:
        """Reads a header; `name` is what the column is called in attributes and reports."""
        words = [word.casefold() for word in _WORD_BREAK.split(header) if word]
        unit = words.pop() if len(words) > 1 and words[-1] in _UNITS else ""
        if unit and len(words) > 1 and words[-1] == "in":
            words.pop()
        key = "".join(words)
        return cls(index, name, key, _SUBJECT.sub("", key), unit)


def columns_of(header: Sequence[str]) -> tuple[Column, ...]:
    """The columns of a header. One without a name is `column_7`; the second `Name` is `Name (2)`."""
    header = [text[:COLUMN_NAME_MAX] for text in header]
    taken = set(header)
    named: set[str] = set()
    columns = []
    for index, text in enumerate(header):
        name = base = text or f"column_{index + 1}"
        copy = 1
        while name in named or (name in taken and name != text):
            copy += 1
            name = f"{base} ({copy})"
        named.add(name)
        columns.append(Column.of(index, name, text))
    return tuple(columns)


class FieldMap:
    """Which columns of a table feed which fields, and how their cells are read."""

    def __init__(
        self,
        columns: Sequence[Column],
        synonyms: Synonyms = SYNONYMS,
        *,
        default_units: Mapping[str, str] = DEFAULT_UNITS,
    ) -> None:
        self.columns = columns
        self._default_units = default_units
        self._field_of: dict[int, str] = {}
        self._by_field: dict[str, tuple[Column, ...]] = {}
        for field, keys in synonyms.items():
            self._bind(field, [c for c in columns if c.index not in self._field_of], keys)
        if not self.is_identifying:
            for field, keys in _LAST_NAMES.items():
                if self._bind(field, columns, keys):
                    break
        for field in dict.fromkeys(self._field_of.values()):
            bound = self._by_field[field]
            self._by_field[field] = tuple(c for c in bound if self._field_of[c.index] == field)

    def _bind(self, field: str, columns: Sequence[Column], keys: Sequence[str]) -> bool:
        # A whole header goes before one without its subject: `Host name` is a hostname before it is a name.
        ranks = {key: rank for rank, key in enumerate(keys)}
        found = sorted(
            (ranks.get(c.key, len(keys) + ranks.get(c.short_key, 0)), c.index)
            for c in columns
            if c.key in ranks or c.short_key in ranks
        )
        self._field_of.update(dict.fromkeys((index for _, index in found), field))
        self._by_field[field] = tuple(self.columns[index] for _, index in found)
        return bool(found)

    @property
    def is_identifying(self) -> bool:
        """Whether some column says which asset a row is about."""
        return not _IDENTIFYING.isdisjoint(self._field_of.values())

    def first(self, field: str) -> Column | None:
        """The column that a field prefers, None where it has none."""
        return next(iter(self._by_field.get(field, ())), None)

    @property
    def uses(self) -> tuple[ColumnUse, ...]:
        """Where each column goes, in their order."""
        return tuple(
            ColumnUse(
                column.name,
                field := self._field_of.get(column.index, ""),
                column.unit or self._default_units.get(field, ""),
                assumed=not column.unit and field in self._default_units,
            )
            for column in self.columns
        )

    @property
    def names(self) -> dict[str, str]:
        """The field of each column that has one, by the column's name."""
        return {
            column.name: self._field_of[column.index]
            for column in self.columns
            if column.index in self._field_of
        }

    @property
    def notes(self) -> list[str]:
        """A sentence on each column whose unit had to be assumed."""
        return [
            f"Column `{column.name}` names no unit: its bare numbers were read as {unit[:-2].upper()}iB."
            for field, unit in self._default_units.items()
            for column in self._by_field.get(field, ())
            if not column.unit
        ]

    def read(self, cells: Sequence[str]) -> tuple[dict[str, object], dict[str, str]]:
        """The fields and the attributes of a row that is as long as its header.

        A field is left out where nothing is known of it. An attribute is every other cell that is not empty:
        of a column without a field, of one that another went before, or one whose text could not be read.
        """
        fields: dict[str, object] = {}
        used: set[int] = set()
        for field, columns in self._by_field.items():
            for column in columns:
                text = cells[column.index]
                if values.is_unknown(text):
                    used.add(column.index)
                    continue
                value = self._parse(field, column, text) if field not in fields else None
                if value is not None:
                    used.add(column.index)
                    if value != ():
                        fields[field] = value
        attributes = {c.name: cells[c.index] for c in self.columns if cells[c.index] and c.index not in used}
        return fields, attributes

    def _parse(self, field: str, column: Column, text: str) -> object:
        match field:
            case "memory_bytes" | "storage_bytes":
                return values.size_bytes(text, _UNITS[column.unit or self._default_units[field]])
            case "cpu_cores":
                return values.cores(text, _UNITS[column.unit] if column.unit else 1)
            case "ip_addresses":
                return values.ip_addresses(text)
            case "hostname":
                return values.hostname(text)
            case "status":
                return values.status(text)
        return text


def header_score(cells: Sequence[str]) -> int:
    """How much a row looks like a header: the columns that it gives to fields; 0 where it names no asset."""
    field_map = FieldMap(columns_of(cells))
    return len(field_map.names) if field_map.is_identifying else 0
