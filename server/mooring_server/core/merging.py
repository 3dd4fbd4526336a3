"""What a merge does with a thing that both sessions have, field by field.

An asset of the source meets the target's of the same identity, a dependency the one between the same two
assets. A field is a **fill** where it is empty in the target alone. It is in **conflict** where both know it
and their normalised values differ: texts without regard to case, compatibility forms (NFKC) and white space,
lists without regard to order. Attributes count one by one, as `attributes.{key}`.

- `preserve_target`: what the target has stays as it is; only what is new is added.
- `overwrite`: the source wins where it knows something; what only the target knows stays.
- `combine`: fills are taken, and each conflict goes to the side that the rule names: by asset and field, by
  field, or for all; `newest` is the side whose asset was changed last, the target's where both were at once.

Whatever value does not make it into the result is told (`Dropped`), so that the record of a merge and its
result have every value of both sides between them: also a spelling that counts as equal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeVar

from mooring_server.core.dependencies import dependency_digest
from mooring_server.core.staging import LISTS, VALUES, digest, is_empty
from mooring_server.store.records import Asset, AssetType, Dependency
from mooring_server.store.values import sort_key

T = TypeVar("T", Asset, Dependency)

ATTRIBUTE = "attributes."
ASSET_FIELDS = ("type", *VALUES)
DEPENDENCY_FIELDS = ("description",)
_asset_values = attrgetter(*ASSET_FIELDS)


def _dependency_values(dependency: Dependency) -> tuple[str]:
    return (dependency.description,)


class Strategy(StrEnum):
    """How two sessions become one; the values are those of `mooring.v1.MergeStrategy` in lower case."""

    PRESERVE_TARGET = "preserve_target"
    OVERWRITE = "overwrite"
    COMBINE = "combine"


class Side(StrEnum):
    """Whose value is taken; the values are those of `mooring.v1.MergeSide` in lower case."""

    TARGET = "target"
    SOURCE = "source"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Rules:
    """Which strategy, and where conflicts go when it is `combine`.

    `by_asset` has the target's ids of assets, each with its fields.
    """

    strategy: Strategy = Strategy.COMBINE
    conflicts: Side = Side.TARGET
    by_field: Mapping[str, Side] = field(default_factory=dict)
    by_asset: Mapping[tuple[str, str], Side] = field(default_factory=dict)

    def side(self, name: str, target: Asset | Dependency, source: Asset | Dependency) -> Side:
        """Whose value a field in conflict gets: TARGET or SOURCE."""
        if self.strategy is not Strategy.COMBINE:
            return Side.SOURCE if self.strategy is Strategy.OVERWRITE else Side.TARGET
        side = self.by_asset.get((target.id, name)) or self.by_field.get(name, self.conflicts)
        if side is Side.NEWEST:
            return Side.SOURCE if source.update_time > target.update_time else Side.TARGET
        return side


@dataclass(frozen=True, slots=True)
class Dropped:
    """A field of which one side's value is not in the result: both values, and whose was taken."""

    field: str
    target: Any
    source: Any
    taken: Side


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a thing that both sides have. Nothing changed where `fills` and `taken` are empty.

    `conflicts` are all fields in conflict, each with the side that it went to. `taken` are the fields that
    have the source's value now without having been empty.
    """

    fills: tuple[str, ...] = ()
    conflicts: tuple[tuple[str, Side], ...] = ()
    taken: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()


def settle(target: T, source: T, rules: Rules) -> Settled:
    """Decides each field of a thing that both sides have."""
    fills: list[str] = []
    conflicts: list[tuple[str, Side]] = []
    taken: list[str] = []
    dropped: list[Dropped] = []
    for name, mine, theirs in _differing(target, source):
        if is_unknown(theirs):
            continue  # what only the target knows stays, whatever the strategy
        if is_unknown(mine):
            if rules.strategy is Strategy.PRESERVE_TARGET:
                dropped.append(Dropped(name, mine, theirs, Side.TARGET))
            else:
                fills.append(name)
            continue
        is_conflict = normalised(name, mine) != normalised(name, theirs)
        side = rules.side(name, target, source)
        if not is_conflict and rules.strategy is Strategy.COMBINE:
            side = Side.TARGET
        if is_conflict:
            conflicts.append((name, side))
        if side is Side.SOURCE:
            taken.append(name)
        dropped.append(Dropped(name, mine, theirs, side))
    return Settled(tuple(fills), tuple(conflicts), tuple(taken), tuple(dropped))


def merged(target: T, source: T, settled: Settled, now: datetime) -> T:
    """The target with what it takes of the source; the very same one where that is nothing."""
    names = (*settled.fills, *settled.taken)
    if not names:
        return target
    attributes = dict(target.attributes)
    values: dict[str, Any] = {}
    for name in names:
        if name.startswith(ATTRIBUTE):
            key = name.removeprefix(ATTRIBUTE)
            attributes[key] = source.attributes[key]
        else:
            values[name] = getattr(source, name)
    values |= {"attributes": attributes, "update_time": now}
    if isinstance(target, Asset) and isinstance(source, Asset):
        # Whoever has a row about it makes it an asset like others.
        values["implied"] = target.implied and source.implied
        return replace(target, **values, digest=digest(target, values))
    changed = replace(target, **values)
    return replace(changed, digest=dependency_digest(changed))


def is_unknown(value: object) -> bool:
    """Whether a value says nothing: empty, or the type that stands for none."""
    return is_empty(value) or value is AssetType.OTHER


def normalised(name: str, value: Any) -> object:
    """What two values of a field are compared by."""
    if name in LISTS:
        return frozenset(_folded(each) for each in value)
    return _folded(value) if isinstance(value, str) and not isinstance(value, AssetType) else value


def _folded(text: str) -> str:
    return " ".join(sort_key(text).split())


def _differing(target: T, source: T) -> Iterator[tuple[str, Any, Any]]:
    """The fields whose values are not the very same, with both; attributes in the order of their keys."""
    names = ASSET_FIELDS if isinstance(target, Asset) else DEPENDENCY_FIELDS
    values_of = _asset_values if isinstance(target, Asset) else _dependency_values
    for name, mine, theirs in zip(names, values_of(target), values_of(source), strict=True):
        if mine != theirs:
            yield name, mine, theirs
    if target.attributes == source.attributes:
        return
    for key in sorted(target.attributes.keys() | source.attributes.keys()):
        mine, theirs = target.attributes.get(key, ""), source.attributes.get(key, "")
        if mine != theirs:
            yield f"{ATTRIBUTE}{key}", mine, theirs
