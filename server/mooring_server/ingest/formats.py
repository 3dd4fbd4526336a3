"""A file -> its sheets. What the file is follows from its bytes, never from its name."""

from pathlib import Path

from mooring_server.errors import InvalidArgument
from mooring_server.ingest.delimited import DelimitedSheet
from mooring_server.ingest.documents import JsonSheet, is_json
from mooring_server.ingest.encodings import encoding_of
from mooring_server.ingest.limits import Limits, unreadable
from mooring_server.ingest.options import ReadOptions
from mooring_server.ingest.tables import Sheet, Source
from mooring_server.ingest.workbooks import Workbook

_ZIP = b"PK\x03\x04"
_COLUMNAR = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
_SAVE_AS = "save the inventory as .xlsx or as CSV in UTF-8"
_FOREIGN = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind (.xls) or one with a password",
    b"SQLite format 3": "an SQLite database",
}


def open_source(path: Path, file_name: str, limits: Limits, options: ReadOptions) -> Source:
    """The sheets of a file.

    Raises:
        InvalidArgument: UNREADABLE_INVENTORY; INVALID_FIELD where the options name an encoding that there is
            not, or one for what is no text.
        ResourceExhausted: the file passes one of the limits.
    """
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise unreadable(f"{file_name} is empty; export the inventory again")
    limits.check_file_size(size_bytes)
    with path.open("rb") as file:
        start = file.read(16)
    for mark, kind in _FOREIGN.items():
        if start.startswith(mark):
            raise unreadable(f"{file_name} is {kind}, not an inventory; {_SAVE_AS}")
    if not start.startswith((_ZIP, *_COLUMNAR)):
        return _text(path, limits, options)
    if options.encoding:
        raise InvalidArgument.field("options.encoding", f"leave it out, since {file_name} is no text file")
    if start.startswith(_ZIP):
        return _workbook(path, limits, options)
    # It takes a while to load, and few files need it.
    from mooring_server.ingest.columnar import ColumnarSheet

    return Source([ColumnarSheet(path, limits)], wanted=options.columns)


def _text(path: Path, limits: Limits, options: ReadOptions) -> Source:
    encoding = encoding_of(path, options.encoding)
    kind = JsonSheet if is_json(path, encoding.codec) else DelimitedSheet
    sheet: Sheet = kind(path, encoding.codec, limits)
    remarks = [] if options.encoding else encoding.notes
    return Source([sheet], encoding.name, remarks, options.columns)


def _workbook(path: Path, limits: Limits, options: ReadOptions) -> Source:
    workbook = Workbook(path, limits)
    remarks = []
    if workbook.formula_count:
        remarks.append(
            "Cells that hold formulas, read with the values that they had when the file was saved: "
            f"{workbook.formula_count}."
        )
    return Source(workbook.sheets, remarks=remarks, wanted=options.columns)
