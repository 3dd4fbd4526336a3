"""The fields of assets and dependencies, as tables and details show them and filters know them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mooring_widgets.errors import did_you_mean, near_names
from mooring_widgets.queries import quoted
from mooring_widgets.views.dependent import label_of

_ATTRIBUTE = "attributes."
_ATTRIBUTE_WIDTH = 132
_COMPARED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|([\w.]+)\s*(?:!=|<=|>=|[=:<>])""")


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        key: Its name; of an attribute `attributes.{key}`.
        label: What people read.
        group: Under which heading it stands in an asset's detail and in the menu of columns.
        width: In pixels, at least, as a column.
        kind: How it is written: `text`, `number`, `bytes`, `time`, or `plain`, a number that nobody adds up.
        filter: How filters compare it: `words`, `text`, `enum`, `number`, `time`, `flag`; empty: not at all.
        order: The API's order by it; empty where there is none.
        end: Of a dependency, the asset that it is about: 0 for the source, 1 for the target.
    """

    key: str
    label: str
    group: str
    width: int
    kind: str = "text"
    filter: str = "text"
    order: str = ""
    end: int = 0

    def of(self, thing: Any) -> Any:
        """Its value in a snapshot, for the front end; None or an empty text where it is not known."""
        if self.key.startswith(_ATTRIBUTE):
            return thing.attributes.get(self.key.removeprefix(_ATTRIBUTE), "")
        value = getattr(thing, self.key)
        if self.filter == "enum":
            return label_of(value)
        if isinstance(value, tuple):
            return ", ".join(value)
        if isinstance(value, datetime):
            return value.isoformat()
        if self.kind == "plain":
            return value or None  # a row of no file is 0
        return ("yes" if value else "") if isinstance(value, bool) else value

    def filter_for(self, thing: Any) -> str:
        """The filter that lets through what has the same value; empty where none can."""
        value = "" if self.filter in ("", "time") else getattr(thing, self.key)
        if value in ("", None, False):
            return ""
        if self.filter == "enum":
            return f"{self.key} = {value.upper()}"
        return f"{self.key} = {quoted(value) if isinstance(value, str) else _number(value)}"


def _number(value: Any) -> str:
    if isinstance(value, bool):
        return "true"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


_IDENTITY, _MACHINE, _PLACE = "Identity", "Machine", "Place and state"
_BUSINESS, _MIGRATION, _ORIGIN = "Business", "Migration", "Where it comes from"
ATTRIBUTES = "Attributes"

ASSET_FIELDS = (
    Field("display_name", "Name", _IDENTITY, 216, filter="words", order="display_name"),
    Field("type", "Type", _IDENTITY, 124, filter="enum"),
    Field("hostname", "Host name", _IDENTITY, 200, filter="words"),
    Field("external_id", "External ID", _IDENTITY, 200),
    Field("ip_addresses", "IP addresses", _IDENTITY, 132, filter=""),
    Field("mac_addresses", "MAC addresses", _IDENTITY, 140, filter=""),
    Field("networks", "Networks", _IDENTITY, 132, filter=""),
    Field("operating_system", "Operating system", _MACHINE, 214, filter="words"),
    Field("technology", "Technology", _MACHINE, 132),
    Field("cpu_cores", "CPU cores", _MACHINE, 92, "number", "number"),
    Field("memory_bytes", "Memory", _MACHINE, 86, "bytes", "number"),
    Field("storage_bytes", "Storage", _MACHINE, 86, "bytes", "number"),
    Field("model", "Model", _MACHINE, 132),
    Field("serial_number", "Serial number", _MACHINE, 132),
    Field("environment", "Environment", _PLACE, 104),
    Field("location", "Location", _PLACE, 108, filter="words"),
    Field("platform", "Platform", _PLACE, 132),
    Field("status", "Status", _PLACE, 90),
    Field("owner", "Owner", _BUSINESS, 116),
    Field("application", "Application", _BUSINESS, 132, filter="words"),
    Field("business_unit", "Business unit", _BUSINESS, 116),
    Field("criticality", "Criticality", _BUSINESS, 90),
    Field("migration_wave", "Wave", _MIGRATION, 90),
    Field("migration_strategy", "Strategy", _MIGRATION, 104),
    Field("migration_status", "Migration status", _MIGRATION, 116),
    Field("source_file", "File", _ORIGIN, 132, filter=""),
    Field("source_sheet", "Sheet", _ORIGIN, 90, filter=""),
    Field("source_row", "Row", _ORIGIN, 70, "plain", ""),
    Field("implied", "Only mentioned", _ORIGIN, 110, filter="flag"),
    Field("create_time", "Added", _ORIGIN, 132, "time", "time"),
    Field("update_time", "Changed", _ORIGIN, 132, "time", "time"),
)
ASSET_FIELDS_SHOWN = (
    "display_name",
    "type",
    "environment",
    "operating_system",
    "cpu_cores",
    "memory_bytes",
    "storage_bytes",
    "location",
    "status",
    "owner",
    "application",
)

_ENDS, _TRAFFIC = "Ends", "What passes"
DEPENDENCY_FIELDS = (
    Field("source_display_name", "Source", _ENDS, 200, filter=""),
    Field("target_display_name", "Target", _ENDS, 200, filter="", end=1),
    Field("kind", "Kind", _TRAFFIC, 90, filter="enum"),
    Field("port", "Port", _TRAFFIC, 70, "plain", "number", end=1),
    Field("protocol", "Protocol", _TRAFFIC, 80),
    Field("source_process", "Source process", _TRAFFIC, 132),
    Field("target_process", "Target process", _TRAFFIC, 132, end=1),
    Field("description", "Description", _TRAFFIC, 160, filter=""),
    Field("source_file", "File", _ORIGIN, 132, filter=""),
    Field("source_sheet", "Sheet", _ORIGIN, 90, filter=""),
    Field("source_row", "Row", _ORIGIN, 70, "plain", ""),
    Field("create_time", "Added", _ORIGIN, 132, "time", "time", order="create_time"),
    Field("update_time", "Changed", _ORIGIN, 132, "time", "time"),
)
DEPENDENCY_FIELDS_SHOWN = tuple(field.key for field in DEPENDENCY_FIELDS[:8])

# Filters know the ends of a dependency by names that no column shows.
_FILTERED_ENDS = ("source", "target")


def chosen(keys: Sequence[str], fields: Sequence[Field]) -> list[Field]:
    """The fields of these names, each once, in this order; `attributes.{key}` is the attribute of that key.

    Raises:
        ValueError: For a field that there is not; the message has names like it.
    """
    by_key = {field.key: field for field in fields}
    found = {}
    for key in keys:
        if key.startswith(_ATTRIBUTE) and key != _ATTRIBUTE:
            found[key] = attribute(key.removeprefix(_ATTRIBUTE))
        elif key in by_key:
            found[key] = by_key[key]
        else:
            there = f"there are {', '.join(by_key)} and {_ATTRIBUTE}{{key}}"
            raise ValueError(f"there is no column {key!r}; {did_you_mean(near_names(key, by_key)) or there}")
    return list(found.values())


def attribute(key: str) -> Field:
    """The field that an attribute of this key is: filters do not know it."""
    return Field(f"{_ATTRIBUTE}{key}", key, ATTRIBUTES, _ATTRIBUTE_WIDTH, filter="")


def shown(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Fields for the front end."""
    return [asdict(field) for field in fields]


def unknown_fields(filter: str, fields: Sequence[Field]) -> Mapping[str, tuple[str, ...]]:
    """The names that a filter compares and filters do not know, each with those that are near it."""
    known = [field.key for field in fields if field.filter]
    if fields is DEPENDENCY_FIELDS:
        known += _FILTERED_ENDS
    return {name: near_names(name, known) for name in _compared(filter) if name not in known}


def _compared(filter: str) -> Iterator[str]:
    for found in _COMPARED.finditer(filter):
        if found[2]:
            yield found[2]
