"""Two sessions of an engagement, held against each other.

Their assets pair by identity, which tells the same thing in every import (`core/assets.py`); dependencies by
that of their ends (`store/lists/pairs.py`). What only the other session has was **added**, what it lacks was
**removed**; a pair is **changed** where their values differ, which says nothing of where they were read from.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from mooring_server.core import sessions
from mooring_server.core.dependencies import within
from mooring_server.core.paging import Query, Window
from mooring_server.core.staging import VALUES
from mooring_server.core.version_pages import Rows, walked
from mooring_server.store import Tx
from mooring_server.store.comparing import Paired
from mooring_server.store.lists.conditions import Beside, Condition, Or, Standing, both
from mooring_server.store.records import Asset, DataVersion, Dependency, Page

T = TypeVar("T", Asset, Dependency)


class DifferenceKind(StrEnum):
    """How two sessions differ in a thing; the values are those of `mooring.v1.DifferenceKind`."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


DIFFERENT = frozenset({DifferenceKind.ADDED, DifferenceKind.REMOVED, DifferenceKind.CHANGED})
_STANDINGS = {
    DifferenceKind.REMOVED: Standing.ALONE,
    DifferenceKind.CHANGED: Standing.CHANGED,
    DifferenceKind.UNCHANGED: Standing.UNCHANGED,
}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many things there are of each kind."""

    added: int
    removed: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sessions' counts, and the labels of the data that was compared."""

    data_version: str
    other_data_version: str
    assets: Counts
    dependencies: Counts


@dataclass(frozen=True, slots=True)
class Difference(Generic[T]):
    """A thing as the session has it and as the other one does, None where it does not.

    `fields` are those whose values differ, attributes as `attributes.{key}`.
    """

    kind: DifferenceKind
    own: T | None
    other: T | None
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differences(Generic[T]):
    """A page of differences, and the labels of the data that is compared."""

    data_version: str
    other_data_version: str
    items: tuple[Difference[T], ...]
    next_key: tuple[Any, ...] | None


def compare(tx: Tx, engagement_id: str, session_id: str, other_id: str) -> Comparison:
    """Counts what differs between what two sessions show. Reads all of both: long.

    Raises:
        NotFound: SESSION_NOT_FOUND.
    """
    own, other = (_shown(tx, engagement_id, id) for id in (session_id, other_id))
    return Comparison(
        _label(own),
        _label(other),
        _counts(own, other, lambda version: version.asset_count, tx.comparing.assets),
        _counts(own, other, lambda version: version.dependency_count, tx.comparing.dependencies),
    )


def assets(
    tx: Tx,
    engagement_id: str,
    session_ids: tuple[str, str],
    query: Query,
    kinds: Collection[DifferenceKind],
    window: Window,
) -> Differences[Asset]:
    """Some of the assets in which two sessions differ, of these kinds: those that were added come last.

    The query is about an asset as the first session has it, and about those that were added as the other one
    does. A walk stays with the data versions that it began with.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: INVALID_PAGE_TOKEN; the data that the walk began in is no longer kept.
    """

    def counterparts(tx: Tx, own_id: str, other_id: str, own: Sequence[Asset]) -> Mapping[str, Asset]:
        found = tx.assets.by_identity(other_id, [each.identity for each in own])
        return {each.id: found[each.identity] for each in own if each.identity in found}

    sides = [(id, query.condition) for id in session_ids]
    return _page(tx, engagement_id, sides, tx.assets, counterparts, query, kinds, window)


def dependencies(
    tx: Tx,
    engagement_id: str,
    session_ids: tuple[str, str],
    query: Query,
    kinds: Collection[DifferenceKind],
    window: Window,
) -> Differences[Dependency]:
    """The same of dependencies.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: INVALID_PAGE_TOKEN; the data that the walk began in is no longer kept.
    """

    def counterparts(
        tx: Tx, own_id: str, other_id: str, own: Sequence[Dependency]
    ) -> Mapping[str, Dependency]:
        ids = tx.comparing.dependency_counterparts(own_id, other_id, [each.id for each in own])
        found = tx.dependencies.by_id(other_id, list(ids.values()))
        return {id: found[its_id] for id, its_id in ids.items()}

    condition = query.condition
    sides = [(id, None if condition is None else within(condition, engagement_id, id)) for id in session_ids]
    return _page(tx, engagement_id, sides, tx.dependencies, counterparts, query, kinds, window)


def _page(
    tx: Tx,
    engagement_id: str,
    sides: Sequence[tuple[str, Condition | None]],
    rows: Rows[T],
    counterparts: Callable[[Tx, str, str, Sequence[T]], Mapping[str, T]],
    query: Query,
    kinds: Collection[DifferenceKind],
    window: Window,
) -> Differences[T]:
    own, other = (_shown(tx, engagement_id, id) for id, _ in sides)
    walk, key = 0, None
    if window.after_key is not None:
        own_id, other_id, walk, *key = window.after_key
        own, other = (None if id is None else walked(tx, id) for id in (own_id, other_id))
    found: list[Difference[T]] = []
    stopped: tuple[Any, ...] = ()
    for number, (mine, theirs, standings) in enumerate(_walks(own, other, kinds)):
        if number < walk or mine is None or not standings:
            continue
        if len(found) == window.limit:
            stopped = (number,)
            break
        condition = both(sides[number][1], _standing(theirs, standings))
        part = replace(window, limit=window.limit - len(found), after_key=key or None)
        page: Page[T] = rows.page(mine.id, query.order, part, condition)
        key = None
        pairs = counterparts(tx, mine.id, theirs.id, page.items) if theirs and not number else {}
        found += (_difference(each, pairs.get(each.id), is_added=bool(number)) for each in page.items)
        if page.next_key is not None:
            stopped = (number, *(page.next_key or ()))
            break
    next_key = (own and own.id, other and other.id, *stopped) if stopped else None
    return Differences(_label(own), _label(other), tuple(found), next_key)


def _walks(
    own: DataVersion | None, other: DataVersion | None, kinds: Collection[DifferenceKind]
) -> Iterator[tuple[DataVersion | None, DataVersion | None, frozenset[Standing]]]:
    """What is walked through, what it is held against, and which rows are wanted of it."""
    wanted = frozenset(standing for kind, standing in _STANDINGS.items() if kind in kinds)
    alone = frozenset({Standing.ALONE} if DifferenceKind.ADDED in kinds else ())
    if own is not None and other is not None and own.id == other.id:
        wanted, alone = wanted & {Standing.UNCHANGED}, frozenset()
    yield own, other, wanted if other is not None else wanted & {Standing.ALONE}
    yield other, own, alone


def _standing(version: DataVersion | None, standings: frozenset[Standing]) -> Condition | None:
    if version is None or standings == frozenset(Standing):
        return None  # all of them are wanted
    parts = tuple(Beside(version.id, standing) for standing in sorted(standings))
    return parts[0] if len(parts) == 1 else Or(parts)


def _difference(row: T, counterpart: T | None, *, is_added: bool) -> Difference[T]:
    if is_added:
        return Difference(DifferenceKind.ADDED, None, row, ())
    if counterpart is None:
        return Difference(DifferenceKind.REMOVED, row, None, ())
    if row.digest == counterpart.digest:
        return Difference(DifferenceKind.UNCHANGED, row, counterpart, ())
    return Difference(DifferenceKind.CHANGED, row, counterpart, changed_fields(row, counterpart))


def changed_fields(own: T, other: T) -> tuple[str, ...]:
    """The fields whose values differ, in the order of the message; then `attributes.{key}`, in theirs."""
    names = ("type", *VALUES) if isinstance(own, Asset) else ("description",)
    fields = [name for name in names if getattr(own, name) != getattr(other, name)]
    keys = sorted(own.attributes.keys() | other.attributes.keys())
    fields += (f"attributes.{key}" for key in keys if own.attributes.get(key) != other.attributes.get(key))
    return tuple(fields)


def _counts(
    own: DataVersion | None,
    other: DataVersion | None,
    count: Callable[[DataVersion], int],
    paired: Callable[[str, str], Paired],
) -> Counts:
    mine, theirs = (0 if version is None else count(version) for version in (own, other))
    pairs = Paired(0, 0)
    if own is not None and other is not None and mine and theirs:
        pairs = Paired(mine, 0) if own.id == other.id else paired(own.id, other.id)
    return Counts(theirs - pairs.rows, mine - pairs.rows, pairs.changed, pairs.rows - pairs.changed)


def _shown(tx: Tx, engagement_id: str, session_id: str) -> DataVersion | None:
    version_id = sessions.get(tx, engagement_id, session_id).data_version_id
    return None if version_id is None else tx.versions.get(version_id)


def _label(version: DataVersion | None) -> str:
    return "" if version is None else version.label
