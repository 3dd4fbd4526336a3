"""The async twins of what is done to sessions."""

from collections.abc import Collection, Mapping

from mooring_widgets.client import Comparison, Engagements, Session, Sessions, Shortcuts
from mooring_widgets.queries import Table
from mooring_widgets.workspace.aio_views import Twin


class AioSessionMethods(Twin):
    """See `SessionMethods`."""

    async def sessions(
        self,
        search: str = "",
        *,
        filter: str = "",
        order_by: str = "",
        archived: bool = False,
        deleted: bool = False,
        limit: int | None = 100,
    ) -> Sessions:
        """See `Workspace.sessions`."""
        return await self._hop(self._ws.work.sessions(search, filter, order_by, archived, deleted, limit))

    async def engagements(
        self, search: str = "", *, filter: str = "", archived: bool = False, limit: int | None = 100
    ) -> Engagements:
        """See `Workspace.engagements`."""
        return await self._hop(self._ws.work.engagements(search, filter, archived, limit))

    async def compare(
        self,
        session: str | Session,
        other: str | Session | None = None,
        *,
        table: Table = "assets",
        kinds: Collection[str] = (),
        filter: str = "",
        limit: int | None = 100,
    ) -> Comparison:
        """See `Workspace.compare`."""
        return await self._hop(self._ws.work.compare(session, other, table, kinds, filter, limit))

    async def create(
        self,
        display_name: str,
        *,
        source_session: str | Session | None = None,
        description: str | None = None,
        type: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Session:
        """See `Workspace.create`."""
        return await self._hop(
            self._ws.work.create(
                display_name, source=source_session, description=description, type_=type, labels=labels
            )
        )

    async def update(
        self,
        session: str | Session,
        *,
        display_name: str | None = None,
        description: str | None = None,
        type: str | None = None,
        labels: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Session:
        """See `Workspace.update`."""
        return await self._hop(
            self._ws.work.update(
                session,
                display_name=display_name,
                description=description,
                type_=type,
                labels=labels,
                etag=etag,
            )
        )

    async def rename(self, session: str | Session, display_name: str) -> Session:
        """See `Workspace.rename`."""
        return await self.update(session, display_name=display_name)

    async def archive(self, session: str | Session) -> Session:
        """See `Workspace.archive`."""
        return await self._hop(self._ws.work.archive(session))

    async def unarchive(self, session: str | Session) -> Session:
        """See `Workspace.unarchive`."""
        return await self._hop(self._ws.work.unarchive(session))

    async def delete(self, session: str | Session) -> Session:
        """See `Workspace.delete`."""
        return await self._hop(self._ws.work.delete(session))

    async def undelete(self, session: str | Session) -> Session:
        """See `Workspace.undelete`."""
        return await self._hop(self._ws.work.undelete(session))

    async def set_default(self, session: str | Session) -> Session:
        """See `Workspace.set_default`."""
        return await self._hop(self._ws.work.set_default(session))

    async def pin(self, session: str | Session) -> Session:
        """See `Workspace.pin`."""
        return await self._hop(self._ws.work.pin(session))

    async def unpin(self, session: str | Session) -> Session:
        """See `Workspace.unpin`."""
        return await self._hop(self._ws.work.unpin(session))

    async def shortcuts(self) -> Shortcuts:
        """See `Workspace.shortcuts`."""
        return await self._hop(self._ws.work.shortcuts())
