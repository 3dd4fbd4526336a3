"""Real exports of tools: what each of their rows becomes, by the counts of their index."""

import json
from collections import Counter
from pathlib import Path

import pytest
from mooring_server.ingest import AssetRow, DependencyRow, Inventory, Limits, RejectedRow, open_inventory

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.real_inventories,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="The real inventories (../shared/data) are not on this machine."
    ),
]


def opened(name: str) -> Inventory:
    return open_inventory(DATA / name, name, Limits())


@pytest.mark.parametrize(
    ("name", "kind", "rows", "assets", "implied", "dependencies"),
    [
        (
            "rvtools_sizing_workshop.xlsx",
            "rvtools",
            805 + 1_618 + 805 + 34,
            {"virtual_machine": 805, "server": 34},
            32,
            {"runs_on": 805},
        ),
        (
            "rvtools_example1.xlsx",
            "rvtools",
            5 * 9 + 7,
            {"virtual_machine": 9, "server": 7},
            3,
            {"runs_on": 8},
        ),
        ("azure_migrate_discovery_report.xlsx", "azure_migrate", 294, {"virtual_machine": 294}, 0, {}),
        ("netbox_devices.csv", "netbox_devices", 72, {"network": 39, "server": 1, "other": 32}, 0, {}),
        ("netbox_virtual_machines.csv", "netbox_virtual_machines", 180, {"virtual_machine": 180}, 0, {}),
        ("netbox_cable_links.csv", "netbox_cables", 76, {}, 0, {"link": 76}),
        ("azure_dep_small.csv", "azure_dependencies", 5, {}, 0, {"flow": 5}),
        ("aws_cmf_mgn_server_list.csv", "aws_migration_factory", 8, {"server": 8}, 0, {}),
    ],
)
def test_where_the_rows_go(
    name: str,
    kind: str,
    rows: int,
    assets: dict[str, int],
    implied: int,
    dependencies: dict[str, int],
) -> None:
    """Each row is an asset or a dependency or has joined one, and a second reading says the same."""
    inventory = opened(name)
    read = list(inventory.rows())
    about = [row for row in read if isinstance(row, AssetRow) and not row.implied]
    told = [row for row in read if isinstance(row, DependencyRow)]
    assert (inventory.kind, inventory.row_total) == (kind, rows)
    assert not [row for row in read if isinstance(row, RejectedRow)]
    assert Counter(row.type for row in about) == assets
    assert Counter(row.kind for row in told) == dependencies
    assert sum(isinstance(row, AssetRow) and row.implied for row in read) == implied
    joined = sum(row.joined for row in (*about, *told))
    assert len(about) + joined + sum(not row.derived for row in told) == rows
    identities = [row.identity for row in read if isinstance(row, AssetRow)]
    assert len(set(identities)) == len(identities)
    assert list(opened(name).rows()) == read


def test_partitions_and_adapters_are_all_kept() -> None:
    """Every partition and adapter of the sizing workshop is in the attribute of its machine."""
    machines = [
        row
        for row in opened("rvtools_sizing_workshop.xlsx").rows()
        if isinstance(row, AssetRow) and row.type == "virtual_machine"
    ]
    for sheet, count in (("vPartition", 1_618), ("vNetwork", 805)):
        assert sum(len(json.loads(row.attributes.get(sheet, "[]"))) for row in machines) == count


def test_two_systems_of_a_machine() -> None:
    """Where the two columns differ, the system that ran is the field and the other one an attribute."""
    configured = "OS according to the configuration file"
    machines = [row for row in opened("rvtools_sizing_workshop.xlsx").rows() if isinstance(row, AssetRow)]
    systems = [(row.fields.get("operating_system"), row.attributes.get(configured)) for row in machines]
    assert sum(None not in pair and pair[0] != pair[1] for pair in systems) == 17


def test_machines_of_azure() -> None:
    """Names are unique, nothing undiscovered is a count, and addresses are lists."""
    machines = [
        row for row in opened("azure_migrate_discovery_report.xlsx").rows() if isinstance(row, AssetRow)
    ]
    assert len({row.fields["display_name"] for row in machines}) == 294
    assert sum("environment" in row.fields for row in machines) == 9
    assert not any("-1" in row.attributes.values() for row in machines)
    assert all(isinstance(row.fields.get("ip_addresses", ()), tuple) for row in machines)


def test_devices_without_a_name() -> None:
    """The 22 devices without a name are known by where they are mounted."""
    devices = [row for row in opened("netbox_devices.csv").rows() if isinstance(row, AssetRow)]
    assert sum(row.identity.startswith("place:") for row in devices) == 22
    assert any(row.fields.get("business_unit") == "Dunder-Mifflin, Inc." for row in devices)
