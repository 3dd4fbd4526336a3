"""The dependencies of data versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from peewee import SQL, Node, Value, fn

from mooring_server.store import tables
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.lists.definitions import DEPENDENCIES
from mooring_server.store.lists.paging import Total, Window
from mooring_server.store.records import Dependency, DependencyKind, Order, Page
from mooring_server.store.statements import Statement, filled, lists, param, slots, statement_family
from mooring_server.store.values import from_json, from_us, to_json, to_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_D = tables.Dependencies
_FIELDS = _D._meta.sorted_fields
_NAMES = tuple(field.name for field in _FIELDS)
_THIS = _D.version_id == param("version_id")

_ID = _D.id == param("id")
_FROM = _THIS & (_D.source_id == param("asset_id"))
# One that points at its own source is counted, and deleted, as from there.
_TO = _THIS & (_D.target_id == param("asset_id")) & (_D.source_id != param("asset_id"))

_GET = Statement(_D.select().where(_THIS & _ID))
_DELETE = Statement(_D.delete().where(_THIS & _ID))
# One statement for each end: so each has its index.
_COUNTS = [Statement(_D.select(fn.COUNT(SQL("*"))).where(end)) for end in (_FROM, _TO)]
_DELETES = [Statement(_D.delete().where(end)) for end in (_FROM, _TO)]
_UPDATE = Statement(
    _D.update(
        {field: param(field.name) for field in _FIELDS if field.name not in ("version_id", "id")}
    ).where(_THIS & _ID)
)


@statement_family
def _by_texts(column: str, count: int) -> Node:
    return _D.select().where(_THIS & getattr(_D, column).in_(slots(count)))


@statement_family
def _range_end(after: bool, until: bool) -> Node:
    within = _THIS & (_D.id > param("after_id")) if after else _THIS
    if until:
        within &= _D.id <= param("until_id")
    part = _D.select(_D.id).where(within).order_by(_D.id).limit(param("limit")).alias("part")
    return part.select_from(fn.COUNT(part.c.id), fn.MAX(part.c.id))


def _known() -> Any:
    present = _D.alias("present")
    return fn.EXISTS(
        present.select(Value(1)).where(
            (present.version_id == param("to_version")) & (present.identity == _D.identity)
        )
    )


def _moved() -> Any:
    """What runs on something runs on one thing: where a newer inventory names another, that counts.

    What nobody but a user said stays, and so does what the older version had side by side.
    """
    newer, older = _D.alias("newer"), _D.alias("older")
    runs_on = DependencyKind.RUNS_ON.value
    is_old = fn.EXISTS(
        older.select(Value(1)).where(
            (older.version_id == param("from_version")) & (older.identity == newer.identity)
        )
    )
    return (
        (_D.kind == runs_on)
        & (_D.source_file != "")
        & fn.EXISTS(
            newer.select(Value(1)).where(
                (newer.version_id == param("to_version"))
                & (newer.source_id == _D.source_id)
                & (newer.kind == runs_on)
                & ~is_old
            )
        )
    )


_SUPERSEDED = Statement(
    _D.select(fn.COUNT(SQL("*"))).where((_D.version_id == param("from_version")) & ~_known() & _moved())
)


@statement_family
def _copy_missing(after: bool) -> Node:
    wanted = (_D.version_id == param("from_version")) & (_D.id <= param("last_id")) & ~_known() & ~_moved()
    if after:
        wanted &= _D.id > param("after_id")
    # Cast, since PostgreSQL cannot tell the type of a lone argument in a SELECT list.
    target = Value(param("to_version"), converter=False).cast("TEXT")
    columns = [target if field.name == "version_id" else field for field in _FIELDS]
    return _D.insert_from(_D.select(*columns).where(wanted), _FIELDS)


class Dependencies:
    """Dependencies. In bulk, write only into a version that is being built; `tx.edits` is for what is shown.

    Their display names are those of their ends in the same version, where one or a page is read.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, version_id: str, id: str) -> Dependency | None:
        """The dependency; None where the version does not have it."""
        row = self._tx.row(_GET, version_id=version_id, id=id)
        return None if row is None else self.named(version_id, [record(row)])[0]

    def page(
        self, version_id: str, order: Order, window: Window, condition: Condition | None = None
    ) -> Page[Dependency]:
        """Those of a version that the condition is true of."""
        found = DEPENDENCIES.page(self._tx, record, condition, order, window, version_id=version_id)
        return Page(tuple(self.named(version_id, found.items)), found.next_key)

    def total(self, version_id: str, window: Window, condition: Condition) -> Total:
        """How many there are of those; the version itself says how many it has in all."""
        return DEPENDENCIES.total(self._tx, condition, window, version_id=version_id)

    def by_identity(self, version_id: str, identities: Sequence[str]) -> dict[str, Dependency]:
        """Those of the identities that the version has."""
        return {each.identity: each for each in self._by_texts("identity", version_id, identities)}

    def by_id(self, version_id: str, ids: Sequence[str]) -> dict[str, Dependency]:
        """Those of the ids that the version has."""
        found = self._by_texts("id", version_id, ids)
        return {each.id: each for each in self.named(version_id, found)}

    def _by_texts(self, column: str, version_id: str, texts: Sequence[str]) -> list[Dependency]:
        found: list[Dependency] = []
        for part in lists(texts):
            rows = self._tx.rows(_by_texts(column, len(part)), version_id=version_id, **filled(part))
            found += map(record, rows)
        return found

    def count_of_asset(self, version_id: str, asset_id: str) -> int:
        """How many dependencies an asset is an end of."""
        arguments = {"version_id": version_id, "asset_id": asset_id}
        return sum(int(self._tx.row(count, **arguments)[0]) for count in _COUNTS)

    def insert_many(self, version_id: str, dependencies: Sequence[Dependency]) -> None:
        """Adds dependencies; a few thousand at a time, so that other writers get their turn."""
        self.insert_stored(version_id, [stored(each) for each in dependencies])

    def insert_stored(self, version_id: str, dependencies: Sequence[StoredDependency]) -> None:
        """The same for dependencies in the form of `stored`."""
        self._tx.insert_rows(_D, [(version_id, *each) for each in dependencies])

    def update_many(self, version_id: str, dependencies: Sequence[Dependency]) -> None:
        """Replaces dependencies by id; the same size applies."""
        self._tx.run_many(_UPDATE, (_named(version_id, each) for each in dependencies))

    def delete(self, version_id: str, ids: Sequence[str]) -> None:
        """Deletes dependencies; the same size applies."""
        self._tx.run_many(_DELETE, ({"version_id": version_id, "id": id} for id in ids))

    def delete_of_asset(self, version_id: str, asset_id: str) -> int:
        """Deletes all that an asset is an end of; how many they were."""
        return sum(self._tx.run(each, version_id=version_id, asset_id=asset_id) for each in _DELETES)

    def superseded(self, from_version: str, to_version: str) -> int:
        """How many `copy_missing` leaves behind, since what they run on is another in `to_version`. Long."""
        return int(self._tx.row(_SUPERSEDED, from_version=from_version, to_version=to_version)[0])

    def copy_missing(
        self,
        from_version: str,
        to_version: str,
        after_id: str | None,
        limit: int,
        until_id: str | None = None,
    ) -> tuple[int, str | None]:
        """Copies the dependencies whose identity `to_version` lacks, inside the database, in ranges of ids.

        Those that are `superseded` are left out.

        Looks at the next `limit` dependencies after `after_id`, to `until_id`. Answers how many it copied and
        where to go on, None at the end.
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
        copied = self._tx.run(
            _copy_missing(after),
            from_version=from_version,
            to_version=to_version,
            after_id=after_id,
            last_id=last_id,
        )
        return copied, last_id if seen == limit else None

    def named(self, version_id: str, dependencies: Sequence[Dependency]) -> list[Dependency]:
        """The same with their display names: by a look at each end's key, however the rows were found."""
        ids = {id: None for each in dependencies for id in (each.source_id, each.target_id)}
        names = self._tx.assets.display_names(version_id, ids)
        return [
            replace(
                each,
                source_display_name=names.get(each.source_id, ""),
                target_display_name=names.get(each.target_id, ""),
            )
            for each in dependencies
        ]


StoredDependency = tuple[Any, ...]
"""A dependency as the columns of its row, in their order, without the version: `id` first."""


def stored(dependency: Dependency) -> StoredDependency:
    """A dependency as it is stored."""
    return (
        dependency.id,
        dependency.identity,
        dependency.digest,
        dependency.source_id,
        dependency.target_id,
        dependency.kind.value,
        dependency.port,
        dependency.protocol,
        dependency.source_process,
        dependency.target_process,
        dependency.description,
        to_json(dependency.attributes),
        dependency.source_file,
        dependency.source_sheet,
        dependency.source_row,
        to_us(dependency.create_time),
        to_us(dependency.update_time),
    )


def _named(version_id: str, dependency: Dependency) -> dict[str, Any]:
    return dict(zip(_NAMES, (version_id, *stored(dependency)), strict=True))


def record(row: Any) -> Dependency:
    """The dependency of a row, without the names of its ends."""
    (
        _, id, identity, digest, source_id, target_id, kind, port, protocol, source_process, target_process,
        description, attributes, source_file, source_sheet, source_row, create_time, update_time, *_,
    ) = row  # fmt: skip
    return Dependency(
        id=id,
        identity=identity,
        digest=digest,
        source_id=source_id,
        target_id=target_id,
        kind=DependencyKind(kind),
        port=port,
        protocol=protocol,
        source_process=source_process,
        target_process=target_process,
        description=description,
        attributes=from_json(attributes),
        source_file=source_file,
        source_sheet=source_sheet,
        source_row=source_row,
        create_time=from_us(create_time),
        update_time=from_us(update_time),
    )
