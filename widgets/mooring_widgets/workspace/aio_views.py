"""The async twins of what is shown of a session, and of its data."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from mooring_widgets.client import Activities, Session, to_polars
from mooring_widgets.queries import Table
from mooring_widgets.workspace.helpful import Helpful
from mooring_widgets.workspace.old import telling
from mooring_widgets.workspace.work import next_batch

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from mooring_widgets.views import ActivityView, AssetView, DependencyTable, DiscoveryTable, LandscapeView
    from mooring_widgets.workspace.workspace import Workspace

T = TypeVar("T")


class Twin(Helpful):
    """Methods that wait elsewhere, as coroutines of any event loop; they mean the same."""

    def __init__(self, ws: "Workspace", pinned: str | None = None) -> None:
        self._ws = ws
        self._pinned = pinned

    async def _hop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine of the library's loop answers, on whatever loop this is."""
        if self._ws.on_loop:
            return await coroutine
        with telling():
            return await asyncio.wrap_future(self._ws.run(coroutine))


class AioBulk(Twin):
    """See `Bulk`."""

    _kind: ClassVar[Table]

    async def to_arrow(self) -> "pa.Table":
        """See `Bulk.to_arrow`."""
        return await self._hop(self._ws.work.table(self._pinned, self._kind))

    async def to_polars(self) -> "pl.DataFrame":
        """See `Bulk.to_polars`."""
        return to_polars(await self.to_arrow())


class AioDiscovery(AioBulk):
    """See `Discovery`."""

    _kind = "assets"

    async def __call__(self, *, columns: Sequence[str] = (), filter: str = "") -> "DiscoveryTable":
        """See `Discovery.__call__`."""
        from mooring_widgets.views import DiscoveryTable

        return DiscoveryTable(self._ws, pinned=self._pinned, columns=columns, filter=filter)

    async def to_pandas(self) -> "pd.DataFrame":
        """See `Discovery.to_pandas`."""
        return await self._hop(self._ws.work.discovery(self._pinned))


class AioDependencies(AioBulk):
    """See `Dependencies`."""

    _kind = "dependencies"

    async def __call__(self, *, filter: str = "") -> "DependencyTable":
        """See `Dependencies.__call__`."""
        from mooring_widgets.views import DependencyTable

        return DependencyTable(self._ws, pinned=self._pinned, filter=filter)

    async def to_pandas(self) -> "pd.DataFrame":
        """See `Dependencies.to_pandas`."""
        return await self._hop(self._ws.work.dependencies(self._pinned))


class AioActivityLog(Twin):
    """See `ActivityLog`."""

    async def __call__(self, *, kind: str = "", filter: str = "") -> "ActivityView":
        """See `ActivityLog.__call__`."""
        from mooring_widgets.views import ActivityView

        return ActivityView(self._ws, pinned=self._pinned, kind=kind, filter=filter)

    async def recent(self, limit: int | None = 50, *, filter: str = "") -> Activities:
        """See `ActivityLog.recent`."""
        return await self._hop(self._ws.work.activity(self._pinned, filter, limit))


class AioViews(Twin):
    """See `Views`."""

    _elsewhere: ClassVar[dict[str, str]] = {
        name: f"it does not wait: use ws.{name}, without aio" for name in ("view", "on_switch", "off_switch")
    }

    def __init__(self, ws: "Workspace", pinned: str | None = None) -> None:
        super().__init__(ws, pinned)
        self.discovery = AioDiscovery(ws, pinned)
        self.dependencies = AioDependencies(ws, pinned)
        self.activity = AioActivityLog(ws, pinned)

    async def to_arrow(
        self, *, fields: Sequence[str] = (), filter: str = "", table: Table = "assets"
    ) -> "pa.Table":
        """See `Views.to_arrow`."""
        return await self._hop(self._ws.work.read(self._pinned, table, fields, filter))

    async def to_pandas(
        self, *, fields: Sequence[str] = (), filter: str = "", table: Table = "assets"
    ) -> "pd.DataFrame":
        """See `Views.to_pandas`."""
        return await self._hop(self._ws.work.read_frame(self._pinned, table, fields, filter))

    async def to_polars(
        self, *, fields: Sequence[str] = (), filter: str = "", table: Table = "assets"
    ) -> "pl.DataFrame":
        """See `Views.to_polars`."""
        return to_polars(await self.to_arrow(fields=fields, filter=filter, table=table))

    async def to_batches(
        self, *, fields: Sequence[str] = (), filter: str = "", table: Table = "assets"
    ) -> "AsyncGenerator[pa.RecordBatch]":
        """See `Views.to_batches`."""
        read = await self._hop(self._ws.work.batches(self._pinned, table, fields, filter))
        try:
            while (batch := await self._hop(next_batch(read))) is not None:
                yield batch
        finally:
            await self._hop(read.aclose())

    async def landscape(self) -> "LandscapeView":
        """See `Views.landscape`."""
        from mooring_widgets.views import LandscapeView

        return LandscapeView(self._ws, pinned=self._pinned)

    async def asset(self, name: str) -> "AssetView":
        """See `Views.asset`."""
        from mooring_widgets.views import AssetView

        return AssetView(self._ws, name, pinned=self._pinned)


class AioPinned(AioViews):
    """See `Pinned`."""

    async def session(self) -> Session:
        """See `Pinned.session`."""
        return await self._hop(self._ws.work.session(self._pinned))
