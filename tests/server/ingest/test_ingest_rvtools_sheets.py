"""RVTools: the rows of the sheets beside `vInfo`, and the machines that they join."""

import json
from pathlib import Path

import pytest
from mooring_server.ingest import AssetRow, DependencyRow, Inventory, Limits, RejectedRow, open_inventory
from support_inventories import MIB, write_old_rvtools, write_rvtools_estate, write_rvtools_sheet


def opened(path: Path) -> Inventory:
    return open_inventory(path, path.name, Limits())


def machines(inventory: Inventory) -> list[AssetRow]:
    rows = [row for row in inventory.rows() if isinstance(row, AssetRow)]
    return [row for row in rows if row.type == "virtual_machine"]


@pytest.fixture
def estate(tmp_path: Path) -> Inventory:
    return opened(write_rvtools_estate(tmp_path / "estate.xlsx"))


def test_every_row_goes_somewhere(tmp_path: Path) -> None:
    """Of all sheets that are read, each row is an asset, joins one or is rejected; ghost rows are none."""
    for path, total in (
        (write_rvtools_estate(tmp_path / "estate.xlsx"), 15),
        (write_old_rvtools(tmp_path / "old.xlsx"), 13),
    ):
        inventory = opened(path)
        rows = list(inventory.rows())
        assets = [row for row in rows if isinstance(row, AssetRow) and not row.implied]
        rejected = [row for row in rows if isinstance(row, RejectedRow)]
        assert inventory.row_total == total
        assert sum(1 + row.joined for row in assets) + len(rejected) == total
        assert all(row.derived for row in rows if isinstance(row, DependencyRow))
        assert list(opened(path).rows()) == rows


def test_empty_fields_are_filled(estate: Inventory) -> None:
    """What vInfo does not know comes from the other sheets: cores, memory, the disks' sum, addresses."""
    database = machines(estate)[0]
    assert database.identity == "id:500b85c1-ef0d-37fb-6897-61c47157f858"
    assert database.joined == 6
    assert database.fields == {
        "external_id": "500B85C1-EF0D-37FB-6897-61C47157F858",
        "display_name": "db",
        "status": "running",
        "location": "DC",
        "platform": "C1",
        "cpu_cores": 8.0,
        "memory_bytes": 4096 * MIB,
        "storage_bytes": 3072 * MIB,
        "ip_addresses": ("10.0.0.1", "10.0.0.2", "fe80::1"),
        "mac_addresses": ("00:50:56:00:00:01", "00:50:56:00:00:02"),
        "networks": ("front",),
    }


def test_rows_are_kept_without_what_they_repeat(estate: Inventory) -> None:
    """A sheet's rows are one attribute of their VM, a JSON array, without what its own row says already."""
    database, *_ = machines(estate)
    kept = {name: json.loads(text) for name, text in database.attributes.items() if text.startswith("[")}
    assert kept == {
        "vCPU": [{"CPUs": "8", "Sockets": "2"}],
        "vMemory": [{"VM": "renamed", "Size MiB": "4096", "Consumed": "0", "Overhead": "0"}],
        "vDisk": [
            {"Disk": "Hard disk 1", "Capacity MiB": "1024", "Thin": "True"},
            {"Disk": "Hard disk 2", "Capacity MiB": "2048", "Thin": "False"},
        ],
        "vNetwork": [
            {
                "NIC label": "NIC 1",
                "Network": "front",
                "Mac Address": "00:50:56:00:00:01",
                "IPv4 Address": "10.0.0.1, 10.0.0.2",
                "IPv6 Address": "fe80::1",
            },
            {"NIC label": "NIC 2", "Network": "front", "Mac Address": "00:50:56:00:00:02"},
        ],
    }


def test_equal_names_are_told_apart(estate: Inventory) -> None:
    """A row finds its VM by id or cluster among VMs of one name, and is rejected where nothing tells."""
    rows = list(estate.rows())
    first, second, other = [row for row in machines(estate) if row.fields["display_name"] == "twin"]
    assert (first.fields["platform"], set(first.attributes) & {"vDisk", "vPartition"}) == (
        "C1",
        {"vPartition"},
    )
    assert (second.fields["platform"], set(second.attributes) & {"vDisk", "vPartition"}) == ("C2", {"vDisk"})
    assert (other.sheet, other.row, other.identity) == ("vDisk", 5, "name:twin\x1fDC2")
    assert [row for row in rows if isinstance(row, RejectedRow)] == [
        RejectedRow("vPartition", 3, "2 VMs are called `twin`, and nothing tells which of them it is about")
    ]


def test_machines_that_vinfo_lacks(tmp_path: Path) -> None:
    """The first row of a VM that vInfo lacks makes it, the next joins; a row without any name is rejected."""
    rows = list(opened(write_old_rvtools(tmp_path / "old.xlsx")).rows())
    gone = next(row for row in rows if isinstance(row, AssetRow) and row.sheet == "vPartition")
    assert (gone.row, gone.identity, gone.joined) == (4, "name:gone\x1fDC1", 1)
    assert gone.fields["operating_system"] == "Debian 11"
    assert [part["Disk"] for part in json.loads(gone.attributes["vPartition"])] == ["/", "/boot"]
    assert "Disk" not in gone.attributes
    rejected = [row for row in rows if isinstance(row, RejectedRow)]
    assert [(row.sheet, row.row) for row in rejected] == [("vPartition", 6)]


def test_unread_sheets_are_named(estate: Inventory) -> None:
    """The report names the sheets that were not read."""
    assert estate.notes == ["Sheets that were not read: `vHealth`."]


@pytest.mark.parametrize(
    ("sheet", "assets", "joined"),
    [("vCPU", 1, 0), ("vMemory", 1, 0), ("vDisk", 3, 1), ("vPartition", 1, 1), ("vNetwork", 1, 1)],
)
def test_other_sheets_as_csv(tmp_path: Path, sheet: str, assets: int, joined: int) -> None:
    """A sheet of details saved as CSV gives its VMs under the identities that vInfo gives them."""
    inventory = opened(write_rvtools_sheet(tmp_path / f"RVTools_tab{sheet}.csv", sheet))
    rows = machines(inventory)
    assert (inventory.kind, inventory.source) == ("rvtools", f"rvtools:{sheet}")
    assert (len(rows), sum(row.joined for row in rows)) == (assets, joined)
    assert inventory.row_total == assets + joined
    assert all(json.loads(row.attributes[sheet]) for row in rows)
    if sheet != "vPartition":
        assert rows[0].identity == "id:500b85c1-ef0d-37fb-6897-61c47157f858"


def test_hosts_as_csv(tmp_path: Path) -> None:
    """vHost saved as CSV gives its servers."""
    inventory = opened(write_rvtools_sheet(tmp_path / "RVTools_tabvHost.csv", "vHost"))
    rows = list(inventory.rows())
    assert inventory.source == "rvtools:vHost"
    assert [(row.type, row.fields["model"]) for row in rows if isinstance(row, AssetRow)] == [
        ("server", "HPE DL380"),
        ("server", "HPE DL380"),
    ]


def test_ids_of_hosts_are_no_identity(estate: Inventory) -> None:
    """A host keeps its identity where an export names it without the ids of vHost."""
    hosts = [row for row in estate.rows() if isinstance(row, AssetRow) and row.type == "server"]
    assert [(row.identity, row.implied) for row in hosts] == [
        ("name:10.1.1.1\x1fDC", False),
        ("name:esx\x1fDC", False),
    ]
    assert hosts[0].attributes["UUID"] == "0f0e"
