"""Merges of one session into another: what is asked of one, what it would do, and what it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mooring_widgets.client.snapshots import Asset
from mooring_widgets.errors import InvalidArgument

STRATEGIES = ("combine", "preserve_target", "overwrite")
SIDES = ("target", "source", "newest")


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What is merged, and how.

    Attributes:
        source: The full name of the session to take from, of the target's engagement.
        strategy: `combine`, `preserve_target` or `overwrite`.
        conflicts: Where `combine` takes conflicts from: `target`, `source` or `newest`.
        field_choices: The same for single fields.
        asset_choices: The same for one asset's field: by the asset's full name in the target, and the field.
        keep_source: Whether the source stays as it is; else it is archived.

    Raises:
        InvalidArgument: For a strategy or a side that there is not.
    """

    source: str
    strategy: str = "combine"
    conflicts: str = "target"
    field_choices: Mapping[str, str] = field(default_factory=dict)
    asset_choices: Mapping[tuple[str, str], str] = field(default_factory=dict)
    keep_source: bool = False

    def __post_init__(self) -> None:
        sides = (self.conflicts, *self.field_choices.values(), *self.asset_choices.values())
        for value, what, known in (
            (self.strategy, "strategy", STRATEGIES),
            *((side, "side", SIDES) for side in set(sides)),
        ):
            if value not in known:
                raise InvalidArgument(f"there is no {what} {value!r}; take one of {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """What a merge does, in numbers; the names are those of `mooring.v1.MergeCounts`.

    `fills` and `conflicts` count assets by field.
    """

    new_asset_count: int = 0
    changed_asset_count: int = 0
    kept_asset_count: int = 0
    fills: Mapping[str, int] = field(default_factory=dict)
    conflicts: Mapping[str, int] = field(default_factory=dict)
    conflicts_to_source_count: int = 0
    new_dependency_count: int = 0
    changed_dependency_count: int = 0
    kept_dependency_count: int = 0


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do; `digest` stands for the plan and the data of both sides."""

    counts: MergeCounts
    digest: str
    data_version: str = ""
    source_data_version: str = ""


@dataclass(frozen=True, slots=True)
class MergeConflict:
    """An asset of both sides, and its fields in conflict, each with where it goes: `target` or `source`."""

    asset: Asset
    source_asset: Asset
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DroppedValue:
    """A field that both sides said something else of, and whose value is in the result.

    Values are texts: lists are JSON, numbers are in their field's unit, empty is not known.
    """

    field: str
    target: str
    source: str
    taken: str


@dataclass(frozen=True, slots=True)
class MergeDrop:
    """What of one asset or dependency is not in the result."""

    resource: str
    display_name: str
    values: tuple[DroppedValue, ...]


@dataclass(frozen=True, slots=True)
class MergeRecord:
    """A merge that was done; in lists its plan is without its `asset_choices`.

    `revert_time` is when it was undone; `revertible` whether it can be now.
    """

    name: str
    target_session: str
    source_session: str
    user: str
    plan: MergePlan
    counts: MergeCounts
    data_version: str = ""
    create_time: datetime | None = None
    revert_time: datetime | None = None
    reverter: str = ""
    revertible: bool = False


@dataclass(frozen=True, slots=True)
class MergedValue:
    """One field of one asset or dependency that both sides know something else of.

    Values are texts: lists are comma-separated or JSON, numbers in their field's unit, empty is not known.
    `taken` is whose value is in the result: `target` or `source`.
    """

    resource: str
    name: str
    field: str
    target: str
    source: str
    taken: str
