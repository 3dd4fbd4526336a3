"""XLSX files, written row by row: a million rows take no more memory than one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from mooring_server.cli.console import Failure

# The most that the format has: https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3
ROWS_MAX = 1_048_575
"""Beneath the row of names."""
TEXT_MAX = 32_767
_NO_PLACE = "write .csv or .parquet instead"


@contextmanager
def xlsx(target: IO[bytes], schema: Any) -> Iterator[Callable[[Any], None]]:
    """A sheet with a row of names; lists are joined with `;`, times are UTC, and no text is a formula.

    Raises:
        Failure: there are more rows, or a longer text, than a sheet takes.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Mooring")
    sheet.freeze_panes = "A2"
    sheet.append(schema.names)
    rows = 0

    def write(batch: Any) -> None:
        nonlocal rows
        rows += batch.num_rows
        if rows > ROWS_MAX:
            raise Failure(f"a sheet has room for {ROWS_MAX:,} rows; use --filter, or {_NO_PLACE}")
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append([_cell(sheet, value) for value in row])

    try:
        yield write
    except BaseException:
        sheet.close()  # its temporary file
        raise
    book.save(target)


def _cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, list):
        value = ";".join(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)  # the format knows no zones
    if not isinstance(value, str):
        return value
    if len(value) > TEXT_MAX:
        raise Failure(f"a text of {len(value):,} characters does not fit into a sheet's cell; {_NO_PLACE}")
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value))
    cell.data_type = "s"  # whatever it begins with
    return cell
