"""Two data versions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from peewee import SQL, Node, fn

from mooring_server.store.lists.pairs import Pairs, asset_pairs, dependency_pairs
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
def _counterparts(count: int) -> Node:
    pair = dependency_pairs(param("other_id"))
    wanted = (pair.own.version_id == param("version_id")) & pair.own.id.in_(slots(count))
    query: Node = pair.select(pair.own.id, pair.other.id).where(wanted)
    return query


class Paired(NamedTuple):
    """How many rows of a version have a counterpart in another one, and how many of these have changed."""

    rows: int
    changed: int


class Comparing:
    """What two data versions have in common; see `lists/pairs.py`. Counting reads both: long."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def assets(self, version_id: str, other_id: str) -> Paired:
        """Of their assets."""
        return self._paired(_ASSETS, version_id, other_id)

    def dependencies(self, version_id: str, other_id: str) -> Paired:
        """Of their dependencies."""
        return self._paired(_DEPENDENCIES, version_id, other_id)

    def dependency_counterparts(self, version_id: str, other_id: str, ids: Collection[str]) -> dict[str, str]:
        """The ids of the other version's dependencies, by those of this version that they stand for."""
        found: dict[str, str] = {}
        for part in lists(list(ids)):
            statement = _counterparts(len(part))
            found.update(self._tx.rows(statement, version_id=version_id, other_id=other_id, **filled(part)))
        return found

    def _paired(self, statement: Statement, version_id: str, other_id: str) -> Paired:
        row: Any = self._tx.row(statement, version_id=version_id, other_id=other_id)
        return Paired(*row)
