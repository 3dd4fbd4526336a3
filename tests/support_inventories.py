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
    ("web 1", "poweredOn", "False", 2, 4096, 81921, 30272, 12, "DC1", "Prod", "esx-1.corp.example",
     "RHEL 7 (64-bit)", "RHEL 8 (64-bit)"),
    ("WEB2", "poweredOff", "False", 4, 8192, 102401, 0, 50, "DC1", "Prod", "esx-2",
     "RHEL 7 (64-bit)", ""),
    ("golden", "poweredOff", "True", 1, 2048, 20480, -1, 0, "DC2", "", "esx-9",
     "Windows Server 2012", None),
)  # fmt: skip
_OLD_NETWORK_HEADER = (
    "VM", "Powerstate", "Template", "NIC label", "Adapter", "Network", "Mac Address", "IPv4 Address",
    "IPv6 Address", "Annotation",
)  # fmt: skip
_OLD_NETWORKS = (
    ("web 1", "poweredOn", None, "Network adapter 1", "Vmxnet3", "front", "00:50:56:00:00:01", "10.0.0.1",
     "fe80::1", None),
    ("web 1", "poweredOn", None, "Network adapter 2", "Vmxnet3", "back", "00:50:56:00:00:02", "10.1.0.1",
     None, None),
    ("WEB2", "poweredOff", None, "Network adapter 1", "E1000e", None, None, "unknown", None, None),
)  # fmt: skip
_OLD_PARTITION_HEADER = (
    "VM", "Powerstate", "Template", "Disk", "Capacity MB", "Consumed MB", "Free MB", "Free % ", "Datacenter",
    "Cluster", "Host", "OS according to the configuration file", "OS according to the VMware Tools",
)  # fmt: skip
_OLD_PARTITIONS = (
    ("web 1", "poweredOn", "False", "C:\\", 40000, 30000, 10000, 25, "DC1", "Prod", "esx-1.corp.example",
     "RHEL 7 (64-bit)", "RHEL 8 (64-bit)"),
    ("web 1", "poweredOn", "False", "D:\\", 41921, 272, -1, 99, "DC1", "Prod", "esx-1.corp.example",
     "RHEL 7 (64-bit)", "RHEL 8 (64-bit)"),
    ("gone", "poweredOn", "False", "/", 100, 50, 50, 50, "DC1", "Prod", "esx-2", "Debian 11", ""),
    ("gone", "poweredOn", "False", "/boot", 10, 5, 5, 50, "DC1", "Prod", "esx-2", "Debian 11", ""),
    ("", "poweredOn", "False", "/", 1, 1, 0, 0, "DC1", "Prod", "esx-2", "", ""),
)  # fmt: skip
_OLD_HOST_HEADER = (
    "Host", "Datacenter", "Cluster", "Config status", "CPU Model", "# CPU", "Cores per CPU", "# Cores",
    "# Memory", "# VMs", "ESX Version", "Vendor", "Model",
)  # fmt: skip
_OLD_HOSTS = (
    ("esx-1", "DC1", "Prod", "green", "Xeon E5", 2, 8, 16, 262109, 8, "VMware ESXi 6.0.0", "HP", "BL460c"),
    ("10.9.8.7", "DC1", "Prod", "green", "Xeon E5", 2, 8, 16, 262109, 0, "VMware ESXi 6.0.0", "HP",
     "HP BL460c"),
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


_DETAIL = ("VM", "Powerstate", "Template")
_PLACE = ("Datacenter", "Cluster", "Host", "VM ID", "VM UUID")
_DB1 = ("DC", "C1", "10.1.1.1", "vm-1", "500B85C1-EF0D-37FB-6897-61C47157F858")
_ESTATE: dict[str, Sequence[Sequence[object]]] = {
    "vHealth": (("Name", "Message"), ("db", "has a snapshot")),
    "vInfo": (
        (*_DETAIL, "CPUs", "Memory", "Primary IP Address", "Provisioned MiB", *_PLACE, None),
        ("db", "poweredOn", "False", None, None, "10.0.0.1", None, *_DB1, None),
        ("twin", "poweredOn", "False", 1, 1024, None, 5, "DC", "C1", "esx.corp.example", "vm-2", None, None),
        ("twin", "poweredOn", "False", 1, 1024, None, 5, "DC", "C2", "esx.corp.example", "vm-3", None, None),
    ),
    "vCPU": (
        (*_DETAIL, "CPUs", "Sockets", "Limit", *_PLACE),
        ("db", "poweredOn", "False", 8, 2, -1, *_DB1),
    ),
    "vMemory": (
        (*_DETAIL, "Size MiB", "Consumed", "Overhead", *_PLACE),
        ("renamed", "poweredOn", "False", 4096, 0, 0, *_DB1),
    ),
    "vDisk": (
        (*_DETAIL, "Disk", "Capacity MiB", "Thin", *_PLACE),
        ("db", "poweredOn", "False", "Hard disk 1", 1024, "True", *_DB1),
        ("db", "poweredOn", "False", "Hard disk 2", 2048, "False", *_DB1),
        ("twin", "poweredOn", "False", "Hard disk 1", 5, "True", "DC", "C2", "", "vm-3", ""),
        ("twin", "poweredOn", "False", "Hard disk 1", 5, "True", "DC2", "C9", "", "", ""),
    ),
    "vPartition": (
        (*_DETAIL, "Disk", "Capacity MiB", "Consumed MiB", "Free %", "Datacenter", "Cluster"),
        ("twin", "poweredOn", "False", "/", 5, 1, 80, "DC", "C1"),
        ("twin", "poweredOn", "False", "/", 5, 1, 80, "DC", ""),
    ),
    "vNetwork": (
        (*_DETAIL, "NIC label", "Network", "Mac Address", "IPv4 Address", "IPv6 Address", *_PLACE),
        ("db", "poweredOn", "False", "NIC 1", "front", "00:50:56:00:00:01", "10.0.0.1, 10.0.0.2", "fe80::1",
         *_DB1),
        ("db", "poweredOn", "False", "NIC 2", "front", "00:50:56:00:00:02", "", "", *_DB1),
    ),
    "vHost": (
        ("Host", "Datacenter", "Cluster", "CPU Model", "# Cores", "# Memory", "# VMs", "Vendor", "Model",
         "UUID"),
        ("10.1.1.1", "DC", "C1", "Xeon", 32, 1024, 3, "HPE", "DL380", "0f0e"),
        ("esx", "DC", "C1", "Xeon", 32, 1024, 3, "HPE", "DL380", "0f0f"),
    ),
}  # fmt: skip


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
    """RVTools as it was: sizes in `MB`, no UUIDs, a header that ends in a blank, ghost rows.

    `vHost` has short names where `vInfo` has full ones, and lacks hosts that `vInfo` names.
    """
    sheets = {
        "vInfo": (_OLD_HEADER, *_OLD_ROWS),
        "vNetwork": (_OLD_NETWORK_HEADER, *_OLD_NETWORKS),
        "vPartition": (_OLD_PARTITION_HEADER, *_OLD_PARTITIONS),
        "vHost": (_OLD_HOST_HEADER, *_OLD_HOSTS),
    }
    return write_workbook(path, sheets, ghost_rows=40)


def write_new_rvtools(path: Path) -> Path:
    """RVTools as it is: sizes in `MiB`, UUIDs (two are alike), unnamed columns, a row of only a name."""
    return write_workbook(path, {"vInfo": (_NEW_HEADER, *_NEW_ROWS)}, ghost_rows=5)


def write_rvtools_estate(path: Path) -> Path:
    """RVTools as it is, with sheets of what VMs are made of, which name them in one way or another.

    `vInfo` knows hardly more than the names of two VMs that are called alike, and `vHealth` is not read.
    """
    return write_workbook(path, _ESTATE, ghost_rows=3)


def write_rvtools_sheet(path: Path, name: str) -> Path:
    """A sheet of that export as a CSV file of its own."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(_ESTATE[name])
    path.write_bytes(text.getvalue().encode())
    return path


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


def write_azure_discovery(path: Path) -> Path:
    """Azure Migrate's report: a first sheet that is no data, lists in brackets, `-1`, long ids."""
    header = (
        "Machine Name", "Environment", "Software Inventory Count", "SQL Discovery Server Count",
        "Operating System", "Cores", "Memory (in MB)", "Total Disks", "IP Addresses", "MAC Addresses",
        "Boot Type", "Power Stats", "First Discovery Time", "Last Updated Time", "Machine ID",
    )  # fmt: skip
    times = ("2023-07-25T06:12:34.1674501Z", "2023-08-25T12:48:17.0274041Z")
    rows = (
        ("SQL1", None, -1, 1, "Windows Server 2019 (64-bit)", 2, 4096, 1, "[fe80::1,10.0.0.4];",
         "[00:50:56:8b:74:7a];", "BIOS", "ON", *times, azure_machine_id("vmwaresites", "SQL1")),
        ("Web1", "Prod", 12, -1, "Ubuntu", -1, -1, 1, "[];", "[];", "UEFI", "OFF", *times,
         azure_machine_id("serversites", "Web1")),
        ("Old1", None, -1, -1, None, 4, 2048, 1, "[10.0.0.6];", "[00:15:5d:00:00:01,00:15:5d:00:00:02];",
         "BIOS", "ON", *times, azure_machine_id("HyperVSites", "Old1")),
        ("Bare", *[None] * 14),
        (None, "Prod", *[None] * 13),
    )  # fmt: skip
    properties = (("Tenant ID", "Azure Migrate Project Name"), ("72f988bf", "estate"))
    return write_workbook(path, {"Properties": properties, "Discovery_Report": (header, *rows)})


def azure_machine_id(site_kind: str, name: str) -> str:
    """The id of a machine in Azure Migrate, with about 200 characters."""
    project = "/subscriptions/4bd2aa0f-2bd2-4d67-91a8-5a4533d58600/resourcegroups/estate/providers"
    return f"{project}/microsoft.offazure/{site_kind}/site/machines/{name}-{'0123456789abcdef' * 5}"


def write_azure_dependencies(path: Path) -> Path:
    """Azure Migrate's dependencies as they were first exported: no address of the source."""
    path.write_text(
        "Timeslot,Source server name,Source application,Source process,Destination server name,"
        "Destination IP,Destination application,Destination process,Destination port\n"
        "2025-06-14 00:00,app1,App,svchost.exe,db1,10.0.0.5,SQL,sqlservr.exe,1433\n"
        "2025-06-13 18:00,app1,,svchost.exe,db1,10.0.0.5,SQL,sqlservr.exe,1433\n"
        "2025-06-14 06:00,app1,App,svchost.exe,db1,10.0.0.5,SQL,sqlservr.exe,1433\n"
        "2025-06-14 00:00,app1,App,svchost.exe,db1,10.0.0.5,SQL,sqlservr.exe,1434\n"
        "2025-06-14 00:00,app1,App,svchost.exe,,20.190.1.1,,,443\n"
        "2025-06-14 00:00,app1,App,svchost.exe,,,,,443\n"
        "2025-06-14 00:00,app1,App,svchost.exe,db1,10.0.0.5,SQL,sqlservr.exe,70000\n"
    )
    return path


def write_azure_dependencies_later(path: Path) -> Path:
    """The same of other versions: BOM, CRLF, `Time slot`, addresses of both ends, VLANs, self-edges."""
    path.write_bytes(
        (
            "Time slot,Source server name,Source IP,Source VLAN,Source application,Source process,"
            "Destination server name,Destination IP,Destination VLAN,Destination application,"
            "Destination process,Destination port\r\n"
            "6/14/2025 9:00:00 AM,app1,10.0.0.1,7,,java,app1,10.0.0.1,7,,java,8080\r\n"
            "6/14/2025 10:00:00 AM,app1,10.0.0.1,7,,java,app1,10.0.0.1,7,,java,8080\r\n"
            "6/14/2025 9:00:00 AM,,10.0.0.9,,,,app1,10.0.0.1,7,,java,\r\n"
            '6/14/2025 9:00:00 AM,10.0.0.8,,,,,db1,"10.0.0.5,10.0.0.6",,,mysqld,3306\r\n'
        ).encode("utf-8-sig")
    )
    return path


def write_migration_factory(path: Path) -> Path:
    """AWS Cloud Migration Factory's servers: `;` lists inside cells, tags as `k=v;k=v`."""
    path.write_text(
        "wave_name,app_name,aws_region,aws_accountid,server_name,server_os_family,server_os_version,"
        "server_fqdn,server_tier,server_environment,r_type,subnet_IDs,securitygroup_IDs,instanceType,tenancy,tags\n"
        "Wave 1,hr,us-east-1,111122223333,Web1,windows,windows server 2012 R2,web1.example.local,web,dev,"
        "Rehost,subnet-1;subnet-2,sg-1;sg-2,m4.large,Shared,CostCenter=123;BU=IT\n"
        "Wave 2,hr,us-west-2,111122223333,Db1,linux,RHEL 7,db1.example.local,db,prod,Re-Platform,subnet-3,"
        "sg-1,m4.large,Shared,CostCenter=123;urgent;CostCenter=456;\n"
        "Wave 2,hr,us-west-2,111122223333,Db2,linux,,,db,prod,Lift it,,,,,\n"
        "Wave 3,hr,us-west-2,,,,,,,,,,,,,\n"
    )
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


def write_netbox_racks(path: Path) -> Path:
    """NetBox devices with their positions: most have no name, and two of them stand in one place."""
    path.write_bytes(
        b"Name,Status,Tenant,Site,Location,Rack,Role,Manufacturer,Type,Platform,IP Address,Serial number,"
        b"Asset tag,Position (U)\r\n"
        b'r1,active,"Dunder-Mifflin, Inc.",Akron,,Closet,Router,Cisco,ISR 1111,IOS,10.0.0.1/24,,,4.0\r\n'
        b"r1,active,Other Inc.,Akron,,Closet,Router,Cisco,ISR 1111,IOS,,,,5.0\r\n"
        b",active,,Akron,,Closet,Patch Panel,Panduit,48-Port,,,,,11.0\r\n"
        b",active,,Akron,Row 1,Closet,Application Server,Lenovo,Lenovo Flex,,,,,9.0\r\n"
        b",active,,Akron,,Closet,PDU,APC,AP7901,,,SN-77,A-1,\r\n"
        b",active,,Akron,,Closet,PDU,APC,AP7901,,,,A-2,\r\n"
        b",active,,Akron,,Closet,PDU,APC,AP7901,,,,,\r\n"
        b",active,,Albany,,Closet,Blade,Dell,M640,,,,,1.0\r\n"
        b",active,,Albany,,Closet,Blade,Dell,M640,,,,,1.0\r\n"
    )
    return path


def write_netbox_devices_by_api(path: Path) -> Path:
    """NetBox devices under the names of its API, with a blade that is known by its bay."""
    path.write_text(
        "id,name,device_role,manufacturer,device_type,serial,asset_tag,status,site,rack,position,face,"
        "parent_device,device_bay,primary_ip4,platform,tenant\n"
        "7,fw1,Firewall,Palo Alto,PA-220,SN-1,A-1,active,Akron,R1,4.0,front,,,10.0.0.2/24,PAN-OS,Dunder\n"
        ",,Blade server,Dell,M640,,,active,Akron,,,,chassis1,Bay 3,,,\n"
    )
    return path


def write_netbox_machines(path: Path) -> Path:
    """NetBox virtual machines: two of one name in different clusters, CRLF."""
    path.write_bytes(
        b"Name,Status,Site,Cluster,Role,Tenant,Platform,vCPUs,Memory (MB),Disk (GB),IP Address\r\n"
        b"vm1,active,Akron,C1,Application Server,Dunder,Ubuntu 20.04,2.00,4096,80,10.0.0.7/24\r\n"
        b"vm2,offline,,C1,Database,,Ubuntu 20.04,,,,\r\n"
        b"vm2,active,,C2,Database,,Ubuntu 20.04,,,,\r\n"
    )
    return path


def write_netbox_cables(path: Path) -> Path:
    """NetBox cables: two between the same devices, one without an id, one that ends nowhere."""
    path.write_bytes(
        b"Cable ID,Type,Status,Device A,Device B\r\n"
        b"35,cat5e,connected,r1,s1\r\n"
        b"36,cat5e,connected,r1,s1\r\n"
        b",,connected,r1,s2\r\n"
        b"38,cat6,planned,r1,\r\n"
    )
    return path
