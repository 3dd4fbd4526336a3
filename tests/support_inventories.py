"""Small inventories with the oddities of real exports, written where a test wants them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font

GIB = 2**30
MIB = 2**20

_OLD_HEADER = (
    "VM", "Powerstate", "Template", "CPUs", "Memory", "Provisioned MB", "In Use MB", "Free % ", "Datacenter",
    "Cluster", "Host", "OS according to the configuration file", "OS according to the VMware Tools",
)  # fmt: skip
_OLD_ROWS = (
    ("web 1", "poweredOn", "False", 2, 4096, 81921, 30272, 12, "DC1", "Prod", "esx-1",
     "RHEL 7 (64-bit)", "RHEL 8 (64-bit)"),
    ("WEB2", "poweredOff", "False", 4, 8192, 102401, 0, 50, "DC1", "Prod", "esx-2",
     "RHEL 7 (64-bit)", ""),
    ("golden", "poweredOff", "True", 1, 2048, 20480, -1, 0, "DC2", "", "esx-9",
     "Windows Server 2012", None),
)  # fmt: skip

_NEW_HEADER = (
    "VM", "Powerstate", "Template", "DNS Name", "CPUs", "Memory", "Primary IP Address", "FT Bandwidth",
    "Provisioned MiB", "In Use MiB", "Datacenter", "Cluster", "Host", "Folder",
    "OS according to the configuration file", "OS according to the VMware Tools", "VM ID", "VM UUID",
    None, None,
)  # fmt: skip
_NEW_ROWS = (
    ("app", "poweredOn", "False", "app.corp.example", 8, 16384, "10.0.0.5", -1, 105742, 96952, "DC", "C1",
     "h1", "blue", "Debian 11", "Debian 12", "vm-1", "500B85C1-ef0d-37fb-6897-61c47157f858", None, "kept"),
    ("twin", "poweredOn", "False", "", 2, 2048, "", -1, 4096, 10, "DC", "C1", "h1", "blue",
     "Debian 11", "", "vm-2", "500bfe00-a0ed-72f7-0d6d-9a0395fff483", None, None),
    ("twin copy", "suspended", "False", "", 2, 2048, "", -1, 4096, 10, "DC", "C1", "h1", "blue",
     "Debian 11", "", "vm-3", "500bfe00-a0ed-72f7-0d6d-9a0395fff483", None, None),
    ("same", "poweredOn", "False", "", 1, 1024, "", -1, 1024, 10, "DC", "C1", "h1", "blue",
     "", "", "vm-4", "", None, None),
    ("same", "poweredOn", "False", "", 1, 1024, "", -1, 1024, 10, "DC", "C1", "h1", "green",
     "", "", "vm-5", "", None, None),
    ("last", "poweredOn", *[None] * 18),
)  # fmt: skip


def write_workbook(path: Path, sheets: dict[str, Sequence[Sequence[object]]], *, ghost_rows: int = 0) -> Path:
    """A workbook of these sheets; ghost rows are formatted and empty, as deleted rows are."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for row_number in range(len(rows) + 1, len(rows) + 1 + ghost_rows):
            for column in range(1, len(rows[0]) + 1):
                sheet.cell(row_number, column).font = Font(bold=True)
    workbook.save(path)
    return path


def write_old_rvtools(path: Path) -> Path:
    """RVTools as it was: sizes in `MB`, no UUIDs, a header that ends in a blank, ghost rows."""
    return write_workbook(
        path, {"vInfo": (_OLD_HEADER, *_OLD_ROWS), "vHost": (("Host", "# CPU"), ("esx-1", 2))}, ghost_rows=40
    )


def write_new_rvtools(path: Path) -> Path:
    """RVTools as it is: sizes in `MiB`, UUIDs (two are alike), unnamed columns, a row of only a name."""
    return write_workbook(path, {"vInfo": (_NEW_HEADER, *_NEW_ROWS)}, ghost_rows=5)


def write_services(path: Path, count: int) -> Path:
    """A CSV of web services: BOM, CRLF, every cell quoted."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(("Domain", "Base Domain", "URL", "Agency", "Preloaded"))
    for number in range(count):
        name = f"s{number}.example.org"
        writer.writerow((name, "example.org", f"https://{name}", "Ministry of Works, North", "Yes"))
    path.write_bytes(text.getvalue().encode("utf-8-sig"))
    return path


def write_netbox_devices(path: Path) -> Path:
    """NetBox devices: names unique per site only, devices without a name, a comma inside a tenant's name."""
    path.write_bytes(
        b"Name,Status,Tenant,Site,Rack,Role,Manufacturer,Type,Platform,Serial number,Asset tag\r\n"
        b'r1,active,"Dunder-Mifflin, Inc.",Akron,Closet,Router,Cisco,ISR 1111-8P,Cisco IOS,,\r\n'
        b'r1,active,"Dunder-Mifflin, Inc.",Albany,Closet,Router,Cisco,ISR 1111-8P,Cisco IOS,,\r\n'
        b",active,,Akron,Closet,Patch Panel,Panduit,48-Port Patch Panel,,,\r\n"
        b",active,,Akron,Closet,PDU,APC,AP7901,,SN-77,\r\n"
    )
    return path
