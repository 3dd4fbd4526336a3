"""CSV and its kin -> one sheet: encoding, delimiter and quoting.

The encoding is that of the byte order mark, else UTF-8 where the whole file is valid UTF-8, else Windows-
1252, which spreadsheets save without asking. The delimiter is the one that gives the best header. The file
is surveyed once when it is opened, so that whatever is wrong with it is known before its first row is used;
rows are then streamed.
"""

import codecs
import csv
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path

from mooring_server.ingest.limits import Limits, unreadable
from mooring_server.ingest.mapping import header_score
from mooring_server.ingest.tables import HEADER_ROWS

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS = 256 * 1024
_CHUNK_BYTES = 2**20


class DelimitedSheet:
    """The sheet of a text file.

    Raises InvalidArgument (UNREADABLE_INVENTORY) and ResourceExhausted, both when it is made.
    """

    name = ""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        try:
            self._encoding = _encoding_of(path)
            self._delimiter = self._sniff_delimiter()
            self.row_total = self._survey(limits)
        except UnicodeDecodeError:
            raise unreadable(
                "the file is neither text nor a workbook that can be read; "
                "save the inventory as .xlsx or as CSV in UTF-8"
            ) from None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each record that is not blank, with its number."""
        for row, record in self._records():
            cells = [cell.strip() for cell in record]
            if any(cells):
                yield row, cells

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        row = 0
        try:
            with self._path.open(encoding=self._encoding, newline="") as text:
                # Strict, since a quote that is never closed would silently swallow the rest of the file.
                reader = csv.reader(
                    _without_nul(text), delimiter=self._delimiter, skipinitialspace=True, strict=True
                )
                for row, record in enumerate(reader, start=1):
                    yield row, record
        except csv.Error:
            raise unreadable(
                f"the quotes of row {row + 1} do not match, or one of its cells is longer than "
                f"{csv.field_size_limit():,} characters; correct that row, or save the inventory again"
            ) from None

    def _survey(self, limits: Limits) -> int:
        filled = cells = 0
        for _, record in self._records():
            limits.check_columns(len(record))
            cells += len(record)
            limits.check_cells(cells)
            filled += any(cell and not cell.isspace() for cell in record)
        return filled

    def _sniff_delimiter(self) -> str:
        with self._path.open(encoding=self._encoding, newline="") as text:
            sample = text.read(_SAMPLE_CHARACTERS)
        return max(_DELIMITERS, key=lambda delimiter: _best_header(sample, delimiter))


def _best_header(sample: str, delimiter: str) -> int:
    best = 0
    try:
        reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter, skipinitialspace=True)
        for record in islice(reader, HEADER_ROWS):
            best = max(best, header_score([cell.strip() for cell in record]))
    except csv.Error:
        pass  # the sample may end within a cell, and the survey judges the file
    return best


def _encoding_of(path: Path) -> str:
    with path.open("rb") as file:
        chunk = file.read(_CHUNK_BYTES)
        if chunk.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(_CHUNK_BYTES)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _without_nul(lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise unreadable(
                f"line {number} of the file holds a NUL: it is no text, or UTF-16 without its mark; "
                "save the inventory as .xlsx or as CSV in UTF-8"
            )
        yield line
