"""What a user's function prints, kept apart from what the notebook's cells print at the same time.

Replacing `sys.stdout` would take the prints of a running cell along. So what stands in for it looks who is
writing: a thread that runs a view's function has its own; everybody else writes where they did before.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO, cast

PRINTED_MAX = 20_000

_STREAMS = ("stdout", "stderr")
_lock = threading.Lock()
_captures = 0


class Printed:
    """The beginning of what was printed, at most `PRINTED_MAX` characters."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0

    def write(self, text: str) -> int:
        """Keeps it as far as there is room; what is beyond is only counted."""
        if self._length < PRINTED_MAX:
            self._parts.append(text[: PRINTED_MAX - self._length])
        self._length += len(text)
        return len(text)

    def __str__(self) -> str:
        cut = self._length - PRINTED_MAX
        return "".join(self._parts) + (f"\n… and {cut:,} more characters" if cut > 0 else "")


_mine: ContextVar[Printed | None] = ContextVar("mooring_printed", default=None)


class _Split:
    """A stream, but for those who have one of their own."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        mine = _mine.get()
        return self.stream.write(text) if mine is None else mine.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _mine.get() is None:
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def captured() -> Iterator[Printed]:
    """What this thread prints to stdout and stderr meanwhile; other threads do not notice."""
    printed = Printed()
    _put_in()
    token = _mine.set(printed)
    try:
        yield printed
    finally:
        _mine.reset(token)
        _take_out()


def _put_in() -> None:
    global _captures
    with _lock:
        _captures += 1
        for name in _STREAMS:
            stream = getattr(sys, name)
            if stream is not None and not isinstance(stream, _Split):
                setattr(sys, name, cast(TextIO, _Split(stream)))


def _take_out() -> None:
    global _captures
    with _lock:
        _captures -= 1
        for name in _STREAMS:
            stream = getattr(sys, name)
            # A cell may have put another one over it, which will put it back; it harms nobody there.
            if not _captures and isinstance(stream, _Split):
                setattr(sys, name, stream.stream)
