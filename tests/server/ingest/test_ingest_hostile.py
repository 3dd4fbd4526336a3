"""Files that are no inventories: a typed failure that says what to do, and nothing else."""

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mooring_server.errors import InvalidArgument, ResourceExhausted
from mooring_server.ingest import Limits, open_inventory
from support_ingest import weight
from support_inventories import write_new_rvtools, write_services, write_workbook


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The same zip archive with other parts."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "old kind"),
        (bytes(4096), "NUL"),
        (b"name,os\na,Li\0nux\n", "line 2"),
        (b"Dear all,\n\nplease find below, as agreed, nothing at all.\n", "called `name`"),
        (b'name,os\na,Linux\nb,"Linux\nc,Linux\n', "quotes of row 3"),
        (b"name,os\n" + b"a,\x81\n", "neither text nor a workbook"),
        (b"Plug ID,Socket A,Socket B\n1,a,b\n2,b,c\n", "called `name`"),
        (b"PK\x03\x04 and then no archive", "damaged"),
        (b"PAR1 and then no Parquet PAR1", "damaged"),
        (b"ARROW1\0\0 and then no Arrow", "damaged"),
        (b"\xff\xff\xff\xff\x10\0\0\0 and no stream of Arrow", "damaged"),
        (b'[{"name": "a"}, {"name": ]', "object 2"),
        (b'{"name": "a"}\n{"name": "b"', "object 2"),
        (b'[{"name": "a"}] and more', "object 2"),
        (b'[{"name": "a"}, "b"]', "object 2"),
        (b'[{"name": "a"} {"name": "b"}]', "object 2"),
        (b'[{"name": ' + b"[" * 100_000, "object 1"),
        (b'[{"name": ' + b"[" * 30 + b"]" * 30 + b"}]", "20 levels"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "20 levels"),
        (b'[{"name": "' + b"x" * (5 * 2**20) + b'"}]', "4,194,304 characters"),
        (b'[{"n": ' + b"9" * 10_000 + b"}]", "object 1"),
        (b"[]{}", "object 1"),
        (b"[{}]", "called `name`"),
    ],
)
def test_no_inventory(tmp_path: Path, content: bytes, found: str) -> None:
    """Each refusal names what was found."""
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(InvalidArgument, match=found) as failure:
        open_inventory(path, "inventory.xlsx", Limits())
    assert failure.value.reason == "UNREADABLE_INVENTORY"
    assert str(tmp_path) not in failure.value.message


def test_truncated_workbook(tmp_path: Path) -> None:
    """A workbook that was cut off is damaged, wherever the cut is."""
    content = write_new_rvtools(tmp_path / "whole.xlsx").read_bytes()
    path = tmp_path / "cut.xlsx"
    for length in range(4, len(content), len(content) // 20):
        path.write_bytes(content[:length])
        with pytest.raises(InvalidArgument, match="damaged"):
            open_inventory(path, path.name, Limits())


def test_archive_that_is_no_workbook(tmp_path: Path) -> None:
    """Any other zip archive is named as such."""
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InvalidArgument, match="zip archive"):
        open_inventory(path, path.name, Limits())


def test_exported_session(tmp_path: Path) -> None:
    """Whoever takes an exported session for an inventory is told what imports it."""
    path = tmp_path / "Wave 1.mooring.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in ("assets.parquet", "manifest.json"):
            archive.writestr(part, "")
    with pytest.raises(InvalidArgument, match="mooring sessions import"):
        open_inventory(path, path.name, Limits())


def test_zeros(tmp_path: Path) -> None:
    """200 MiB of zeros are refused by their size alone."""
    path = tmp_path / "zeros.csv"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(ResourceExhausted, match="upload_size_max_bytes"):
        open_inventory(path, path.name, Limits())


def test_too_many_columns_and_cells(tmp_path: Path) -> None:
    """Each limit of a table is named when it is passed."""
    path = tmp_path / "wide.csv"
    path.write_text("name" + "," * 3000 + "\n")
    with pytest.raises(ResourceExhausted, match="columns_max"):
        open_inventory(path, path.name, Limits())
    with pytest.raises(ResourceExhausted, match="cells_max"):
        open_inventory(write_services(path, 100), path.name, Limits(cells_max=100))
    with pytest.raises(ResourceExhausted, match="cells_max"):
        open_inventory(write_new_rvtools(path), path.name, Limits(cells_max=100))


@pytest.mark.parametrize("cell", ["", "x", '"x"', "name"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_million_columns(tmp_path: Path, cell: str, delimiter: str) -> None:
    """A header of a million columns is refused, whatever they are called."""
    path = tmp_path / "wide.csv"
    path.write_text("name" + f"{delimiter}{cell}" * 10**6 + "\n1\n")
    with pytest.raises(ResourceExhausted, match="columns_max"):
        open_inventory(path, path.name, Limits())


def test_many_keys(tmp_path: Path) -> None:
    """The keys of all objects of a JSON file are its columns: of one with very many, or of many with few."""
    path = tmp_path / "wide.json"
    keys = (f'"k{number}":1' for number in range(300_000))
    path.write_text(f"[{{{','.join(keys)}}}]")
    with pytest.raises(ResourceExhausted, match="columns_max"):
        open_inventory(path, path.name, Limits())
    path.write_text("\n".join(f'{{"name":"a","k{number}":1}}' for number in range(10_000)))
    with pytest.raises(ResourceExhausted, match="columns_max"):
        open_inventory(path, path.name, Limits())
    path.write_text("\n".join(f'{{"name":"a","k{number % 100}":1}}' for number in range(1_000)))
    with pytest.raises(ResourceExhausted, match="cells_max"):
        open_inventory(path, path.name, Limits(cells_max=50_000))


def test_workbook_that_unpacks_to_too_much(tmp_path: Path) -> None:
    """A workbook is measured by what its directory says that it unpacks to."""
    path = write_workbook(tmp_path / "bomb.xlsx", {"a": (("name",), ("x" * 30_000,))})
    with pytest.raises(ResourceExhausted, match="expanded_size_max_bytes"):
        open_inventory(path, path.name, Limits(expanded_size_max_bytes=20_000))


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        (b'<row><c r="XFD1048576"><v>1</v></c></row>', "columns_max"),
        (b'<row><c r="ALL1048576" t="n"><v>1</v></c></row>', "cells_max"),
        (b'<row r="1048576"><c s="1"/><c note=">"><is><t>x</t></is></c></row>', None),
        (b'<row r="1048576"><c r="XFD1048576" s="1"/></row>', None),
    ],
)
@pytest.mark.parametrize("root", [b"worksheet", b"anything"])
def test_few_cells_far_apart(tmp_path: Path, row: bytes, limit: str | None, root: bytes) -> None:
    """A cell in a far corner would need a grid of 17 billion; formatted empty cells count for nothing."""
    path = write_workbook(tmp_path / "sparse.xlsx", {"a": (("name", "os"), ("web", "Linux"))})

    def add(name: str, xml: bytes) -> bytes:
        if "worksheets/" not in name:
            return xml
        return xml.replace(b"</sheetData>", row + b"</sheetData>").replace(b"worksheet", root)

    rewritten(path, add)
    if limit is None:
        assert next(open_inventory(path, path.name, Limits()).rows()).identity == "name:web"
    else:
        with pytest.raises(ResourceExhausted, match=limit):
            open_inventory(path, path.name, Limits())


def test_one_text_in_many_cells(tmp_path: Path) -> None:
    """Cells that refer to one long text count with the length of that text."""
    path = write_workbook(tmp_path / "texts.xlsx", {"a": (("name",), *[("x" * 10_000,)] * 200)})
    with pytest.raises(ResourceExhausted, match="expanded_size_max_bytes"):
        open_inventory(path, path.name, Limits(expanded_size_max_bytes=100_000))


def test_entities_are_refused(tmp_path: Path) -> None:
    """A document type in a sheet, where entities could multiply, is damage."""
    path = write_new_rvtools(tmp_path / "entities.xlsx")
    rewritten(path, lambda name, xml: b'<!DOCTYPE a [<!ENTITY b "c">]>' + xml if "sheet1" in name else xml)
    with pytest.raises(InvalidArgument, match="damaged"):
        open_inventory(path, path.name, Limits())


def outcome(content: bytes) -> None:
    """Reads whatever this is to its end; only the two failures may come out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        try:
            inventory = open_inventory(path, "upload", Limits(cells_max=1_000_000))
        except (InvalidArgument, ResourceExhausted):
            return
        assert sum(map(weight, inventory.rows())) == inventory.row_total


@given(
    st.binary(max_size=400)
    | st.text("nameosip,;\"'\r\n\t 0-9é", max_size=200).map(lambda t: f"name,ip,cpu\n{t}".encode())
)
@example(b"name\rx\r")
@example(b'\xff\xfename"')
@settings(deadline=None, max_examples=150)
def test_any_bytes(content: bytes) -> None:
    """Random bytes and random tables are read whole or refused."""
    outcome(content)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = write_new_rvtools(tmp_path_factory.mktemp("parts") / "new.xlsx")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_mutated_workbooks(parts: dict[str, bytes], data: st.DataObject) -> None:
    """A workbook whose XML was damaged anywhere is read whole or refused."""
    name = data.draw(st.sampled_from(sorted(parts)))
    content = bytearray(parts[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 6))] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"<v>", b"9999999", b'r="ZZZ9"', b"<c/>", b"-1"])
        )
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            for part, original in parts.items():
                archive.writestr(part, bytes(content) if part == name else original)
        file.seek(0)
        outcome(file.read())


def arrow_file() -> bytes:
    table = pa.table({"name": ["a", "b", None] * 20, "os": pa.array([{"name": "x"}, None, {}] * 20)})
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet_file() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"name": ["a", "b", None] * 20, "ips": [["x"], None, []] * 20}), sink)
    return sink.getvalue()


@pytest.mark.parametrize("content", [arrow_file(), parquet_file()], ids=["arrow", "parquet"])
@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_mutated_columnar_files(content: bytes, data: st.DataObject) -> None:
    """A Parquet or Arrow file that says of itself what is not so is read whole or refused."""
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(8, len(changed) - 1))
        changed[at : at + data.draw(st.integers(0, 6))] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff" * 8])
        )
    outcome(bytes(changed))
