"""The part of the fake client that merges sessions."""

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from mooring_widgets.client import (
    Asset,
    Dependency,
    Difference,
    DroppedValue,
    MergeConflict,
    MergeCounts,
    MergeDrop,
    MergePlan,
    MergePreview,
    MergeRecord,
    PageOf,
    Progress,
    engagement_of,
)
from mooring_widgets.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound
from mooring_widgets.testing.calls import page_of
from mooring_widgets.testing.comparisons import FakeComparisons
from mooring_widgets.testing.filtering import passes
from mooring_widgets.testing.service import USER, Merged, found

_ATTRIBUTE = "attributes."


@dataclass(frozen=True, slots=True)
class _Field:
    """A field that both sides say something else of; `side` is whose value is in the result."""

    name: str
    target: Any
    source: Any
    side: str
    is_fill: bool
    is_conflict: bool


class FakeMerges(FakeComparisons):
    """Merges over a `FakeService`, by the rules of the real one."""

    async def preview_merge(self, target: str, plan: MergePlan) -> MergePreview:
        """See `MooringClient`."""
        await self._called("preview_merge")
        return self._previewed(target, plan)

    async def list_merge_conflicts(
        self,
        target: str,
        plan: MergePlan,
        *,
        page_size: int = 50,
        page_token: str = "",
        filter: str = "",
        order_by: str = "",
        fields: Collection[str] = (),
    ) -> PageOf[MergeConflict]:
        """See `MooringClient`."""
        await self._called("list_merge_conflicts")
        self._compared(target, plan.source)
        rows = []
        for mine, theirs in _pairs(self._assets(target, plan.source), Asset):
            conflicts = [each for each in _settled(mine, theirs, plan) if each.is_conflict]
            if any(not fields or each.name in fields for each in conflicts) and passes(mine, filter):
                sides = tuple((each.name, each.side) for each in conflicts)
                rows.append(MergeConflict(mine, theirs, sides))
        return replace(page_of(rows, page_size, page_token, 0), total=-1)

    async def merge_sessions(
        self,
        target: str,
        plan: MergePlan,
        *,
        digest: str = "",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> MergeRecord:
        """See `MooringClient`."""
        if on_progress is not None:
            on_progress(Progress("queued", 0, 0))
        await self._called("merge_sessions")
        preview = self._previewed(target, plan)
        if digest not in ("", preview.digest):
            raise Conflict(
                "the plan or the data of one of the sessions is not what was previewed; preview it again",
                reason="MERGE_MOVED",
            )
        if self.service.session(target).archive_time is not None:
            raise FailedPrecondition("the session is archived", reason="SESSION_ARCHIVED")
        with self.service.lock:
            return self._merge(target, plan, preview)

    async def get_merge(self, name: str) -> MergeRecord:
        """See `MooringClient`."""
        await self._called("get_merge")
        return self._told(found(self.service.merges, name, "merge", "MERGE_NOT_FOUND"))

    async def list_merges(
        self, engagement: str, *, page_size: int = 50, page_token: str = ""
    ) -> PageOf[MergeRecord]:
        """See `MooringClient`."""
        await self._called("list_merges")
        of = [
            self._told(each)
            for each in reversed(self.service.merges.values())
            if each.record.name.startswith(f"{engagement}/")
        ]
        return replace(page_of(of, page_size, page_token, 0), total=-1)

    async def list_merge_drops(
        self, merge: str, *, page_size: int = 50, page_token: str = ""
    ) -> PageOf[MergeDrop]:
        """See `MooringClient`."""
        await self._called("list_merge_drops")
        merged = found(self.service.merges, merge, "merge", "MERGE_NOT_FOUND")
        return replace(page_of(merged.drops, page_size, page_token, 0), total=-1)

    async def revert_merge(
        self, name: str, *, force: bool = False, validate_only: bool = False
    ) -> MergeRecord:
        """See `MooringClient`."""
        await self._called("revert_merge")
        merged = found(self.service.merges, name, "merge", "MERGE_NOT_FOUND")
        record, service = merged.record, self.service
        if record.revert_time is not None:
            raise FailedPrecondition(
                "this merge cannot be undone: it was undone before", reason="NOT_REVERTIBLE"
            )
        edited = service.session(record.target_session).data_version != record.data_version
        if edited and not force:
            raise FailedPrecondition(
                "1 edit of the data since the merge would be lost; set `force` to undo it all the same",
                reason="DATA_EDITED",
            )
        if validate_only:
            return replace(record, revert_time=service.time(), reverter=USER, revertible=False)
        with service.lock:
            service.set_assets(record.target_session, merged.assets)
            service.dependencies[record.target_session] = list(merged.dependencies)
            service.set_session(record.target_session, data_version=merged.data_version)
            if not record.plan.keep_source:
                service.set_session(record.source_session, archive_time=None)
            service.note("reverted", record.target_session)
            record = replace(record, revert_time=service.time(), reverter=USER, revertible=False)
            service.merges[name] = replace(merged, record=record)
        return record

    def _told(self, merged: Merged) -> MergeRecord:
        try:
            version = self.service.session(merged.record.target_session).data_version
        except NotFound:
            version = ""
        return replace(merged.record, revertible=merged.record.data_version == version)

    def _previewed(self, target: str, plan: MergePlan) -> MergePreview:
        if target == plan.source:
            raise InvalidArgument("plan.source: must be another session than the target")
        mine, theirs = self._compared(target, plan.source)
        assets, dependencies = self._assets(target, plan.source), self._dependencies(target, plan.source)
        fills: Counter[str] = Counter()
        conflicts: Counter[str] = Counter()
        to_source = changed = 0
        pairs = _pairs(assets, Asset)
        for own, other in pairs:
            settled = _settled(own, other, plan)
            fills.update(each.name for each in settled if each.is_fill)
            conflicts.update(each.name for each in settled if each.is_conflict)
            to_source += sum(each.is_conflict and each.side == "source" for each in settled)
            changed += any(each.side == "source" for each in settled)
        ends = _pairs(dependencies, Dependency)
        moved = sum(any(each.side == "source" for each in _settled(*pair, plan)) for pair in ends)
        counts = MergeCounts(
            new_asset_count=sum(each.kind == "added" for each in assets),
            changed_asset_count=changed,
            kept_asset_count=len(pairs) - changed,
            fills=dict(sorted(fills.items())),
            conflicts=dict(sorted(conflicts.items())),
            conflicts_to_source_count=to_source,
            new_dependency_count=sum(each.kind == "added" for each in dependencies),
            changed_dependency_count=moved,
            kept_dependency_count=len(ends) - moved,
        )
        content = repr((target, plan, mine.data_version, theirs.data_version))
        digest = hashlib.sha256(content.encode()).hexdigest()[:32]
        return MergePreview(counts, digest, mine.data_version, theirs.data_version)

    def _merge(self, target: str, plan: MergePlan, preview: MergePreview) -> MergeRecord:
        service, drops = self.service, []
        before = service.session(target).data_version
        assets, dependencies = (
            tuple(service.assets.get(target, ())),
            tuple(service.dependencies.get(target, ())),
        )
        merged: list[Asset] = []
        names: dict[str, str] = {}
        for each in self._assets(target, plan.source):
            own, other = each.own, each.other
            if isinstance(other, Asset):
                names[other.name] = own.name if own else other.name.replace(plan.source, target, 1)
            if isinstance(own, Asset) and isinstance(other, Asset):
                settled = _settled(own, other, plan)
                merged.append(_taken(own, other, settled))
                if left := _left_out(settled):
                    drops.append(MergeDrop(own.name, own.display_name, left))
            elif isinstance(shown := own or other, Asset):
                merged.append(replace(shown, name=names.get(shown.name, shown.name)))
        ends = [
            replace(row, name=row.name.replace(plan.source, target, 1), source=source, target=end)
            for each in self._dependencies(target, plan.source)
            if isinstance(row := each.own or each.other, Dependency)
            for source, end in [(names.get(row.source, row.source), names.get(row.target, row.target))]
        ]
        service.set_assets(target, merged)
        service.dependencies[target] = ends
        after = service.set_session(target, dependency_count=len(ends)).data_version
        if not plan.keep_source:
            service.set_session(plan.source, archive_time=service.time(), parent_session=target)
            service.note("archived", plan.source)
        service.note("merged", target)
        name = f"{engagement_of(target)}/merges/{service.new_id('m')}"
        record = MergeRecord(
            name,
            target,
            plan.source,
            USER,
            plan,
            preview.counts,
            data_version=after,
            create_time=service.time(),
            revertible=True,
        )
        service.merges[name] = Merged(record, tuple(drops), assets, dependencies, before)
        return record


def _pairs(differences: list[Difference], of: type[Any]) -> list[tuple[Any, Any]]:
    return [
        (each.own, each.other)
        for each in differences
        if isinstance(each.own, of) and isinstance(each.other, of)
    ]


def _settled(target: Any, source: Any, plan: MergePlan) -> list[_Field]:
    found = []
    for name in _names(target, source):
        mine, theirs = _value(target, name), _value(source, name)
        if mine == theirs or _is_unknown(theirs):
            continue
        if is_fill := _is_unknown(mine):
            side = "target" if plan.strategy == "preserve_target" else "source"
        else:
            side = "source" if plan.strategy == "overwrite" else "target"
        is_conflict = not is_fill and _folded(mine) != _folded(theirs)
        if plan.strategy == "combine" and is_conflict:
            side = plan.asset_choices.get((target.name, name)) or plan.field_choices.get(name, plan.conflicts)
            if side == "newest":
                mine_at, theirs_at = target.update_time, source.update_time
                side = "source" if mine_at and theirs_at and theirs_at > mine_at else "target"
        taken = is_fill and side == "source"
        found.append(_Field(name, mine, theirs, side, taken, is_conflict))
    return found


def _names(target: Any, source: Any) -> tuple[str, ...]:
    own = ("description",) if isinstance(target, Dependency) else _ASSET_FIELDS
    keys = sorted(target.attributes.keys() | source.attributes.keys())
    return (*own, *(f"{_ATTRIBUTE}{key}" for key in keys))


# Identity and origin are no values.
_ASSET_FIELDS = tuple(
    name
    for name in Asset.__dataclass_fields__
    if not name.startswith(("name", "attributes", "source_", "create_", "update_", "implied", "etag"))
)


def _value(thing: Any, name: str) -> Any:
    if name.startswith(_ATTRIBUTE):
        return thing.attributes.get(name.removeprefix(_ATTRIBUTE), "")
    return getattr(thing, name)


def _is_unknown(value: Any) -> bool:
    return value in (None, "", (), "other")


def _folded(value: Any) -> Any:
    if isinstance(value, tuple):
        return frozenset(map(_folded, value))
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    return value


def _taken(target: Any, source: Any, settled: list[_Field]) -> Any:
    names = [each.name for each in settled if each.side == "source"]
    attributes = {
        name.removeprefix(_ATTRIBUTE): _value(source, name) for name in names if name.startswith(_ATTRIBUTE)
    }
    values = {name: getattr(source, name) for name in names if not name.startswith(_ATTRIBUTE)}
    return replace(target, **values, attributes={**target.attributes, **attributes}) if names else target


def _left_out(settled: list[_Field]) -> tuple[DroppedValue, ...]:
    return tuple(
        DroppedValue(each.name, _text(each.target), _text(each.source), each.side)
        for each in settled
        if not each.is_fill
    )


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return json.dumps(value) if value else ""
    return "" if value is None else str(value)
