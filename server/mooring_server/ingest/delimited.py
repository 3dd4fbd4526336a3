"""CSV and its kin -> one sheet: delimiter and quoting.

The delimiter is the one that gives the best header, or, where none gives one, the one that most records have
equally often. The file is surveyed once when it is opened, so that whatever is wrong with it is known before
its first row is used; rows are then streamed.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path

from mooring_server.ingest.limits import Limits, unreadable
from mooring_server.ingest.mapping import header_score
from mooring_server.ingest.tables import HEADER_ROWS

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS = 256 * 1024
_LONG_LINE_CHARACTERS = 2**20


class DelimitedSheet:
    """The sheet of a text file.

    Raises InvalidArgument (UNREADABLE_INVENTORY) and ResourceExhausted, both when it is made.
    """

    name = ""
    is_named = False

    def __init__(self, path: Path, codec: str, limits: Limits) -> None:
        self._path = path
        self._codec = codec
        self._limits = limits
        self._delimiter = self._sniff_delimiter()
        self.row_total = self._survey()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each record that is not blank, with its number."""
        for row, record in self._records():
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield row, cells

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        row = 0
        try:
            with self._path.open(encoding=self._codec, newline="") as text:
                # Strict, since a quote that is never closed would silently swallow the rest of the file.
                reader = csv.reader(
                    self._checked(text), delimiter=self._delimiter, skipinitialspace=True, strict=True
                )
                for row, record in enumerate(reader, start=1):
                    yield row, record
        except csv.Error:
            raise unreadable(
                f"the quotes of row {row + 1} do not match, or one of its cells is longer than "
                f"{csv.field_size_limit():,} characters; correct that row, or save the inventory again"
            ) from None

    def _checked(self, lines: Iterator[str]) -> Iterator[str]:
        for number, line in enumerate(lines, start=1):
            if "\0" in line:
                raise unreadable(
                    f"line {number} of the file holds a NUL, so it is no text; "
                    "save the inventory as .xlsx or as CSV in UTF-8"
                )
            if len(line) > _LONG_LINE_CHARACTERS and '"' not in line:
                # Its cells would take many times the room of its text.
                self._limits.check_columns(line.count(self._delimiter) + 1)
            yield line

    def _survey(self) -> int:
        filled = cells = 0
        for _, record in self._records():
            self._limits.check_columns(len(record))
            cells += len(record)
            self._limits.check_cells(cells)
            filled += any(cell and not cell.isspace() for cell in record)
        return filled

    def _sniff_delimiter(self) -> str:
        with self._path.open(encoding=self._codec, newline="") as text:
            sample = text.read(_SAMPLE_CHARACTERS)
        return max(_DELIMITERS, key=lambda delimiter: _fit(sample, delimiter, self._limits.columns_max))


def _fit(sample: str, delimiter: str, columns_max: int) -> tuple[int, int, int]:
    """How good the best header is with a delimiter; where there is none, how many records share a width."""
    best = 0
    widths: Counter[int] = Counter()
    try:
        reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
        for record in islice(reader, HEADER_ROWS):
            cells = [cell.strip() for cell in record]
            widths[len(cells)] += len(cells) > 1 and any(cells)
            # What is too wide is refused later, when it is no more than a count.
            best = max(best, header_score(cells[:columns_max]))
    except csv.Error:
        pass  # the sample may end within a cell, and the survey judges the file
    width, count = max(widths.items(), key=lambda each: each[::-1], default=(0, 0))
    return (best, 0, 0) if best else (0, count, width)
