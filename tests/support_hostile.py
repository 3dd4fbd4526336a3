"""Files that mean harm, or that were harmed."""

import io
import zipfile
from collections.abc import Callable, Mapping
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
from support_cells import workbook
from support_tables import table

# What is larger out of its file than in it passes this; the test's server has it as its limit.
EXPANDED_MAX_BYTES = 2**25

_LAUGHS = (
    b"<!DOCTYPE a [<!ENTITY l0 'ha'>"
    + b"".join(b"<!ENTITY l%d '%s'>" % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]>"
)
_MAGIC = (b"PK\x03\x04", b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff", b"[{", b"name,ip\n", b"\xff\xfe", b"")
_PIECES = (
    b"\xff\xff\xff\x7f",
    b"\0\0\0\0",
    b"\xff" * 8,
    b'"',
    b"\0",
    b"<v>",
    b"9999999",
    b"{",
    b"\r",
    b"",
    b"",
    b"x",
    b",",
    b"\t",
    b"\n",
)


def damaged(seed: int) -> bytes:
    """A generated table that was cut off, or of which some bytes are others."""
    chance = Random(seed)
    content = bytearray(table(seed).content)
    match chance.randrange(4):
        case 0:
            del content[chance.randrange(len(content)) :]
        case 1:
            return chance.choice(_MAGIC) + chance.randbytes(chance.randrange(2_000))
        case _:
            for _ in range(chance.choice((1, 1, 8))):
                at, length = chance.randrange(len(content)), chance.randrange(6)
                content[at : at + length] = chance.choice(_PIECES) or chance.randbytes(length)
    return bytes(content) or b"\0"


def _rewritten(change: Callable[[str, bytes], bytes]) -> bytes:
    """A small workbook with other parts."""
    content, sink = workbook({"a": [["name", "os"], ["web", "Linux"]]}), io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for name in archive.namelist():
            copy.writestr(name, change(name, archive.read(name)))
    return sink.getvalue()


def _zip_bomb() -> bytes:
    return _rewritten(lambda name, xml: xml + b" " * 2 * EXPANDED_MAX_BYTES if "sheet1" in name else xml)


def _lying_zip_bomb() -> bytes:
    """Its directory says that it is small."""
    content = _zip_bomb()
    size = next(
        part.file_size
        for part in zipfile.ZipFile(io.BytesIO(content)).infolist()
        if part.file_size > EXPANDED_MAX_BYTES
    )
    return content.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))


def _entities(part: str) -> bytes:
    return _rewritten(
        lambda name, xml: _LAUGHS + xml.replace(b"web", b"&l9;") if part in name else xml
    )  # fmt: skip


def _far_cell() -> bytes:
    cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return _rewritten(lambda name, xml: xml.replace(b"</sheetData>", cell))


def _long_parquet() -> bytes:
    """Columns of nothing, which take no room."""
    sink, nothing = io.BytesIO(), pa.nulls(30_000_000)
    pq.write_table(pa.table({"name": nothing, "os": nothing}), sink)
    return sink.getvalue()


def _long_lists() -> bytes:
    """One row with a list of two milliards of nothing."""
    lists = pa.ListArray.from_arrays(pa.array([0, 2**31 - 2], pa.int32()), pa.nulls(2**31 - 2))
    made, sink = pa.table({"name": ["web"], "ips": lists}), io.BytesIO()
    with pa.ipc.new_file(sink, made.schema) as writer:
        writer.write_table(made)
    return sink.getvalue()


UNREADABLE, EXHAUSTED = "UNREADABLE_INVENTORY", "LIMIT_EXCEEDED"
HOSTILE: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "no bytes that mean anything": (UNREADABLE, lambda: bytes(4_096)),
    "a zip bomb": (EXHAUSTED, _zip_bomb),
    "a zip bomb with a false directory": (UNREADABLE, _lying_zip_bomb),
    "entities in a sheet": (UNREADABLE, lambda: _entities("sheet1")),
    "entities in the workbook": (UNREADABLE, lambda: _entities("workbook.xml")),
    "a cell in the far corner": (EXHAUSTED, _far_cell),
    "deep JSON": (UNREADABLE, lambda: b'[{"name": ' + b"[" * 10**6),
    "deep JSON objects": (UNREADABLE, lambda: b'{"a":' * 10**5 + b"1" + b"}" * 10**5),
    "a number of a million digits": (UNREADABLE, lambda: b'[{"name": ' + b"9" * 10**6 + b"}]"),
    "a million columns": (EXHAUSTED, lambda: b"name" + b",x" * 10**6 + b"\n"),
    "many keys": (EXHAUSTED, lambda: b"[{%s}]" % b",".join(b'"k%d":1' % n for n in range(300_000))),
    "a quote that never ends": (UNREADABLE, lambda: b'name,os\na,"Linux\n' + b"b,x\n" * 10**5),
    "a cell of ten million characters": (UNREADABLE, lambda: b'name,os\na,"%s"\n' % (b"x" * 10**7)),
    "rows without a name": (EXHAUSTED, lambda: b"name,os\n" + b",x\n" * 10_001),
    "a Parquet file of nothing": (EXHAUSTED, _long_parquet),
    "an Arrow list of nothing": (EXHAUSTED, _long_lists),
}
"""What is refused, and how."""
