"""A sheet of cells -> a table: where its header is, and its rows made as long as that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, Self

from mooring_server.ingest.mapping import Column, columns_of, header_score

# A header is looked for in the first filled rows: reports put titles and dates above it.
HEADER_ROWS = 50
SAMPLE_ROWS = 250


class Sheet(Protocol):
    """Rows of texts without outer blanks. Rows count from 1, blank ones included; rows() leaves those out."""

    @property
    def name(self) -> str:
        """Empty where the format has no sheets."""

    @property
    def row_total(self) -> int:
        """How many rows are not blank."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
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
    def find(cls, sheet: Sheet) -> Self | None:
        """The table of a sheet; None where no row among its first looks like a header.

        The header is the row that names the most asset fields, the first of equals.
        """
        head = list(islice(sheet.rows(), SAMPLE_ROWS))
        scores = [header_score(cells) for _, cells in head[:HEADER_ROWS]]
        if not any(scores):
            return None
        at = scores.index(max(scores))
        row, cells = head[at]
        return cls(
            sheet=sheet,
            header_row=row,
            header=tuple(cells),
            columns=columns_of(cells),
            score=scores[at],
            row_total=sheet.row_total - at - 1,
            sample=tuple(_padded(cells, len(head[at][1])) for _, cells in head[at + 1 :]),
        )

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
    """The sheets of a file, and the table of each, found when it is first asked for."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self.sheets = tuple(sheets)
        self._tables: dict[int, Table | None] = {}

    def table(self, sheet: Sheet) -> Table | None:
        """The table of one of the sheets; None where it has none."""
        if id(sheet) not in self._tables:
            self._tables[id(sheet)] = Table.find(sheet)
        return self._tables[id(sheet)]

    def notes(self, table: Table) -> list[str]:
        """Says which sheet was read where there are several."""
        if len(self.sheets) == 1:
            return []
        return [f"Of {len(self.sheets)} sheets, `{table.sheet.name}` was read."]
