"""Two data versions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from peewee import SQL, FieldAlias, Node, fn

from mooring_server.store.assets import StoredAsset
from mooring_server.store.assets import record as asset_record
from mooring_server.store.dependencies import record as dependency_record
from mooring_server.store.lists.filters import exists
from mooring_server.store.lists.pairs import Pairs, asset_pairs, dependency_pairs
from mooring_server.store.records import Asset, Dependency
from mooring_server.store.statements import Statement, filled, lists, param, slots, statement_family

if TYPE_CHECKING:
    from collections.abc import Collection

    from mooring_server.store.transaction import Tx

_ALL = fn.COUNT(SQL("*"))


def _counts(pairs: Pairs) -> Statement:
    pair = pairs(param("other_id"))
    is_changed = pair.other.digest != pair.own.digest
    query = pair.select(_ALL, _ALL.filter(is_changed))
    return Statement(query.where(pair.own.version_id == param("version_id")))


_ASSETS, _DEPENDENCIES = _counts(asset_pairs), _counts(dependency_pairs)


@statement_family
def _counterparts(pairs: Pairs, count: int) -> Node:
    pair = pairs(param("other_id"))
    wanted = (pair.own.version_id == param("version_id")) & pair.own.id.in_(slots(count))
    query: Node = pair.select(pair.own.id, pair.other.id).where(wanted)
    return query


@statement_family
def _changed(pairs: Pairs, after: bool) -> Node:
    own, other, select = pairs(param("other_id"))
    wanted = (own.version_id == param("version_id")) & (other.digest != own.digest)
    if after:
        wanted &= own.id > param("after_id")
    # Not by attribute: one of an asset's fields is called as something of every alias is, `model`.
    fields = own.model._meta.sorted_fields
    columns = [FieldAlias.create(row, field) for row in (own, other) for field in fields]
    query: Node = select(*columns).where(wanted).order_by(own.id).limit(param("limit"))
    return query


@statement_family
def _alone(pairs: Pairs, after: bool) -> Node:
    own, _, select = pairs(param("other_id"))
    this = own.model  # not an alias: peewee would not know that within the subquery
    wanted = this.version_id == param("version_id")
    if after:
        wanted &= this.id > param("after_id")
    paired = select(SQL("1")).where((own.version_id == this.version_id) & (own.id == this.id))
    query: Node = this.select().where(wanted & ~exists(paired)).order_by(this.id).limit(param("limit"))
    return query


class Paired(NamedTuple):
    """How many rows of a version have a counterpart in another one, and how many of these have changed."""

    rows: int
    changed: int


class Comparing:
    """What two data versions have in common; see `lists/pairs.py`. Counting reads both: long.

    What answers rows answers the next `limit` of them after the id `after_id`, in the order of ids.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def assets(self, version_id: str, other_id: str) -> Paired:
        """Of their assets."""
        return self._paired(_ASSETS, version_id, other_id)

    def dependencies(self, version_id: str, other_id: str) -> Paired:
        """Of their dependencies."""
        return self._paired(_DEPENDENCIES, version_id, other_id)

    def asset_counterparts(self, version_id: str, other_id: str, ids: Collection[str]) -> dict[str, str]:
        """The ids of the other version's assets, by those of this version that they stand for."""
        return self._counterparts(asset_pairs, version_id, other_id, ids)

    def dependency_counterparts(self, version_id: str, other_id: str, ids: Collection[str]) -> dict[str, str]:
        """The same of dependencies."""
        return self._counterparts(dependency_pairs, version_id, other_id, ids)

    def changed_assets(
        self, version_id: str, other_id: str, after_id: str | None, limit: int
    ) -> list[tuple[Asset, Asset]]:
        """Assets of both versions with different values: this one's, and the other's."""
        rows = self._rows(_changed, asset_pairs, version_id, other_id, after_id, limit)
        half = len(rows[0]) // 2 if rows else 0
        return [(asset_record(row[1:half]), asset_record(row[half + 1 :])) for row in rows]

    def changed_dependencies(
        self, version_id: str, other_id: str, after_id: str | None, limit: int
    ) -> list[tuple[Dependency, Dependency]]:
        """The same of dependencies; this one's with the names of their ends."""
        rows = self._rows(_changed, dependency_pairs, version_id, other_id, after_id, limit)
        half = len(rows[0]) // 2 if rows else 0
        own = self._tx.dependencies.named(version_id, [dependency_record(row[:half]) for row in rows])
        return [(mine, dependency_record(row[half:])) for mine, row in zip(own, rows, strict=True)]

    def lone_assets(
        self, version_id: str, other_id: str, after_id: str | None, limit: int
    ) -> list[StoredAsset]:
        """Assets that the other version does not have, as they are stored."""
        rows = self._rows(_alone, asset_pairs, version_id, other_id, after_id, limit)
        return [tuple(row[1:]) for row in rows]

    def lone_dependencies(
        self, version_id: str, other_id: str, after_id: str | None, limit: int
    ) -> list[Dependency]:
        """Dependencies that the other version does not have."""
        rows = self._rows(_alone, dependency_pairs, version_id, other_id, after_id, limit)
        return list(map(dependency_record, rows))

    def _rows(
        self, family: Any, pairs: Pairs, version_id: str, other_id: str, after_id: str | None, limit: int
    ) -> list[Any]:
        return self._tx.rows(
            family(pairs, after_id is not None),
            version_id=version_id,
            other_id=other_id,
            after_id=after_id,
            limit=limit,
        )

    def _counterparts(
        self, pairs: Pairs, version_id: str, other_id: str, ids: Collection[str]
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in lists(list(ids)):
            statement = _counterparts(pairs, len(part))
            found.update(self._tx.rows(statement, version_id=version_id, other_id=other_id, **filled(part)))
        return found

    def _paired(self, statement: Statement, version_id: str, other_id: str) -> Paired:
        row: Any = self._tx.row(statement, version_id=version_id, other_id=other_id)
        return Paired(*row)
