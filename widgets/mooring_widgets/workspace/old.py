"""Saying that an answer is old: a warning at the user's own line, though the library's loop found out."""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from mooring_widgets.errors import OldData

_OWN = (str(Path(__file__).parents[1]), contextlib.__file__)
_told: ContextVar[list[str] | None] = ContextVar("mooring_old", default=None)


def tell(text: str) -> None:
    """Says something to whoever waits in `telling` for what runs now."""
    told = _told.get()
    if told is not None and text not in told:
        told.append(text)


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Warns, when the block ends, of what the coroutines that it started have told."""
    told: list[str] = []
    token = _told.set(told)
    try:
        yield
    finally:
        _told.reset(token)
        for text in told:
            warnings.warn(text, OldData, stacklevel=_level())


def ago(seconds: float) -> str:
    """`3 min ago`."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "less than a minute ago"
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"


def _level() -> int:
    """How far up the user's own line is."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN):
        level, frame = level + 1, frame.f_back
    return level
