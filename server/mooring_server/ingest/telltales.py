"""The columns by which a tool's own table is known, whatever their order, their case and their company."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mooring_server.ingest.mapping import COLUMN_NAME_MAX, Column
from mooring_server.ingest.tables import Source, Table


@dataclass(frozen=True)
class Telltales:
    """Names of columns, in lower case and without blanks or punctuation.

    A header has one of each group of `needed`, and of `usual` at least `least`.
    """

    needed: tuple[tuple[str, ...], ...]
    usual: frozenset[str] = frozenset()
    least: int = 0

    def score(self, cells: Sequence[str]) -> int:
        """How many of the columns a row names; 0 where it is not the tool's header."""
        keys = _keys(tuple(cells))
        usual = len(keys & self.usual)
        if usual < self.least or any(keys.isdisjoint(group) for group in self.needed):
            return 0
        return len(self.needed) + usual

    def find(self, source: Source) -> Table | None:
        """The table of a file that has such a header, the fullest of several; None where there is none."""
        tables = [table for sheet in source.sheets if (table := source.table(sheet, self.score)) is not None]
        return max(tables, key=lambda table: (table.score, table.row_total), default=None)


@lru_cache(2048)
def _keys(cells: tuple[str, ...]) -> frozenset[str]:
    """`Column.key` of each cell that could be a header; every tool asks for those of the same few rows."""
    return frozenset(Column.of(0, text, text).key for text in cells if len(text) <= COLUMN_NAME_MAX)


def place_of(columns: Sequence[Column], keys: Sequence[str]) -> int | None:
    """The index of the column that has the first of these names that any has."""
    by_key = {column.key: column.index for column in reversed(columns)}
    return next((by_key[key] for key in keys if key in by_key), None)
