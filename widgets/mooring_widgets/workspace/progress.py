"""Showing a long call's progress on the thread that waits for it.

The steps come on the library's loop, whose prints a notebook would put under some other cell.
"""

import concurrent.futures
import queue
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from mooring_widgets.client import Progress

T = TypeVar("T")

_LINE_INTERVAL_S = 0.1
_BAR_WIDTH = 24
_OF_BYTES = ("uploading", "downloading")


def wait_with_progress(
    start: Callable[[Callable[[Progress], None]], "concurrent.futures.Future[T]"],
    on_progress: Callable[[Progress], None] | None,
) -> T:
    """Starts a call and waits for it, telling its steps on this thread; an interrupt cancels it.

    Args:
        start: Gets the function that takes the steps, from any thread.
        on_progress: Told every step; by default a line with a bar is printed and overwritten.
    """
    steps: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    line = _Line()
    tell = on_progress or line
    future = start(steps.put)
    future.add_done_callback(lambda _: steps.put(None))
    try:
        while (step := steps.get()) is not None:
            tell(step)
        return future.result()
    except BaseException:
        future.cancel()
        raise
    finally:
        line.end()


class _Line:
    """One line of output, overwritten by each step."""

    def __init__(self) -> None:
        self._phase = ""
        self._written_at = 0.0
        self._length = 0

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        if step.phase == self._phase and now - self._written_at < _LINE_INTERVAL_S:
            return
        self._phase, self._written_at = step.phase, now
        of = f" of {step.total:,}" if step.total else ""
        unit = "bytes" if step.phase in _OF_BYTES else "rows"
        text = f"{_bar(step)} {step.phase}: {step.done:,}{of} {unit}"
        sys.stdout.write("\r" + text.ljust(self._length))
        sys.stdout.flush()
        self._length = len(text)

    def end(self) -> None:
        """Clears the line."""
        if self._length:
            sys.stdout.write("\r" + " " * self._length + "\r")
            sys.stdout.flush()


def _bar(step: Progress) -> str:
    """As far as it is known; in ASCII, which every terminal shows."""
    filled = min(_BAR_WIDTH, _BAR_WIDTH * step.done // step.total) if step.total else 0
    return f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}]"
