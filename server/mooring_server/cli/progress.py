"""Bars: how far a long command is, how fast it goes, and how long it will take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from mooring_server.cli.console import err, harmless

OnProgress = Callable[[str, int, int], None]
"""Told what is going on, how much of it is done, and of how much; 0 where that is not known yet."""

BYTES = frozenset({"uploading", "downloading"})
"""What is counted in bytes; all else is counted in rows."""

_MB = 1e6


@contextmanager
def progress(*, shown: bool, prefix: str = "") -> Iterator[OnProgress]:
    """A bar on stderr, if that is a terminal."""
    if not shown or not err.is_terminal:
        yield lambda _what, _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(None), _Count(), _Speed(), _Left())
    with Progress(*columns, console=err, transient=True, expand=True) as bars:
        current = ("", bars.add_task("", total=None))

        def show(what: str, done: int, total: int) -> None:
            nonlocal current
            began, task = current
            if what != began:  # the speed of one thing says nothing of the next
                bars.remove_task(task)
                task = bars.add_task(harmless(f"{prefix}{what}"), total=None, bytes=what in BYTES)
                current = (what, task)
            bars.update(task, completed=done, total=total or None)

        yield show


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        if task.fields.get("bytes"):
            of = "" if task.total is None else f" of {task.total / _MB:,.1f}"
            return Text(f"{task.completed / _MB:,.1f}{of} MB")
        if not task.completed and task.total is None:
            return Text()
        of = "" if task.total is None else f" of {int(task.total):,}"
        return Text(f"{int(task.completed):,}{of} rows")


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        if not task.speed:
            return Text()
        if task.fields.get("bytes"):
            return Text(f"{task.speed / _MB:,.1f} MB/s")
        return Text(f"{int(task.speed):,}/s")


class _Left(TimeElapsedColumn):
    """The time left where that can be told, else the time that it took so far."""

    def render(self, task: Task) -> Text:
        left_s = task.time_remaining
        if task.total is None or left_s is None:
            return super().render(task)
        minutes, seconds = divmod(int(left_s), 60)
        return Text(f"{minutes}:{seconds:02} left")
