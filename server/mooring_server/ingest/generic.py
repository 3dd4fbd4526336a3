"""Any table with a header: the best sheet of a file, its columns mapped by their names."""

import hashlib

from mooring_server.ingest.asset_types import type_rule
from mooring_server.ingest.identity import identity_of
from mooring_server.ingest.inventory import Inventory, Reader, RejectedRow, Rows, asset_row
from mooring_server.ingest.mapping import FieldMap
from mooring_server.ingest.options import ReadOptions
from mooring_server.ingest.tables import OddRow, Source, Table
from mooring_server.ingest.values import is_unknown

# See `tag:` in identity.py.
_TAGS = ("serialnumber", "serial", "assettag", "servicetag")


def _confidence(source: Source) -> float:
    return 0.5 if _find(source) is not None else 0.0


def _find(source: Source) -> Table | None:
    tables = [table for sheet in source.sheets if (table := source.table(sheet)) is not None]
    # A sheet about the export itself can have a good header too, but it has hardly a row.
    return max(tables, key=lambda table: (table.score, table.row_total), default=None)


def _open(source: Source, options: ReadOptions) -> Inventory:
    table = _find(source)
    if table is None:
        raise ValueError("the confidence was 0")
    field_map = FieldMap(table.columns)
    type_of = type_rule(field_map, table.sample)
    tags = [column.index for key in _TAGS for column in table.columns if column.key == key]
    sheet = table.sheet.name

    def rows(notes: list[str]) -> Rows:
        for row, cells in table.rows(notes):
            if isinstance(cells, OddRow):
                yield RejectedRow(sheet, row, cells.reason)
                continue
            fields, attributes = field_map.read(cells)
            tag = next((cells[index] for index in tags if not is_unknown(cells[index])), "")
            identity = identity_of(fields, tag)
            if identity is None:
                yield RejectedRow(
                    sheet,
                    row,
                    "it has no id, host name, name or serial number to be known by in the next import",
                )
            else:
                yield asset_row(sheet, row, identity, type_of(cells), fields, attributes)

    notes = source.notes(table) + field_map.notes
    header = hashlib.sha256("\x1f".join(sorted(column.name for column in table.columns)).encode()).hexdigest()
    source_key = f"{READER.kind}:{header[:16]}"
    return Inventory(READER.kind, source_key, sheet, field_map.uses, table.row_total, rows, notes)


READER = Reader("table", "Any table", _confidence, _open)
