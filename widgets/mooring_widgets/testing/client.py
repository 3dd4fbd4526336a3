"""A client without a service behind it: the methods of `MooringClient` over a `FakeService`."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from mooring_widgets.client import (
    Context,
    Engagement,
    MooringClient,
    PageOf,
    Session,
    Switched,
    User,
    WatchEvent,
    engagement_of,
)
from mooring_widgets.errors import Conflict, FailedPrecondition, InvalidArgument, PermissionDenied
from mooring_widgets.testing.calls import PAUSE_S, page_of
from mooring_widgets.testing.discovery import FakeDiscovery
from mooring_widgets.testing.service import USER, found


class FakeClient(FakeDiscovery, MooringClient):
    """The twin of `MooringClient` for tests; `service` sets the scene, `fail` and `hold` make trouble.

    Args:
        service: Clients of one service see each other's changes, as two kernels do.

    Attributes:
        service: What it talks to.
        calls: The name of every method that was called, in order.
    """

    # The client

    @property
    def address(self) -> str:
        """See `MooringClient`."""
        return "fake"

    def install_id(self) -> str:
        """See `MooringClient`."""
        return "fake-install"

    async def close(self) -> None:
        """See `MooringClient`."""

    async def get_current_user(self) -> User:
        """See `MooringClient`."""
        await self._called("get_current_user")
        return User("users/demo", "Demo user", default_engagement=next(iter(self.service.engagements), ""))

    async def get_context(self, name: str) -> Context:
        """See `MooringClient`."""
        await self._called("get_context")
        name = name.replace("users/me/", "users/demo/")
        if name == "users/demo/contexts/default" and name not in self.service.contexts:
            return self.service.new_context("default")
        return found(self.service.contexts, name, "context", "CONTEXT_NOT_FOUND")

    async def open_context(self, kernel_key: str = "", notebook_key: str = "") -> Context:
        """See `MooringClient`."""
        await self._called("open_context")
        keys = {"kernel": kernel_key, "notebook": notebook_key}
        return self.service.bound_context([f"{kind}:{key}" for kind, key in keys.items() if key])

    async def get_engagement(self, name: str) -> Engagement:
        """See `MooringClient`."""
        await self._called("get_engagement")
        if name not in self.service.engagements:
            raise PermissionDenied(f"you have no access to {name}")
        return self.service.engagements[name]

    async def list_engagements(
        self, *, page_size: int = 50, page_token: str = "", skip: int = 0
    ) -> PageOf[Engagement]:
        """See `MooringClient`."""
        await self._called("list_engagements")
        found = sorted(self.service.engagements.values(), key=lambda engagement: engagement.display_name)
        return page_of(found, page_size, page_token, skip)

    async def create_engagement(
        self, display_name: str, *, description: str = "", engagement_id: str = ""
    ) -> Engagement:
        """See `MooringClient`."""
        await self._called("create_engagement")
        engagement = self.service.add_engagement(engagement_id or self.service.new_id("e"), display_name)
        return self.service.set_engagement(engagement.name, description=description)

    async def get_session(self, name: str) -> Session:
        """See `MooringClient`."""
        await self._called("get_session")
        if name.startswith("sessions/"):
            name = next((full for full in self.service.sessions if full.endswith("/" + name)), name)
        return self.service.session(name)

    async def list_sessions(
        self, engagement: str, *, page_size: int = 50, page_token: str = "", skip: int = 0
    ) -> PageOf[Session]:
        """See `MooringClient`."""
        await self._called("list_sessions")
        found = [session for session in self.service.sessions.values() if session.engagement == engagement]
        found.sort(key=lambda session: session.display_name)
        return page_of(found, page_size, page_token, skip)

    async def create_session(
        self,
        engagement: str,
        display_name: str,
        *,
        description: str = "",
        type: str = "",
        session_id: str = "",
    ) -> Session:
        """See `MooringClient`."""
        await self._called("create_session")
        if not display_name.strip():
            raise InvalidArgument("session.display_name: must not be empty")
        return self.service.add_session(
            engagement,
            display_name,
            id_=session_id or self.service.new_id("s"),
            description=description,
            type_=type or "data_import",
        )

    async def update_session(
        self,
        name: str,
        *,
        display_name: str | None = None,
        description: str | None = None,
        type: str | None = None,
        etag: str = "",
    ) -> Session:
        """See `MooringClient`."""
        await self._called("update_session")
        with self.service.lock:
            self.service.check_etag(name, etag)
            if display_name is not None:
                self.service.check_free(engagement_of(name), name, display_name)
            given = {"display_name": display_name, "description": description, "type": type}
            changed = self.service.set_session(
                name, **{key: value for key, value in given.items() if value is not None}
            )
            self.service.note("updated", name)
            return changed

    async def delete_session(self, name: str, *, etag: str = "") -> Session:
        """See `MooringClient`."""
        await self._called("delete_session")
        with self.service.lock:
            session = self.service.check_etag(name, etag)
            if session.is_default:
                raise FailedPrecondition(
                    "the default session cannot be deleted; set another default first",
                    reason="DEFAULT_SESSION",
                )
            del self.service.sessions[name]
            count = self.service.engagements[session.engagement].session_count
            self.service.set_engagement(session.engagement, session_count=count - 1)
            self.service.note("deleted", name)
            return replace(session, delete_time=self.service.time())

    async def set_default_session(self, name: str, *, etag: str = "") -> Session:
        """See `MooringClient`."""
        await self._called("set_default_session")
        with self.service.lock:
            engagement = self.service.check_etag(name, etag).engagement
            before = self.service.engagements[engagement].default_session
            if before in self.service.sessions:
                self.service.set_session(before, is_default=False)
                self.service.note("updated", before)
            changed = self.service.set_session(name, is_default=True)
            self.service.set_engagement(engagement, default_session=name)
            self.service.note("updated", name)
            self.service.note("updated", engagement)
            return changed

    async def switch_session(
        self, name: str, *, context: str = "users/me/contexts/default", revision: int | None = None
    ) -> Switched:
        """See `MooringClient`."""
        await self._called("switch_session")
        before = await self.get_context(context)
        with self.service.lock:
            session = self.service.session(name)
            if revision not in (None, before.revision):
                raise Conflict("the context was switched elsewhere", reason="CONTEXT_MOVED")
            after = Context(before.name, session.engagement, name, before.revision + 1)
            self.service.contexts[after.name] = after
            self.service.note("switched", after.name)
            return Switched(session, after)

    async def watch(
        self, streams: Sequence[str], *, resume_token: str = ""
    ) -> AsyncGenerator[WatchEvent, None]:
        """See `MooringClient`."""
        await self._called("watch")
        seen, live = int(resume_token or len(self.service.changes)), True
        watched = {stream.replace("users/me", USER) for stream in streams}
        yield WatchEvent(gap=not resume_token, token=str(seen))
        while True:
            if live == self.service.outage:
                live = not live
                yield WatchEvent(live=live, token=str(seen))
            while live and seen < len(self.service.changes):
                change, seen = self.service.changes[seen], seen + 1
                if change.stream in watched:
                    yield WatchEvent((change,), token=str(seen))
            await asyncio.sleep(PAUSE_S)
