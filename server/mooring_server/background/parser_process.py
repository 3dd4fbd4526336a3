"""The process that reads one inventory, or one exported session.

What people upload is not to be trusted with the serving process: a file may ask for all memory, for ever, or
end whatever reads it. So each is read in a process of its own, with limits of its own. It gets the file as
its argument and its order as one line of JSON on its standard input, and writes frames (`frames.py`) on its
standard output. `parsing.py` is the other side.

Its standard input stays open as long as the server lives. At its end the process removes the file that it was
given and goes, so a server that is killed leaves neither behind. It also stays for that when all is told:
the server has much to do then, until it ends the process.
"""

import os
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from mooring_server.background import child, frames
from mooring_server.background.child import Send
from mooring_server.core.imports import options_from_json
from mooring_server.core.linking import addresses_of
from mooring_server.core.session_files import SessionFile
from mooring_server.core.session_rows import SessionRows
from mooring_server.core.staging import Staged, stage
from mooring_server.errors import MooringError, ResourceExhausted
from mooring_server.ingest import AssetRow, DependencyRow, Inventory, Limits, RejectedRow, open_inventory
from mooring_server.ingest.limits import unreadable
from mooring_server.ingest.preview import Preview, preview
from mooring_server.store.values import from_us

T = TypeVar("T")

FOLDER_PREFIX = "mooring-"
# A frame is read in one go by a process that has others to serve, and no row can be in two of them.
FRAME_ROWS = 100
_FRAME_SIZE = 256 * 2**10
_ROW_SIZE_MAX = 2**20
_ADDRESSES_AT_ONCE = 10_000
_SAMPLE_MAX = 200


def main() -> None:
    """Carries out the order on standard input."""
    path = Path(sys.argv[1])
    end = partial(_remove, path.parent)
    order, out, watch = child.begin(end)
    _limit(order["memory_max_bytes"], order["time_max_s"])
    send = child.sender(out)
    try:
        try:
            (_carry_out_session if "seed" in order else _carry_out)(order, path, out, send)
        except MooringError as failure:
            send("failure", frames.failure_to_json(failure))
        except MemoryError:
            send("failure", frames.failure_to_json(out_of_memory()))
        except BrokenPipeError:
            raise
        except BaseException:  # whatever a file does to a library is the file's fault to its user
            traceback.print_exc()
            refusal = unreadable(
                f"{order['file_name']} cannot be read: it is damaged, or of a kind that is not known; "
                "open it in the program that made it and export it again"
            )
            send("failure", frames.failure_to_json(refusal))
    except BrokenPipeError:  # the server is gone, which is noticed here before it is there
        end()
        os._exit(1)
    watch.join()


def out_of_memory() -> ResourceExhausted:
    """How a file is refused that needs too much memory."""
    return ResourceExhausted(
        "reading the file takes more memory than is allowed (setting `parser_memory_max_bytes`); split it"
    )


def _carry_out(order: dict[str, Any], path: Path, out: IO[bytes], send: Send) -> None:
    limits, options = Limits(**order["limits"]), options_from_json(order["options"])
    if order["preview_rows"]:
        shown = preview(path, order["file_name"], limits, options, order["preview_rows"])
        send("preview", frames.preview_to_json(_short(shown)))
        send("end", [])
        return
    inventory = open_inventory(path, order["file_name"], limits, options)
    header = {
        "kind": inventory.kind,
        "source": inventory.source,
        "sheet": inventory.sheet,
        "columns": [asdict(use) for use in inventory.columns],
        "row_total": inventory.row_total,
    }
    send("header", header)
    with TemporaryFile(dir=path.parent) as held:
        links = _Links(held, limits)
        _send_rows(inventory, order, limits, links, send)
        links.release(out, send)
    send("end", inventory.notes)


def _carry_out_session(order: dict[str, Any], path: Path, out: IO[bytes], send: Send) -> None:
    file = SessionFile(path, order["file_name"], path.parent)
    send("manifest", frames.manifest_to_json(file.manifest))
    rows = SessionRows(file, order["seed"])
    limits, total = Limits(**order["limits"]), 0
    for tag, found in (("assets", rows.assets()), ("dependencies", rows.dependencies())):
        some: list[Any] = []
        size = 0
        for row, row_size in found:
            some.append(row)
            size += row_size
            if len(some) >= FRAME_ROWS or size >= _FRAME_SIZE:
                total += size
                limits.check_expanded_size(total)
                send(tag, some)
                some, size = [], 0
        if some:
            send(tag, some)
    send("end", [])


def _send_rows(
    inventory: Inventory, order: dict[str, Any], limits: Limits, links: "_Links", send: Send
) -> None:
    file_name, now = order["file_name"], from_us(order["now_us"])
    seen: set[int] = set()
    staged: list[Staged] = []
    rejected: list[RejectedRow] = []
    size = total = 0

    def flush() -> None:
        nonlocal size, total
        total += size
        limits.check_expanded_size(total)
        send("rows", {"assets": staged, "rejected": list(map(frames.rejected_to_json, rejected))})
        staged.clear()
        rejected.clear()
        size = 0

    for row in inventory.rows():
        row_size = 0
        if isinstance(row, RejectedRow):
            rejected.append(row)
            row_size = len(row.reason)
        elif isinstance(row, DependencyRow):
            rejected += links.add(row)
        else:
            key = _key(row)
            made = stage(row, file_name, inventory.source, now, repeated=key in seen)
            row_size = sum([len(value) for value in made.asset if value.__class__ is str])
            if row_size > _ROW_SIZE_MAX:
                rejected += _too_long(row, row_size)
                row_size = 0
            else:
                staged.append(made)
                seen.add(key)
        size += row_size
        if len(staged) + len(rejected) >= FRAME_ROWS or size >= _FRAME_SIZE:
            flush()
    flush()


class _Links:
    """Dependencies, held in a file until all assets are told: their ends may be any of these."""

    def __init__(self, held: IO[bytes], limits: Limits) -> None:
        self._held = held
        self._limits = limits
        self._addresses: set[str] = set()
        self._rows: list[bytes] = []
        self._size = self._total = 0

    def add(self, row: DependencyRow) -> list[RejectedRow]:
        """Holds a dependency; answers what cannot be taken of it."""
        plain = frames.to_json(frames.link_to_json(row))
        if len(plain) > _ROW_SIZE_MAX:
            return _too_long(row, len(plain))
        self._addresses |= addresses_of((row,))
        self._rows.append(plain)
        self._size += len(plain)
        if len(self._rows) >= FRAME_ROWS or self._size >= _FRAME_SIZE:
            self._flush()
        return []

    def release(self, out: IO[bytes], send: Send) -> None:
        """Sends the addresses of their ends, then them."""
        self._flush()
        for some in _pieces(sorted(self._addresses), _ADDRESSES_AT_ONCE):
            send("addresses", some)
        self._held.seek(0)
        shutil.copyfileobj(self._held, out)

    def _flush(self) -> None:
        self._total += self._size
        self._limits.check_expanded_size(self._total)
        if self._rows:
            self._held.write(frames.to_line_of("links", self._rows))
        self._rows.clear()
        self._size = 0


def _too_long(row: AssetRow | DependencyRow, size: int) -> list[RejectedRow]:
    """A row, and those that have joined it."""
    reason = f"its cells have {size:,} characters together; at most {_ROW_SIZE_MAX:,} are kept"
    return [RejectedRow(row.sheet, row.row, reason)] * (1 + row.joined)


def _short(shown: Preview) -> Preview:
    """As much of a preview as people look at: its texts may be as long as the file."""
    columns = ((use, tuple(text[:_SAMPLE_MAX] for text in texts)) for use, texts in shown.columns)
    return replace(
        shown,
        columns=tuple(columns),
        assets=tuple(_first(shown.assets, asdict)),
        dependencies=tuple(_first(shown.dependencies, frames.link_to_json)),
    )


def _first(rows: Sequence[T], plain: Callable[[Any], Any]) -> list[T]:
    """The rows that go into one frame."""
    found: list[T] = []
    left = _ROW_SIZE_MAX
    for row in rows:
        left -= len(frames.to_json(plain(row)))
        if left < 0:
            break
        found.append(row)
    return found


def _pieces(texts: list[str], count: int) -> list[list[str]]:
    return [texts[start : start + count] for start in range(0, len(texts), count)]


def _key(row: AssetRow) -> int:
    """What stands for an identity in memory; where two share one, a row is looked up for nothing."""
    return int.from_bytes(blake2b(row.identity.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _limit(memory_max_bytes: int, time_max_s: float) -> None:
    try:
        import resource
    except ImportError:  # not on this platform: the parent's clock must do
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_max_bytes, memory_max_bytes))
    seconds = max(int(time_max_s), 1)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _remove(folder: Path) -> None:
    if folder.name.startswith(FOLDER_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
