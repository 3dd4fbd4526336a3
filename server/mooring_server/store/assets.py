"""The assets of data versions: pages and bulk writing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from peewee import JOIN, SQL, Join, Node, Select, Value, ValuesList, fn

from mooring_server.store import tables
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.lists.definitions import ASSETS
from mooring_server.store.lists.paging import Total, Window
from mooring_server.store.lists.search import AssetWords
from mooring_server.store.records import Asset, AssetType, Order, Page
from mooring_server.store.statements import Statement, filled, lists, param, slots, statement_family
from mooring_server.store.tables import INDEXED_LENGTH, indexed_part
from mooring_server.store.values import from_json, from_us, searched_text, sort_key, to_json, to_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_A = tables.Assets
_FIELDS = _A._meta.sorted_fields
_NAMES = tuple(field.name for field in _FIELDS)
_THIS = _A.version_id == param("version_id")

SEARCHED_FIELDS = ("display_name", "hostname", "operating_system", "location", "application")
_SCAN_MAX = 10_000

_GET = Statement(_A.select().where(_THIS & (_A.id == param("id"))))
_DELETE = Statement(_A.delete().where(_THIS & (_A.id == param("id"))))
_UPDATE = Statement(
    _A.update(
        {field: param(field.name) for field in _FIELDS if field.name not in ("version_id", "id")}
    ).where(_THIS & (_A.id == param("id")))
)


@statement_family
def _by_texts(column: str, count: int) -> Node:
    return _A.select().where(_THIS & getattr(_A, column).in_(slots(count)))


@statement_family
def _by_hostnames(count: int, sqlite: bool) -> Node:
    # In these very words, which are the index's own. Whole names are compared where the rows are read.
    start, known = indexed_part(_A.hostname), _A.hostname != SQL("''")
    if sqlite:
        return _A.select().where(_THIS & known & start.in_(slots(count)))
    # One by one, as an OFFSET makes PostgreSQL: it thinks that many are most of the table, and reads that.
    wanted = ValuesList([(slot,) for slot in slots(count)], columns=("part",), alias="wanted")
    one = _A.select().where(_THIS & known & (start == wanted.c.part)).offset(SQL("0")).alias("one")
    columns = [getattr(one.c, field.name) for field in _FIELDS]
    return Select([Join(wanted, one, JOIN.LATERAL, SQL("TRUE"))], columns)


@statement_family
def _display_names(count: int) -> Node:
    return _A.select(_A.id, _A.display_name).where(_THIS & _A.id.in_(slots(count)))


@statement_family
def _addresses(after: bool) -> Node:
    beyond = _THIS & (_A.id > param("after_id")) if after else _THIS
    return _A.select(_A.id, _A.ip_addresses).where(beyond).order_by(_A.id).limit(param("limit"))


@statement_family
def _range_end(after: bool, until: bool) -> Node:
    within = _THIS & (_A.id > param("after_id")) if after else _THIS
    if until:
        within &= _A.id <= param("until_id")
    part = _A.select(_A.id).where(within).order_by(_A.id).limit(param("limit")).alias("part")
    return part.select_from(fn.COUNT(part.c.id), fn.MAX(part.c.id))


@statement_family
def _copy_missing(after: bool) -> Node:
    present = _A.alias("present")
    known = present.select(Value(1)).where(
        (present.version_id == param("to_version")) & (present.identity == _A.identity)
    )
    # One that was only mentioned may have got another identity.
    taken = _A.alias("taken")
    known_by_id = taken.select(Value(1)).where(
        (taken.version_id == param("to_version")) & (taken.id == _A.id)
    )
    wanted = (_A.version_id == param("from_version")) & (_A.id <= param("last_id"))
    wanted &= ~fn.EXISTS(known) & ~fn.EXISTS(known_by_id)
    if after:
        wanted &= _A.id > param("after_id")
    # Cast, since PostgreSQL cannot tell the type of a lone argument in a SELECT list.
    target = Value(param("to_version"), converter=False).cast("TEXT")
    columns = [target if field.name == "version_id" else field for field in _FIELDS]
    return _A.insert_from(_A.select(*columns).where(wanted), _FIELDS).returning(_A.id)


class Assets:
    """Assets. In bulk, write only into a version that is being built; `tx.edits` is for what is shown."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._words = AssetWords(tx)

    def get(self, version_id: str, id: str) -> Asset | None:
        """The asset; None where the version does not have it."""
        row = self._tx.row(_GET, version_id=version_id, id=id)
        return None if row is None else _record(row)

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
        return {asset.identity: asset for asset in self._by_texts("identity", version_id, identities)}

    def by_names(self, version_id: str, sort_names: Sequence[str]) -> list[Asset]:
        """Those whose display name has one of these sort keys (`values.sort_key`)."""
        return self._by_texts("sort_name", version_id, sort_names)

    def by_hostnames(self, version_id: str, hostnames: Sequence[str]) -> list[Asset]:
        """Those with one of these host names, as they are or in lower case."""
        wanted = {name: None for given in hostnames for name in (given, given.lower()) if name}
        found: dict[str, Asset] = {}
        for part in lists(list(dict.fromkeys(name[:INDEXED_LENGTH] for name in wanted))):
            statement = _by_hostnames(len(part), self._tx.is_sqlite)
            rows = self._tx.rows(statement, version_id=version_id, **filled(part))
            found.update((asset.id, asset) for asset in map(_record, rows) if asset.hostname in wanted)
        return list(found.values())

    def with_addresses(self, version_id: str, addresses: Collection[str]) -> dict[str, list[str]]:
        """The ids of the assets that have each of the addresses, for those that any has. Long: reads all."""
        found: dict[str, list[str]] = {}
        after_id = None
        while True:
            rows = self._tx.rows(
                _addresses(after_id is not None),
                version_id=version_id,
                after_id=after_id,
                limit=_SCAN_MAX,
            )
            for id, held in rows:
                if held != "[]":
                    for address in dict.fromkeys(from_json(held)):
                        if address in addresses:
                            found.setdefault(address, []).append(id)
            if len(rows) < _SCAN_MAX:
                return found
            after_id = rows[-1][0]

    def display_names(self, version_id: str, ids: Collection[str]) -> dict[str, str]:
        """What the assets of those ids are called, for those that the version has."""
        names: dict[str, str] = {}
        for part in lists(list(ids)):
            names.update(self._tx.rows(_display_names(len(part)), version_id=version_id, **filled(part)))
        return names

    def _by_texts(self, column: str, version_id: str, texts: Sequence[str]) -> list[Asset]:
        found: list[Asset] = []
        for part in lists(texts):
            rows = self._tx.rows(_by_texts(column, len(part)), version_id=version_id, **filled(part))
            found += map(_record, rows)
        return found

    def insert_many(self, version_id: str, assets: Sequence[Asset]) -> None:
        """Adds assets; a few thousand at a time, so that other writers get their turn."""
        self.insert_stored(version_id, [stored(asset) for asset in assets])

    def insert_stored(self, version_id: str, assets: Sequence[StoredAsset]) -> None:
        """The same for assets in the form of `stored`."""
        self._tx.insert_rows(_A, [(version_id, *asset) for asset in assets])
        self._words.add(version_id, [asset[0] for asset in assets])

    def update_many(self, version_id: str, assets: Sequence[Asset]) -> None:
        """Replaces assets by id; the same size applies."""
        ids = [asset.id for asset in assets]
        self._words.forget(version_id, ids)
        self._tx.run_many(_UPDATE, (_named(version_id, asset) for asset in assets))
        self._words.add(version_id, ids)

    def delete(self, version_id: str, ids: Sequence[str]) -> None:
        """Deletes assets; the same size applies. Their dependencies stay: see to those first."""
        self._words.forget(version_id, ids)
        self._tx.run_many(_DELETE, ({"version_id": version_id, "id": id} for id in ids))

    def copy_missing(
        self,
        from_version: str,
        to_version: str,
        after_id: str | None,
        limit: int,
        until_id: str | None = None,
    ) -> tuple[int, str | None]:
        """Copies the assets whose identity `to_version` lacks, inside the database, in ranges of ids.

        Looks at the next `limit` assets after `after_id`, to `until_id`. Answers how many it copied and where
        to go on, None at the end.
        """
        after = after_id is not None
        seen, last_id = self._tx.row(
            _range_end(after, until_id is not None),
            version_id=from_version,
            after_id=after_id,
            until_id=until_id,
            limit=limit,
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


StoredAsset = tuple[Any, ...]
"""An asset as the columns of its row, in their order, without the version: `id` first, `identity` next."""

HOSTNAME, SORT_NAME = (_NAMES.index(name) - 1 for name in ("hostname", "sort_name"))
"""Where these stand in a StoredAsset."""


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


_TYPES = {each.value: each for each in AssetType}


def _texts(stored: str) -> tuple[str, ...]:
    # Much of an estate has none of them.
    return tuple(from_json(stored)) if stored != "[]" else ()


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
        type=_TYPES[type],
        external_id=external_id,
        hostname=hostname,
        ip_addresses=_texts(ip_addresses),
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
        attributes=from_json(attributes) if attributes != "{}" else {},
        source_file=source_file,
        source_sheet=source_sheet,
        source_row=source_row,
        create_time=from_us(create_time),
        update_time=from_us(update_time),
        mac_addresses=_texts(mac_addresses),
        networks=_texts(networks),
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
