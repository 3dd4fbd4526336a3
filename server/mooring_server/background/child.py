"""What each of our processes does alike, seen from within it; `processes.py` starts them."""

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

from mooring_server.background import frames

Send = Callable[[str, Any], None]

_NICENESS = 10


def begin(end: Callable[[], None]) -> tuple[dict[str, Any], IO[bytes], threading.Thread]:
    """The order, where the frames go, and a thread that calls `end` and ends the process with the server."""
    # What a library prints must not come between the frames.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    line = sys.stdin.buffer.readline()
    watch = threading.Thread(target=_end_with_parent, args=(end,), daemon=True)
    watch.start()
    if not line.endswith(b"\n"):  # the server was gone before it said what to do
        watch.join()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # who serves goes first
    return json.loads(line), out, watch


def sender(out: IO[bytes]) -> Send:
    """What writes a frame."""

    def send(tag: str, payload: Any) -> None:
        out.write(frames.to_line(tag, payload))
        out.flush()

    return send


def _end_with_parent(end: Callable[[], None]) -> None:
    while os.read(sys.stdin.fileno(), 1):  # not through the buffer, whose lock the end of main would meet
        pass
    end()
    os._exit(1)
