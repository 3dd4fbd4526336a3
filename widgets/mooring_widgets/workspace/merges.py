"""The part of a workspace that is about merging sessions, and what was merged."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from mooring_widgets.client import (
    MergeConflicts,
    MergeCounts,
    MergeDrops,
    MergePlan,
    MergePreview,
    MergeRecord,
    Merges,
    Progress,
    Session,
    aligned,
)
from mooring_widgets.client.markup import paragraph, table
from mooring_widgets.workspace.helpful import Helpful
from mooring_widgets.workspace.merging import Wanted
from mooring_widgets.workspace.progress import wait_with_progress

if TYPE_CHECKING:
    from mooring_widgets.workspace.workspace import Workspace

_COUNT_HEAD = ("", "New", "Changed", "Kept")
_FIELD_HEAD = ("Field", "Fills", "Conflicts")


class MergeMethods(Helpful):
    """What one session gets of another; sessions are named as in `switch`."""

    _ws: "Workspace"

    def merge(
        self,
        source: str | Session,
        into: str | Session | None = None,
        *,
        strategy: str = "combine",
        conflicts: str = "target",
        fields: Mapping[str, str] | None = None,
        assets: Mapping[tuple[str, str], str] | None = None,
        keep_source: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> MergeRecord:
        """Merges a session into the current one or another, all or nothing; interrupting it cancels it.

        What both have and say differently is settled field by field. Every value that is not in the result
        is in the record, and `revert_merge` undoes it exactly; `preview_merge` changes nothing.

        >>> record = ws.merge("Wave 1", into="Baseline", fields={"owner": "source"}, keep_source=True)
        >>> record.counts.new_asset_count
        0

        Args:
            source: The session to take from, of the same engagement.
            into: The session that gets it; by default the current one.
            strategy: `combine` fills what is empty and settles conflicts by rule; `overwrite` lets the source
                win where it knows something; `preserve_target` only adds what is new.
            conflicts: Where `combine` takes conflicts from: `target`, `source`, or `newest`, the side whose
                asset was changed last.
            fields: The same for single fields, such as `owner` or `attributes.Rack`; before `conflicts`.
            assets: The same for one asset's field: `{("web-1", "owner"): "source"}`; before both. An asset is
                named as the target has it: by its display name, id or full name. At most 10,000.
            keep_source: Leave the source as it is. Else it is archived, with the target as its parent.
            on_progress: Called with every step on the calling thread; by default a line is printed.

        Raises:
            NotFound: For a session or an asset that is not there.
            InvalidArgument: For a strategy, a side or a field that there is not, and one session twice.
            FailedPrecondition: DEFAULT_SESSION, for a default session that is not kept; SESSION_ARCHIVED.
            Conflict: Where one of them changed meanwhile.
        """
        wanted = Wanted(source, into, strategy, conflicts, fields or {}, assets or {}, keep_source)
        self._ws.refuse_on_loop()
        return wait_with_progress(
            lambda tell: self._ws.run(self._ws.work.merge_wanted(wanted, tell)), on_progress
        )

    def preview_merge(
        self,
        source: str | Session,
        into: str | Session | None = None,
        *,
        strategy: str = "combine",
        conflicts: str = "target",
        fields: Mapping[str, str] | None = None,
        assets: Mapping[tuple[str, str], str] | None = None,
        keep_source: bool = False,
    ) -> "PlannedMerge":
        """What a merge would do, counted by field; nothing is changed. The arguments are those of `merge`.

        >>> planned = ws.preview_merge("Wave 1", into="Baseline")
        >>> planned
        Merge “Wave 1” into “Baseline”: combine, conflicts to the target
                      New  Changed  Kept
        assets        0    0        3
        dependencies  ...
        Nothing is filled, and nothing is in conflict.
        >>> len(planned.conflicts())
        0
        """
        wanted = Wanted(source, into, strategy, conflicts, fields or {}, assets or {}, keep_source)
        return self._ws.wait(self._ws.work.preview_merge(self._ws, wanted))

    def merges(self, limit: int | None = 100) -> Merges:
        """The merges of the current engagement, newest first; at most `limit`, None for all.

        >>> _ = ws.merge("Wave 1", into="Wave 2", keep_source=True)
        >>> ws.merges()
        When (UTC)        Who   From    Into    How      New  Changed  State
        2026-01-01 00:00  demo  wave-1  wave-2  combine  3    0        can be undone
        """
        return self._ws.wait(self._ws.work.merges(limit))

    def merge_drops(self, which: MergeRecord | str | None = None, *, limit: int | None = 1_000) -> MergeDrops:
        """Both sides of every value that a merge left out; `to_pandas()` has them as a data frame.

        >>> _ = ws.merge("Wave 1", into="Wave 2", keep_source=True)
        >>> ws.merge_drops()
        Nothing was left out.

        Args:
            which: A record, its name or id; by default the newest merge of the engagement.
            limit: Of how many assets and dependencies at most; None for all.

        Raises:
            NotFound: For a merge that is not there.
        """
        return self._ws.wait(self._ws.work.merge_drops(which, limit))

    def revert_merge(
        self,
        which: MergeRecord | str | None = None,
        *,
        force: bool = False,
        validate_only: bool = False,
    ) -> MergeRecord:
        """Undoes a merge: its target shows again what it showed before, and its source is as it was.

        >>> _ = ws.merge("Wave 1", into="Wave 2", keep_source=True)
        >>> ws.revert_merge().revert_time is not None
        True

        Args:
            which: A record, its name or id; by default the newest of the engagement that can be undone.
            force: Also where the target was edited since; those edits are lost.
            validate_only: Only look whether it can be.

        Raises:
            FailedPrecondition: DATA_EDITED, where edits would be lost: it says how many; NOT_REVERTIBLE.
            NotFound: For a merge that is not there.
        """
        return self._ws.wait(self._ws.work.revert_merge(which, force=force, validate_only=validate_only))


class PlannedMerge:
    """A merge that was looked at and not done; `merge` does exactly that or nothing.

    Attributes:
        target: The session that would get it.
        source: The session to take from.
        plan: How.
        found: All that the service said of it.
    """

    def __init__(
        self, ws: "Workspace", target: Session, source: Session, plan: MergePlan, found: MergePreview
    ) -> None:
        self._ws = ws
        self.target = target
        self.source = source
        self.plan = plan
        self.found = found

    @property
    def counts(self) -> MergeCounts:
        """What it would do, in numbers."""
        return self.found.counts

    def conflicts(
        self, fields: Collection[str] = (), *, filter: str = "", limit: int | None = 1_000
    ) -> MergeConflicts:
        """The conflicts, each with both values and where it goes; as both sessions are now.

        Args:
            fields: Only of assets with a conflict in one of them.
            filter: AIP-160, of an asset as the target has it.
            limit: Of how many assets at most; None for all.
        """
        work = self._ws.work.merge_conflicts(self.target.name, self.plan, fields, filter, limit)
        return self._ws.wait(work)

    def merge(self, *, on_progress: Callable[[Progress], None] | None = None) -> MergeRecord:
        """Merges what was previewed; see `Workspace.merge`.

        Raises:
            Conflict: MERGE_MOVED, where one of the sessions is another by now: nothing was done, look again.
        """
        self._ws.refuse_on_loop()
        return wait_with_progress(
            lambda tell: self._ws.run(
                self._ws.work.merge(self.target.name, self.plan, self.found.digest, tell)
            ),
            on_progress,
        )

    @property
    def _title(self) -> str:
        how = self.plan.strategy.replace("_", " ")
        rule = f", conflicts to the {self.plan.conflicts}" if self.plan.strategy == "combine" else ""
        return f"Merge “{self.source.display_name}” into “{self.target.display_name}”: {how}{rule}"

    def _counts(self) -> list[tuple[str, int, int, int]]:
        counts = self.counts
        return [
            ("assets", counts.new_asset_count, counts.changed_asset_count, counts.kept_asset_count),
            (
                "dependencies",
                counts.new_dependency_count,
                counts.changed_dependency_count,
                counts.kept_dependency_count,
            ),
        ]

    def _fields(self) -> list[tuple[str, int, int]]:
        fills, conflicts = self.counts.fills, self.counts.conflicts
        names = sorted({*fills, *conflicts})
        return [(name, fills.get(name, 0), conflicts.get(name, 0)) for name in names]

    def _rest(self) -> str:
        if not self._fields():
            return "Nothing is filled, and nothing is in conflict."
        total, taken = sum(self.counts.conflicts.values()), self.counts.conflicts_to_source_count
        return f"{taken:,} of {total:,} conflicts go to the source; conflicts() lists them, merge() does it"

    def __repr__(self) -> str:
        lines = [self._title]
        for head, rows in ((_COUNT_HEAD, self._counts()), (_FIELD_HEAD, self._fields())):
            texts: list[Sequence[str]] = [
                (name, *(f"{count:,}" for count in counts)) for name, *counts in rows
            ]
            lines += aligned([head, *texts]) if rows else []
        return "\n".join([*lines, self._rest()])

    def _repr_html_(self) -> str:
        shown = paragraph(self._title) + table(_COUNT_HEAD, self._counts(), label=self._title)
        if self._fields():
            shown += table(_FIELD_HEAD, self._fields(), label="By field")
        return shown + paragraph(self._rest(), muted=True)
