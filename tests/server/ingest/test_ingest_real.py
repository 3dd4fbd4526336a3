"""Real exports, where the folder with them stands beside the repository."""

from collections import Counter
from pathlib import Path

import pytest
from mooring_server.errors import InvalidArgument
from mooring_server.ingest import AssetRow, Limits, RejectedRow, open_inventory
from python_calamine import CalamineWorkbook

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.real_inventories,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="The real inventories (../shared/data) are not on this machine."
    ),
]


@pytest.mark.parametrize(
    ("name", "kind", "types", "rejected"),
    [
        ("rvtools_sizing_workshop.xlsx", "rvtools", {"virtual_machine": 805}, 0),
        ("rvtools_example1.xlsx", "rvtools", {"virtual_machine": 9}, 0),
        ("azure_migrate_discovery_report.xlsx", "table", {"server": 294}, 0),
        ("dotgov_pulse_subdomains.csv", "table", {"application": 24_638}, 0),
        ("aws_cmf_mgn_server_list.csv", "table", {"server": 8}, 0),
        ("netbox_virtual_machines.csv", "table", {"virtual_machine": 180}, 0),
        ("netbox_devices.csv", "table", {"network": 31, "other": 19}, 22),
    ],
)
def test_every_row_is_accounted_for(name: str, kind: str, types: dict[str, int], rejected: int) -> None:
    """Each source row is one asset of its own or is rejected, and a second reading says the same."""
    inventory = open_inventory(DATA / name, name, Limits())
    rows = list(inventory.rows())
    assets = [row for row in rows if isinstance(row, AssetRow)]
    assert inventory.kind == kind
    assert inventory.row_total == len(rows)
    assert Counter(row.type for row in assets) == types
    assert len({row.identity for row in assets}) == len(assets)
    assert sum(isinstance(row, RejectedRow) for row in rows) == rejected
    assert list(open_inventory(DATA / name, name, Limits()).rows()) == rows


@pytest.mark.parametrize("name", ["azure_dep_small.csv", "netbox_cable_links.csv"])
def test_dependencies_are_no_assets_yet(name: str) -> None:
    """Exports of dependencies name no asset by row, and are refused as such."""
    with pytest.raises(InvalidArgument):
        open_inventory(DATA / name, name, Limits())


def test_sizes_add_up() -> None:
    """The sizes of the sizing workshop's VMs are the sheet's sums, read as MiB."""
    path = DATA / "rvtools_sizing_workshop.xlsx"
    header, *cells = CalamineWorkbook.from_path(path).get_sheet_by_name("vInfo").to_python()
    rows = list(open_inventory(path, path.name, Limits()).rows())
    for field, column in (("memory_bytes", "Memory"), ("storage_bytes", "Provisioned MB")):
        index = header.index(column)
        assert sum(row.fields[field] for row in rows) == sum(row[index] for row in cells) * 2**20
