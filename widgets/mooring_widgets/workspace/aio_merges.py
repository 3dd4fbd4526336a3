"""The async twins of what is done about merges."""

from collections.abc import Callable, Mapping

from mooring_widgets.client import MergeDrops, MergeRecord, Merges, Progress, Session
from mooring_widgets.workspace.aio_views import Twin
from mooring_widgets.workspace.merges import PlannedMerge
from mooring_widgets.workspace.merging import Wanted


class AioMergeMethods(Twin):
    """See `MergeMethods`."""

    async def merge(
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
        """See `Workspace.merge`; here `on_progress` is called on the library's loop."""
        wanted = Wanted(source, into, strategy, conflicts, fields or {}, assets or {}, keep_source)
        return await self._hop(self._ws.work.merge_wanted(wanted, on_progress))

    async def preview_merge(
        self,
        source: str | Session,
        into: str | Session | None = None,
        *,
        strategy: str = "combine",
        conflicts: str = "target",
        fields: Mapping[str, str] | None = None,
        assets: Mapping[tuple[str, str], str] | None = None,
        keep_source: bool = False,
    ) -> PlannedMerge:
        """See `Workspace.preview_merge`."""
        wanted = Wanted(source, into, strategy, conflicts, fields or {}, assets or {}, keep_source)
        return await self._hop(self._ws.work.preview_merge(self._ws, wanted))

    async def merges(self, limit: int | None = 100) -> Merges:
        """See `Workspace.merges`."""
        return await self._hop(self._ws.work.merges(limit))

    async def merge_drops(
        self, which: MergeRecord | str | None = None, *, limit: int | None = 1_000
    ) -> MergeDrops:
        """See `Workspace.merge_drops`."""
        return await self._hop(self._ws.work.merge_drops(which, limit))

    async def revert_merge(
        self,
        which: MergeRecord | str | None = None,
        *,
        force: bool = False,
        validate_only: bool = False,
    ) -> MergeRecord:
        """See `Workspace.revert_merge`."""
        return await self._hop(self._ws.work.revert_merge(which, force=force, validate_only=validate_only))
