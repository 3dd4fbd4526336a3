"""Merging, as coroutines of the library's loop."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from mooring_widgets import queries
from mooring_widgets.client import (
    ASSET_FIELDS,
    MergeConflict,
    MergeConflicts,
    MergeDrop,
    MergeDrops,
    MergedValue,
    MergePlan,
    MergeRecord,
    Merges,
    PageOf,
    Progress,
    Session,
    conflict_values,
    dropped_values,
)
from mooring_widgets.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    did_you_mean,
    near_names,
)
from mooring_widgets.workspace.lifecycle import Lifecycle, walk

if TYPE_CHECKING:
    from mooring_widgets.workspace.merges import PlannedMerge
    from mooring_widgets.workspace.workspace import Workspace

T = TypeVar("T")

_ATTRIBUTE = "attributes."
_CHOSEN = (*(field for field in ASSET_FIELDS if field != "attributes"), "description")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A merge as a person asks for one; the fields are the arguments of `Workspace.merge`.

    Raises:
        InvalidArgument: For a field that there is not, with names like it.
    """

    source: str | Session
    into: str | Session | None
    strategy: str
    conflicts: str
    fields: Mapping[str, str]
    assets: Mapping[tuple[str, str], str]
    keep_source: bool

    def __post_init__(self) -> None:
        for field in (*self.fields, *(field for _, field in self.assets)):
            if field not in _CHOSEN and not field.startswith(_ATTRIBUTE):
                near = did_you_mean(near_names(field, _CHOSEN)) or f"there are {', '.join(_CHOSEN)}"
                raise InvalidArgument(
                    f"assets have no field {field!r}; {near} An attribute is `{_ATTRIBUTE}` and its key"
                )


class MergeWork(Lifecycle):
    """The use cases about merges."""

    async def plan_merge(self, wanted: Wanted) -> tuple[Session, Session, MergePlan]:
        """The target, the source, and the plan with its sessions and assets found."""
        target = await self.find(self._current.state.session_id if wanted.into is None else wanted.into)
        source = await self.find(wanted.source)
        choices = {
            (await self._asset(target, name), field): side for (name, field), side in wanted.assets.items()
        }
        plan = MergePlan(
            source.name,
            strategy=wanted.strategy,
            conflicts=wanted.conflicts,
            field_choices=dict(wanted.fields),
            asset_choices=choices,
            keep_source=wanted.keep_source,
        )
        return target, source, plan

    async def preview_merge(self, ws: "Workspace", wanted: Wanted) -> "PlannedMerge":
        """What a merge would do."""
        from mooring_widgets.workspace.merges import PlannedMerge

        target, source, plan = await self.plan_merge(wanted)
        return PlannedMerge(ws, target, source, plan, await self._client.preview_merge(target.name, plan))

    async def merge(
        self, target: str, plan: MergePlan, digest: str, on_progress: Callable[[Progress], None] | None
    ) -> MergeRecord:
        """Merges; with a digest exactly what was previewed."""
        record = await self._client.merge_sessions(target, plan, digest=digest, on_progress=on_progress)
        self._merged("merged", record)
        return record

    async def merge_wanted(
        self, wanted: Wanted, on_progress: Callable[[Progress], None] | None
    ) -> MergeRecord:
        """Merges as somebody asks for, unseen."""
        target, _, plan = await self.plan_merge(wanted)
        return await self.merge(target.name, plan, "", on_progress)

    async def merge_conflicts(
        self, target: str, plan: MergePlan, fields: Collection[str], filter: str, limit: int | None
    ) -> MergeConflicts:
        """The conflicts of a plan; `limit` counts assets."""

        async def page(size: int, token: str) -> PageOf[MergeConflict]:
            return await self._client.list_merge_conflicts(
                target, plan, page_size=size, page_token=token, filter=filter, fields=fields
            )

        return MergeConflicts.of(_values(await walk(page, limit), conflict_values))

    async def merges(self, limit: int | None) -> Merges:
        """The merges of the current engagement, newest first, read now."""
        engagement = self._current.state.engagement_id

        async def page(size: int, token: str) -> PageOf[MergeRecord]:
            return await self._client.list_merges(engagement, page_size=size, page_token=token)

        return Merges.of(await walk(page, limit))

    async def merge_drops(self, which: MergeRecord | str | None, limit: int | None) -> MergeDrops:
        """What a merge left out; `limit` counts assets and dependencies."""
        name = await self._merge_name(which, lambda _: True)

        async def page(size: int, token: str) -> PageOf[MergeDrop]:
            return await self._client.list_merge_drops(name, page_size=size, page_token=token)

        return MergeDrops.of(_values(await walk(page, limit), dropped_values))

    async def revert_merge(
        self, which: MergeRecord | str | None, *, force: bool, validate_only: bool
    ) -> MergeRecord:
        """Undoes a merge: one by its record, name or id, else the newest that can be."""
        name = await self._merge_name(which, lambda each: each.revertible)
        record = await self._client.revert_merge(name, force=force, validate_only=validate_only)
        if not validate_only:
            self._merged("reverted", record)
        return record

    def _merged(self, kind: str, record: MergeRecord) -> None:
        self._changed(kind, record.target_session)
        if not record.plan.keep_source:
            self._changed("archived" if kind == "merged" else "unarchived", record.source_session)

    async def _merge_name(
        self, which: MergeRecord | str | None, is_meant: Callable[[MergeRecord], bool]
    ) -> str:
        if isinstance(which, MergeRecord):
            return which.name
        engagement = self._current.state.engagement_id
        if which is not None:
            return which if "/" in which else f"{engagement}/merges/{which}"
        page = await self._client.list_merges(engagement)
        found = next((each.name for each in page.items if is_meant(each)), None)
        if found is None:
            raise FailedPrecondition(
                f"there is no such merge of {engagement}; ws.merges() shows its history",
                reason="NOT_REVERTIBLE",
            )
        return found

    async def _asset(self, target: Session, wanted: str) -> str:
        """The full name of one of the target's assets, by that, its id or its display name."""
        if wanted.startswith(f"{target.name}/assets/"):
            return wanted
        of_name = partial(self._client.list_assets, target.name, page_size=2)
        page = await of_name(filter=f"display_name = {queries.quoted(wanted)}")
        if len(page.items) == 1:
            return page.items[0].name
        if page.items:
            raise InvalidArgument(
                f"{target.display_name} has several assets called {wanted!r}; name one by its id or full name"
            )
        asset = f"{target.name}/assets/{wanted}"
        try:
            return (await self._client.get_asset(asset)).name
        except (NotFound, InvalidArgument):
            raise NotFound(f"{target.display_name} has no asset {wanted!r}") from None


def _values(page: PageOf[T], of: Callable[[T], list[MergedValue]]) -> PageOf[MergedValue]:
    """The values of a page's things; where there are more of those, nobody has counted how many."""
    values = tuple(chain.from_iterable(map(of, page.items)))
    more = bool(page.next_token)
    return PageOf(values, len(values) + more, page.next_token, total_at_least=more)
