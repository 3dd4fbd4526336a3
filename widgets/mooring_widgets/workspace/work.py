"""What a workspace does, as coroutines of the library's loop; `Workspace` and `Aio` are two doors to it."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mooring_widgets import queries
from mooring_widgets.client import (
    Change,
    Engagement,
    Import,
    ImportOptions,
    ImportReport,
    Imports,
    MooringClient,
    Preview,
    Progress,
    Session,
    Upload,
    id_of,
)
from mooring_widgets.context import CurrentContext
from mooring_widgets.errors import FailedPrecondition, Superseded
from mooring_widgets.queries import Table
from mooring_widgets.query import MutationOptions, QueryClient, QueryOptions
from mooring_widgets.workspace.finding import find_engagement, find_session
from mooring_widgets.workspace.sources import Source

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


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

    async def dependencies(self, session: str | None) -> "pd.DataFrame":
        """All dependencies of a session as a data frame of the caller's own."""
        name = session or self._current.state.session_id
        frame = await self._fetch(queries.dependencies_frame(self._client, name))
        return await asyncio.to_thread(frame.copy)

    async def table(self, session: str | None, kind: Table) -> "pa.Table":
        """All assets or dependencies of a session, from the cache while they are true."""
        name = session or self._current.state.session_id
        return await self._fetch(queries.table(self._client, name, kind))

    async def batches(
        self, session: str | None, kind: Table, fields: Sequence[str], filter: str
    ) -> "AsyncGenerator[pa.RecordBatch]":
        """Some of a session's assets or dependencies, as they come."""
        name = session or self._current.state.session_id
        return queries.batches(self._client, name, kind, fields, filter)

    async def read(self, session: str | None, kind: Table, fields: Sequence[str], filter: str) -> "pa.Table":
        """Some of a session's assets or dependencies."""
        name = session or self._current.state.session_id
        return await queries.read_table(self._client, name, kind, fields, filter)

    async def read_frame(
        self, session: str | None, kind: Table, fields: Sequence[str], filter: str
    ) -> "pd.DataFrame":
        """The same as a data frame."""
        name = session or self._current.state.session_id
        read = await queries.read_table(self._client, name, kind, fields, filter)
        return await asyncio.to_thread(queries.to_frame, read, name, kind)

    async def session_name(self, session: str | Session | None) -> str:
        """The full name of a session that a person names, else of the current one."""
        return self._current.state.session_id if session is None else (await self.find(session)).name

    async def upload(
        self, source: Source, session: str | Session | None, on_progress: Callable[[Progress], None] | None
    ) -> tuple[str, Upload]:
        """Uploads a file for a session; that session's full name, and the upload."""
        name = await self.session_name(session)
        with contextlib.ExitStack() as stack:
            file = await asyncio.to_thread(stack.enter_context, source.file())
            upload = await self._client.upload_inventory(
                name, file, name=source.name, on_progress=on_progress
            )
        return name, upload

    async def preview(self, session: str, upload: Upload, options: ImportOptions, rows: int) -> Preview:
        """What an import would make of an upload."""
        return await self._client.preview_inventory(session, upload.id, options, row_count=rows)

    async def import_upload(
        self,
        session: str,
        upload: Upload,
        options: ImportOptions,
        on_progress: Callable[[Progress], None] | None,
    ) -> ImportReport:
        """Imports an upload into its session."""
        report = await self._client.import_upload(session, upload.id, options, on_progress=on_progress)
        self._changed("imported", session)
        return report

    async def imports(self, session: str | Session | None) -> Imports:
        """The imports of a session, newest first."""
        return await self._fetch(queries.imports(self._client, await self.session_name(session)))

    async def revert_import(
        self, which: Import | str | None, session: str | Session | None, *, force: bool
    ) -> Import:
        """Undoes an import: one by its snapshot, name or id, else the newest that can be."""
        if isinstance(which, Import):
            name = which.name
        elif which is not None and "/" in which:
            name = which
        else:
            home = await self.session_name(session)
            name = f"{home}/imports/{which}" if which else await self._newest_revertible(home)
        reverted = await self._client.revert_import(name, force=force)
        self._changed("reverted", name.partition("/imports/")[0])
        return reverted

    async def _newest_revertible(self, session: str) -> str:
        page = await self._client.list_imports(session)  # not from the cache: it is about to be undone
        found = next((each.name for each in page.items if each.revertible), None)
        if found is None:
            raise FailedPrecondition(
                f"no import of {session} can be undone; ws.imports() shows its history",
                reason="NOT_REVERTIBLE",
            )
        return found

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


async def next_batch(read: "AsyncGenerator[pa.RecordBatch]") -> "pa.RecordBatch | None":
    """The next piece of a bulk read, None at its end."""
    return await anext(read, None)
