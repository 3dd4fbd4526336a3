"""A client without a service behind it: the methods of `MooringClient` over a `FakeService`."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from mooring_widgets.client import (
    Asset,
    Bucket,
    Context,
    Engagement,
    Group,
    ImportReport,
    Landscape,
    MooringClient,
    PageOf,
    Progress,
    Session,
    Switched,
    Totals,
    User,
    WatchEvent,
    engagement_of,
)
from mooring_widgets.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    MooringError,
    PermissionDenied,
)
from mooring_widgets.testing.service import USER, FakeService, found

T = TypeVar("T")

_GROUP_FIELDS = ("type", "environment", "operating_system", "location", "status")
_PAUSE_S = 0.002


class FakeClient(MooringClient):
    """The twin of `MooringClient` for tests; `service` sets the scene, `fail` and `hold` make trouble.

    Args:
        service: Clients of one service see each other's changes, as two kernels do.

    Attributes:
        service: What it talks to.
        calls: The name of every method that was called, in order.
    """

    def __init__(self, service: FakeService | None = None) -> None:
        self.service = service or FakeService()
        self.calls: list[str] = []
        self._failures: dict[str, list[MooringError]] = {}
        self._held: set[str] = set()

    def fail(self, method: str, error: MooringError, *, times: int = 1) -> None:
        """Makes the next calls of a method raise."""
        self._failures.setdefault(method, []).extend([error] * times)

    @contextlib.contextmanager
    def hold(self, method: str) -> Iterator[None]:
        """Keeps the calls of a method waiting until the block ends."""
        self._held.add(method)
        try:
            yield
        finally:
            self._held.discard(method)

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
        return _page(found, page_size, page_token, skip)

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
        return _page(found, page_size, page_token, skip)

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

    async def list_assets(
        self, session: str, *, page_size: int = 50, page_token: str = "", skip: int = 0
    ) -> PageOf[Asset]:
        """See `MooringClient`."""
        await self._called("list_assets")
        version = self.service.session(session).data_version
        bound, _, position = page_token.partition("@")
        if page_token and bound != version:
            raise InvalidArgument("the page token is of other data", reason="INVALID_PAGE_TOKEN")
        page = _page(self.service.assets.get(session, []), page_size, position, skip)
        token = f"{version}@{page.next_token}" if page.next_token else ""
        return replace(page, next_token=token, data_version=version)

    async def get_landscape(self, session: str) -> Landscape:
        """See `MooringClient`."""
        await self._called("get_landscape")
        version = self.service.session(session).data_version
        assets = self.service.assets.get(session, [])
        groups = []
        for field in _GROUP_FIELDS:
            by_value: dict[str, list[Asset]] = {}
            for asset in assets:
                by_value.setdefault(getattr(asset, field), []).append(asset)
            buckets = [Bucket(value, _totals(members)) for value, members in by_value.items()]
            buckets.sort(key=lambda bucket: (-bucket.totals.asset_count, bucket.value))
            groups.append(Group(field, tuple(buckets), len([value for value in by_value if value])))
        return Landscape(f"{session}/landscape", version, _totals(assets), tuple(groups))

    async def import_inventory(
        self, session: str, path: str | Path, *, on_progress: Callable[[Progress], None] | None = None
    ) -> ImportReport:
        """Takes each line of a text file for the name of a server; the rest as `MooringClient`."""
        await self._called("import_inventory")
        names = (await asyncio.to_thread(Path(path).read_text, "utf-8")).splitlines()
        for phase in ("reading", "writing", "publishing", "done"):
            if on_progress is not None:
                on_progress(Progress(phase, len(names), len(names)))
        made = [Asset(f"{session}/assets/{name}", name, "server") for name in names]
        self.service.add_assets(session, [*self.service.assets.get(session, []), *made])
        return ImportReport(
            session, "table", len(names), len(names), 0, 0, 0, 0, created_by_type={"server": len(names)}
        )

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
            await asyncio.sleep(_PAUSE_S)

    async def _called(self, method: str) -> None:
        self.calls.append(method)
        while method in self._held:  # noqa: ASYNC110 - released from any thread, which an asyncio.Event forbids
            await asyncio.sleep(_PAUSE_S)
        failures = self._failures.get(method)
        if failures:
            raise failures.pop(0)


def _page(things: Sequence[T], size: int, token: str, skip: int) -> PageOf[T]:
    start = int(token or 0) + skip
    end = start + size
    return PageOf(tuple(things[start:end]), len(things), str(end) if end < len(things) else "")


def _totals(assets: Sequence[Asset]) -> Totals:
    return Totals(
        len(assets),
        sum(asset.cpu_cores or 0 for asset in assets),
        sum(asset.memory_bytes or 0 for asset in assets),
        sum(asset.storage_bytes or 0 for asset in assets),
    )
