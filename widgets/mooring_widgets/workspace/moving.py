"""Moving sessions as files, as coroutines of the library's loop."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mooring_widgets.client import Engagement, Progress, Session, SessionFile
from mooring_widgets.workspace.lifecycle import Lifecycle

if TYPE_CHECKING:
    from mooring_widgets.workspace.workspace import Workspace

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A session file to be imported; the fields are the arguments of `Workspace.import_session`."""

    path: StrPath
    display_name: str | None
    session_id: str | None
    keep_ids: bool
    engagement: str | Engagement | None
    switch: bool

    @property
    def file(self) -> Path:
        """Where it is."""
        return Path(self.path).expanduser()

    async def import_(self, ws: "Workspace", on_progress: Callable[[Progress], None] | None) -> Session:
        """Imports it."""
        made = await ws.work.import_session(self, on_progress)
        return await ws.work.switch(made) if self.switch else made


class MoveWork(Lifecycle):
    """The use cases about sessions that move."""

    async def export_session(
        self,
        path: StrPath | None,
        wanted: str | Session | None,
        overwrite: bool,
        on_progress: Callable[[Progress], None] | None,
    ) -> SessionFile:
        """Writes a session to a file, which is there when it is whole."""
        session = await (self.session() if wanted is None else self.find(wanted))
        target = await asyncio.to_thread(_target, path, session.display_name)
        _refuse_taken(target, overwrite)  # before any of it is read
        part = target.with_name(f".{uuid.uuid4().hex}.mooring.part")
        try:
            async with aclosing(self._client.export_session(session.name)) as pieces:
                await _write(part, pieces, on_progress)
            return await asyncio.to_thread(_put, part, target, overwrite)
        finally:
            part.unlink(missing_ok=True)

    async def import_session(
        self, incoming: Incoming, on_progress: Callable[[Progress], None] | None
    ) -> Session:
        """Makes a session of a file; lists show it at once."""
        engagement = self._current.state.engagement_id
        if incoming.engagement is not None:
            engagement = (await self.find_engagement(incoming.engagement)).name
        upload = await self._client.upload_inventory(engagement, incoming.file, on_progress=on_progress)
        name = await self._client.import_session(
            engagement,
            upload.id,
            display_name=incoming.display_name or "",
            session_id=incoming.session_id or "",
            keep_ids=incoming.keep_ids,
            on_progress=on_progress,
        )
        made = await self._client.get_session(name)
        self._settle("created", name, made)
        return made


def _target(path: StrPath | None, display_name: str) -> Path:
    target = Path(path or ".").expanduser().absolute()
    if target.is_dir():
        return target / SessionFile.name_of(display_name)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}; make it first, or name another one")
    return target


def _refuse_taken(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} is there already; name another file, or say overwrite=True")


async def _write(
    path: Path, pieces: AsyncIterable[bytes], on_progress: Callable[[Progress], None] | None
) -> None:
    # Opened here: a thread could still make the file when whoever gives up has cleaned up.
    with path.open("xb") as file:
        done = 0
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
            done += len(piece)
            if on_progress is not None:
                on_progress(Progress("downloading", done, 0))


def _put(part: Path, target: Path, overwrite: bool) -> SessionFile:
    """Gives a file that is whole its name."""
    written = SessionFile.of(part)
    _refuse_taken(target, overwrite)  # it may have come meanwhile
    part.replace(target)
    return replace(written, path=target)
