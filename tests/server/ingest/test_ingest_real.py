"""Real exports, where the folder with them stands beside the repository."""

from pathlib import Path

import pytest
from mooring_server.ingest import AssetRow, Limits, open_inventory
from python_calamine import CalamineWorkbook

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.real_inventories,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="The real inventories (../shared/data) are not on this machine."
    ),
]


def test_every_service_is_an_application() -> None:
    """Each source row is one asset of its own, and a second reading says the same."""
    name = "dotgov_pulse_subdomains.csv"
    inventory = open_inventory(DATA / name, name, Limits())
    rows = list(inventory.rows())
    assets = [row for row in rows if isinstance(row, AssetRow)]
    assert inventory.kind == "table"
    assert inventory.row_total == len(rows) == len(assets) == 24_638
    assert {row.type for row in assets} == {"application"}
    assert len({row.identity for row in assets}) == len(assets)
    assert list(open_inventory(DATA / name, name, Limits()).rows()) == rows


def test_sizes_add_up() -> None:
    """The sizes of the sizing workshop's VMs are the sheet's sums, read as MiB."""
    path = DATA / "rvtools_sizing_workshop.xlsx"
    header, *cells = CalamineWorkbook.from_path(path).get_sheet_by_name("vInfo").to_python()
    read = open_inventory(path, path.name, Limits()).rows()
    rows = [row for row in read if isinstance(row, AssetRow) and row.type == "virtual_machine"]
    for field, column in (("memory_bytes", "Memory"), ("storage_bytes", "Provisioned MB")):
        index = header.index(column)
        assert sum(row.fields[field] for row in rows) == sum(row[index] for row in cells) * 2**20
