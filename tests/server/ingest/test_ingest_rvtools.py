"""RVTools workbooks, old and new: the machines of `vInfo`, and the hosts."""

from pathlib import Path

from mooring_server.ingest import (
    AssetRow,
    ColumnUse,
    DependencyRow,
    End,
    Inventory,
    Limits,
    ReadOptions,
    open_inventory,
)
from support_inventories import MIB, write_new_rvtools, write_old_rvtools


def opened(path: Path) -> Inventory:
    return open_inventory(path, path.name, Limits())


def machines(inventory: Inventory) -> list[AssetRow]:
    rows = [row for row in inventory.rows() if isinstance(row, AssetRow)]
    return [row for row in rows if row.type == "virtual_machine"]


def hosts(inventory: Inventory) -> list[AssetRow]:
    return [row for row in inventory.rows() if isinstance(row, AssetRow) and row.type == "server"]


def test_old_names(tmp_path: Path) -> None:
    """Old exports give every VM, templates too, sizes in MiB, and no ghost rows."""
    inventory = opened(write_old_rvtools(tmp_path / "old.xlsx"))
    rows = machines(inventory)
    assert (inventory.kind, inventory.source, inventory.sheet) == ("rvtools", "rvtools", "vInfo")
    assert [(row.sheet, row.row) for row in rows] == [
        ("vInfo", 2),
        ("vInfo", 3),
        ("vInfo", 4),
        ("vPartition", 4),
    ]
    assert rows[0].fields == {
        "display_name": "web 1",
        "status": "running",
        "cpu_cores": 2.0,
        "memory_bytes": 4096 * MIB,
        "storage_bytes": 81921 * MIB,
        "location": "DC1",
        "platform": "Prod",
        "operating_system": "RHEL 8 (64-bit)",
        "ip_addresses": ("10.0.0.1", "fe80::1", "10.1.0.1"),
        "mac_addresses": ("00:50:56:00:00:01", "00:50:56:00:00:02"),
        "networks": ("front", "back"),
    }
    assert rows[0].attributes["Free %"] == "12"
    assert rows[0].attributes["OS according to the configuration file"] == "RHEL 7 (64-bit)"
    assert rows[1].fields["operating_system"] == "RHEL 7 (64-bit)"
    assert (rows[2].fields["platform"], rows[2].attributes["Template"]) == ("esx-9", "True")


def test_new_names(tmp_path: Path) -> None:
    """New exports give ids, host names and addresses; a row that is only a name is a VM as well."""
    rows = machines(opened(write_new_rvtools(tmp_path / "new.xlsx")))
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
    identities = [row.identity for row in machines(inventory)]
    assert len(set(identities)) == len(identities) == 6
    assert identities[1:3] == ["name:twin\x1fDC", "name:twin copy\x1fDC"]
    assert inventory.notes == [
        "VMs that share their VM UUID or name with another and were told apart by more: 4."
    ]
    assert [row.identity for row in machines(opened(path))] == identities


def test_sheet_saved_as_csv(tmp_path: Path) -> None:
    """RVTools writes its sheets as CSV files too."""
    path = tmp_path / "RVTools_tabvInfo.csv"
    path.write_text("VM,Powerstate,Template,CPUs,Memory\na,poweredOn,False,1,1024\n")
    inventory = opened(path)
    assert (inventory.kind, inventory.source, inventory.row_total) == ("rvtools", "rvtools", 1)
    assert machines(inventory)[0].fields["memory_bytes"] == 1024 * MIB


def test_columns_in_any_order(tmp_path: Path) -> None:
    """Order, case and company of the columns make no difference to what the sheet is."""
    path = tmp_path / "estate.csv"
    path.write_text("Owner,template,MEMORY,vm,POWERSTATE\nAnn,False,1024,a,poweredOff\n")
    inventory = opened(path)
    assert inventory.kind == "rvtools"
    assert machines(inventory)[0].fields == {
        "display_name": "a",
        "status": "stopped",
        "memory_bytes": 1024 * MIB,
    }


def test_networks_of_vinfo(tmp_path: Path) -> None:
    """The numbered network columns are the networks of a VM where no other sheet tells them."""
    path = tmp_path / "estate.csv"
    path.write_text(
        "VM,Powerstate,Template,Network #1,Network #2,Network #3\n"
        "a,poweredOn,False,front,back,front\nb,poweredOn,False,,,\n"
    )
    first, second = machines(opened(path))
    assert first.fields["networks"] == ("front", "back")
    assert "networks" not in second.fields


def test_options(tmp_path: Path) -> None:
    """A column of the first sheet goes where it is told to."""
    path = write_old_rvtools(tmp_path / "old.xlsx")
    options = ReadOptions(columns={"In Use MB": ColumnUse("In Use MB", "storage_bytes", "MB")})
    inventory = open_inventory(path, path.name, Limits(), options)
    assert machines(inventory)[0].fields["storage_bytes"] == 30272 * MIB
    assert machines(inventory)[0].attributes["Provisioned MB"] == "81921"


def test_hosts_are_servers(tmp_path: Path) -> None:
    """A row of vHost is a server with its cores, its memory and its model; an address is one of its own."""
    named, addressed, *_ = hosts(opened(write_old_rvtools(tmp_path / "old.xlsx")))
    assert (named.sheet, named.row, named.identity) == ("vHost", 2, "name:esx-1\x1fDC1")
    assert named.fields == {
        "display_name": "esx-1",
        "location": "DC1",
        "platform": "Prod",
        "cpu_cores": 16.0,
        "memory_bytes": 262109 * MIB,
        "operating_system": "VMware ESXi 6.0.0",
        "model": "HP BL460c",
    }
    assert named.attributes["CPU Model"] == "Xeon E5"
    assert addressed.fields["ip_addresses"] == ("10.9.8.7",)
    assert addressed.fields["model"] == "HP BL460c"


def test_hosts_that_are_only_named(tmp_path: Path) -> None:
    """A host that VMs name and vHost lacks is mentioned once; its full name is the short one of vHost."""
    implied = [row for row in hosts(opened(write_old_rvtools(tmp_path / "old.xlsx"))) if row.implied]
    assert [(row.identity, row.fields) for row in implied] == [
        ("name:esx-2\x1fDC1", {"display_name": "esx-2", "location": "DC1", "platform": "Prod"}),
        ("name:esx-9\x1fDC2", {"display_name": "esx-9", "location": "DC2"}),
    ]


def test_machines_run_on_their_hosts(tmp_path: Path) -> None:
    """Each VM that names a host depends on it, under the name that the host's own row has."""
    rows = list(opened(write_old_rvtools(tmp_path / "old.xlsx")).rows())
    links = [row for row in rows if isinstance(row, DependencyRow)]
    assert {(link.kind, link.derived) for link in links} == {("runs_on", True)}
    assert [(link.source.name, link.target.name) for link in links] == [
        ("web 1", "esx-1"),
        ("WEB2", "esx-2"),
        ("golden", "esx-9"),
        ("gone", "esx-2"),
    ]
    assert links[0].source == End(name="web 1", location="DC1", type="virtual_machine")
    assert links[0].target == End(name="esx-1", location="DC1", type="server")
    assert rows[-len(links) :] == links


def test_short_host_names_that_could_be_two(tmp_path: Path) -> None:
    """A short name that could stand for two full ones stands for none."""
    inventory = opened(write_new_rvtools(tmp_path / "new.xlsx"))
    assert [row.identity for row in hosts(inventory)] == ["name:h1\x1fDC"]
    path = tmp_path / "two.csv"
    path.write_text(
        "VM,Powerstate,Template,Host\na,poweredOn,False,h1.a.example\nb,poweredOn,False,h1.b.example\n"
        "c,poweredOn,False,h1\nd,poweredOn,False,10.0.0.1\n"
    )
    assert [row.identity for row in hosts(opened(path))] == [
        "host:h1.a.example",
        "host:h1.b.example",
        "name:h1",
        "name:10.0.0.1",
    ]
