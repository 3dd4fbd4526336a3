"""Assets and dependencies as record batches, with the service's columns and types."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields as fields_of
from typing import TYPE_CHECKING, Any

from mooring_widgets.client import Asset, Dependency, id_of
from mooring_widgets.errors import InvalidArgument

if TYPE_CHECKING:
    import pyarrow as pa

_LISTS = ("ip_addresses", "mac_addresses", "networks")
_IDS: Mapping[str, Callable[[Any], Any]] = {
    "id": lambda thing: id_of(thing.name),
    "source_id": lambda thing: id_of(thing.source),
    "target_id": lambda thing: id_of(thing.target),
}
_ASSET_COLUMNS = ("id", *(f.name for f in fields_of(Asset) if f.name not in ("name", "etag")))
_DEPENDENCY_COLUMNS = (
    "id",
    "source_id",
    "target_id",
    *(f.name for f in fields_of(Dependency) if f.name not in ("name", "source", "target", "etag")),
)


def asset_batch(assets: Sequence[Asset], fields: Sequence[str]) -> "pa.RecordBatch":
    """Assets by their columns; all where none is named."""
    return _batch(assets, fields, _ASSET_COLUMNS)


def dependency_batch(dependencies: Sequence[Dependency], fields: Sequence[str]) -> "pa.RecordBatch":
    """Dependencies by their columns; all where none is named."""
    return _batch(dependencies, fields, _DEPENDENCY_COLUMNS)


def _batch(things: Sequence[Any], fields: Sequence[str], columns: Sequence[str]) -> "pa.RecordBatch":
    import pyarrow as pa

    for name in fields:
        if name not in columns and not name.startswith("attributes."):
            raise InvalidArgument(f"{name!r} is no field here")
    types = {
        **dict.fromkeys(_LISTS, pa.list_(pa.string())),
        **dict.fromkeys(("create_time", "update_time"), pa.timestamp("us", tz="UTC")),
        **dict.fromkeys(("memory_bytes", "storage_bytes"), pa.int64()),
        **dict.fromkeys(("port", "source_row"), pa.int32()),
        "cpu_cores": pa.float64(),
        "implied": pa.bool_(),
    }
    names = list(fields or columns)
    arrays = [pa.array([_value(t, name) for t in things], types.get(name, pa.string())) for name in names]
    return pa.record_batch(arrays, names=names)


def _value(thing: Any, name: str) -> Any:
    if name in _IDS:
        return _IDS[name](thing)
    if name == "attributes":
        return json.dumps(dict(thing.attributes), ensure_ascii=False)
    if name.startswith("attributes."):
        return thing.attributes.get(name.removeprefix("attributes."))
    return getattr(thing, name)
