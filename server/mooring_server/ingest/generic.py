"""Any table with a header: the best sheet of a file, its columns mapped by their names.

Where no row names an asset, the columns are recognised by what they hold: see `guessing.py`.
"""

import hashlib
from collections.abc import Mapping, Sequence

from mooring_server.ingest.asset_types import type_rule
from mooring_server.ingest.guessing import guess
from mooring_server.ingest.identity import identity_of
from mooring_server.ingest.inventory import Inventory, Reader, RejectedRow, Rows, asset_row
from mooring_server.ingest.limits import unreadable
from mooring_server.ingest.mapping import FieldMap, columns_of, header_score
from mooring_server.ingest.options import ColumnUse, ReadOptions
from mooring_server.ingest.tables import OddRow, Score, Source, Table
from mooring_server.ingest.values import is_unknown

# See `tag:` in identity.py.
_TAGS = ("serialnumber", "serial", "assettag", "servicetag")
_CONFIDENCE, _GUESS_CONFIDENCE = 0.5, 0.2


def _confidence(source: Source) -> float:
    if _find(source) is not None:
        return _CONFIDENCE
    return _GUESS_CONFIDENCE if guess(source) is not None else 0.0


def _find(source: Source) -> Table | None:
    score = _score(source.wanted)
    tables = [table for sheet in source.sheets if (table := source.table(sheet, score)) is not None]
    # A sheet about the export itself can have a good header too, but it has hardly a row.
    return max(tables, key=lambda table: (table.score, table.row_total), default=None)


def _score(wanted: Mapping[str, ColumnUse]) -> Score:
    """How a header is known: by the fields that its names mean, and by what is wanted of them."""
    if not any(use.field for use in wanted.values()):
        return header_score

    def score(cells: Sequence[str]) -> int:
        named = {name: wanted[name] for name in cells if name in wanted}
        field_map = FieldMap(columns_of(cells), wanted=named)
        return len(field_map.names) + len(named) if field_map.is_identifying else 0

    return score


def _open(source: Source, options: ReadOptions) -> Inventory:
    wanted, notes = options.columns, []
    table = _find(source)
    if table is None:
        guessed = guess(source)
        if guessed is None:
            raise unreadable("no row of the file names the columns of a table of assets")
        table, wanted, notes = guessed.table, {**guessed.uses, **wanted}, [*guessed.notes]
    field_map = FieldMap(table.columns, wanted=wanted)
    type_of = type_rule(field_map, table.sample, options.asset_type)
    tags = [column.index for key in _TAGS for column in table.columns if column.key == key]
    sheet = table.sheet.name

    def rows(notes: list[str]) -> Rows:
        for row, cells in table.rows(notes):
            if isinstance(cells, OddRow):
                yield RejectedRow(sheet, row, cells.reason)
                continue
            fields, attributes = field_map.read(cells)
            tag = next((cells[index] for index in tags if not is_unknown(cells[index])), "")
            identity = identity_of(fields, tag or str(fields.get("serial_number", "")))
            if identity is None:
                yield RejectedRow(
                    sheet,
                    row,
                    "it has no id, host name, name or serial number to be known by in the next import",
                )
            else:
                yield asset_row(sheet, row, identity, type_of(cells), fields, attributes)

    header = hashlib.sha256("\x1f".join(sorted(column.name for column in table.columns)).encode()).hexdigest()
    source_key = f"{READER.kind}:{header[:16]}"
    notes = [*source.notes(table), *notes, *field_map.notes]
    return Inventory(READER.kind, source_key, sheet, field_map.uses, table.row_total, rows, notes)


READER = Reader("table", "Any table", _confidence, _open)
