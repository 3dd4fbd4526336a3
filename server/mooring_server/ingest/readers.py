"""The table of readers, and how a file finds the one that understands it."""

from pathlib import Path

from mooring_server.ingest import generic, rvtools
from mooring_server.ingest.delimited import DelimitedSheet
from mooring_server.ingest.inventory import Inventory, Reader
from mooring_server.ingest.limits import Limits, unreadable
from mooring_server.ingest.options import ReadOptions
from mooring_server.ingest.tables import Sheet, Source
from mooring_server.ingest.workbooks import Workbook

READERS: tuple[Reader, ...] = (rvtools.READER, generic.READER)
"""Every reader; of equally confident ones the first reads."""

DEFAULT_OPTIONS = ReadOptions()

_ZIP = b"PK\x03\x04"
_SAVE_AS = "save the inventory as .xlsx or as CSV in UTF-8"
_FOREIGN = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind (.xls) or one with a password",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
}


def open_inventory(
    path: Path, file_name: str, limits: Limits, options: ReadOptions = DEFAULT_OPTIONS
) -> Inventory:
    """Opens an inventory: what it is, how its columns are mapped, how many rows it has.

    What the file is follows from its bytes; `file_name` only appears in messages. A CSV file is streamed and
    must stay where it is while its rows are read.

    Raises:
        InvalidArgument: with reason UNREADABLE_INVENTORY, for a file that is no inventory.
        ResourceExhausted: for a file that passes one of the limits.
    """
    source = Source(_sheets(path, file_name, limits))
    best: Reader | None = None
    confidence = 0.0
    for reader in READERS:
        found = reader.confidence(source)
        if found > confidence:
            best, confidence = reader, found
        if found == 1:
            break
    if best is None:
        raise unreadable(
            f"{file_name} has no row that names the columns of a table of assets; "
            "give it a header in which a column is called `name`, `hostname` or `id`"
        )
    return best.open(source, options)


def _sheets(path: Path, file_name: str, limits: Limits) -> list[Sheet]:
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise unreadable(f"{file_name} is empty; export the inventory again")
    limits.check_file_size(size_bytes)
    with path.open("rb") as file:
        start = file.read(16)
    for mark, kind in _FOREIGN.items():
        if start.startswith(mark):
            raise unreadable(f"{file_name} is {kind}, not an inventory; {_SAVE_AS}")
    if start.startswith(_ZIP):
        return list(Workbook(path, limits).sheets)
    return [DelimitedSheet(path, limits)]
