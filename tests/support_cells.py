"""What generated inventories are made of: columns of each kind, odd cells, and the formats.

Cells are odd in all the ways of real exports: markers of what is not known, numbers, dates, lists and
formulas where texts are meant, amounts in any unit, letters of any alphabet.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from support_inventories import write_workbook

Cells = list[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it may be called, its part in what a row is about, and its cells."""

    names: Sequence[str]
    part: str
    make: Callable[[Random, int], Any]


UNKNOWN = ("", "-", "n/a", "N/A", "unknown", "null", "-1", "--", "none", "?")
BLANK = ("", None, " ")
WORDS = {
    "cp1252": ("café", "straße", "Málaga", "Ørsted"),
    "cp1250": ("Łódź", "příliš", "Győr"),
    "cp1251": ("сервер", "база", "Москва"),
    "cp932": ("東京", "サーバ", "大阪"),
    "gb18030": ("服务器", "数据库"),
    "utf-16": ("Ürün", "東京", "сервер"),
    "utf-8": ("web", "Zürich", "東京", "сервер", "a,b", 'quo"te', "two\nlines", "semi;colon", "tab\there"),
    "": ("web", "app", "db", "mail"),
}
FLOWS = ("netbox_cables", "azure_dependencies")
FORMATS = (",", ";", "\t", "|", "xlsx", "json", "jsonl", "parquet", "arrow", "arrows")
TEXT, NAMED = FORMATS[:4], FORMATS[5:]


def _pick(*texts: Any) -> Callable[[Random, int], Any]:
    return lambda chance, number: chance.choice(texts)


def _uuid(chance: Random, number: int) -> str:
    return f"4C4C4544-0051-{number:04X}-8030-B7C04F{chance.randrange(16**6):06X}"


def _address(chance: Random, number: int) -> str:
    one, two = f"10.{number % 250}.{chance.randrange(250)}.7", f"fe80::{chance.randrange(1, 9999):x}"
    return chance.choice((one, two, f"{one};{two}", f"[{one},{two}];", f"{one}, {two}", f"{one}/24"))


def _moment(chance: Random, number: int) -> Any:
    moment = datetime(2020, 1, 1) + timedelta(minutes=chance.randrange(10**6))
    return chance.choice((moment, moment.date(), moment.isoformat()))


def _size(chance: Random, number: int) -> Any:
    return chance.choice((16, 2.5, "1,024", "512Mi", "16 GB", "4096 MB", "lots", 1e300, -1, "4 m"))


_NAME = lambda chance, number: f"srv-{number:03}"  # noqa: E731 - a column's cells, like the others
_HOST = lambda chance, number: f"srv-{number:03}.corp.example"  # noqa: E731
_SITES = _pick("Akron", "Albany", "")
_ODD = (
    Column(("Notes", "Remarks"), "", _pick("", "x" * 300, 3.0, True, "=1+1", "a;b", date(1999, 12, 31))),
    Column(("Installed", "Last seen"), "", _moment),
    Column(("Patched", "Backup"), "", _pick(True, False)),
    Column(("Load", "Price"), "", _pick(0.1, 1e-9, -3, float("nan"), 2**60, "1e5")),
)
_SIZES = (
    Column(("Memory (GB)", "memory_mb", "RAM MiB", "Memory"), "", _size),
    Column(("vCPUs", "vcpu"), "", _pick(1, 2.0, "4", "500m", "8 vCPU", "four", None)),
    Column(("Disk (GB)", "disk"), "", _size),
)
_IP = Column(("IP Address", "ip_address"), "", _address)
_SYSTEM = _pick("RHEL 8 (64-bit)", "Windows Server 2019", "", None)
COLUMNS: dict[str, Sequence[Column]] = {
    "table": (
        Column(("Name", "Server name", "display_name", "Computer", "VM"), "name", _NAME),
        Column(("UUID", "Instance ID", "resource_id"), "id", _uuid),
        Column(("FQDN", "hostname", "DNS Name"), "host", _HOST),
        Column(("Serial number", "serial"), "tag", lambda chance, number: f"SN{number}"),
        Column(("Site", "Datacenter", "region"), "location", _SITES),
        Column(("OS", "Operating System"), "", _SYSTEM),
        Column(("Environment", "env"), "", _pick("prod", "test")),
        _IP,
        *_SIZES,
        *_ODD,
    ),
    "azure_migrate": (
        Column(("Machine Name",), "name", _NAME),
        Column(("Machine ID",), "id", lambda c, n: f"/subscriptions/x/VMwareSites/s/machines/{_uuid(c, n)}"),
        Column(("Boot Type",), "", _pick("BIOS", "UEFI")),
        Column(("Power Stats",), "", _pick("ON", "OFF")),
        Column(("Total Disks",), "", _pick(1, -1)),
        Column(("First Discovery Time",), "", _moment),
        Column(("Software Inventory Count",), "", _pick(-1, 12)),
        Column(("IP Addresses",), "", _address),
        *_SIZES[:1],
        *_ODD,
    ),
    "aws_migration_factory": (
        Column(("server_name",), "name", _NAME),
        Column(("server_fqdn",), "host", _HOST),
        Column(("wave_name",), "", _pick("Wave 1", "Wave 2")),
        Column(("app_name",), "", _pick("hr", "shop")),
        Column(("r_type",), "", _pick("Rehost", "Re-Platform", "odd")),
        Column(("aws_region",), "", _pick("us-east-1")),
        Column(("server_tier",), "", _pick("web", "db")),
        Column(("subnet_IDs",), "", _pick("subnet-1;subnet-2", ["subnet-1", "subnet-2"])),
        Column(("server_os_family",), "", _pick("linux", "windows")),
        Column(("tags",), "", _pick("a=1;b=2", "a=1;a=2;c", "=;;=x", {"Cost": 7})),
    ),
    "netbox_devices": (
        Column(("Name",), "name", _NAME),
        Column(("Site",), "location", _SITES),
        Column(("Tenant",), "tenant", _pick("Dunder-Mifflin, Inc.", "Other")),
        Column(("Serial number",), "tag", lambda chance, number: chance.choice((f"SN{number}", ""))),
        Column(("Rack",), "rack", _pick("R1", "R2", "")),
        Column(("Position (U)",), "position", lambda chance, number: chance.choice((f"{number}.0", ""))),
        Column(("Role",), "", _pick("Router", "Patch Panel", "Server")),
        Column(("Manufacturer",), "", _pick("Cisco", "Dell")),
        Column(("Type",), "type", _pick("ISR 1111", "Dell M640")),
        Column(("Platform",), "", _SYSTEM),
    ),
    "netbox_virtual_machines": (
        Column(("Name",), "name", _NAME),
        Column(("Site",), "location", _SITES),
        Column(("Cluster",), "cluster", _pick("C1", "C2")),
        Column(("Tenant",), "tenant", _pick("Dunder", "Other", "")),
        Column(("vCPUs",), "", _pick(1, "2.00", "")),
        Column(("Status",), "", _pick("active", "offline")),
        Column(("Role",), "", _pick("Web", "Db")),
        Column(("Platform",), "", _SYSTEM),
        *_SIZES[::2],
    ),
    "netbox_cables": (
        Column(("Cable ID", "id"), "cable", lambda chance, number: number),
        Column(("Device A", "Side A Device"), "source", lambda chance, number: f"d{chance.randrange(9)}"),
        Column(("Device B", "Side B Device"), "target", lambda chance, number: f"d{chance.randrange(9)}"),
        Column(("Type",), "", _pick("cat6", "dac")),
    ),
    "azure_dependencies": (
        Column(("Source server name",), "source", lambda chance, number: f"app{chance.randrange(6)}"),
        Column(("Destination server name",), "target", lambda chance, number: f"db{chance.randrange(6)}"),
        Column(("Destination IP",), "address", lambda chance, number: f"20.0.0.{chance.randrange(1, 5)}"),
        Column(("Destination port",), "port", _pick(443, 1433, "443", "70000", "https", "")),
        Column(("Source process",), "process", _pick("java", "")),
        Column(("Source application",), "", _pick("App", "")),
        Column(("Timeslot", "Time slot"), "", _pick("2025-06-14 00:00", "2025-06-13 18:00", "soon")),
    ),
}


def workbook(sheets: dict[str, Any], *, ghost_rows: int = 0) -> bytes:
    """A workbook of these sheets."""
    sink = io.BytesIO()
    write_workbook(sink, sheets, ghost_rows=ghost_rows)  # type: ignore[arg-type]  # openpyxl takes both
    return sink.getvalue()


def delimited(chance: Random, delimiter: str, lines: list[Cells]) -> str:
    """Lines as CSV, quoted and ended in one way or another."""
    sink, end = io.StringIO(), chance.choice(("\n", "\r\n", "\r"))
    # Of a Mac's line ends Python's writer does not know that a cell with others needs quotes.
    quoting = csv.QUOTE_ALL if end == "\r" else chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    csv.writer(sink, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(lines)
    return sink.getvalue()


def named(chance: Random, format_: str, header: list[str], body: list[Cells]) -> bytes:
    """Formats whose columns have names: JSON, JSON lines, Parquet, Arrow's file and its stream."""
    if format_.startswith("json"):
        records = [dict(zip(header, cells, strict=False)) for cells in body]
        lines = [json.dumps(record, default=str, ensure_ascii=chance.random() < 0.5) for record in records]
        return ("\n".join(lines) if format_ == "jsonl" else f" [{','.join(lines)}]").encode()
    padded = [[*cells, *[None] * (len(header) - len(cells))] for cells in body]
    columns = {name: _array([cells[index] for cells in padded]) for index, name in enumerate(header)}
    made, sink = pa.table(columns), io.BytesIO()
    if format_ == "parquet":
        pq.write_table(made, sink, row_group_size=chance.choice((7, 1000)))
    else:
        with (pa.ipc.new_file if format_ == "arrow" else pa.ipc.new_stream)(sink, made.schema) as writer:
            writer.write_table(made, max_chunksize=chance.choice((7, 1000)))
    return sink.getvalue()


def _array(values: list[Any]) -> Any:
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        array = pa.array([None if value is None else text_of(value) for value in values])
    return array.dictionary_encode() if pa.types.is_string(array.type) and len(values) % 2 else array


def is_filled(cells: Cells) -> bool:
    """Whether a row is not blank."""
    return any(map(text_of, cells))


def text_of(value: Any) -> str:
    """A cell as people see it."""
    return "" if value is None or value != value else str(value).strip()
