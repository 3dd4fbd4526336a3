"""What a merge would do and what it did, in sentences and numbers for the front end."""

from collections.abc import Mapping
from typing import Any

from mooring_widgets.client import DroppedValue, MergeCounts, MergeDrop, MergeRecord, id_of
from mooring_widgets.client.markup import counted
from mooring_widgets.views import fields
from mooring_widgets.views.fields import ASSET_FIELDS, DEPENDENCY_FIELDS, Field

STRATEGIES = {
    "combine": ("Combine", "What is empty is filled, and each conflict goes where you say."),
    "preserve_target": ("Keep the target", "Nothing that is there changes; only what is new is added."),
    "overwrite": ("Take the source", "The source wins wherever it knows something; the rest stays."),
}


def strategies() -> list[dict[str, str]]:
    """The strategies to choose from, each with what it does."""
    return [{"value": value, "label": label, "says": says} for value, (label, says) in STRATEGIES.items()]


def field_of(name: str) -> Field:
    """The field of this name, of whatever has it."""
    known = [*ASSET_FIELDS, *(field for field in DEPENDENCY_FIELDS if field.key == "description")]
    [field] = fields.chosen([name], known)
    return field


def numbers(counts: MergeCounts) -> dict[str, Any]:
    """The counts, with the fields by their labels, the most frequent first."""
    return {
        "assets": [counts.new_asset_count, counts.changed_asset_count, counts.kept_asset_count],
        "dependencies": [
            counts.new_dependency_count,
            counts.changed_dependency_count,
            counts.kept_dependency_count,
        ],
        "fills": _by_field(counts.fills),
        "conflicts": _by_field(counts.conflicts),
        "to_source": counts.conflicts_to_source_count,
        "fill_count": sum(counts.fills.values()),
        "conflict_count": sum(counts.conflicts.values()),
    }


def will(counts: MergeCounts, source: str, target: str, *, keep_source: bool) -> str:
    """What will happen, as something to agree to."""
    dependencies = counts.new_dependency_count + counts.changed_dependency_count
    parts = [
        counted(number, noun)
        for number, noun in (
            (counts.new_asset_count, "new asset"),
            (counts.changed_asset_count, "changed asset"),
            (dependencies, "new or changed dependency"),
        )
        if number
    ]
    gets = f"“{target}” gets {_listed(parts)}" if parts else f"“{target}” stays as it is"
    conflicts = sum(counts.conflicts.values())
    taken = counts.conflicts_to_source_count
    settled = ""
    if conflicts:
        wins = "all" if taken == conflicts else f"{taken:,}" if taken else "none"
        settled = f"; of {counted(conflicts, 'conflict')} {wins} go to “{source}”"
    after = "stays as it is" if keep_source else "is archived"
    return f"{gets}{settled}. “{source}” {after}."


def did(record: MergeRecord, source: str, target: str) -> dict[str, Any]:
    """The record of a merge."""
    undone = record.revert_time is not None
    if undone:
        says = f"It was undone: “{target}” shows again what it showed before."
    elif record.plan.keep_source:
        says = f"“{source}” was merged into “{target}”, and stays as it is."
    else:
        says = f"“{source}” was merged into “{target}”, and archived."
    return {
        "name": record.name,
        "says": says,
        "user": id_of(record.user),
        "time": record.create_time.isoformat() if record.create_time else "",
        "counts": numbers(record.counts),
        "undone": undone,
        "undoable": record.revertible and not undone,
    }


def drop(row: MergeDrop) -> dict[str, Any]:
    """One asset or dependency, with what of it is not in the result."""
    return {"label": row.display_name, "values": [_dropped(each) for each in row.values]}


def _dropped(value: DroppedValue) -> dict[str, Any]:
    field = field_of(value.field)
    sides: Mapping[str, str] = {"target": value.target, "source": value.source}
    return {
        "label": field.label,
        "kind": field.kind,
        **{side: _read(field, text) for side, text in sides.items()},
        "taken": value.taken,
    }


def _read(field: Field, text: str) -> Any:
    """A recorded value for the front end, which writes numbers itself."""
    try:
        return float(text) if text and field.kind in ("bytes", "number") else text
    except ValueError:
        return text


def _by_field(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"field": name, "label": field_of(name).label, "count": number} for name, number in ordered]


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), *parts[-1:]]).removeprefix(" and ")
