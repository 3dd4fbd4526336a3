"""JSON -> one sheet: a list of objects, or objects one after another, as in JSON lines.

Each object is a row; its columns are the keys of all objects, in the order in which they are first seen. Rows
count objects, from 1. The file is surveyed once when it is opened and then streamed, an object at a time.
"""

import json
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO

from mooring_server.ingest.limits import Limits, damage_reported
from mooring_server.ingest.nested import flat

RECORD_MAX_CHARACTERS = 4 * 2**20

_CHUNK_CHARACTERS = 2**18
_START = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[{\]])")
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def is_json(path: Path, codec: str) -> bool:
    """Whether a text file begins like objects, or a list of them."""
    with path.open(encoding=codec, newline="") as text:
        return _START.match(text.read(_CHUNK_CHARACTERS)) is not None


class JsonSheet:
    """The sheet of a JSON file.

    Raises InvalidArgument (UNREADABLE_INVENTORY) and ResourceExhausted, both when it is made.
    """

    name = ""
    is_named = True

    def __init__(self, path: Path, codec: str, limits: Limits) -> None:
        self._path = path
        self._codec = codec
        columns: dict[str, None] = {}
        self.row_total = 1
        size = 0
        for records, cells in self._records():
            columns.update(dict.fromkeys(cells))
            limits.check_columns(len(columns))
            # Each row is made as long as the longest.
            limits.check_cells(records * len(columns))
            size += sum(map(len, cells.values()))
            limits.check_expanded_size(size)
            self.row_total += any(cells.values())
        self._columns = list(columns)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The names of the columns as row 0, then each object that says anything, with its number."""
        yield 0, self._columns
        for row, record in self._records():
            cells = [record.get(name, "") for name in self._columns]
            if any(cells):
                yield row, cells

    def _records(self) -> Iterator[tuple[int, dict[str, str]]]:
        with self._path.open(encoding=self._codec, newline="") as text:
            scanner = _Scanner(text)
            for row in count(1):
                with damage_reported(
                    f"object {row} of the file is no JSON object that can be read, or has more than "
                    f"{RECORD_MAX_CHARACTERS:,} characters; correct it, or export the inventory again"
                ):
                    record = scanner.next()
                    if record is None:
                        return
                    cells = flat(record)
                yield row, cells


class _Scanner:
    """The objects of a text, which is read piece by piece. Raises ValueError and RecursionError."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0
        self._is_list = self._peek() == "["
        self._is_first = True
        self._at += self._is_list

    def next(self) -> dict[str, object] | None:
        """The next object; None after the last."""
        ahead = self._peek()
        if self._is_list and ahead == "]":
            self._at += 1
            if self._peek():
                raise ValueError("after the list")
            return None
        if self._is_list and not self._is_first:
            if ahead != ",":
                raise ValueError("no comma")
            self._at += 1
            ahead = self._peek()
        elif not ahead and not self._is_list:
            return None
        self._is_first = False
        if ahead != "{":
            raise ValueError("no object")
        return self._value()

    def _value(self) -> dict[str, object]:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError:
                if len(self._buffer) - self._at > RECORD_MAX_CHARACTERS or not self._more():
                    raise
            else:
                if end - self._at > RECORD_MAX_CHARACTERS or not isinstance(value, dict):
                    raise ValueError("too long")
                self._at = end
                return value

    def _peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            blanks = _BLANKS.match(self._buffer, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        # Twice as much each time, or a long object would be begun too often.
        left = self._buffer[self._at :]
        piece = self._text.read(max(_CHUNK_CHARACTERS, len(left)))
        self._buffer = left + piece
        self._at = 0
        return bool(piece)
