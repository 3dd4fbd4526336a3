"""The async twins of imports."""

from collections.abc import Callable, Mapping
from typing import Literal, overload

from mooring_widgets.client import Import, ImportReport, Imports, Progress, Session
from mooring_widgets.workspace.aio_views import AioViews
from mooring_widgets.workspace.importing import asked
from mooring_widgets.workspace.options import ColumnTarget
from mooring_widgets.workspace.preview import InventoryPreview
from mooring_widgets.workspace.sources import Inventory


class AioInventories(AioViews):
    """See `Inventories`."""

    @overload
    async def import_inventory(
        self,
        inventory: Inventory | InventoryPreview,
        *,
        session: str | Session | None = ...,
        kind: str = ...,
        sheet: str = ...,
        columns: Mapping[str, ColumnTarget] | None = ...,
        asset_type: str = ...,
        encoding: str = ...,
        name: str = ...,
        preview: Literal[False] = ...,
        on_progress: Callable[[Progress], None] | None = ...,
    ) -> ImportReport: ...

    @overload
    async def import_inventory(
        self,
        inventory: Inventory | InventoryPreview,
        *,
        session: str | Session | None = ...,
        kind: str = ...,
        sheet: str = ...,
        columns: Mapping[str, ColumnTarget] | None = ...,
        asset_type: str = ...,
        encoding: str = ...,
        name: str = ...,
        preview: Literal[True],
        on_progress: Callable[[Progress], None] | None = ...,
    ) -> InventoryPreview: ...

    async def import_inventory(
        self,
        inventory: Inventory | InventoryPreview,
        *,
        session: str | Session | None = None,
        kind: str = "",
        sheet: str = "",
        columns: Mapping[str, ColumnTarget] | None = None,
        asset_type: str = "",
        encoding: str = "",
        name: str = "",
        preview: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport | InventoryPreview:
        """See `Workspace.import_inventory`; here `on_progress` is called on the library's loop."""
        wanted = asked(
            inventory,
            session=session,
            kind=kind,
            sheet=sheet,
            columns=columns,
            asset_type=asset_type,
            encoding=encoding,
            name=name,
        )
        if preview:
            return await self._hop(wanted.preview(self._ws, 20, on_progress))
        return await self._hop(wanted.import_(self._ws, on_progress))

    async def preview_inventory(
        self,
        inventory: Inventory | InventoryPreview,
        *,
        session: str | Session | None = None,
        kind: str = "",
        sheet: str = "",
        columns: Mapping[str, ColumnTarget] | None = None,
        asset_type: str = "",
        encoding: str = "",
        name: str = "",
        rows: int = 20,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> InventoryPreview:
        """See `Workspace.preview_inventory`; here `on_progress` is called on the library's loop."""
        wanted = asked(
            inventory,
            session=session,
            kind=kind,
            sheet=sheet,
            columns=columns,
            asset_type=asset_type,
            encoding=encoding,
            name=name,
        )
        return await self._hop(wanted.preview(self._ws, rows, on_progress))

    async def imports(self, session: str | Session | None = None) -> Imports:
        """See `Workspace.imports`."""
        return await self._hop(self._ws.work.imports(session))

    async def revert_import(
        self,
        which: Import | str | None = None,
        *,
        session: str | Session | None = None,
        force: bool = False,
    ) -> Import:
        """See `Workspace.revert_import`."""
        return await self._hop(self._ws.work.revert_import(which, session, force=force))
