"""A client without a service behind it: the methods of `MooringClient` over a `FakeService`."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from mooring_widgets.client import (
    Context,
    Engagement,
    MooringClient,
    PageOf,
    User,
    WatchEvent,
)
from mooring_widgets.errors import PermissionDenied
from mooring_widgets.testing.calls import PAUSE_S, page_of
from mooring_widgets.testing.discovery import FakeDiscovery
from mooring_widgets.testing.filtering import passes
from mooring_widgets.testing.merges import FakeMerges
from mooring_widgets.testing.moves import FakeMoves
from mooring_widgets.testing.service import USER
from mooring_widgets.testing.sessions import FakeSessions


class FakeClient(FakeSessions, FakeMerges, FakeMoves, FakeDiscovery, MooringClient):
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

    def fingerprint(self) -> str:
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
        self,
        *,
        page_size: int = 50,
        page_token: str = "",
        skip: int = 0,
        filter: str = "",
        show_archived: bool = False,
    ) -> PageOf[Engagement]:
        """See `MooringClient`."""
        await self._called("list_engagements")
        listed = [
            engagement
            for engagement in self.service.engagements.values()
            if (show_archived or engagement.archive_time is None) and passes(engagement, filter)
        ]
        listed.sort(key=lambda engagement: engagement.display_name)
        return page_of(listed, page_size, page_token, skip)

    async def create_engagement(
        self, display_name: str, *, description: str = "", engagement_id: str = ""
    ) -> Engagement:
        """See `MooringClient`."""
        await self._called("create_engagement")
        engagement = self.service.add_engagement(engagement_id or self.service.new_id("e"), display_name)
        return self.service.set_engagement(engagement.name, description=description)

    async def watch(
        self, streams: Sequence[str], *, resume_token: str = ""
    ) -> AsyncGenerator[WatchEvent, None]:
        """See `MooringClient`."""
        await self._called("watch")
        seen, live = int(resume_token or len(self.service.changes)), self.service.outage
        gap, incarnation = not resume_token, self.service.incarnation
        watched = {stream.replace("users/me", USER) for stream in streams}
        while True:
            if live == self.service.outage:
                live = not live
                gap = gap or incarnation != self.service.incarnation
                incarnation = self.service.incarnation
                yield WatchEvent(live=live, gap=gap and live, token=str(seen), incarnation=incarnation)
                gap = gap and not live
            while live and seen < len(self.service.changes):
                change, seen = self.service.changes[seen], seen + 1
                if change.stream in watched:
                    yield WatchEvent((change,), token=str(seen))
            await asyncio.sleep(PAUSE_S)
