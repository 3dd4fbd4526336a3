"""Tables as people read them: as wide as the terminal, or as wide as they are where nobody looks."""

import io
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from mooring_server.cli.console import harmless, out, say

_WIDE = 100_000
_SHORT = 8
_GAP = 2
_NARROW = 9
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def show_rows(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Iterable[str] = ()) -> None:
    """Print rows under their heads; what is not known in any row has no column.

    What is too wide for the terminal is cut where it is widest; columns that would become too narrow go, the
    last ones first.

    Args:
        heads: What the columns are called.
        rows: A text or None for each.
        numbers: The heads of columns that stand to the right, and are never cut.
    """
    shown = [[cell(value) for value in row] for row in rows]
    kept = [at for at in range(len(heads)) if any(row[at] for row in shown)]
    full = {at: max(map(cell_len, [heads[at], *(row[at] for row in shown)])) for at in kept}
    rigid = {at for at in kept if heads[at] in set(numbers)}
    room = out.width if out.is_terminal else _WIDE
    while (widths := _fit({at: full[at] for at in kept}, rigid, room - _GAP * (len(kept) - 1))) is None:
        kept.pop()
    table = Table(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, header_style="bold"
    )
    for at in kept:
        justify: Any = "right" if at in rigid else "left"
        table.add_column(heads[at], justify=justify, no_wrap=True, overflow="ellipsis", width=widths[at])
    for row in shown:
        table.add_row(*(row[at] for at in kept))
    show(table)


def _fit(full: Mapping[int, int], rigid: Collection[int], room: int) -> dict[int, int] | None:
    """Widths that fit: the widest are cut to one width; None where that is narrower than can be read."""
    if sum(full.values()) <= room or len(full) == 1:
        return {at: min(width, max(room, 1)) for at, width in full.items()}
    left = room - sum(full[at] for at in rigid if at in full)
    soft = sorted((width, at) for at, width in full.items() if at not in rigid)
    widths = {at: full[at] for at in full if at in rigid}
    for number, (width, at) in enumerate(soft):
        widths[at] = min(width, left // (len(soft) - number))
        if widths[at] < min(width, _NARROW):
            return None
        left -= widths[at]
    return widths


def show_pairs(pairs: Iterable[tuple[str, Any]], *, indent: int = 0) -> None:
    """Print what is known of one thing, a line each; long values go on below themselves."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        if text := cell(value):
            table.add_row(f"{'':{indent}}{cell(name)}", text)
    show(table)


def show(table: Table) -> None:
    """Print a table, uncut where it goes into a pipe or a file."""
    if out.is_terminal:
        out.print(table)
        return
    text = io.TextIOWrapper(io.BytesIO(), out.encoding, errors="replace")
    Console(file=text, width=_WIDE, highlight=False, markup=False, emoji=False).print(table)
    text.seek(0)
    say("\n".join(line.rstrip() for line in text.read().splitlines()))


def cell(value: Any) -> str:
    """A value on one line, without what could steer a terminal."""
    return "" if value is None else harmless(" ".join(str(value).split()))


def short_ids(names: Iterable[str]) -> list[str]:
    """The first digits of the ids in resource names, as many as tell them apart."""
    ids = [name.rpartition("/")[2] for name in names]
    length = _SHORT
    while len({one[:length] for one in ids}) < len(set(ids)):
        length += 1
    return [one[:length] for one in ids]


def counted(number: int, one: str, many: str = "") -> str:
    """`1 asset`, `2 assets`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(count_bytes: int | None) -> str:
    """`64 GiB`, in the largest unit that it fills."""
    if count_bytes is None:
        return ""
    amount, unit = float(count_bytes), 0
    while abs(amount) >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:,.1f}".removesuffix(".0") + f" {_UNITS[unit]}"


def moment(time: Timestamp) -> str:
    """A time to the minute, in UTC."""
    return f"{time.ToDatetime():%Y-%m-%d %H:%M} UTC"


def words(name: str) -> str:
    """`virtual machine` for `virtual_machine`, and `memory` for `memory_bytes`, shown in its unit."""
    return name.removesuffix("_bytes").replace("_", " ")


def paragraph(text: str) -> None:
    """Print a sentence, on a terminal without words that go over its edge."""
    say(textwrap.fill(text, out.width, subsequent_indent="  ") if out.is_terminal else text)


def count_line(shown: int, total: int, at_least: bool, what: str) -> str:
    """`50 of 805 assets; --limit 0 shows all`, and nothing where all are shown."""
    if shown >= total and not at_least:
        return ""
    more = "more than " if at_least else ""
    return f"{shown:,} of {more}{total:,} {what}; --limit 0 shows all"
