"""The process that reads one inventory.

What people upload is not to be trusted with the serving process: a file may ask for all memory, for ever, or
end whatever reads it. So each is read in a process of its own, with limits of its own. It gets its order as
one line of JSON on its standard input and writes *frames* on its standard output, each a line of JSON,
`[tag, payload]`. `parsing.py` is the other side.

Its standard input stays open as long as the server lives. At its end the process removes the file that it was
given and goes, so a server that is killed leaves neither behind.
"""

import json
import os
import shutil
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

from mooring_server.core.imports import options_from_json
from mooring_server.core.linking import addresses_of
from mooring_server.core.operations import failure_to_json
from mooring_server.core.staging import Staged, stage
from mooring_server.errors import MooringError, ResourceExhausted
from mooring_server.ingest import AssetRow, DependencyRow, Inventory, Limits, RejectedRow, open_inventory
from mooring_server.ingest.limits import unreadable
from mooring_server.ingest.preview import preview
from mooring_server.store.values import from_us

FOLDER_PREFIX = "mooring-"
_FRAME_ROWS = 250
_FRAME_CHARACTERS = 256 * 1024
_NICENESS = 10

Send = Callable[[str, Any], None]


def main() -> None:
    """Carries out the order on standard input."""
    # What a library prints must not come between the frames.
    frames = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="\n")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    order = json.loads(sys.stdin.buffer.readline())
    path = Path(order["path"])
    threading.Thread(target=_end_with_parent, args=(path.parent,), daemon=True).start()
    _limit(order["memory_max_bytes"], order["time_max_s"])
    try:
        _carry_out(order, path, _sender(frames))
    except MooringError as failure:
        _sender(frames)("failure", failure_to_json(failure))
    except MemoryError:
        _sender(frames)("failure", failure_to_json(out_of_memory()))
    except BrokenPipeError:
        os._exit(1)
    except BaseException:  # whatever a file does to a library is the file's fault to its user
        traceback.print_exc()
        refusal = unreadable(
            f"{order['file_name']} cannot be read: it is damaged, or of a kind that is not known; "
            "open it in the program that made it and export it again"
        )
        _sender(frames)("failure", failure_to_json(refusal))


def out_of_memory() -> ResourceExhausted:
    """How a file is refused that needs too much memory."""
    return ResourceExhausted(
        "reading the file takes more memory than is allowed (setting `parser_memory_max_bytes`); split it"
    )


def _carry_out(order: dict[str, Any], path: Path, send: Send) -> None:
    limits, options = Limits(**order["limits"]), options_from_json(order["options"])
    if order["preview_rows"]:
        shown = preview(path, order["file_name"], limits, options, order["preview_rows"])
        send("preview", asdict(shown))
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
    _send_rows(inventory, order, send)
    send("end", inventory.notes)


def _send_rows(inventory: Inventory, order: dict[str, Any], send: Send) -> None:
    file_name, now = order["file_name"], from_us(order["now_us"])
    seen: set[int] = set()
    staged: list[Staged] = []
    rejected: list[RejectedRow] = []
    links: list[DependencyRow] = []
    size = total = 0
    limits = Limits(**order["limits"])
    for row in inventory.rows():
        if isinstance(row, DependencyRow):
            links.append(row)  # their ends may be any asset, so they come last
            continue
        if isinstance(row, RejectedRow):
            rejected.append(row)
            size += len(row.reason)
        else:
            key = _key(row)
            staged.append(stage(row, file_name, inventory.source, now, repeated=key in seen))
            seen.add(key)
            size += sum(len(value) for value in staged[-1].asset if isinstance(value, str))
        if len(staged) + len(rejected) >= _FRAME_ROWS or size >= _FRAME_CHARACTERS:
            total += size
            limits.check_expanded_size(total)
            send("rows", {"assets": staged, "rejected": [asdict(each) for each in rejected]})
            staged, rejected, size = [], [], 0
    send("rows", {"assets": staged, "rejected": [asdict(each) for each in rejected]})
    if links:
        send("addresses", sorted(addresses_of(links)))
        for start in range(0, len(links), _FRAME_ROWS):
            send("links", [asdict(each) for each in links[start : start + _FRAME_ROWS]])


def _key(row: AssetRow) -> int:
    """What stands for an identity in memory; where two share one, a row is looked up for nothing."""
    return int.from_bytes(blake2b(row.identity.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _sender(frames: IO[str]) -> Send:
    def send(tag: str, payload: Any) -> None:
        frames.write(json.dumps([tag, payload], ensure_ascii=True, separators=(",", ":")) + "\n")
        frames.flush()

    return send


def _limit(memory_max_bytes: int, time_max_s: float) -> None:
    os.nice(_NICENESS)  # who serves goes first
    try:
        import resource
    except ImportError:  # not on this platform: the parent's clock must do
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_max_bytes, memory_max_bytes))
    seconds = max(int(time_max_s), 1)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with_parent(folder: Path) -> None:
    while os.read(sys.stdin.fileno(), 1):  # not through the buffer, whose lock the end of main would meet
        pass
    if folder.name.startswith(FOLDER_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)
