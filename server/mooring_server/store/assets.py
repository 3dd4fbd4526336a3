"""The assets of data versions: pages, bulk writing, and the sums over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from peewee import Node, Value, fn

from mooring_server.store import tables
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.lists.definitions import ASSETS
from mooring_server.store.lists.paging import Total, Window
from mooring_server.store.lists.search import AssetWords
from mooring_server.store.records import Asset, AssetType, Order, Page
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_json, from_us, searched_text, sort_key, to_json, to_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_A = tables.Assets
_FIELDS = _A._meta.sorted_fields
_NAMES = tuple(field.name for field in _FIELDS)
_THIS = _A.version_id == param("version_id")

SEARCHED_FIELDS = ("display_name", "hostname", "operating_system", "location", "application")
GROUPED_FIELDS = ("type", "environment", "operating_system", "location", "status")
BUCKETS_MAX = 1_000
_LOOKUP_MAX = 500
_INT64_MAX = 2**63 - 1
# Sums of 64-bit numbers may pass 64 bits, which SQLite refuses: high and low parts are summed apart.
_SPLIT = 2**31

_INSERT = Statement(_A.insert({field: param(field.name) for field in _FIELDS}))
_UPDATE = Statement(
    _A.update(
        {field: param(field.name) for field in _FIELDS if field.name not in ("version_id", "id")}
    ).where(_THIS & (_A.id == param("id")))
)


def _sums() -> tuple[Node, ...]:
    sums = [fn.COUNT(_A.id), fn.SUM(_A.cpu_cores)]
    for field in (_A.memory_bytes, _A.storage_bytes):
        sums += [fn.SUM(field / _SPLIT), fn.SUM(field.bin_and(_SPLIT - 1))]
    return tuple(sums)


_TOTALS = Statement(_A.select(*_sums()).where(_THIS))


@statement_family
def _buckets(name: str) -> Node:
    field = getattr(_A, name)
    return (
        _A.select(field, *_sums())
        .where(_THIS)
        .group_by(field)
        .order_by(fn.COUNT(_A.id).desc(), field)
        .limit(BUCKETS_MAX)
    )


@statement_family
def _value_count(name: str) -> Node:
    field = getattr(_A, name)
    return _A.select(fn.COUNT(field.distinct())).where(_THIS & (field != ""))


@statement_family
def _by_identity(count: int) -> Node:
    return _A.select().where(_THIS & _A.identity.in_([param(f"identity_{i}") for i in range(count)]))


@statement_family
def _range_end(after: bool) -> Node:
    beyond = _THIS & (_A.id > param("after_id")) if after else _THIS
    part = _A.select(_A.id).where(beyond).order_by(_A.id).limit(param("limit")).alias("part")
    return part.select_from(fn.COUNT(part.c.id), fn.MAX(part.c.id))


@statement_family
def _copy_missing(after: bool) -> Node:
    present = _A.alias("present")
    known = present.select(Value(1)).where(
        (present.version_id == param("to_version")) & (present.identity == _A.identity)
    )
    wanted = (_A.version_id == param("from_version")) & (_A.id <= param("last_id")) & ~fn.EXISTS(known)
    if after:
        wanted &= _A.id > param("after_id")
    # Cast, since PostgreSQL cannot tell the type of a lone argument in a SELECT list.
    target = Value(param("to_version"), converter=False).cast("TEXT")
    columns = [target if field.name == "version_id" else field for field in _FIELDS]
    return _A.insert_from(_A.select(*columns).where(wanted), _FIELDS).returning(_A.id)


class Assets:
    """Assets. Versions that a session shows never change: write only into one that is being built."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._words = AssetWords(tx)

    def page(
        self, version_id: str, order: Order, window: Window, condition: Condition | None = None
    ) -> Page[Asset]:
        """Those of a version that the condition is true of."""
        return ASSETS.page(self._tx, _record, condition, order, window, version_id=version_id)

    def total(self, version_id: str, window: Window, condition: Condition) -> Total:
        """How many there are of those; the version itself says how many it has in all."""
        return ASSETS.total(self._tx, condition, window, version_id=version_id)

    def by_identity(self, version_id: str, identities: Sequence[str]) -> dict[str, Asset]:
        """Those of the identities that the version has."""
        found: dict[str, Asset] = {}
        for start in range(0, len(identities), _LOOKUP_MAX):
            part = identities[start : start + _LOOKUP_MAX]
            wanted = {f"identity_{i}": identity for i, identity in enumerate(part)}
            for row in self._tx.rows(_by_identity(len(part)), version_id=version_id, **wanted):
                asset = _record(row)
                found[asset.identity] = asset
        return found

    def insert_many(self, version_id: str, assets: Sequence[Asset]) -> None:
        """Adds assets; a few thousand at a time, so that other writers get their turn."""
        self.insert_stored(version_id, [stored(asset) for asset in assets])

    def insert_stored(self, version_id: str, assets: Sequence[StoredAsset]) -> None:
        """The same for assets in the form of `stored`."""
        self._tx.run_rows(_INSERT, [(version_id, *asset) for asset in assets])
        self._words.add(version_id, [asset[0] for asset in assets])

    def update_many(self, version_id: str, assets: Sequence[Asset]) -> None:
        """Replaces assets by id; the same size applies."""
        ids = [asset.id for asset in assets]
        self._words.forget(version_id, ids)
        self._tx.run_many(_UPDATE, (_named(version_id, asset) for asset in assets))
        self._words.add(version_id, ids)

    def copy_missing(
        self, from_version: str, to_version: str, after_id: str | None, limit: int
    ) -> tuple[int, str | None]:
        """Copies the assets whose identity `to_version` lacks, inside the database, in ranges of ids.

        Looks at the next `limit` assets after `after_id`. Answers how many it copied and where to go on,
        None at the end.
        """
        after = after_id is not None
        seen, last_id = self._tx.row(
            _range_end(after), version_id=from_version, after_id=after_id, limit=limit
        )
        if not seen:
            return 0, None
        copied = self._tx.rows(
            _copy_missing(after),
            from_version=from_version,
            to_version=to_version,
            after_id=after_id,
            last_id=last_id,
        )
        self._words.add(to_version, [id for (id,) in copied])
        return len(copied), last_id if seen == limit else None

    def aggregate(self, version_id: str) -> dict[str, Any]:
        """What the version adds up to, in the shape of `mooring.v1.Landscape`: plain values, fit for JSON.

        `{"totals": totals, "groups": [{"field", "buckets": [{"value", **totals}], "value_count"}]}` with
        totals `asset_count`, `cpu_cores`, `memory_bytes`, `storage_bytes`. Reads the whole version: long.
        """
        groups = []
        for field in GROUPED_FIELDS:
            rows = self._tx.rows(_buckets(field), version_id=version_id)
            groups.append(
                {
                    "field": field,
                    "buckets": [{"value": value, **_totals(sums)} for value, *sums in rows],
                    "value_count": int(self._tx.row(_value_count(field), version_id=version_id)[0]),
                }
            )
        return {"totals": _totals(self._tx.row(_TOTALS, version_id=version_id)), "groups": groups}


def _totals(sums: Sequence[Any]) -> dict[str, Any]:
    count, cores, memory_high, memory_low, storage_high, storage_low = (value or 0 for value in sums)
    return {
        "asset_count": int(count),
        "cpu_cores": float(cores),
        "memory_bytes": _joined(memory_high, memory_low),
        "storage_bytes": _joined(storage_high, storage_low),
    }


def _joined(high: Any, low: Any) -> int:
    return min(int(high) * _SPLIT + int(low), _INT64_MAX)


StoredAsset = tuple[Any, ...]
"""An asset as the columns of its row, in their order, without the version: `id` first, `identity` next."""


def stored(asset: Asset) -> StoredAsset:
    """An asset as it is stored."""
    return (
        asset.id,
        asset.identity,
        asset.digest,
        asset.display_name,
        asset.type.value,
        asset.external_id,
        asset.hostname,
        to_json(asset.ip_addresses),
        asset.environment,
        asset.location,
        asset.platform,
        asset.operating_system,
        asset.status,
        asset.owner,
        asset.application,
        asset.criticality,
        asset.cpu_cores,
        asset.memory_bytes,
        asset.storage_bytes,
        to_json(asset.attributes),
        asset.source_file,
        asset.source_sheet,
        asset.source_row,
        to_us(asset.create_time),
        to_us(asset.update_time),
        sort_key(asset.display_name),
        searched_text(getattr(asset, name) for name in SEARCHED_FIELDS),
        to_json(asset.mac_addresses),
        to_json(asset.networks),
        asset.technology,
        asset.model,
        asset.serial_number,
        asset.business_unit,
        asset.migration_status,
        asset.migration_strategy,
        asset.migration_wave,
        asset.source,
        asset.implied,
    )


def _named(version_id: str, asset: Asset) -> dict[str, Any]:
    return dict(zip(_NAMES, (version_id, *stored(asset)), strict=True))


def _record(row: Any) -> Asset:
    return record(row[1:])


def record(asset: StoredAsset) -> Asset:
    """The asset of a row without its version."""
    (
        id, identity, digest, display_name, type, external_id, hostname, ip_addresses,
        environment, location, platform, operating_system, status, owner, application, criticality,
        cpu_cores, memory_bytes, storage_bytes, attributes, source_file, source_sheet, source_row,
        create_time, update_time, _, _, mac_addresses, networks, technology, model, serial_number,
        business_unit, migration_status, migration_strategy, migration_wave, source, implied,
    ) = asset  # fmt: skip
    return Asset(
        id=id,
        identity=identity,
        digest=digest,
        display_name=display_name,
        type=AssetType(type),
        external_id=external_id,
        hostname=hostname,
        ip_addresses=tuple(from_json(ip_addresses)),
        environment=environment,
        location=location,
        platform=platform,
        operating_system=operating_system,
        status=status,
        owner=owner,
        application=application,
        criticality=criticality,
        cpu_cores=cpu_cores,
        memory_bytes=memory_bytes,
        storage_bytes=storage_bytes,
        attributes=from_json(attributes),
        source_file=source_file,
        source_sheet=source_sheet,
        source_row=source_row,
        create_time=from_us(create_time),
        update_time=from_us(update_time),
        mac_addresses=tuple(from_json(mac_addresses)),
        networks=tuple(from_json(networks)),
        technology=technology,
        model=model,
        serial_number=serial_number,
        business_unit=business_unit,
        migration_status=migration_status,
        migration_strategy=migration_strategy,
        migration_wave=migration_wave,
        source=source,
        implied=bool(implied),
    )
