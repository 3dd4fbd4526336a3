"""Merges, and the values that they are about, as a cell shows them."""

from mooring_widgets.client.listings import Listing
from mooring_widgets.client.merges import MergeConflict, MergeDrop, MergedValue, MergeRecord
from mooring_widgets.client.snapshots import Asset, id_of

_ATTRIBUTE = "attributes."


class Merges(Listing[MergeRecord]):
    """An engagement's merges, the newest first."""

    _noun = "merges"
    _head = ("When (UTC)", "Who", "From", "Into", "How", "New", "Changed", "State")

    def _row(self, each: MergeRecord) -> tuple[object, ...]:
        state = "undone" if each.revert_time else "can be undone" if each.revertible else ""
        return (
            each.create_time,
            id_of(each.user),
            id_of(each.source_session),
            id_of(each.target_session),
            each.plan.strategy.replace("_", " "),
            each.counts.new_asset_count,
            each.counts.changed_asset_count,
            state,
        )


class _MergedValues(Listing[MergedValue]):
    _head = ("Name", "Field", "Target", "Source", "Taken")

    def _row(self, each: MergedValue) -> tuple[object, ...]:
        field = each.field.removeprefix(_ATTRIBUTE)
        return each.name, field, each.target or "(none)", each.source or "(none)", each.taken


class MergeConflicts(_MergedValues):
    """Conflicts of a merge that is only planned; `taken` is where each goes by the plan."""

    _noun = "conflicts"


class MergeDrops(_MergedValues):
    """Both sides of every value that a merge left out: overwritten or not taken."""

    _noun = "values were left out"

    def _rest(self) -> str:
        return super()._rest() if self else "Nothing was left out."


def conflict_values(conflict: MergeConflict) -> list[MergedValue]:
    """A value for each field in conflict."""
    mine, theirs = conflict.asset, conflict.source_asset
    return [
        MergedValue(mine.name, mine.display_name, field, _text(mine, field), _text(theirs, field), side)
        for field, side in conflict.fields
    ]


def dropped_values(drop: MergeDrop) -> list[MergedValue]:
    """A value for each field that something was left out of."""
    return [
        MergedValue(drop.resource, drop.display_name, each.field, each.target, each.source, each.taken)
        for each in drop.values
    ]


def _text(asset: Asset, field: str) -> str:
    if field.startswith(_ATTRIBUTE):
        return asset.attributes.get(field.removeprefix(_ATTRIBUTE), "")
    value = getattr(asset, field)
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)
