"""RVTools workbooks, old and new."""

from pathlib import Path

from mooring_server.ingest import Inventory, Limits, open_inventory
from support_inventories import MIB, write_new_rvtools, write_old_rvtools


def opened(path: Path) -> Inventory:
    return open_inventory(path, path.name, Limits())


def test_old_names(tmp_path: Path) -> None:
    """Old exports give every VM, templates too, sizes in MiB, and no ghost rows."""
    inventory = opened(write_old_rvtools(tmp_path / "old.xlsx"))
    rows = list(inventory.rows())
    assert (inventory.kind, inventory.row_total) == ("rvtools", 3)
    assert [row.row for row in rows] == [2, 3, 4]
    assert {row.type for row in rows} == {"virtual_machine"}
    assert rows[0].fields == {
        "display_name": "web 1",
        "status": "running",
        "cpu_cores": 2.0,
        "memory_bytes": 4096 * MIB,
        "storage_bytes": 81921 * MIB,
        "location": "DC1",
        "platform": "Prod",
        "operating_system": "RHEL 8 (64-bit)",
    }
    assert rows[0].attributes["Free %"] == "12"
    assert rows[0].attributes["OS according to the configuration file"] == "RHEL 7 (64-bit)"
    assert rows[1].fields["operating_system"] == "RHEL 7 (64-bit)"
    assert (rows[2].fields["platform"], rows[2].attributes["Template"]) == ("esx-9", "True")


def test_new_names(tmp_path: Path) -> None:
    """New exports give ids, host names and addresses; a row that is only a name is a VM as well."""
    rows = list(opened(write_new_rvtools(tmp_path / "new.xlsx")).rows())
    assert rows[0].identity == "id:500b85c1-ef0d-37fb-6897-61c47157f858"
    assert rows[0].fields["hostname"] == "app.corp.example"
    assert rows[0].fields["ip_addresses"] == ("10.0.0.5",)
    assert rows[0].fields["storage_bytes"] == 105742 * MIB
    assert rows[0].attributes["column_20"] == "kept"
    assert rows[-1].fields == {"display_name": "last", "status": "running"}


def test_shared_uuids_and_names_stay_apart(tmp_path: Path) -> None:
    """VMs that share their UUID or name are different assets, the same ones in each import."""
    path = write_new_rvtools(tmp_path / "new.xlsx")
    inventory = opened(path)
    identities = [row.identity for row in inventory.rows()]
    assert len(set(identities)) == len(identities) == 6
    assert identities[1:3] == ["name:twin\x1fDC", "name:twin copy\x1fDC"]
    assert inventory.notes == [
        "VMs that share their VM UUID or name with another and were told apart by more: 4."
    ]
    assert [row.identity for row in opened(path).rows()] == identities


def test_sheet_saved_as_csv(tmp_path: Path) -> None:
    """RVTools writes its sheets as CSV files too."""
    path = tmp_path / "RVTools_tabvInfo.csv"
    path.write_text("VM,Powerstate,Template,CPUs,Memory\na,poweredOn,False,1,1024\n")
    inventory = opened(path)
    assert inventory.kind == "rvtools"
    assert next(inventory.rows()).fields["memory_bytes"] == 1024 * MIB
