"""Merges, from messages and to them."""

from mooring.v1 import merges_pb2

from mooring_widgets.client import decode, decode_discovery
from mooring_widgets.client.merges import (
    DroppedValue,
    MergeConflict,
    MergeCounts,
    MergeDrop,
    MergePlan,
    MergePreview,
    MergeRecord,
)
from mooring_widgets.client.reports import Progress

_SIDE, _STRATEGY, _PHASE = "MERGE_SIDE_", "MERGE_STRATEGY_", "MERGE_PHASE_"
# What holds where nothing is said.
_COMBINE, _TARGET = merges_pb2.MERGE_STRATEGY_COMBINE, merges_pb2.MERGE_SIDE_TARGET
_COUNTS = tuple(name for name in MergeCounts.__dataclass_fields__ if name.endswith("_count"))


def plan_message(plan: MergePlan) -> merges_pb2.MergePlan:
    """What is asked."""
    return merges_pb2.MergePlan(
        source=plan.source,
        strategy=_strategy_value(plan.strategy),
        conflicts=_side_value(plan.conflicts),
        field_choices=[
            merges_pb2.FieldChoice(field=field, side=_side_value(side))
            for field, side in plan.field_choices.items()
        ],
        asset_choices=[
            merges_pb2.AssetChoice(asset=asset, field=field, side=_side_value(side))
            for (asset, field), side in plan.asset_choices.items()
        ],
        keep_source=plan.keep_source,
    )


def preview(message: merges_pb2.PreviewMergeResponse) -> MergePreview:
    """What a merge would do."""
    return MergePreview(
        _counts(message.counts), message.digest, message.data_version, message.source_data_version
    )


def conflict(message: merges_pb2.MergeConflict) -> MergeConflict:
    """An asset with conflicts."""
    return MergeConflict(
        decode_discovery.asset(message.asset),
        decode_discovery.asset(message.source_asset),
        tuple((each.field, _side(each.side)) for each in message.fields),
    )


def record(message: merges_pb2.Merge) -> MergeRecord:
    """A merge that was done."""
    return MergeRecord(
        name=message.name,
        target_session=message.target_session,
        source_session=message.source_session,
        user=message.user,
        plan=_plan(message.plan),
        counts=_counts(message.counts),
        data_version=message.data_version,
        create_time=decode.time(message.create_time),
        revert_time=decode.time(message.revert_time),
        reverter=message.reverter,
        revertible=message.revertible,
    )


def drop(message: merges_pb2.MergeDrop) -> MergeDrop:
    """What of one thing is not in the result."""
    values = (
        DroppedValue(each.field, each.target, each.source, _side(each.taken)) for each in message.values
    )
    return MergeDrop(message.resource, message.display_name, tuple(values))


def progress(message: merges_pb2.MergeSessionsMetadata) -> Progress:
    """How far a merge is."""
    phase = merges_pb2.MergePhase.Name(message.phase).removeprefix(_PHASE).lower()
    return Progress(phase, message.rows_done, message.rows_total)


def _plan(message: merges_pb2.MergePlan) -> MergePlan:
    return MergePlan(
        message.source,
        strategy=_strategy(message.strategy),
        conflicts=_side(message.conflicts),
        field_choices={each.field: _side(each.side) for each in message.field_choices},
        asset_choices={(each.asset, each.field): _side(each.side) for each in message.asset_choices},
        keep_source=message.keep_source,
    )


def _counts(message: merges_pb2.MergeCounts) -> MergeCounts:
    counts = {name: getattr(message, name) for name in _COUNTS}
    return MergeCounts(**counts, fills=dict(message.fills), conflicts=dict(message.conflicts))


def _strategy(value: merges_pb2.MergeStrategy.ValueType) -> str:
    return merges_pb2.MergeStrategy.Name(value or _COMBINE).removeprefix(_STRATEGY).lower()


def _side(value: merges_pb2.MergeSide.ValueType) -> str:
    return merges_pb2.MergeSide.Name(value or _TARGET).removeprefix(_SIDE).lower()


def _side_value(side: str) -> merges_pb2.MergeSide.ValueType:
    return merges_pb2.MergeSide.Value(f"{_SIDE}{side.upper()}")


def _strategy_value(strategy: str) -> merges_pb2.MergeStrategy.ValueType:
    return merges_pb2.MergeStrategy.Value(f"{_STRATEGY}{strategy.upper()}")
