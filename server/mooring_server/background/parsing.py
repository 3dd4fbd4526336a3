"""Reading what was uploaded in another process (`parser_process`), and what comes from there."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mooring_server.background import frames, processes
from mooring_server.background.parser_process import FOLDER_PREFIX, FRAME_ROWS, out_of_memory
from mooring_server.background.processes import Process
from mooring_server.core.imports import options_to_json
from mooring_server.core.session_files import Manifest
from mooring_server.core.staging import Staged
from mooring_server.errors import MooringError, NotFound, ResourceExhausted
from mooring_server.ingest import ColumnUse, DependencyRow, Limits, ReadOptions, RejectedRow
from mooring_server.ingest.limits import unreadable
from mooring_server.ingest.preview import Preview
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx
from mooring_server.store.records import Upload
from mooring_server.store.values import to_us

__all__ = [
    "FOLDER_PREFIX",
    "Arrival",
    "Batch",
    "Header",
    "Parsed",
    "arrive",
    "parse",
    "preview",
    "spill",
    "spilled",
]

_PROCESS = "mooring_server.background.parser_process"
# A process that waits for the database does not use its processor time.
_WALL_TIMES = 4
_SIGNALS = {each.value: each.name for each in signal.Signals}
_ENVIRONMENT = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "SYSTEMROOT",
    "TMPDIR",
    "VIRTUAL_ENV",
)
# How native code says that it got no memory, before it ends the process.
_NO_MEMORY = (b"memory allocation of", b"bad_alloc")


@dataclass(frozen=True, slots=True)
class Header:
    """What a file was taken for: see `ingest.Inventory`."""

    kind: str
    source: str
    sheet: str
    columns: tuple[ColumnUse, ...]
    row_total: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The next rows. Those about dependencies come after all others."""

    assets: list[Staged]
    rejected: list[RejectedRow]
    dependencies: list[DependencyRow]

    @property
    def is_large(self) -> bool:
        """Whether its size was its end, rather than the number of its rows."""
        return len(self.assets) + len(self.rejected) < FRAME_ROWS


class Parsed:
    """An inventory that is being read.

    `addresses` are those that ends of dependencies are described by, complete before the first of these;
    `notes` are complete after the last batch.
    """

    def __init__(self, header: Header, told: AsyncIterator[tuple[str, Any]]) -> None:
        self.header = header
        self.addresses: set[str] = set()
        self.notes: list[str] = []
        self._told = told

    async def batches(self) -> AsyncIterator[Batch]:
        """Every row once.

        Raises:
            InvalidArgument: UNREADABLE_INVENTORY.
            ResourceExhausted: the file passes a limit, or reading it does.
        """
        async for tag, payload in self._told:
            match tag:
                case "rows":
                    yield Batch(*frames.rows_from_json(payload), [])
                case "addresses":
                    self.addresses.update(payload)
                case "links":
                    yield Batch([], [], list(map(frames.link_from_json, payload)))
                case "end":
                    self.notes = payload


@asynccontextmanager
async def parse(
    path: Path, file_name: str, options: ReadOptions, settings: Settings, now: datetime
) -> AsyncIterator[Parsed]:
    """Reads a file in a process that lives as long as this context. Raises as `Parsed.batches` does."""
    order = {**_order(file_name, options, settings), "now_us": to_us(now)}
    async with _process(path, order, settings, "parser_time_max_s", _WALL_TIMES) as told:
        tag, payload = await anext(told)
        if tag != "header":
            raise _unreadable(file_name)
        columns = tuple(ColumnUse(**use) for use in payload.pop("columns"))
        yield Parsed(Header(columns=columns, **payload), told)


@dataclass(frozen=True, slots=True)
class Arrival:
    """An exported session that is being read."""

    manifest: Manifest
    _told: AsyncIterator[tuple[str, Any]]

    async def rows(self) -> AsyncIterator[tuple[str, list[tuple[Any, ...]]]]:
        """Every row once, some at a time, as they are stored: "assets" first, then "dependencies".

        Raises:
            InvalidArgument: UNREADABLE_SESSION.
            ResourceExhausted: the file passes a limit, or reading it does.
        """
        async for tag, payload in self._told:
            if tag != "end":
                yield tag, payload


@asynccontextmanager
async def arrive(path: Path, file_name: str, seed: str, settings: Settings) -> AsyncIterator[Arrival]:
    """Reads an exported session in a process that lives as long as this context.

    With a `seed` its ids become other ones. Raises as `Arrival.rows` does.
    """
    order = {**_order(file_name, ReadOptions(), settings), "seed": seed}
    async with _process(path, order, settings, "parser_time_max_s", _WALL_TIMES) as told:
        tag, payload = await anext(told)
        if tag != "manifest":
            raise _unreadable(file_name)
        yield Arrival(frames.manifest_from_json(payload), told)


async def preview(
    path: Path, file_name: str, options: ReadOptions, settings: Settings, row_count: int
) -> Preview:
    """What an import would make of a file, from its first rows. Raises as `Parsed.batches` does."""
    order = {**_order(file_name, options, settings), "preview_rows": row_count}
    async with _process(path, order, settings, "preview_time_max_s", 1) as told:
        async for tag, payload in told:
            if tag == "preview":
                return frames.preview_from_json(payload)
    raise _unreadable(file_name)


def _order(file_name: str, options: ReadOptions, settings: Settings) -> dict[str, Any]:
    return {
        "file_name": file_name,
        "limits": asdict(Limits.of(settings)),
        "options": options_to_json(options),
        "preview_rows": 0,
    }


@asynccontextmanager
async def spilled(store: Store, upload_id: str) -> AsyncIterator[tuple[Upload, Path]]:
    """An upload as a file, for as long as the context lasts.

    Raises:
        NotFound: UPLOAD_NOT_FOUND.
    """
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
    try:
        path = folder / "inventory"
        spilling = asyncio.ensure_future(store.read(lambda tx: spill(tx, upload_id, path), long=True))
        try:
            upload = await asyncio.shield(spilling)
        except asyncio.CancelledError:
            await asyncio.wait([spilling])  # it would write into what is removed here
            raise
        yield upload, path
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


def spill(tx: Tx, upload_id: str, path: Path) -> Upload:
    """Writes an upload's bytes to a file.

    Raises:
        NotFound: UPLOAD_NOT_FOUND.
    """
    upload = tx.uploads.get(upload_id)
    if upload is None:
        raise NotFound("the upload has expired; upload the file again", reason="UPLOAD_NOT_FOUND")
    with path.open("wb") as file:
        for index in range(upload.chunk_count):
            file.write(tx.uploads.chunk(upload_id, index))
    return upload


@asynccontextmanager
async def _process(
    path: Path, order: dict[str, Any], settings: Settings, time_setting: str, wall_times: float
) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """A process that carries out an order; its frames. `time_setting` names how long it may work."""
    time_max_s: float = getattr(settings, time_setting)
    order |= {"memory_max_bytes": settings.parser_memory_max_bytes, "time_max_s": time_max_s}
    about = order["file_name"]
    too_slow = ResourceExhausted(
        f"reading the file takes longer than is allowed (setting `{time_setting}`, {time_max_s:g} s); "
        "split it"
    )
    async with processes.running(
        _PROCESS, str(path), order=order, about=about, environment=_environment()
    ) as process:
        yield _frames(process, about, time_max_s * wall_times, too_slow)


async def _frames(
    process: Process, file_name: str, wall_max_s: float, too_slow: ResourceExhausted
) -> AsyncIterator[tuple[str, Any]]:
    ended = False
    # Only what is waited for here counts: whoever takes the frames may take their time.
    left_s = wall_max_s
    loop = asyncio.get_running_loop()
    while not ended:
        begun_s = loop.time()
        try:
            line = await process.line(left_s)
        except TimeoutError:
            raise too_slow from None
        except ValueError:
            raise unreadable(f"{file_name} has a row that is too long to be taken") from None
        left_s -= loop.time() - begun_s
        if not line.endswith(b"\n"):
            raise _died(await process.status(), await process.words(), file_name, too_slow)
        tag, payload = frames.from_line(line)
        if tag == "failure":
            raise frames.failure_from_json(payload)
        ended = tag == "end"
        yield tag, payload


def _died(status: int | None, words: bytes, file_name: str, too_slow: ResourceExhausted) -> MooringError:
    """How a file is refused whose reading ended the process."""
    match _SIGNALS.get(-(status or 0)):
        case "SIGXCPU":
            return too_slow
        case "SIGKILL":  # the system ends those who take too much of its memory
            return out_of_memory()
        case "SIGABRT" if any(mark in words for mark in _NO_MEMORY):
            return out_of_memory()
    return _unreadable(file_name)


def _unreadable(file_name: str) -> MooringError:
    return unreadable(
        f"{file_name} cannot be read: it is damaged; open it in the program that made it and export it again"
    )


def _environment() -> dict[str, str]:
    """What the process needs to find the code, and no secrets."""
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # Pools of threads take memory by their number, and each file is read by one.
    few = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    return {**kept, **few}
