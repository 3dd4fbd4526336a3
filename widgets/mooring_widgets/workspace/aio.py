"""The async twin of a workspace, for cells and programs that await."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mooring_widgets.client import (
    Engagement,
    Import,
    ImportReport,
    Imports,
    Loop,
    Progress,
    Session,
    to_polars,
)
from mooring_widgets.queries import Table
from mooring_widgets.workspace.importing import asked
from mooring_widgets.workspace.options import ColumnTarget
from mooring_widgets.workspace.preview import InventoryPreview
from mooring_widgets.workspace.sources import Inventory
from mooring_widgets.workspace.work import next_batch

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from mooring_widgets.workspace.workspace import Workspace

T = TypeVar("T")


class Aio:
    """The methods of `Workspace` that wait, as coroutines of any event loop; they mean the same."""

    def __init__(self, ws: "Workspace", loop: Loop) -> None:
        self._ws = ws
        self._work = ws.work
        self._loop = loop

    async def session(self) -> Session:
        """See `Workspace.session`."""
        return await self._hop(self._work.session())

    async def engagement(self) -> Engagement:
        """See `Workspace.engagement`."""
        return await self._hop(self._work.engagement())

    async def switch(self, session: str | Session) -> Session:
        """See `Workspace.switch`."""
        return await self._hop(self._work.switch(session))

    async def switch_engagement(self, engagement: str | Engagement) -> Session:
        """See `Workspace.switch_engagement`."""
        return await self._hop(self._work.switch_engagement(engagement))

    async def create(
        self,
        display_name: str,
        *,
        description: str = "",
        type: str = "",
    ) -> Session:
        """See `Workspace.create`."""
        return await self._hop(self._work.create(display_name, description=description, type_=type))

    async def discovery(self, session: str | Session | None = None) -> "pd.DataFrame":
        """See `Discovery.to_pandas`."""
        name = None if session is None else (await self._hop(self._work.find(session))).name
        return await self._hop(self._work.discovery(name))

    async def dependencies(self, session: str | Session | None = None) -> "pd.DataFrame":
        """See `Dependencies.to_pandas`."""
        name = None if session is None else (await self._hop(self._work.find(session))).name
        return await self._hop(self._work.dependencies(name))

    async def to_arrow(
        self,
        *,
        session: str | Session | None = None,
        fields: Sequence[str] = (),
        filter: str = "",
        table: Table = "assets",
    ) -> "pa.Table":
        """See `Workspace.to_arrow`; of the current session or another."""
        name = await self._hop(self._work.session_name(session))
        return await self._hop(self._work.read(name, table, fields, filter))

    async def to_pandas(
        self,
        *,
        session: str | Session | None = None,
        fields: Sequence[str] = (),
        filter: str = "",
        table: Table = "assets",
    ) -> "pd.DataFrame":
        """See `Workspace.to_pandas`; of the current session or another."""
        name = await self._hop(self._work.session_name(session))
        return await self._hop(self._work.read_frame(name, table, fields, filter))

    async def to_polars(
        self,
        *,
        session: str | Session | None = None,
        fields: Sequence[str] = (),
        filter: str = "",
        table: Table = "assets",
    ) -> "pl.DataFrame":
        """See `Workspace.to_polars`; of the current session or another."""
        return to_polars(await self.to_arrow(session=session, fields=fields, filter=filter, table=table))

    async def to_batches(
        self,
        *,
        session: str | Session | None = None,
        fields: Sequence[str] = (),
        filter: str = "",
        table: Table = "assets",
    ) -> "AsyncGenerator[pa.RecordBatch]":
        """See `Workspace.to_batches`; of the current session or another."""
        name = await self._hop(self._work.session_name(session))
        read = await self._hop(self._work.batches(name, table, fields, filter))
        try:
            while (batch := await self._hop(next_batch(read))) is not None:
                yield batch
        finally:
            await self._hop(read.aclose())

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
        return await self._hop(self._work.imports(session))

    async def revert_import(
        self,
        which: Import | str | None = None,
        *,
        session: str | Session | None = None,
        force: bool = False,
    ) -> Import:
        """See `Workspace.revert_import`."""
        return await self._hop(self._work.revert_import(which, session, force=force))

    async def _hop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_current():
            return await coroutine
        return await asyncio.wrap_future(self._loop.run(coroutine))
