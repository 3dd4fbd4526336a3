"""The async twin of a workspace, for cells and programs that await."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from mooring_widgets.client import Engagement, ImportReport, Loop, Progress, Session
from mooring_widgets.workspace.work import Work

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class Aio:
    """The methods of `Workspace` that wait, as coroutines of any event loop; they mean the same."""

    def __init__(self, work: Work, loop: Loop) -> None:
        self._work = work
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

    async def import_inventory(
        self,
        path: str | os.PathLike[str],
        *,
        session: str | Session | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> ImportReport:
        """See `Workspace.import_inventory`; here `on_progress` is called on the library's loop."""
        return await self._hop(self._work.import_inventory(path, session, on_progress))

    async def _hop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_current():
            return await coroutine
        return await asyncio.wrap_future(self._loop.run(coroutine))
