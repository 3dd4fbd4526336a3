"""NetBox: devices, virtual machines and cables."""

from pathlib import Path

from mooring_server.ingest import (
    AssetRow,
    ColumnUse,
    DependencyRow,
    End,
    Inventory,
    Limits,
    ReadOptions,
    RejectedRow,
    open_inventory,
)
from support_inventories import (
    GIB,
    MIB,
    write_netbox_cables,
    write_netbox_devices,
    write_netbox_devices_by_api,
    write_netbox_machines,
    write_netbox_racks,
)


def opened(path: Path) -> Inventory:
    return open_inventory(path, path.name, Limits())


def assets(inventory: Inventory) -> list[AssetRow]:
    return [row for row in inventory.rows() if isinstance(row, AssetRow)]


def test_device(tmp_path: Path) -> None:
    """A device has its maker and model, its tenant with the comma, its site and its serial number."""
    inventory = opened(write_netbox_racks(tmp_path / "devices.csv"))
    router = assets(inventory)[0]
    assert (inventory.kind, inventory.source) == ("netbox_devices", "netbox_devices")
    assert (router.type, router.row) == ("network", 2)
    assert router.fields == {
        "display_name": "r1",
        "status": "active",
        "business_unit": "Dunder-Mifflin, Inc.",
        "location": "Akron",
        "model": "Cisco ISR 1111",
        "operating_system": "IOS",
        "ip_addresses": ("10.0.0.1/24",),
    }
    assert router.attributes == {
        "Rack": "Closet",
        "Role": "Router",
        "Manufacturer": "Cisco",
        "Position (U)": "4.0",
    }


def test_devices_are_known_by_name_and_site(tmp_path: Path) -> None:
    """Names are unique per site alone, and a device without a name may have a serial number."""
    rows = assets(opened(write_netbox_devices(tmp_path / "devices.csv")))
    assert [row.identity for row in rows] == ["name:r1\x1fAkron", "name:r1\x1fAlbany", "tag:SN-77"]
    assert [row.type for row in rows] == ["network", "network", "other"]


def test_devices_without_a_name(tmp_path: Path) -> None:
    """A nameless device is known by serial number or asset tag, else by where it is mounted."""
    rows = assets(opened(write_netbox_racks(tmp_path / "devices.csv")))
    assert [row.identity for row in rows] == [
        "name:r1\x1fAkron\x1fDunder-Mifflin, Inc.",
        "name:r1\x1fAkron\x1fOther Inc.",
        "place:Akron\x1f\x1fCloset\x1f11\x1f\x1f48-Port",
        "place:Akron\x1fRow 1\x1fCloset\x1f9\x1f\x1fLenovo Flex",
        "tag:SN-77",
        "tag:A-2",
    ]
    assert [row.fields["display_name"] for row in rows[2:4]] == [
        "Panduit 48-Port in Closet U11",
        "Lenovo Flex in Closet U9",
    ]
    assert [row.type for row in rows[2:4]] == ["other", "server"]


def test_devices_that_nothing_tells_apart(tmp_path: Path) -> None:
    """A device that has no place either, and two in one place, are rejected."""
    rows = opened(write_netbox_racks(tmp_path / "devices.csv")).rows()
    reasons = {row.row: row.reason for row in rows if isinstance(row, RejectedRow)}
    assert set(reasons) == {8, 9, 10}
    assert reasons[9] == reasons[10] == "another device without a name is in the same place; name them"


def test_devices_by_the_api(tmp_path: Path) -> None:
    """The names of NetBox's API are understood, and a blade is known by its bay."""
    inventory = opened(write_netbox_devices_by_api(tmp_path / "devices.csv"))
    firewall, blade = assets(inventory)
    assert inventory.kind == "netbox_devices"
    assert (firewall.type, firewall.identity) == ("network", "name:fw1\x1fAkron")
    assert (firewall.fields["model"], firewall.fields["serial_number"]) == ("Palo Alto PA-220", "SN-1")
    assert firewall.fields["ip_addresses"] == ("10.0.0.2/24",)
    assert (blade.fields["display_name"], blade.identity[:6]) == ("Dell M640 in chassis1 Bay 3", "place:")


def test_options(tmp_path: Path) -> None:
    """A column goes where it is told to, and a device whose role is no type is of the type that is given."""
    path = write_netbox_racks(tmp_path / "devices.csv")
    options = ReadOptions(columns={"Role": ColumnUse("Role", "technology")}, asset_type="storage")
    inventory = open_inventory(path, path.name, Limits(), options)
    router, _, panel, *_ = assets(inventory)
    assert inventory.mapping["Role"] == "technology"
    assert (router.fields["technology"], router.type) == ("Router", "network")
    assert (panel.fields["technology"], panel.type) == ("Patch Panel", "storage")


def test_virtual_machines(tmp_path: Path) -> None:
    """A virtual machine's platform is its cluster; memory is in MiB and disk as its header says."""
    inventory = opened(write_netbox_machines(tmp_path / "machines.csv"))
    machine, *_ = rows = assets(inventory)
    assert (inventory.kind, inventory.source) == ("netbox_virtual_machines", "netbox_virtual_machines")
    assert {row.type for row in rows} == {"virtual_machine"}
    assert machine.fields == {
        "display_name": "vm1",
        "status": "active",
        "location": "Akron",
        "platform": "C1",
        "business_unit": "Dunder",
        "operating_system": "Ubuntu 20.04",
        "cpu_cores": 2.0,
        "memory_bytes": 4096 * MIB,
        "storage_bytes": 80 * GIB,
        "ip_addresses": ("10.0.0.7/24",),
    }
    assert machine.attributes == {"Role": "Application Server"}


def test_virtual_machines_of_one_name(tmp_path: Path) -> None:
    """Virtual machines that share their name are told apart by their clusters."""
    identities = [row.identity for row in assets(opened(write_netbox_machines(tmp_path / "machines.csv")))]
    assert identities == ["name:vm1\x1fAkron", "name:vm2\x1fC1", "name:vm2\x1fC2"]


def test_cables(tmp_path: Path) -> None:
    """A cable links two devices, two between the same are two, and one that ends nowhere is rejected."""
    inventory = opened(write_netbox_cables(tmp_path / "cables.csv"))
    rows = list(inventory.rows())
    assert (inventory.kind, inventory.source, inventory.row_total) == ("netbox_cables", "netbox_cables", 4)
    assert rows[0] == DependencyRow(
        sheet="",
        row=2,
        source=End(name="r1", type="other"),
        target=End(name="s1", type="other"),
        kind="link",
        source_process="cable 35",
        attributes={"Cable ID": "35", "Type": "cat5e", "Status": "connected"},
    )
    assert [row.source_process for row in rows if isinstance(row, DependencyRow)] == [
        "cable 35",
        "cable 36",
        "",
    ]
    assert rows[3] == RejectedRow("", 5, "it names no device at end B of the cable")


def test_cables_by_the_api(tmp_path: Path) -> None:
    """Cables under the names of NetBox's import format tell the sites of their ends, in any order."""
    path = tmp_path / "cables.csv"
    path.write_text(
        "label,side_b_site,side_b_device,side_b_name,side_a_device,side_a_name,side_a_site,status\n"
        "C7,Akron,s1,ge-0/0/1,r1,eth0,Akron,connected\n"
    )
    (cable,) = opened(path).rows()
    assert isinstance(cable, DependencyRow)
    assert cable.source == End(name="r1", location="Akron", type="other")
    assert (cable.target.name, cable.source_process) == ("s1", "cable C7")
    assert cable.attributes == {
        "label": "C7",
        "side_b_name": "ge-0/0/1",
        "side_a_name": "eth0",
        "status": "connected",
    }
