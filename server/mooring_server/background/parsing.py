"""Reading an inventory in another process (`parser_process`), and what comes from there."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from mooring_server.background.parser_process import FOLDER_PREFIX, out_of_memory
from mooring_server.core.imports import options_to_json
from mooring_server.core.operations import failure_from_json
from mooring_server.core.staging import Staged
from mooring_server.errors import MooringError, NotFound, ResourceExhausted
from mooring_server.ingest import AssetRow, ColumnUse, DependencyRow, End, Limits, ReadOptions, RejectedRow
from mooring_server.ingest.limits import unreadable
from mooring_server.ingest.preview import Preview
from mooring_server.settings import Settings
from mooring_server.store import Tx
from mooring_server.store.records import Upload
from mooring_server.store.values import to_us

__all__ = ["FOLDER_PREFIX", "Batch", "Header", "Parsed", "parse", "preview", "spill"]

_log = structlog.stdlib.get_logger(__name__)

# A frame holds about 256 KiB of text; one row of many long cells may be larger.
_FRAME_MAX_BYTES = 64 * 2**20
# A process that waits for the database does not use its processor time.
_WALL_TIMES = 4
_STDERR_MAX_BYTES = 16 * 2**10


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


class Parsed:
    """An inventory that is being read.

    `addresses` are those that ends of dependencies are described by, complete before the first of these;
    `notes` are complete after the last batch.
    """

    def __init__(self, header: Header, frames: AsyncIterator[tuple[str, Any]]) -> None:
        self.header = header
        self.addresses: frozenset[str] = frozenset()
        self.notes: list[str] = []
        self._frames = frames

    async def batches(self) -> AsyncIterator[Batch]:
        """Every row once.

        Raises:
            InvalidArgument: UNREADABLE_INVENTORY.
            ResourceExhausted: the file passes a limit, or reading it does.
        """
        async for tag, payload in self._frames:
            match tag:
                case "rows":
                    assets = [Staged(tuple(asset), *rest) for asset, *rest in payload["assets"]]
                    yield Batch(assets, [RejectedRow(**row) for row in payload["rejected"]], [])
                case "addresses":
                    self.addresses = frozenset(payload)
                case "links":
                    yield Batch([], [], [_dependency(row) for row in payload])
                case "end":
                    self.notes = payload


@asynccontextmanager
async def parse(
    path: Path, file_name: str, options: ReadOptions, settings: Settings, now: datetime
) -> AsyncIterator[Parsed]:
    """Reads a file in a process that lives as long as this context. Raises as `Parsed.batches` does."""
    order = {**_order(path, file_name, options, settings), "now_us": to_us(now)}
    async with _process(order, settings, settings.parser_time_max_s, _WALL_TIMES) as frames:
        tag, payload = await anext(frames)
        if tag != "header":
            raise unreadable(f"{file_name} cannot be read")
        columns = tuple(ColumnUse(**use) for use in payload.pop("columns"))
        yield Parsed(Header(columns=columns, **payload), frames)


async def preview(
    path: Path, file_name: str, options: ReadOptions, settings: Settings, row_count: int
) -> Preview:
    """What an import would make of a file, from its first rows. Raises as `Parsed.batches` does."""
    order = {**_order(path, file_name, options, settings), "preview_rows": row_count}
    async with _process(order, settings, settings.preview_time_max_s, 1) as frames:
        async for tag, payload in frames:
            if tag == "preview":
                return _preview(payload)
    raise unreadable(f"{file_name} cannot be read")


def _order(path: Path, file_name: str, options: ReadOptions, settings: Settings) -> dict[str, Any]:
    return {
        "path": str(path),
        "file_name": file_name,
        "limits": asdict(Limits.of(settings)),
        "options": options_to_json(options),
        "preview_rows": 0,
    }


def _preview(payload: dict[str, Any]) -> Preview:
    """The preview of its JSON, where tuples are lists."""
    return Preview(
        **{
            **payload,
            "candidates": tuple((kind, title, sure) for kind, title, sure in payload["candidates"]),
            "columns": tuple((ColumnUse(**use), tuple(texts)) for use, texts in payload["columns"]),
            "assets": tuple(AssetRow(**row) for row in payload["assets"]),
            "dependencies": tuple(map(_dependency, payload["dependencies"])),
            "rejected": tuple(RejectedRow(**row) for row in payload["rejected"]),
        }
    )


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
    order: dict[str, Any], settings: Settings, time_max_s: float, wall_times: float
) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """A process that carries out an order; its frames."""
    order |= {"memory_max_bytes": settings.parser_memory_max_bytes, "time_max_s": time_max_s}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from mooring_server.background.parser_process import main; main()",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_FRAME_MAX_BYTES,
        env=_environment(),
        start_new_session=True,
    )
    said = asyncio.create_task(_read_some(process.stderr))
    try:
        if process.stdin is None:
            raise OSError("no pipe")
        process.stdin.write(json.dumps(order).encode() + b"\n")
        yield _frames(process, order["file_name"], time_max_s, time_max_s * wall_times)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())
        words = await said
        if words:
            _log.warning("the parser said", file=order["file_name"], words=words.decode(errors="replace"))


async def _frames(
    process: asyncio.subprocess.Process, file_name: str, time_max_s: float, wall_max_s: float
) -> AsyncIterator[tuple[str, Any]]:
    if process.stdout is None:
        raise OSError("no pipe")
    ended = False
    # Only what is waited for here counts: whoever takes the frames may take their time.
    left_s = wall_max_s
    loop = asyncio.get_running_loop()
    while not ended:
        begun_s = loop.time()
        try:
            line = await asyncio.wait_for(process.stdout.readline(), left_s)
        except TimeoutError:
            raise _too_slow(wall_max_s) from None
        except ValueError:
            raise unreadable(f"{file_name} has a row that is too long to be taken") from None
        left_s -= loop.time() - begun_s
        if not line:
            raise _died(await process.wait(), file_name, time_max_s)
        tag, payload = json.loads(line)
        if tag == "failure":
            raise failure_from_json(payload)
        ended = tag == "end"
        yield tag, payload


def _died(status: int, file_name: str, time_max_s: float) -> MooringError:
    """How a file is refused whose reading ended the process."""
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return _too_slow(time_max_s) if status == -signal.SIGXCPU else out_of_memory()
    return unreadable(
        f"{file_name} cannot be read: it is damaged; open it in the program that made it and export it again"
    )


def _too_slow(time_max_s: float) -> ResourceExhausted:
    return ResourceExhausted(
        f"reading the file takes longer than {time_max_s:,.0f} seconds (setting `parser_time_max_s`); "
        "split it"
    )


def _dependency(row: dict[str, Any]) -> DependencyRow:
    return DependencyRow(**{**row, "source": End(**row["source"]), "target": End(**row["target"])})


async def _read_some(stream: asyncio.StreamReader | None) -> bytes:
    """The first of what a stream says; the rest is read and dropped."""
    kept = b""
    while stream is not None and (piece := await stream.read(_STDERR_MAX_BYTES)):
        kept += piece[: _STDERR_MAX_BYTES - len(kept)]
    return kept


def _environment() -> dict[str, str]:
    """What the process needs to find the code, and no secrets."""
    names = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    # Pools of threads take memory by their number, and each file is read by one.
    return {**kept, "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
