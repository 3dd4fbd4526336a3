"""Columns -> asset fields.

A header is reduced to its words: case, punctuation and a unit at its end are dropped, so that `Memory (in
MB)`, `memory_mb` and `memoryMB` are all `memory` in MB. A field takes the first column that its synonyms
name, in their order, and where a row leaves that one empty, the next. Whatever no field takes of a row is
an attribute.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Self

from mooring_server.errors import InvalidArgument
from mooring_server.ingest import values
from mooring_server.ingest.options import ColumnUse, no_such

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
    "mac_addresses": (
        "macaddresses", "macaddress", "macs", "mac", "physicaladdress", "hardwareaddress", "ethernetaddress",
    ),
    "networks": (
        "networks", "network", "networkname", "portgroups", "portgroup", "vlans", "vlan", "vlanname",
        "vlanid", "subnets", "subnet", "subnetids", "subnetid", "virtualnetwork", "vnet", "vpc", "vpcid",
    ),
    "technology": (
        "technology", "technologies", "technologystack", "techstack", "middleware", "databaseengine",
        "dbengine", "engine", "runtime", "framework", "programminglanguage",
    ),
    "model": (
        "model", "modelname", "modelnumber", "hardwaremodel", "productname", "instancetype", "machinetype",
        "vmsize",
    ),
    "serial_number": ("serialnumber", "serial", "serialno", "servicetag"),
    "business_unit": (
        "businessunit", "bu", "lineofbusiness", "lob", "department", "dept", "division", "orgunit",
        "organizationalunit", "organisationalunit",
    ),
    "migration_status": ("migrationstatus", "migrationstate", "migrationphase", "cutoverstatus"),
    "migration_strategy": (
        "migrationstrategy", "strategy", "rtype", "migrationtype", "migrationapproach", "migrationpath",
        "migrationdisposition", "disposition", "treatment", "6r", "7r",
    ),
    "migration_wave": (
        "migrationwave", "wave", "wavename", "wavenumber", "waveid", "movegroup", "migrationgroup",
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
_UNITS = frozenset((*values.UNITS_BYTES, *values.UNITS_CORES))
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
        return cls(index, name, *_read_header(header))


@lru_cache(4096)
def _read_header(header: str) -> tuple[str, str, str]:
    """The key, the short key and the unit of a column."""
    words = [word.casefold() for word in _WORD_BREAK.split(header) if word]
    unit = ""
    # `milli CPUs` are two words.
    for count in (2, 1):
        if len(words) > count and (named := "".join(words[-count:])) in _UNITS:
            unit = named
            del words[-count:]
            break
    if unit and len(words) > 1 and words[-1] == "in":
        words.pop()
    key = "".join(words)
    return key, _SUBJECT.sub("", key), unit


def columns_of(header: Sequence[str]) -> tuple[Column, ...]:
    """The columns of a header. One without a name is `column_7`; the second `Name` is `Name (2)`."""
    header = [text[:COLUMN_NAME_MAX] for text in header]
    taken = set(header)
    named: set[str] = set()
    copies: Counter[str] = Counter()
    columns = []
    for index, text in enumerate(header):
        name = base = text or f"column_{index + 1}"
        while name in named or (name in taken and name != text):
            copies[base] += 1
            name = f"{base} ({copies[base] + 1})"
        named.add(name)
        columns.append(Column.of(index, name, text))
    return tuple(columns)


class FieldMap:
    """Which columns of a table feed which fields, and how their cells are read.

    `wanted` says of columns, by their names, where they go whatever their names mean: see `ReadOptions`.

    Raises InvalidArgument (INVALID_FIELD) where that names a column, a field or a unit that there is not.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        synonyms: Synonyms = SYNONYMS,
        *,
        default_units: Mapping[str, str] = DEFAULT_UNITS,
        wanted: Mapping[str, ColumnUse] = MappingProxyType({}),
    ) -> None:
        if wanted:
            columns = _with_units(columns, wanted)
        self.columns = columns
        self._default_units = default_units
        self._field_of: dict[int, str] = {}
        self._by_field: dict[str, tuple[Column, ...]] = {}
        for column in columns:
            if column.name in wanted and (field := wanted[column.name].field):
                self._field_of[column.index] = field
                self._by_field[field] = (*self._by_field.get(field, ()), column)
        free = [column for column in columns if column.name not in wanted]
        for field, keys in synonyms.items():
            self._bind(field, [c for c in free if c.index not in self._field_of], keys)
        if not self.is_identifying:
            for field, keys in _LAST_NAMES.items():
                if self._bind(field, free, keys):
                    break
        for field, bound in self._by_field.items():
            self._by_field[field] = tuple(c for c in bound if self._field_of[c.index] == field)
        self._parsers = [
            (field, column.index, self._parser(field, column))
            for field, bound in self._by_field.items()
            for column in bound
        ]

    def _bind(self, field: str, columns: Sequence[Column], keys: Sequence[str]) -> bool:
        # A whole header goes before one without its subject: `Host name` is a hostname before it is a name.
        ranks = {key: rank for rank, key in enumerate(keys)}
        found = sorted(
            (ranks.get(c.key, len(keys) + ranks.get(c.short_key, 0)), c.index)
            for c in columns
            if (c.key in ranks or c.short_key in ranks) and _counts(field, c.unit)
        )
        self._field_of.update(dict.fromkeys((index for _, index in found), field))
        self._by_field[field] = (
            *self._by_field.get(field, ()),
            *(self.columns[index] for _, index in found),
        )
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
                values.unit_name(self._unit(field, column)) if field in values.AMOUNTS else "",
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
            f"Column `{column.name}` names no unit: its bare numbers were read as {values.unit_name(unit)}."
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
        for field, index, parse in self._parsers:
            text = cells[index]
            if not text or values.is_unknown(text):
                used.add(index)
            elif field not in fields:
                value = parse(text) if parse else text
                if value is not None:
                    used.add(index)
                    if value != ():
                        fields[field] = value
        attributes = {
            column.name: text
            for column, text in zip(self.columns, cells, strict=True)
            if text and column.index not in used
        }
        return fields, attributes

    def _parser(self, field: str, column: Column) -> Callable[[str], object] | None:
        """What reads a column's texts, None where they are the field as they are."""
        match field:
            case "memory_bytes" | "storage_bytes":
                return partial(values.size_bytes, unit=values.UNITS_BYTES[self._unit(field, column)])
            case "cpu_cores":
                return partial(values.cores, unit=values.UNITS_CORES.get(self._unit(field, column), 1))
        return _PARSERS.get(field)

    def _unit(self, field: str, column: Column) -> str:
        return column.unit or self._default_units.get(field, "")


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "ip_addresses": values.ip_addresses,
    "mac_addresses": values.mac_addresses,
    "networks": values.texts,
    "hostname": values.hostname,
    "status": values.status,
}


def header_score(cells: Sequence[str]) -> int:
    """How much a row looks like a header: the columns that it gives to fields; 0 where it names no asset."""
    field_map = FieldMap(columns_of(cells))
    return len(field_map.names) if field_map.is_identifying else 0


def _counts(field: str, unit: str) -> bool:
    """Whether a field can be given in a unit."""
    return not unit or field not in values.AMOUNTS or unit in values.AMOUNTS[field]


def _with_units(columns: Sequence[Column], wanted: Mapping[str, ColumnUse]) -> tuple[Column, ...]:
    """The columns with the units that are wanted of them."""
    _check_wanted(wanted)
    names = {column.name for column in columns}
    for name in wanted:
        if name not in names:
            raise no_such("columns", "column", name, [column.name for column in columns])
    return tuple(
        column if (use := wanted.get(column.name)) is None else replace(column, unit=_unit_of(column, use))
        for column in columns
    )


def _unit_of(column: Column, use: ColumnUse) -> str:
    return use.unit.casefold() or (column.unit if _counts(use.field, column.unit) else "")


def _check_wanted(wanted: Mapping[str, ColumnUse]) -> None:
    """Refuses a field or a unit that there is not."""
    for name, use in wanted.items():
        if use.field and use.field not in SYNONYMS:
            raise no_such("columns", "asset field", use.field, SYNONYMS)
        if use.unit and use.field not in values.AMOUNTS:
            what = f"`{use.field}` is no amount" if use.field else "an attribute has no unit"
            raise InvalidArgument.field("options.columns", f"leave out the unit of `{name}`: {what}")
        if use.unit and use.unit.casefold() not in values.AMOUNTS[use.field]:
            units = (values.unit_name(unit) for unit in values.AMOUNTS[use.field])
            raise no_such("columns", f"unit of {use.field}", use.unit, units)
