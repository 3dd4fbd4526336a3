"""What an import would make of a file."""

from pathlib import Path

import pytest
from mooring_server.errors import InvalidArgument
from mooring_server.ingest import ColumnUse, Limits, ReadOptions
from mooring_server.ingest.preview import Preview, preview
from support_inventories import write_new_rvtools, write_services, write_workbook


def previewed(
    path: Path, options: ReadOptions | None = None, row_count: int = 2, most: int = 10_000
) -> Preview:
    return preview(path, path.name, Limits(), options or ReadOptions(), row_count, most)


def test_a_table(tmp_path: Path) -> None:
    """It shows how the file is read, the first rows, and what is wrong with rows, without reading all."""
    path = tmp_path / "servers.csv"
    rows = "".join(f"s{number},{number % 7},\n" for number in range(50))
    path.write_bytes(f"Liste,é\nname,RAM,Note\n,1,x\n{rows}".encode("cp1252"))
    shown = previewed(path, most=20)
    assert (shown.kind, shown.sheets, shown.sheet, shown.encoding) == ("table", (), "", "cp1252")
    assert shown.candidates == (("table", "Any table", 0.5),)
    assert shown.columns == (
        (ColumnUse("name", "display_name"), ("s0", "s1", "s2", "s3", "s4")),
        (ColumnUse("RAM", "memory_bytes", "MiB", assumed=True), ("1", "0", "2", "3", "4")),
        (ColumnUse("Note", ""), ("x",)),
    )
    assert [row.identity for row in shown.assets] == ["name:s0", "name:s1"]
    assert [row.row for row in shown.rejected] == [3]
    assert (shown.row_total, shown.rows_examined) == (51, 20)
    assert len(shown.notes) == 2


def test_a_workbook(tmp_path: Path) -> None:
    """It shows all sheets and all readers that could read the file, whichever reads it."""
    path = write_new_rvtools(tmp_path / "new.xlsx")
    shown = previewed(path)
    assert (shown.kind, shown.sheets, shown.sheet) == ("rvtools", ("vInfo",), "vInfo")
    assert [kind for kind, _, _ in shown.candidates] == ["rvtools", "table"]
    assert len(shown.dependencies) == 2
    assert shown.dependencies[0].kind == "runs_on"
    assert shown.rows_examined == shown.row_total == 6
    as_table = previewed(path, ReadOptions(kind="table"))
    assert (as_table.kind, as_table.candidates) == ("table", shown.candidates)


def test_a_sheet(tmp_path: Path) -> None:
    """A sheet that is named is shown, and the others are still listed."""
    sheets = {"A": (("name",), ("a",)), "B": (("Rechner", "Zahl"), ("b-1", 1), ("b-2", 2), ("b-3", 3))}
    shown = previewed(write_workbook(tmp_path / "two.xlsx", sheets), ReadOptions(sheet="B"))
    assert (shown.sheets, shown.sheet) == (("A", "B"), "B")


def test_no_header(tmp_path: Path) -> None:
    """Samples are there without a header too."""
    path = tmp_path / "list.txt"
    path.write_text("srv-1\nsrv-2\n")
    assert previewed(path).columns == ((ColumnUse("column_1", "display_name"), ("srv-1", "srv-2")),)


def test_many_wrong_rows(tmp_path: Path) -> None:
    """The first hundred wrong rows are shown."""
    path = tmp_path / "wrong.csv"
    path.write_text("name,x\n" + ",1\n" * 300)
    shown = previewed(path)
    assert (len(shown.rejected), shown.rows_examined, shown.assets) == (100, 300, ())


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """It fails as the import would."""
    path = tmp_path / "prose.txt"
    path.write_text("Nothing at all.\n")
    with pytest.raises(InvalidArgument, match="called `name`"):
        previewed(path)
    with pytest.raises(InvalidArgument, match="no column"):
        previewed(write_services(path, 3), ReadOptions(columns={"X": ColumnUse("X", "owner")}))
