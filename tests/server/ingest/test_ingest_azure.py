"""Azure Migrate: the discovery report and the export of dependencies."""

from pathlib import Path

import pytest
from mooring_server.ingest import AssetRow, DependencyRow, End, Inventory, Limits, RejectedRow, open_inventory
from support_inventories import (
    MIB,
    azure_machine_id,
    write_azure_dependencies,
    write_azure_dependencies_later,
    write_azure_discovery,
    write_workbook,
)


def opened(path: Path) -> Inventory:
    return open_inventory(path, path.name, Limits())


def test_discovery_report(tmp_path: Path) -> None:
    """The sheet with machines is read, each is known by its id, and lists in brackets are lists."""
    inventory = opened(write_azure_discovery(tmp_path / "report.xlsx"))
    rows = list(inventory.rows())
    assert (inventory.kind, inventory.source, inventory.sheet) == (
        "azure_migrate",
        "azure_migrate",
        "Discovery_Report",
    )
    assert (inventory.row_total, len(rows)) == (5, 5)
    machine = rows[0]
    assert isinstance(machine, AssetRow)
    machine_id = azure_machine_id("vmwaresites", "SQL1")
    assert machine.identity == f"id:{machine_id.casefold()}"
    assert machine.fields == {
        "external_id": machine_id,
        "display_name": "SQL1",
        "operating_system": "Windows Server 2019 (64-bit)",
        "cpu_cores": 2.0,
        "memory_bytes": 4096 * MIB,
        "ip_addresses": ("fe80::1", "10.0.0.4"),
        "mac_addresses": ("00:50:56:8b:74:7a",),
        "status": "running",
    }


def test_what_was_not_discovered_is_not_known(tmp_path: Path) -> None:
    """`-1`, `[];` and empty cells say nothing; other counts and the times are kept as they are written."""
    sql, web, *_ = (
        row
        for row in opened(write_azure_discovery(tmp_path / "report.xlsx")).rows()
        if isinstance(row, AssetRow)
    )
    assert sql.attributes == {
        "SQL Discovery Server Count": "1",
        "Total Disks": "1",
        "Boot Type": "BIOS",
        "First Discovery Time": "2023-07-25T06:12:34.1674501Z",
        "Last Updated Time": "2023-08-25T12:48:17.0274041Z",
    }
    assert web.fields.keys().isdisjoint(("cpu_cores", "memory_bytes", "ip_addresses", "mac_addresses"))
    assert (web.fields["environment"], web.fields["status"]) == ("Prod", "stopped")


def test_the_site_says_what_a_machine_is(tmp_path: Path) -> None:
    """Machines found in VMware or Hyper-V are virtual machines, others servers."""
    rows = list(opened(write_azure_discovery(tmp_path / "report.xlsx")).rows())
    assert [row.type for row in rows if isinstance(row, AssetRow)] == [
        "virtual_machine",
        "server",
        "virtual_machine",
        "server",
    ]
    assert rows[-1] == RejectedRow("Discovery_Report", 6, "it has neither a machine id nor a name")


def test_report_in_any_order(tmp_path: Path) -> None:
    """Columns in another order and case, fewer and more of them, are the same report."""
    header = ("Notes", "power stats", "BOOT TYPE", "Machine ID", "Last Updated Time", "machine name", "Cores")
    rows = (header, ("x", "ON", "BIOS", "/a/vmwareSites/s/machines/1", "2023", "m1", 2))
    inventory = opened(write_workbook(tmp_path / "report.xlsx", {"Export": rows}))
    (machine,) = inventory.rows()
    assert inventory.kind == "azure_migrate"
    assert isinstance(machine, AssetRow)
    assert (machine.type, machine.fields["cpu_cores"], machine.attributes["Notes"]) == (
        "virtual_machine",
        2.0,
        "x",
    )


def test_equal_flows_are_one(tmp_path: Path) -> None:
    """Rows that differ in their time slot alone are one dependency, with the first and last slot of all."""
    inventory = opened(write_azure_dependencies(tmp_path / "dependencies.csv"))
    rows = list(inventory.rows())
    flows = [row for row in rows if isinstance(row, DependencyRow)]
    assert (inventory.kind, inventory.source, inventory.row_total) == (
        "azure_dependencies",
        "azure_dependencies",
        7,
    )
    assert flows[0] == DependencyRow(
        sheet="",
        row=2,
        source=End(name="app1"),
        target=End(name="db1", ip_address="10.0.0.5"),
        kind="flow",
        port=1433,
        source_process="svchost.exe",
        target_process="sqlservr.exe",
        attributes={
            "Source application": "App",
            "Destination application": "SQL",
            "Timeslot (first)": "2025-06-13 18:00",
            "Timeslot (last)": "2025-06-14 06:00",
        },
        joined=2,
    )
    assert (flows[1].port, flows[1].attributes["Timeslot"]) == (1434, "2025-06-14 00:00")
    assert flows[2].target == End(ip_address="20.190.1.1")
    assert len(flows) == 3


def test_rows_that_are_no_flow(tmp_path: Path) -> None:
    """A row without an end, or with a port that is none, is rejected and says why; none is lost."""
    inventory = opened(write_azure_dependencies(tmp_path / "dependencies.csv"))
    rows = list(inventory.rows())
    rejected = [row for row in rows if isinstance(row, RejectedRow)]
    assert [(row.row, row.reason) for row in rejected] == [
        (7, "it has neither a name nor an address of its destination: both are empty"),
        (8, "its destination port is `70000`, but ports are numbers from 1 to 65535"),
    ]
    joined = sum(row.joined for row in rows if isinstance(row, DependencyRow))
    assert len(rows) + joined == inventory.row_total


def test_header_of_later_versions(tmp_path: Path) -> None:
    """`Time slot`, a BOM, addresses of both ends and VLANs are read alike; a machine may speak to itself."""
    rows = list(opened(write_azure_dependencies_later(tmp_path / "dependencies.csv")).rows())
    flows = [row for row in rows if isinstance(row, DependencyRow)]
    assert len(flows) == len(rows) == 3
    assert flows[0].source == flows[0].target == End(name="app1", ip_address="10.0.0.1")
    assert (flows[0].joined, flows[0].port) == (1, 8080)
    assert flows[0].attributes == {
        "Source VLAN": "7",
        "Destination VLAN": "7",
        "Time slot (first)": "6/14/2025 9:00:00 AM",
        "Time slot (last)": "6/14/2025 10:00:00 AM",
    }
    assert (flows[1].source, flows[1].port) == (End(ip_address="10.0.0.9"), None)
    assert flows[2].source == End(ip_address="10.0.0.8")
    assert flows[2].target == End(name="db1", ip_address="10.0.0.5")
    assert flows[2].attributes["Destination IP"] == "10.0.0.5,10.0.0.6"


@pytest.mark.parametrize(
    ("port", "expected"), [("443", 443), ("443.0", 443), ("-1", None), ("0", "no"), ("https", "no")]
)
def test_ports(tmp_path: Path, port: str, expected: int | str | None) -> None:
    """A port is a number from 1 to 65535 or not known; a row with any other text is rejected."""
    path = tmp_path / "dependencies.csv"
    path.write_text(
        f"Destination port,Source process,Source server name,Destination server name\n{port},java,a,b\n"
    )
    (row,) = opened(path).rows()
    assert (row.port if isinstance(row, DependencyRow) else "no") == expected
