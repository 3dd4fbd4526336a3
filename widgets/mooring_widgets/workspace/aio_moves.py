"""The async twins of what moves sessions."""

from collections.abc import Callable

from mooring_widgets.client import Engagement, Progress, Session, SessionFile
from mooring_widgets.workspace.aio_views import Twin
from mooring_widgets.workspace.moving import Incoming, StrPath


class AioMoveMethods(Twin):
    """See `MoveMethods`."""

    async def export_session(
        self,
        path: StrPath | None = None,
        session: str | Session | None = None,
        *,
        overwrite: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> SessionFile:
        """See `Workspace.export_session`; here `on_progress` is called on the library's loop."""
        return await self._hop(self._ws.work.export_session(path, session, overwrite, on_progress))

    async def import_session(
        self,
        path: StrPath,
        display_name: str | None = None,
        *,
        session_id: str | None = None,
        keep_ids: bool = False,
        engagement: str | Engagement | None = None,
        switch: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Session:
        """See `Workspace.import_session`; here `on_progress` is called on the library's loop."""
        wanted = Incoming(path, display_name, session_id, keep_ids, engagement, switch)
        return await self._hop(wanted.import_(self._ws, on_progress))
