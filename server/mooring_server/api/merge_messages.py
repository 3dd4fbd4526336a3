"""Merges as messages, and what is asked of them."""

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict
from mooring.v1 import merges_pb2

from mooring_server.api.times import timestamp
from mooring_server.core.merges import Plan
from mooring_server.core.merging import Rules, Side, Strategy
from mooring_server.core.names import ANY, Kind, quote, sibling
from mooring_server.errors import InvalidArgument
from mooring_server.store.records import Merge, MergeDrop, version_label

WIRE_SIDES = {side: merges_pb2.MergeSide.Value(f"MERGE_SIDE_{side.name}") for side in Side}
_SIDES: Mapping[int, Side] = {number: side for side, number in WIRE_SIDES.items()}
_WIRE_STRATEGIES = {each: merges_pb2.MergeStrategy.Value(f"MERGE_STRATEGY_{each.name}") for each in Strategy}
_STRATEGIES: Mapping[int, Strategy] = {
    merges_pb2.MERGE_STRATEGY_UNSPECIFIED: Strategy.COMBINE,
    **{number: strategy for strategy, number in _WIRE_STRATEGIES.items()},
}


def unpack_plan(engagement_id: str, session_id: str, plan: merges_pb2.MergePlan) -> Plan:
    """What is asked for, checked."""
    source_id = sibling(engagement_id, plan.source, "plan.source")
    if plan.strategy not in _STRATEGIES:
        names = ", ".join(strategy.name for strategy in Strategy)
        raise InvalidArgument.field("plan.strategy", f"must be one of {names}")
    conflicts = Side.TARGET
    if plan.conflicts:
        conflicts = _side(plan.conflicts, "plan.conflicts")
    by_asset = {}
    for choice in plan.asset_choices:
        *parent, asset_id = Kind.ASSET.ids(choice.asset, "plan.asset_choices.asset")
        if parent[1] != session_id or parent[0] not in (ANY, engagement_id):
            raise InvalidArgument.field(
                "plan.asset_choices.asset", f"{quote(choice.asset)} is not of the target"
            )
        by_asset[asset_id, choice.field] = _side(choice.side, "plan.asset_choices.side")
    by_field = {each.field: _side(each.side, "plan.field_choices.side") for each in plan.field_choices}
    rules = Rules(_STRATEGIES[plan.strategy], conflicts, by_field, by_asset)
    return Plan(source_id, rules, plan.keep_source)


def _side(number: int, field: str) -> Side:
    if number not in _SIDES:
        raise InvalidArgument.field(field, f"must be one of {', '.join(side.name for side in Side)}")
    return _SIDES[number]


def _pack_plan(engagement_id: str, target_id: str, plan: Plan) -> merges_pb2.MergePlan:
    rules = plan.rules
    return merges_pb2.MergePlan(
        source=Kind.SESSION.of(engagement_id, plan.source_id),
        strategy=_WIRE_STRATEGIES[rules.strategy],
        conflicts=WIRE_SIDES[rules.conflicts],
        field_choices=[
            merges_pb2.FieldChoice(field=name, side=WIRE_SIDES[side])
            for name, side in sorted(rules.by_field.items())
        ],
        asset_choices=[
            merges_pb2.AssetChoice(
                asset=Kind.ASSET.of(engagement_id, target_id, id), field=name, side=WIRE_SIDES[side]
            )
            for (id, name), side in sorted(rules.by_asset.items())
        ],
        keep_source=plan.keep_source,
    )


def pack_merge(record: Merge, *, revertible: bool, whole: bool = True) -> merges_pb2.Merge:
    """A merge as a message; where it is not `whole` without its choices for single assets, often many."""
    optional: dict[str, Any] = {}
    if record.revert_time is not None:
        optional["revert_time"] = timestamp(record.revert_time)
    if record.reverter_id is not None:
        optional["reverter"] = Kind.USER.of(record.reverter_id)
    engagement_id = record.engagement_id
    plan = _pack_plan(engagement_id, record.target_id, Plan.from_json(record.plan))
    if not whole:
        plan.ClearField("asset_choices")
    return merges_pb2.Merge(
        name=Kind.MERGE.of(engagement_id, record.id),
        target_session=Kind.SESSION.of(engagement_id, record.target_id),
        source_session=Kind.SESSION.of(engagement_id, record.source_id),
        user=Kind.USER.of(record.user_id),
        plan=plan,
        counts=ParseDict(record.counts, merges_pb2.MergeCounts()),
        base_data_version=version_label(record.base_id, record.base_revision),
        source_data_version=version_label(record.source_version_id, record.source_revision),
        data_version=version_label(record.version_id, record.revision),
        create_time=timestamp(record.create_time),
        revertible=revertible,
        **optional,
    )


def pack_drop(record: Merge, drop: MergeDrop) -> merges_pb2.MergeDrop:
    """What a merge left out of one asset or dependency, as a message."""
    session = Kind.SESSION.of(record.engagement_id, record.target_id)
    return merges_pb2.MergeDrop(
        resource=f"{session}/{drop.kind}/{drop.id}",
        display_name=drop.display_name,
        values=[
            merges_pb2.DroppedValue(
                field=name, target=_text(target), source=_text(source), taken=WIRE_SIDES[Side(taken)]
            )
            for name, target, source, taken in drop.dropped
        ],
    )


def _text(value: Any) -> str:
    """A value as a text: lists as JSON, what is not known as nothing."""
    if isinstance(value, str):
        return value
    return "" if value is None or value == [] else json.dumps(value, ensure_ascii=False)
