"""The workbook that the tour imports."""

import io

from mooring_server.cli.demo_workbook import rvtools_workbook
from python_calamine import CalamineWorkbook


def test_it_is_a_workbook_with_rvtools_sheets():
    """It opens, its sheets are called as RVTools calls them, and each row is as wide as its header."""
    workbook = CalamineWorkbook.from_filelike(io.BytesIO(rvtools_workbook()))
    assert workbook.sheet_names == ["vInfo", "vPartition", "vNetwork", "vHost"]
    for name in workbook.sheet_names:
        header, *rows = workbook.get_sheet_by_name(name).to_python()
        assert len(rows) >= 4
        assert {len(row) for row in rows} == {len(header)}


def test_the_same_call_makes_the_same_bytes():
    """Everybody's tour imports the same file."""
    assert rvtools_workbook() == rvtools_workbook()
