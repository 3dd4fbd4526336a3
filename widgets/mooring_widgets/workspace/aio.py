"""The async twin of a workspace, for cells and programs that await."""

from typing import TYPE_CHECKING

from mooring_widgets.client import Engagement, Session
from mooring_widgets.workspace.aio_inventories import AioInventories
from mooring_widgets.workspace.aio_merges import AioMergeMethods
from mooring_widgets.workspace.aio_moves import AioMoveMethods
from mooring_widgets.workspace.aio_sessions import AioSessionMethods

if TYPE_CHECKING:
    from mooring_widgets.form import SessionForm
    from mooring_widgets.views import ComparisonView, MergeWizard
    from mooring_widgets.workspace.pinned import Pinned


class Aio(AioSessionMethods, AioMergeMethods, AioMoveMethods, AioInventories):
    """Every method of `Workspace` that waits, and every property that does, as coroutines of any event loop.

    What is called on it means the same as on the workspace itself::

        await ws.aio.switch("Wave 2")
        session = await ws.aio.session()
        df = await ws.aio.discovery.to_pandas()
    """

    async def session(self) -> Session:
        """See `Workspace.session`."""
        return await self._hop(self._ws.work.session())

    async def engagement(self) -> Engagement:
        """See `Workspace.engagement`."""
        return await self._hop(self._ws.work.engagement())

    async def switch(self, session: str | Session) -> Session:
        """See `Workspace.switch`."""
        return await self._hop(self._ws.work.switch(session))

    async def switch_engagement(self, engagement: str | Engagement) -> Session:
        """See `Workspace.switch_engagement`."""
        return await self._hop(self._ws.work.switch_engagement(engagement))

    async def form(self, session: str | Session | None = None) -> "SessionForm":
        """See `Workspace.form`."""
        from mooring_widgets.form import SessionForm

        name = None if session is None else await self._hop(self._ws.work.session_name(session))
        return SessionForm(self._ws, session=name)

    async def at(self, session: str | Session) -> "Pinned":
        """See `Workspace.at`; `aio` of the answer has its twins."""
        from mooring_widgets.workspace.pinned import Pinned

        return Pinned(self._ws, await self._hop(self._ws.work.find(session)))

    async def comparison(
        self, session: str | Session, other: str | Session | None = None
    ) -> "ComparisonView":
        """See `Workspace.comparison`."""
        from mooring_widgets.views import ComparisonView

        own, against = await self._hop(self._ws.work.sides(session, other))
        return ComparisonView(self._ws, against, pinned=own)

    async def merge_wizard(
        self, source: str | Session | None = None, into: str | Session | None = None
    ) -> "MergeWizard":
        """See `Workspace.merge_wizard`."""
        from mooring_widgets.views import MergeWizard

        names = [(await self._hop(self._ws.work.find(each))).name if each else "" for each in (source, into)]
        return MergeWizard(self._ws, *names)

    async def close(self) -> None:
        """See `Workspace.close`."""
        await self._hop(self._ws.aclose())
