"""The part of the fake client that is about sessions."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from mooring_widgets.client import Activity, Context, PageOf, Session, Shortcuts, Switched, engagement_of
from mooring_widgets.errors import Conflict, FailedPrecondition, InvalidArgument
from mooring_widgets.testing.calls import FakeCalls, page_of
from mooring_widgets.testing.filtering import passes
from mooring_widgets.testing.service import USER, found

_PINS_MAX, _RECENT_MAX = 20, 8


class FakeSessions(FakeCalls):
    """Sessions and contexts over a `FakeService`."""

    async def get_context(self, name: str) -> Context:
        """See `MooringClient`."""
        await self._called("get_context")
        name = name.replace("users/me/", f"{USER}/")
        if name == f"{USER}/contexts/default" and name not in self.service.contexts:
            return self.service.new_context("default")
        return found(self.service.contexts, name, "context", "CONTEXT_NOT_FOUND")

    async def get_session(self, name: str) -> Session:
        """See `MooringClient`."""
        await self._called("get_session")
        if name.startswith("sessions/"):
            name = next((full for full in self.service.sessions if full.endswith("/" + name)), name)
        return self.service.session(name)

    async def list_sessions(
        self,
        engagement: str,
        *,
        page_size: int = 50,
        page_token: str = "",
        skip: int = 0,
        filter: str = "",
        order_by: str = "",
        show_archived: bool = False,
        show_deleted: bool = False,
    ) -> PageOf[Session]:
        """See `MooringClient`."""
        await self._called("list_sessions")
        there = [*self.service.sessions.values(), *(self.service.deleted.values() if show_deleted else ())]
        listed = [
            session
            for session in there
            if session.engagement == engagement
            and (show_archived or session.archive_time is None)
            and passes(session, filter)
        ]
        field, _, direction = order_by.partition(" ")
        if field not in ("", "display_name", "create_time", "last_activity_time"):
            raise InvalidArgument(f"sessions have no order by {field!r}", reason="INVALID_ORDER")
        if field in ("", "display_name"):
            listed.sort(key=lambda session: session.display_name, reverse=direction == "desc")
        else:
            listed.sort(key=lambda session: _moment(session, field), reverse=direction == "desc")
        return page_of(listed, page_size, page_token, skip)

    async def create_session(
        self,
        engagement: str,
        display_name: str,
        *,
        description: str = "",
        type: str = "",
        labels: Mapping[str, str] | None = None,
        parent_session: str = "",
        source_session: str = "",
        session_id: str = "",
    ) -> Session:
        """See `MooringClient`."""
        await self._called("create_session")
        if not display_name.strip():
            raise InvalidArgument("session.display_name: must not be empty")
        for name in filter(None, (parent_session, source_session)):
            self.service.session(name)
        made = self.service.add_session(
            engagement,
            display_name,
            id_=session_id or self.service.new_id("s"),
            description=description,
            type_=type or "data_import",
            labels=labels,
            parent_session=parent_session or source_session,
        )
        if source_session:
            self.service.clone_data(source_session, made.name)
        return self.service.sessions[made.name]

    async def update_session(
        self,
        name: str,
        *,
        display_name: str | None = None,
        description: str | None = None,
        type: str | None = None,
        labels: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Session:
        """See `MooringClient`."""
        await self._called("update_session")
        with self.service.lock:
            self._in_use(name, etag)
            if display_name is not None:
                self.service.check_free(engagement_of(name), name, display_name)
            given = {
                "display_name": display_name,
                "description": description,
                "type": type,
                "labels": None if labels is None else dict(labels),
            }
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
            self._refuse_default(session, "deleted")
            del self.service.sessions[name]
            gone = self.service.deleted[name] = replace(session, delete_time=self.service.time())
            self._count(session.engagement, -1)
            self.service.note("deleted", name)
            return gone

    async def undelete_session(self, name: str, *, etag: str = "") -> Session:
        """See `MooringClient`."""
        await self._called("undelete_session")
        with self.service.lock:
            gone = found(self.service.deleted, name, "deleted session", "SESSION_NOT_FOUND")
            self.service.check_free(gone.engagement, name, gone.display_name)
            del self.service.deleted[name]
            back = self.service.sessions[name] = replace(gone, delete_time=None)
            self._count(gone.engagement, 1)
            self.service.note("undeleted", name)
            return back

    async def archive_session(self, name: str, *, etag: str = "") -> Session:
        """See `MooringClient`."""
        await self._called("archive_session")
        with self.service.lock:
            self._refuse_default(self.service.check_etag(name, etag), "archived")
            changed = self.service.set_session(name, archive_time=self.service.time())
            self.service.note("archived", name)
            return changed

    async def unarchive_session(self, name: str, *, etag: str = "") -> Session:
        """See `MooringClient`."""
        await self._called("unarchive_session")
        with self.service.lock:
            self.service.check_etag(name, etag)
            changed = self.service.set_session(name, archive_time=None)
            self.service.note("unarchived", name)
            return changed

    async def set_default_session(self, name: str, *, etag: str = "") -> Session:
        """See `MooringClient`."""
        await self._called("set_default_session")
        with self.service.lock:
            engagement = self._in_use(name, etag).engagement
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
            visits = self.service.visits.get(session.engagement, [])
            self.service.visits[session.engagement] = [name, *(other for other in visits if other != name)]
            self.service.note("switched", after.name)
            return Switched(session, after)

    async def list_shortcuts(self, parent: str) -> Shortcuts:
        """See `MooringClient`."""
        await self._called("list_shortcuts")
        with self.service.lock:
            return Shortcuts(
                self._living(self.service.pins, parent),
                self._living(self.service.visits, parent)[:_RECENT_MAX],
            )

    async def pin_session(self, name: str) -> Session:
        """See `MooringClient`."""
        await self._called("pin_session")
        with self.service.lock:
            session = self.service.session(name)
            pins = self.service.pins.setdefault(session.engagement, [])
            if name not in pins:
                if len(self._living(self.service.pins, session.engagement)) == _PINS_MAX:
                    raise FailedPrecondition("unpin another session first", reason="TOO_MANY_PINS")
                pins.append(name)
                self.service.note("updated", f"{session.engagement}/shortcuts", USER)
            return session

    async def unpin_session(self, name: str) -> Session:
        """See `MooringClient`."""
        await self._called("unpin_session")
        with self.service.lock:
            session = self.service.session(name)
            if name in self.service.pins.get(session.engagement, ()):
                self.service.pins[session.engagement].remove(name)
                self.service.note("updated", f"{session.engagement}/shortcuts", USER)
            return session

    async def list_activity(
        self, parent: str, *, page_size: int = 50, page_token: str = "", skip: int = 0, filter: str = ""
    ) -> PageOf[Activity]:
        """See `MooringClient`; switches are not in it."""
        await self._called("list_activity")
        happened = [
            Activity(
                change.actor,
                change.kind,
                change.resource,
                change.stream,
                "/".join(change.resource.split("/")[:4]) if "/sessions/" in change.resource else "",
                self.service.time(change.revision),
            )
            for change in reversed(self.service.changes)
            if f"{change.resource}/".startswith(f"{parent}/")
        ]
        page = page_of([each for each in happened if passes(each, filter)], page_size, page_token, skip)
        return replace(page, total=-1)

    def _living(self, listed: Mapping[str, list[str]], engagement: str) -> tuple[Session, ...]:
        there = self.service.sessions
        return tuple(there[name] for name in listed.get(engagement, ()) if name in there)

    def _in_use(self, name: str, etag: str) -> Session:
        session = self.service.check_etag(name, etag)
        if session.archive_time is not None:
            raise FailedPrecondition("the session is archived; unarchive it first", reason="SESSION_ARCHIVED")
        return session

    def _refuse_default(self, session: Session, done: str) -> None:
        if session.is_default:
            raise FailedPrecondition(
                f"the default session cannot be {done}; set another default first", reason="DEFAULT_SESSION"
            )

    def _count(self, engagement: str, by: int) -> None:
        count = self.service.engagements[engagement].session_count
        self.service.set_engagement(engagement, session_count=count + by)


def _moment(session: Session, field: str) -> datetime:
    moment = getattr(session, field) or session.update_time
    assert isinstance(moment, datetime)  # noqa: S101 - of the types alone: a session of the service has one
    return moment
