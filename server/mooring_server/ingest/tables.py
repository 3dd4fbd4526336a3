"""A sheet of cells -> a table: where its header is, and its rows made as long as that."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Protocol, Self

from mooring_server.ingest.mapping import Column, columns_of, header_score
from mooring_server.ingest.options import ColumnUse

# A header is looked for in the first filled rows: reports put titles and dates above it.
HEADER_ROWS = 50
SAMPLE_ROWS = 250

Row = tuple[int, list[str]]
"""A row's number and its cells."""

Score = Callable[[Sequence[str]], int]
"""How much a row looks like a header; 0 where it cannot be one."""


class Sheet(Protocol):
    """Rows of texts without outer blanks. Rows count from 1, blank ones included; rows() leaves those out."""

    @property
    def name(self) -> str:
        """Empty where the format has no sheets."""

    @property
    def is_named(self) -> bool:
        """Whether its first row is the header for certain, as in formats whose columns have names."""

    @property
    def row_total(self) -> int:
        """How many rows are not blank, a header included."""

    def rows(self) -> Iterator[Row]:
        """Each row that is not blank, with its number. Can be called again."""


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that does not fit its table, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet whose header was found. `row_total` counts the rows below the header that are not blank."""

    sheet: Sheet
    header_row: int
    header: tuple[str, ...]
    columns: tuple[Column, ...]
    score: int
    row_total: int
    sample: tuple[list[str], ...]

    @classmethod
    def find(cls, sheet: Sheet, head: Sequence[Row], score: Score) -> Self | None:
        """The table of a sheet that begins with these rows; None where none of them looks like a header.

        The header is the row with the highest score, the first of equals.
        """
        scores = [score(cells) for _, cells in head[: 1 if sheet.is_named else HEADER_ROWS]]
        if not any(scores):
            return None
        at = scores.index(max(scores))
        return cls.under(sheet, head, at, scores[at])

    @classmethod
    def under(cls, sheet: Sheet, head: Sequence[Row], at: int, score: int) -> Self:
        """The table whose header is the row at this index of the first rows."""
        row, header = head[at]
        sample = tuple(_padded(cells, len(header)) for _, cells in head[at + 1 :])
        total = sheet.row_total - at - 1
        return cls(sheet, row, tuple(header), columns_of(header), score, total, sample)

    @classmethod
    def headless(cls, sheet: Sheet, head: Sequence[Row]) -> Self:
        """The table that begins with the first row, as wide as that; its columns have numbers for names."""
        width = len(head[0][1])
        sample = tuple(_padded(cells, width) for _, cells in head)
        return cls(sheet, 0, (), columns_of([""] * width), 1, sheet.row_total, sample)

    def rows(self, notes: list[str]) -> Iterator[tuple[int, list[str] | OddRow]]:
        """The rows below the header; short ones are filled up, which a note counts in the end."""
        width = len(self.columns)
        padded = 0
        for row, cells in self.sheet.rows():
            if row <= self.header_row:
                continue
            if any(cells[width:]):
                filled = max(index for index, cell in enumerate(cells) if cell) + 1
                reason = (
                    f"it has {filled} cells, but the header has {width} columns; "
                    "put quotes around a cell that holds the delimiter"
                )
                yield row, OddRow(reason)
            elif tuple(cells) == self.header:
                yield row, OddRow("it repeats the header")
            else:
                padded += len(cells) < width
                yield row, _padded(cells, width)
        if padded:
            notes.append(f"Rows shorter than the header, filled up with empty cells: {padded}.")


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells[:width], *[""] * (width - len(cells))]


class Source:
    """The sheets of a file, and the table of each, found when it is first asked for.

    `encoding` is that of a text file, else empty. `remarks` are sentences about the file, whatever reads it.
    `wanted` is what whoever asks said about columns: by it a header is known that has no usual name.
    """

    def __init__(
        self,
        sheets: Sequence[Sheet],
        encoding: str = "",
        remarks: Sequence[str] = (),
        wanted: Mapping[str, ColumnUse] = MappingProxyType({}),
    ) -> None:
        self.sheets = tuple(sheets)
        self.encoding = encoding
        self.remarks = tuple(remarks)
        self.wanted = wanted
        self._heads: dict[int, list[Row]] = {}
        self._tables: dict[tuple[int, Score], Table | None] = {}

    def narrowed(self, sheet: Sheet) -> "Source":
        """The file as if it had this sheet alone."""
        return Source([sheet], self.encoding, self.remarks, self.wanted)

    def head(self, sheet: Sheet) -> list[Row]:
        """The first rows of one of the sheets that are not blank."""
        if id(sheet) not in self._heads:
            self._heads[id(sheet)] = list(islice(sheet.rows(), SAMPLE_ROWS))
        return self._heads[id(sheet)]

    def table(self, sheet: Sheet, score: Score = header_score) -> Table | None:
        """The table of one of the sheets; None where it has none.

        By default its header is the row that names the most asset fields.
        """
        key = (id(sheet), score)
        if key not in self._tables:
            self._tables[key] = Table.find(sheet, self.head(sheet), score)
        return self._tables[key]

    def notes(self, table: Table) -> list[str]:
        """Says which sheet was read where there are several."""
        if len(self.sheets) == 1:
            return []
        return [f"Of {len(self.sheets)} sheets, `{table.sheet.name}` was read."]
