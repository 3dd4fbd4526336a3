"""Finding, listing, making and changing sessions, as coroutines of the library's loop."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar, cast, get_args

from mooring_widgets import queries
from mooring_widgets.client import (
    Activities,
    Activity,
    Change,
    Comparison,
    Difference,
    Engagement,
    Engagements,
    MooringClient,
    PageOf,
    Session,
    Sessions,
    Shortcuts,
    engagement_of,
    id_of,
)
from mooring_widgets.context import CurrentContext
from mooring_widgets.errors import InvalidArgument, Unavailable
from mooring_widgets.query import MutationOptions, QueryClient, QueryOptions
from mooring_widgets.staleness import stale_keys
from mooring_widgets.workspace.finding import find_deleted, find_engagement, find_listed, find_session
from mooring_widgets.workspace.old import ago, tell

T = TypeVar("T")

_PAGE_SIZE_MAX = 1_000
_FIELDS = ("display_name", "description", "type", "labels")

Cached = list[tuple[tuple[Any, ...], Any]]


class Lifecycle:
    """The use cases about sessions themselves; each method must be awaited on the library's loop."""

    def __init__(self, client: MooringClient, query_client: QueryClient, current: CurrentContext) -> None:
        self._client = client
        self._queries = query_client
        self._current = current

    # Finding and listing

    async def session(self, name: str | None = None) -> Session:
        """A session by its full name, else the current one, from the cache while it is true."""
        return await self._fetch(queries.session(self._client, name or self._current.state.session_id))

    async def engagement(self) -> Engagement:
        """The current engagement, from the cache while it is true."""
        return await self._fetch(queries.engagement(self._client, self._current.state.engagement_id))

    async def find(self, wanted: str | Session) -> Session:
        """A session of the current engagement by name or id, or any by its full name."""
        engagement = self._current.state.engagement_id
        try:
            return await find_session(self._client, engagement, wanted)
        except Unavailable as error:
            pages = self._queries.get_queries_data(queries.plain_sessions(engagement))
            session = find_listed((page for _, page in pages if isinstance(page, PageOf)), wanted)
            if session is None:
                raise
            tell(f"{session.display_name} is as it was read before: {error}")
            return session

    async def find_engagement(self, wanted: str | Engagement) -> Engagement:
        """An engagement of the caller's by name, id or full name."""
        return await find_engagement(self._client, wanted)

    async def session_name(self, session: str | Session | None) -> str:
        """The full name of a session that a person names, else of the current one."""
        return self._current.state.session_id if session is None else (await self.find(session)).name

    async def sessions(
        self, search: str, filter: str, order_by: str, archived: bool, deleted: bool, limit: int | None
    ) -> Sessions:
        """Some of the current engagement's sessions, read now."""
        engagement = self._current.state.engagement_id
        wanted = queries.all_of(queries.searched(search), filter)

        async def page(size: int, token: str) -> PageOf[Session]:
            return await self._client.list_sessions(
                engagement,
                page_size=size,
                page_token=token,
                filter=wanted,
                order_by=order_by,
                show_archived=archived,
                show_deleted=deleted,
            )

        return Sessions.of(await walk(page, limit))

    async def engagements(self, search: str, filter: str, archived: bool, limit: int | None) -> Engagements:
        """Some of the caller's engagements, read now."""
        wanted = queries.all_of(queries.searched(search), filter)

        async def page(size: int, token: str) -> PageOf[Engagement]:
            return await self._client.list_engagements(
                page_size=size, page_token=token, filter=wanted, show_archived=archived
            )

        return Engagements.of(await walk(page, limit))

    async def activity(self, session: str | None, filter: str, limit: int | None) -> Activities:
        """What happened in the current engagement, or to a session, read now."""
        parent = session or self._current.state.engagement_id

        async def page(size: int, token: str) -> PageOf[Activity]:
            return await self._client.list_activity(parent, page_size=size, page_token=token, filter=filter)

        return Activities.of(await walk(page, limit))

    async def sides(self, session: str | Session, other: str | Session | None) -> tuple[str | None, str]:
        """Two sessions' full names; where one alone is named the first is None: whichever is current."""
        if other is None:
            return None, (await self.find(session)).name
        return (await self.find(session)).name, (await self.find(other)).name

    async def compare(
        self,
        session: str | Session,
        other: str | Session | None,
        table: queries.Table,
        kinds: Collection[str],
        filter: str,
        limit: int | None,
    ) -> Comparison:
        """Two sessions held against each other, read now; the current one is, where one alone is named."""
        if table not in get_args(queries.Table):
            wanted = ", ".join(get_args(queries.Table))
            raise InvalidArgument(f"there is no table {table!r}; take one of {wanted}")
        if other is None:
            session, other = self._current.state.session_id, session
        own, against = await self.find(session), await self.find(other)
        call = self._client.list_asset_differences
        if table == "dependencies":
            call = self._client.list_dependency_differences

        async def page(size: int, token: str) -> PageOf[Difference]:
            return await call(
                own.name, against.name, kinds=kinds, filter=filter, page_size=size, page_token=token
            )

        counts = await self._client.compare_sessions(own.name, against.name)
        found = await walk(page, limit)
        return Comparison(
            own, against, counts.assets, counts.dependencies, found.items, bool(found.next_token)
        )

    # Making and changing

    async def create(
        self,
        display_name: str,
        *,
        source: str | Session | None = None,
        description: str | None = None,
        type_: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Session:
        """Makes a session in the current engagement; lists show it at once, and no more if it is refused."""
        engagement = self._current.state.engagement_id
        like = Session("", "") if source is None else await self.find(source)
        if source is not None and like.engagement != engagement:
            raise InvalidArgument(
                f"{like.name} is of another engagement; switch there first, or take a session of {engagement}"
            )
        expected = Session(
            f"{engagement}/sessions/{uuid.uuid4()}",
            display_name,
            like.description if description is None else description,
            (like.type if source is not None else "") if type_ is None else type_,
            labels=dict(like.labels if labels is None else labels),
            parent_session=like.name,
            asset_count=like.asset_count,
            dependency_count=like.dependency_count,
        )

        def show() -> Cached:
            before = self._queries.get_queries_data(queries.plain_sessions(engagement))
            for key, page in before:
                if isinstance(page, PageOf):
                    self._queries.set_query_data(key, queries.with_session(page, expected))
            return before

        call = partial(
            self._client.create_session,
            engagement,
            display_name,
            description=expected.description,
            type=expected.type,
            labels=expected.labels,
            source_session=expected.parent_session,
            session_id=id_of(expected.name),
        )
        return await self._optimistically(call, show, partial(self._settle, "created", expected.name))

    async def update(
        self,
        wanted: str | Session,
        *,
        display_name: str | None = None,
        description: str | None = None,
        type_: str | None = None,
        labels: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Session:
        """Changes the fields that are not None; shown at once, and taken back if it is refused."""
        given = dict(zip(_FIELDS, (display_name, description, type_, labels), strict=True))
        fields: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
        if not fields:
            raise TypeError(f"update() changes nothing; give at least one of {', '.join(_FIELDS)}")
        name = (await self.find(wanted)).name
        call = partial(self._client.update_session, name, **fields, etag=etag)
        return await self._edit(name, "updated", call, _having(name, **fields))

    async def archive(self, wanted: str | Session) -> Session:
        """Puts a session away."""
        name = (await self.find(wanted)).name
        call = partial(self._client.archive_session, name)
        return await self._edit(name, "archived", call, _having(name, archive_time=datetime.now(UTC)))

    async def unarchive(self, wanted: str | Session) -> Session:
        """Takes a session up again."""
        name = (await self.find(wanted)).name
        call = partial(self._client.unarchive_session, name)
        return await self._edit(name, "unarchived", call, _having(name, archive_time=None))

    async def delete(self, wanted: str | Session) -> Session:
        """Deletes a session softly."""
        name = (await self.find(wanted)).name
        call = partial(self._client.delete_session, name)
        return await self._edit(name, "deleted", call, _having(name, delete_time=datetime.now(UTC)))

    async def undelete(self, wanted: str | Session) -> Session:
        """Brings a deleted session back."""
        name = await find_deleted(self._client, self._current.state.engagement_id, wanted)
        call = partial(self._client.undelete_session, name)
        return await self._edit(name, "undeleted", call, _having(name, delete_time=None))

    async def set_default(self, wanted: str | Session) -> Session:
        """Makes a session its engagement's default."""
        name = (await self.find(wanted)).name
        call = partial(self._client.set_default_session, name)
        made = await self._edit(
            name, "updated", call, lambda session: replace(session, is_default=session.name == name)
        )
        self._changed("updated", engagement_of(name))
        return made

    async def shortcuts(self) -> Shortcuts:
        """The caller's pinned and recent sessions of the current engagement, from the cache while true."""
        return await self._fetch(queries.shortcuts(self._client, self._current.state.engagement_id))

    async def pin(self, wanted: str | Session) -> Session:
        """Pins a session for the caller; shown at once, and taken back if it is refused."""
        session = await self.find(wanted)

        def pinned(shortcuts: Shortcuts) -> Shortcuts:
            if any(pin.name == session.name for pin in shortcuts.pinned):
                return shortcuts
            return replace(shortcuts, pinned=(*shortcuts.pinned, session))

        return await self._edit_pins(session.name, partial(self._client.pin_session, session.name), pinned)

    async def unpin(self, wanted: str | Session) -> Session:
        """Takes a pin away; shown at once."""
        name = (await self.find(wanted)).name

        def unpinned(shortcuts: Shortcuts) -> Shortcuts:
            return replace(shortcuts, pinned=tuple(pin for pin in shortcuts.pinned if pin.name != name))

        return await self._edit_pins(name, partial(self._client.unpin_session, name), unpinned)

    async def _edit_pins(
        self,
        name: str,
        call: Callable[[], Awaitable[Session]],
        change: Callable[[Shortcuts], Shortcuts],
    ) -> Session:
        key = tuple(queries.shortcuts(self._client, engagement_of(name)).query_key)

        def show() -> Cached:
            before: Shortcuts | None = self._queries.get_query_data(key)
            if before is None:
                return []
            self._queries.set_query_data(key, change(before))
            return [(key, before)]

        return await self._optimistically(call, show, lambda _: self._queries.invalidate_queries(key))

    async def _edit(
        self,
        name: str,
        kind: str,
        call: Callable[[], Awaitable[Session]],
        change: Callable[[Session], Session],
    ) -> Session:
        """Makes a change of a session, which shows in every list at once; taken back if it is refused."""

        def show() -> Cached:
            before = self._queries.get_queries_data(("sessions", engagement_of(name)))
            for key, page in before:
                if isinstance(page, PageOf):
                    self._queries.set_query_data(key, queries.with_changes(key, page, change))
            own = tuple(queries.session(self._client, name).query_key)
            session = self._queries.get_query_data(own)
            if session is not None and kind != "deleted":  # that it is gone is for the service to say
                self._queries.set_query_data(own, change(session))
                before.append((own, session))
            return before

        return await self._optimistically(call, show, partial(self._settle, kind, name))

    async def _optimistically(
        self,
        call: Callable[[], Awaitable[Session]],
        show: Callable[[], Cached],
        settle: Callable[[Session | None], object],
    ) -> Session:
        """Makes a call whose outcome `show` puts into the cache before; what that replaced comes back where
        the call fails. `settle` hears of the answer, or of None."""

        async def make(_: None) -> Session:
            return await call()

        def take_back(_: Exception, __: None, before: Cached | None) -> None:
            for key, data in before or ():
                self._queries.set_query_data(key, data)

        def settled(made: Session | None, _: Exception | None, __: None, ___: Any) -> None:
            settle(made)

        options = MutationOptions(
            mutation_fn=make,
            on_mutate=lambda _: show(),
            on_error=take_back,
            on_settled=settled,
            # Somebody's cell waits: where nobody answers it is to hear that, not to wait for better times.
            network_mode="always",
        )
        return await asyncio.wrap_future(self._queries.mutate(options, None))

    def _settle(self, kind: str, name: str, made: Session | None) -> None:
        if made is not None and made.delete_time is None:
            self._queries.set_query_data(queries.session(self._client, name).query_key, made)
        self._changed(kind, name)

    def _changed(self, kind: str, resource: str) -> None:
        """Does what the watch will do too, at once: the next line of the cell must see its own write."""
        for key in stale_keys(Change(stream="", revision=0, kind=kind, resource=resource)):
            self._queries.invalidate_queries(key)

    async def _fetch(self, options: QueryOptions[T, T]) -> T:
        try:
            return await self._queries.fetch_query(options)
        except Unavailable as error:
            state = self._queries.get_query_state(options.query_key)
            if state is None or not state.has_data:
                raise
            tell(f"this was read {ago(time.time() - state.data_updated_at)}: {error}")
            return cast(T, state.data)


def _having(name: str, **fields: Any) -> Callable[[Session], Session]:
    return lambda session: replace(session, **fields) if session.name == name else session


async def walk(page: Callable[[int, str], Awaitable[PageOf[T]]], limit: int | None) -> PageOf[T]:
    """The first items of a list, all of them without a limit; its pages may be short, even empty."""
    items: list[T] = []
    token = ""
    while True:
        left = _PAGE_SIZE_MAX if limit is None else limit - len(items)
        part = await page(min(max(left, 1), _PAGE_SIZE_MAX), token)
        items.extend(part.items)
        token = part.next_token
        if not token or (limit is not None and len(items) >= limit):
            return replace(part, items=tuple(items[:limit]), next_token=token)
