"""What a workspace does, as coroutines of the library's loop; `Workspace` and `Aio` are two doors to it."""

import asyncio
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mooring_widgets import queries
from mooring_widgets.client import Change, Engagement, ImportReport, MooringClient, Progress, Session, id_of
from mooring_widgets.context import CurrentContext
from mooring_widgets.errors import InvalidArgument, Superseded
from mooring_widgets.query import MutationOptions, QueryClient, QueryOptions
from mooring_widgets.workspace.finding import find_engagement, find_session

if TYPE_CHECKING:
    import pandas as pd


T = TypeVar("T")


class Work:
    """The use cases of a notebook; each method must be awaited on the library's loop."""

    def __init__(self, client: MooringClient, query_client: QueryClient, current: CurrentContext) -> None:
        self._client = client
        self._queries = query_client
        self._current = current

    async def session(self, name: str | None = None) -> Session:
        """A session by its full name, else the current one, from the cache while it is true."""
        return await self._fetch(queries.session(self._client, name or self._current.state.session_id))

    async def engagement(self) -> Engagement:
        """The current engagement, from the cache while it is true."""
        return await self._fetch(queries.engagement(self._client, self._current.state.engagement_id))

    async def find(self, wanted: str | Session) -> Session:
        """A session of the current engagement by name or id, or any by its full name."""
        return await find_session(self._client, self._current.state.engagement_id, wanted)

    async def switch(self, wanted: str | Session) -> Session:
        """Makes a session current."""
        return await self._switch_to((await self.find(wanted)).name)

    async def switch_engagement(self, wanted: str | Engagement) -> Session:
        """Makes an engagement's default session current."""
        engagement = await find_engagement(self._client, wanted)
        return await self._switch_to(engagement.default_session)

    async def create(self, display_name: str, *, description: str, type_: str) -> Session:
        """Makes a session in the current engagement; lists show it at once, and no more if it is refused."""
        engagement = self._current.state.engagement_id
        expected = Session(f"{engagement}/sessions/{uuid.uuid4()}", display_name, description, type_)

        async def make(session: Session) -> Session:
            return await self._client.create_session(
                engagement, display_name, description=description, type=type_, session_id=id_of(session.name)
            )

        def show(session: Session) -> list[tuple[tuple[Any, ...], Any]]:
            before = self._queries.get_queries_data(("sessions", engagement))
            for key, page in before:
                self._queries.set_query_data(key, queries.with_session(page, session))
            return before

        def take_back(_: Exception, __: Session, before: list[tuple[tuple[Any, ...], Any]] | None) -> None:
            for key, page in before or ():
                self._queries.set_query_data(key, page)

        def settle(made: Session | None, _: Exception | None, session: Session, __: Any) -> None:
            if made is not None:
                self._queries.set_query_data(queries.session(self._client, made.name).query_key, made)
            self._changed("created", session.name)

        options = MutationOptions(mutation_fn=make, on_mutate=show, on_error=take_back, on_settled=settle)
        return await asyncio.wrap_future(self._queries.mutate(options, expected))

    async def discovery(self, session: str | None) -> "pd.DataFrame":
        """All assets of a session as a data frame of the caller's own."""
        name = session or self._current.state.session_id
        frame = await self._fetch(queries.discovery_frame(self._client, name))
        return await asyncio.to_thread(frame.copy)  # the cached one must not change under its other readers

    async def import_inventory(
        self,
        path: str | os.PathLike[str],
        session: str | Session | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> ImportReport:
        """Imports a file into a session, else into the current one."""
        file = await asyncio.to_thread(_existing, path)
        name = self._current.state.session_id if session is None else (await self.find(session)).name
        report = await self._client.import_inventory(name, file, on_progress=on_progress)
        self._changed("imported", name)
        return report

    async def _switch_to(self, name: str) -> Session:
        call = self._current.switch(name)
        try:
            switched = await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise Superseded(f"a later switch took the place of the one to {name}") from None
        self._queries.set_query_data(queries.session(self._client, name).query_key, switched.session)
        return switched.session

    def _changed(self, kind: str, session: str) -> None:
        """Does what the watch will do too, at once: the next line of the cell must see its own write."""
        for key in queries.stale_keys(Change(stream="", revision=0, kind=kind, resource=session)):
            self._queries.invalidate_queries(key)

    async def _fetch(self, options: QueryOptions[T, T]) -> T:
        return await self._queries.fetch_query(options)


def _existing(path: str | os.PathLike[str]) -> Path:
    file = Path(path).expanduser()
    if not file.is_file():
        raise InvalidArgument(f"there is no file {file}", reason="UNREADABLE_INVENTORY")
    return file
