"""Landscapes: what a data version adds up to, summed inside the database and kept for each revision of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from typing import TYPE_CHECKING, Any

from peewee import EXCLUDED, SQL, Node, Select, Value, fn

from mooring_server.store import tables
from mooring_server.store.records import AssetType
from mooring_server.store.statements import Statement, param
from mooring_server.store.values import from_json, to_json

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_A = tables.Assets
_D = tables.Dependencies
_V = tables.DataVersions
_L = tables.Landscapes

GROUPED_FIELDS = (
    "type",
    "environment",
    "criticality",
    "operating_system",
    "technology",
    "location",
    "status",
)
KNOWABLE_FIELDS = (
    "display_name",
    "type",
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
    "cpu_cores",
    "memory_bytes",
    "storage_bytes",
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
"""The fields of an asset that can be known or not, in the order of `mooring.v1.Asset`; without attributes."""

BUCKETS_MAX = 1_000
APPLICATIONS_MAX = 200
SERVERS_MAX = 5
DEGREES_MAX = 100
_SERVERS = (AssetType.SERVER.value, AssetType.VIRTUAL_MACHINE.value)
_SUMMED = ("cpu_cores", "memory_bytes", "storage_bytes")
_LISTS = ("ip_addresses", "mac_addresses", "networks")
_INT64_MAX = 2**63 - 1
# Sums of 64-bit numbers may pass 64 bits, which SQLite refuses: high and low parts are summed apart.
_SPLIT = 2**31

_THIS = _A.version_id == param("version_id")
_ALL = fn.COUNT(SQL("*"))


def _sums(source: Any) -> list[Node]:
    """What `_totals` takes, over the rows of a table or a query."""
    sums = [_ALL, fn.SUM(source.cpu_cores)]
    for field in (source.memory_bytes, source.storage_bytes):
        sums += [fn.SUM(field / _SPLIT), fn.SUM(field.bin_and(_SPLIT - 1))]
    return [*sums, *(fn.COUNT(getattr(source, name)) for name in _SUMMED)]


_SUMS_COUNT = len(_sums(_A))


def _known(name: str) -> Node:
    field = getattr(_A, name)
    if name in _SUMMED:
        return fn.COUNT(field)
    return fn.COUNT(fn.NULLIF(field, "[]" if name in _LISTS else ""))


def _groups() -> Statement:
    # The columns that it takes are read once; rows of assets are wide, and groups are many.
    names = dict.fromkeys((*GROUPED_FIELDS, *_SUMMED))
    part = _A.select(*(getattr(_A, name) for name in names)).where(_THIS).cte("part", materialized=True)

    def branch(place: int, name: str) -> Any:
        field = getattr(part.c, name)
        known = fn.COUNT(fn.NULLIF(field, "")).over()
        group = (
            Select((part,), (SQL(str(place)), known, field, *_sums(part.c)))
            .group_by(field)
            .order_by(_ALL.desc(), field)
            .limit(BUCKETS_MAX)
        )
        return Select((group.alias(f"by_{name}"),), (SQL("*"),))

    branches = (branch(place, name) for place, name in enumerate(GROUPED_FIELDS))
    return Statement(reduce(lambda union, branch: union.union_all(branch), branches).with_cte(part))


def _degrees() -> Statement:
    pairs = (
        _D.select(_D.source_id, _D.target_id)
        .where((_D.version_id == param("version_id")) & (_D.source_id != _D.target_id))
        .distinct()
        .cte("pairs", materialized=True)
    )
    needing = Select(
        (pairs,), (pairs.c.source_id.alias("id"), SQL("0").alias("needed"), SQL("1").alias("needing"))
    )
    needed = Select((pairs,), (pairs.c.target_id, SQL("1"), SQL("0")))
    ends = needing.union_all(needed).alias("ends")
    return Statement(
        Select((ends,), (ends.c.id, fn.SUM(ends.c.needed), fn.SUM(ends.c.needing), _ALL.over()))
        .group_by(ends.c.id)
        .order_by(_ALL.desc(), ends.c.id)
        .limit(DEGREES_MAX)
        .with_cte(pairs)
    )


_TOTALS = Statement(_A.select(*_sums(_A), *(_known(name) for name in KNOWABLE_FIELDS)).where(_THIS))
_GROUPS = _groups()
_LARGEST = (
    _A.select(_A.application)
    .where(_THIS & (_A.application != ""))
    .group_by(_A.application)
    .order_by(_ALL.desc(), _A.application)
    .limit(APPLICATIONS_MAX)
)
_APPLICATIONS = Statement(
    _LARGEST.select_extend(
        _ALL.over(), *_sums(_A), *(_ALL.filter(_A.type == type_.value) for type_ in AssetType)
    )
)
_RANKED = (
    _A.select(
        _A.application,
        _A.id,
        _A.display_name,
        fn.ROW_NUMBER().over(partition_by=[_A.application], order_by=[_A.sort_name, _A.id]).alias("place"),
    )
    .where(_THIS & _A.type.in_(_SERVERS) & _A.application.in_(_LARGEST))
    .alias("ranked")
)
_APPLICATION_SERVERS = Statement(
    Select((_RANKED,), (_RANKED.c.application, _RANKED.c.id, _RANKED.c.display_name))
    .where(_RANKED.c.place <= SERVERS_MAX)
    .order_by(_RANKED.c.application, _RANKED.c.place)
)
_KINDS = Statement(
    _D.select(_D.kind, _ALL, _ALL.filter(_D.source_id == _D.target_id))
    .where(_D.version_id == param("version_id"))
    .group_by(_D.kind)
    .order_by(_D.kind)
)
_DEGREES = _degrees()

_GET = Statement(
    _L.select(_L.document).where((_L.version_id == param("version_id")) & (_L.revision == param("revision")))
)
_PUT = Statement(
    _L.insert_from(
        # Cast, since PostgreSQL cannot tell the types of arguments in a SELECT list.
        _V.select(
            _V.id,
            Value(param("revision"), converter=False).cast("BIGINT"),
            Value(param("document"), converter=False).cast("TEXT"),
        ).where((_V.id == param("version_id")) & (_V.revision >= param("revision"))),
        (_L.version_id, _L.revision, _L.document),
    ).on_conflict(
        conflict_target=[_L.version_id],
        preserve=[_L.revision, _L.document],
        where=_L.revision < EXCLUDED.revision,
    )
)


class Landscapes:
    """What versions add up to, as plain values in the shape of `mooring.v1.Landscape`, fit for JSON.

    Without its `name` and `data_version`; assets are named by their ids alone.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, version_id: str, revision: int) -> dict[str, Any] | None:
        """What was kept of that revision; None where nothing was."""
        row = self._tx.row(_GET, version_id=version_id, revision=revision)
        return None if row is None else from_json(row[0])

    def put(self, version_id: str, revision: int, document: str) -> None:
        """Keeps what `as_document` made, if the version is still there and nothing newer was kept."""
        self._tx.run(_PUT, version_id=version_id, revision=revision, document=document)

    def aggregate(self, version_id: str) -> dict[str, Any]:
        """What the version adds up to now. Reads all of it: long."""
        row = self._tx.row(_TOTALS, version_id=version_id)
        sums, known = row[:_SUMS_COUNT], row[_SUMS_COUNT:]
        applications, application_count = self._applications(version_id)
        return {
            "totals": _totals(sums),
            "groups": self._groups(version_id),
            "applications": applications,
            "application_count": application_count,
            "completeness": [
                {"field": name, "known_count": count}
                for name, count in zip(KNOWABLE_FIELDS, known, strict=True)
            ],
            "dependencies": self._dependencies(version_id, asset_count=sums[0]),
        }

    def _groups(self, version_id: str) -> list[dict[str, Any]]:
        found: list[list[Any]] = [[] for _ in GROUPED_FIELDS]
        counts = [0] * len(GROUPED_FIELDS)
        # Nothing but their places says in which order the parts of a UNION come.
        for place, count, *bucket in self._tx.rows(_GROUPS, version_id=version_id):
            found[place].append(bucket)
            counts[place] = count
        return [
            {
                "field": name,
                "buckets": [
                    {"value": value, "totals": _totals(sums)}
                    for value, *sums in sorted(buckets, key=lambda bucket: (-bucket[1], bucket[0].encode()))
                ],
                "value_count": count,
            }
            for name, buckets, count in zip(GROUPED_FIELDS, found, counts, strict=True)
        ]

    def _applications(self, version_id: str) -> tuple[list[dict[str, Any]], int]:
        rows = self._tx.rows(_APPLICATIONS, version_id=version_id)
        if not rows:
            return [], 0
        ranked = self._tx.rows(_APPLICATION_SERVERS, version_id=version_id)
        servers = {
            application: [_reference(id, name) for _, id, name in some]
            for application, some in groupby(ranked, key=lambda row: row[0])
        }
        listed = []
        for application, _, *numbers in rows:
            by_type = dict(zip(AssetType, numbers[_SUMS_COUNT:], strict=True))
            listed.append(
                {
                    "application": application,
                    "totals": _totals(numbers[:_SUMS_COUNT]),
                    "asset_count_by_type": {type_.value: count for type_, count in by_type.items() if count},
                    "servers": servers.get(application, []),
                    "server_count": sum(by_type[AssetType(type_)] for type_ in _SERVERS),
                }
            )
        return listed, rows[0][1]

    def _dependencies(self, version_id: str, asset_count: int) -> dict[str, Any]:
        kinds = self._tx.rows(_KINDS, version_id=version_id)
        rows = self._tx.rows(_DEGREES, version_id=version_id) if kinds else []
        names = self._tx.assets.display_names(version_id, [row[0] for row in rows])
        return {
            "dependency_count": sum(count for _, count, _ in kinds),
            "count_by_kind": {kind: count for kind, count, _ in kinds},
            "self_count": sum(count for _, _, count in kinds),
            "isolated_count": asset_count - (rows[0][3] if rows else 0),
            "degrees": [
                {
                    "asset": _reference(id, names.get(id, "")),
                    "in_degree": int(needed),
                    "out_degree": int(needing),
                }
                for id, needed, needing, _ in rows
            ],
        }


def as_document(landscape: dict[str, Any]) -> str:
    """A landscape as it is kept. Megabytes of a large one: made before the transaction that keeps it."""
    return to_json(landscape)


def _reference(id: str, display_name: str) -> dict[str, str]:
    return {"asset": id, "display_name": display_name}


def _totals(sums: Sequence[Any]) -> dict[str, Any]:
    count, cores, memory_high, memory_low, storage_high, storage_low, *known = (each or 0 for each in sums)
    cpu_known, memory_known, storage_known = known
    return {
        "asset_count": count,
        "cpu_cores": float(cores),
        "memory_bytes": _joined(memory_high, memory_low),
        "storage_bytes": _joined(storage_high, storage_low),
        "cpu_known_count": cpu_known,
        "memory_known_count": memory_known,
        "storage_known_count": storage_known,
    }


def _joined(high: Any, low: Any) -> int:
    return min(int(high) * _SPLIT + int(low), _INT64_MAX)
