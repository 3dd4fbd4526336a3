"""Rows of an inventory as they are stored when they are new.

Most rows of most files are about an asset that their session does not have yet. Making that asset ready (its
id, its digest, its words, its JSON) is most of the work of an import, so the process that reads the file does
it. The serving process writes it down as it comes, and takes it apart again only where the session knows the
asset already (`core/settlement.py`).
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from mooring_server.ingest import AssetRow
from mooring_server.store import new_id
from mooring_server.store.assets import StoredAsset, stored
from mooring_server.store.records import Asset, AssetType

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_NUMBERS = ("cpu_cores", "memory_bytes", "storage_bytes")
LISTS = ("ip_addresses", "mac_addresses", "networks")
# What was there before there were others: a digest of these alone is as it always was.
_FIRST_VALUES = (
    "display_name",
    "external_id",
    "hostname",
    "ip_addresses",
    "environment",
    "location",
    "platform",
    "operating_system",
    "status",
    "owner",
    "application",
    "criticality",
    *_NUMBERS,
)
_LATER_VALUES = (
    "mac_addresses",
    "networks",
    "technology",
    "model",
    "serial_number",
    "business_unit",
    "migration_status",
    "migration_strategy",
    "migration_wave",
)
# What an import or an edit can change of an asset, besides its type and its attributes.
VALUES = (*_FIRST_VALUES, *_LATER_VALUES)
_values = attrgetter(*VALUES)
BLANK: Mapping[str, Any] = {
    **dict.fromkeys(VALUES, ""),
    **dict.fromkeys(_NUMBERS),
    **dict.fromkeys(LISTS, ()),
}


class Staged(NamedTuple):
    """A row's asset, ready to be stored.

    `joined` is how many further rows are in it; `repeated`: an earlier row of the file was about the same
    asset; `implied`: the row only mentions it.
    """

    asset: StoredAsset
    joined: int
    repeated: bool
    implied: bool


def stage(row: AssetRow, file_name: str, source: str, now: datetime, *, repeated: bool) -> Staged:
    """The asset that a row makes where there is none yet; `source` is that of the inventory."""
    values, attributes = {**BLANK, **known(row.fields)}, known(row.attributes)
    asset = Asset(
        **values,
        id=new_id(),
        identity=row.identity,
        digest=_digest(row.type, values, attributes),
        type=AssetType(row.type),
        attributes=attributes,
        source_file=file_name,
        source_sheet=row.sheet,
        source_row=row.row,
        create_time=now,
        update_time=now,
        source=source,
        implied=row.implied,
    )
    return Staged(stored(asset), row.joined, repeated, row.implied)


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are not empty; lists as tuples."""
    return {
        name: tuple(value) if name in LISTS else value
        for name, value in values.items()
        if value or not is_empty(value)
    }


def is_empty(value: object) -> bool:
    """Whether a value says nothing."""
    return value is None or value == "" or value == () or value == []


def digest(asset: Asset, changes: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Hashes all that an import can change of an asset, with these changes; not where it was read from."""
    values = {**dict(zip(VALUES, _values(asset), strict=True)), **changes}
    return _digest(values.get("type", asset.type), values, values.get("attributes", asset.attributes))


def _digest(type_: str, values: Mapping[str, Any], attributes: Mapping[str, str]) -> str:
    content: list[Any] = [type_, [values[name] for name in _FIRST_VALUES], sorted(attributes.items())]
    later = {name: value for name in _LATER_VALUES if (value := values[name])}
    if later:
        content.append(later)
    text = _ENCODER.encode(content)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
