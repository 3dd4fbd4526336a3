"""What an import would make of a file, from its first rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mooring_server.ingest.formats import open_source
from mooring_server.ingest.inventory import AssetRow, DependencyRow, Inventory, RejectedRow
from mooring_server.ingest.limits import Limits
from mooring_server.ingest.mapping import columns_of
from mooring_server.ingest.options import ColumnUse, ReadOptions
from mooring_server.ingest.readers import candidates, chosen_sheet, open_with
from mooring_server.ingest.tables import HEADER_ROWS, Source

_REJECTED_MAX = 100
_SAMPLES_MAX = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file is read, and its first rows.

    `candidates` holds the kind, the title and the confidence of each reader that could read it, the surest
    first. `columns` are those of `sheet`, each with some of its texts, no two the same. `rejected` holds the
    first 100 of the rows that were looked at, which `rows_examined` counts; for the others see `Inventory`.
    """

    kind: str
    candidates: tuple[tuple[str, str, float], ...]
    sheets: tuple[str, ...]
    sheet: str
    columns: tuple[tuple[ColumnUse, tuple[str, ...]], ...]
    assets: tuple[AssetRow, ...]
    dependencies: tuple[DependencyRow, ...]
    rejected: tuple[RejectedRow, ...]
    notes: tuple[str, ...]
    row_total: int | None
    rows_examined: int
    encoding: str


def preview(
    path: Path,
    file_name: str,
    limits: Limits,
    options: ReadOptions,
    row_count: int,
    examined_max: int = 10_000,
) -> Preview:
    """Reads a file up to `examined_max` rows and shows `row_count` of its assets and of its dependencies.

    Raises what `open_inventory` does.
    """
    whole = open_source(path, file_name, limits, options)
    source = chosen_sheet(whole, options)
    likely = candidates(source)
    inventory = open_with(likely, source, file_name, options)
    assets: list[AssetRow] = []
    dependencies: list[DependencyRow] = []
    rejected: list[RejectedRow] = []
    examined = 0
    for row in inventory.rows():
        if isinstance(row, RejectedRow):
            examined += 1
            if len(rejected) < _REJECTED_MAX:
                rejected.append(row)
        elif isinstance(row, AssetRow):
            examined += 0 if row.implied else 1 + row.joined
            if len(assets) < row_count:
                assets.append(row)
        else:
            examined += (not row.derived) + row.joined
            if len(dependencies) < row_count:
                dependencies.append(row)
        if examined >= examined_max:
            break
    return Preview(
        kind=inventory.kind,
        candidates=tuple((reader.kind, reader.title, confidence) for reader, confidence in likely),
        sheets=tuple(sheet.name for sheet in whole.sheets if sheet.name),
        sheet=inventory.sheet,
        columns=_columns(source, inventory),
        assets=tuple(assets),
        dependencies=tuple(dependencies),
        rejected=tuple(rejected),
        notes=tuple(inventory.notes),
        row_total=inventory.row_total,
        rows_examined=examined,
        encoding=inventory.encoding,
    )


def _columns(source: Source, inventory: Inventory) -> tuple[tuple[ColumnUse, tuple[str, ...]], ...]:
    sample = _sample(source, inventory)
    return tuple(
        (
            use,
            tuple(dict.fromkeys(cells[index] for cells in sample if len(cells) > index and cells[index]))[
                :_SAMPLES_MAX
            ],
        )
        for index, use in enumerate(inventory.columns)
    )


def _sample(source: Source, inventory: Inventory) -> list[Sequence[str]]:
    """The first rows below the header of the sheet that the columns are of."""
    names = [use.column for use in inventory.columns]
    for sheet in source.sheets:
        if sheet.name == inventory.sheet:
            rows = [cells for _, cells in source.head(sheet)]
            for at, cells in enumerate(rows[:HEADER_ROWS]):
                if [column.name for column in columns_of(cells)] == names:
                    return [*rows[at + 1 :]]
            return [*rows]
    return []
