"""What a workspace does, as coroutines of the library's loop; `Workspace` and `Aio` are two doors to it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING

from mooring_widgets import queries
from mooring_widgets.client import (
    Engagement,
    Import,
    ImportOptions,
    ImportReport,
    Imports,
    Preview,
    Progress,
    Session,
    Upload,
)
from mooring_widgets.errors import FailedPrecondition, Superseded
from mooring_widgets.queries import Table
from mooring_widgets.workspace.merging import MergeWork
from mooring_widgets.workspace.moving import MoveWork
from mooring_widgets.workspace.sources import Source

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Work(MergeWork, MoveWork):
    """The use cases of a notebook; each method must be awaited on the library's loop."""

    async def switch(self, wanted: str | Session) -> Session:
        """Makes a session current."""
        return await self._switch_to((await self.find(wanted)).name)

    async def switch_engagement(self, wanted: str | Engagement) -> Session:
        """Makes an engagement's default session current."""
        engagement = await self.find_engagement(wanted)
        return await self._switch_to(engagement.default_session)

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
        self._queries.invalidate_queries(
            queries.shortcuts(self._client, switched.session.engagement).query_key
        )
        return switched.session


async def next_batch(read: "AsyncGenerator[pa.RecordBatch]") -> "pa.RecordBatch | None":
    """The next piece of a bulk read, None at its end."""
    return await anext(read, None)
