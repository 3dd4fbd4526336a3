"""Generated inventories: of every kind, in every format, and what must become of their rows.

`table(seed)` is the same file each time. It knows the fate of each of its rows by rules of its own, which say
what a row is about in a few lines; nothing here asks the readers. Rows are odd in all the ways of real
exports: blank, short, long, twice there, without a name, with markers of what is not known, with numbers,
dates and lists for texts, below titles, above formatted emptiness.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from support_inventories import write_workbook

Cells = list[Any]
Said = dict[str, str]
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Table:
    """A file, and the fate of its rows in a session without data.

    `rows` are those that are not blank, headers apart. `rejected` are the sheets and numbers of those that
    cannot be taken. `implied` assets are only mentioned.
    """

    seed: int
    kind: str
    format: str
    content: bytes
    rows: int
    created: int
    joined: int
    rejected: frozenset[Place]
    implied: int = 0


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: what it may be called, its part in what a row is about, and its cells."""

    names: Sequence[str]
    part: str
    make: Callable[[Random, int], Any]


_UNKNOWN = ("", "-", "n/a", "N/A", "unknown", "null", "-1", "--", "none", "?")
_BLANK = ("", None, " ")
_WORDS = {
    "cp1252": ("café", "straße", "Málaga", "Ørsted"),
    "cp1250": ("Łódź", "příliš", "Győr"),
    "cp1251": ("сервер", "база", "Москва"),
    "cp932": ("東京", "サーバ", "大阪"),
    "gb18030": ("服务器", "数据库"),
    "utf-16": ("Ürün", "東京", "сервер"),
    "utf-8": ("web", "Zürich", "東京", "сервер", "a,b", 'quo"te', "two\nlines", "semi;colon", "tab\there"),
    "": ("web", "app", "db", "mail"),
}
FORMATS = (",", ";", "\t", "|", "xlsx", "json", "jsonl", "parquet", "arrow", "arrows")
_TEXT = FORMATS[:4]
_NAMED = FORMATS[5:]


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
    _Column(("Notes", "Remarks"), "", _pick("", "x" * 300, 3.0, True, "=1+1", "a;b", date(1999, 12, 31))),
    _Column(("Installed", "Last seen"), "", _moment),
    _Column(("Patched", "Backup"), "", _pick(True, False)),
    _Column(("Load", "Price"), "", _pick(0.1, 1e-9, -3, float("nan"), 2**60, "1e5")),
)
_SIZES = (
    _Column(("Memory (GB)", "memory_mb", "RAM MiB", "Memory"), "", _size),
    _Column(("vCPUs", "vcpu"), "", _pick(1, 2.0, "4", "500m", "8 vCPU", "four", None)),
    _Column(("Disk (GB)", "disk"), "", _size),
)
_IP = _Column(("IP Address", "ip_address"), "", _address)
_SYSTEM = _pick("RHEL 8 (64-bit)", "Windows Server 2019", "", None)
_COLUMNS: dict[str, Sequence[_Column]] = {
    "table": (
        _Column(("Name", "Server name", "display_name", "Computer", "VM"), "name", _NAME),
        _Column(("UUID", "Instance ID", "resource_id"), "id", _uuid),
        _Column(("FQDN", "hostname", "DNS Name"), "host", _HOST),
        _Column(("Serial number", "serial"), "tag", lambda chance, number: f"SN{number}"),
        _Column(("Site", "Datacenter", "region"), "location", _SITES),
        _Column(("OS", "Operating System"), "", _SYSTEM),
        _Column(("Environment", "env"), "", _pick("prod", "test")),
        _IP,
        *_SIZES,
        *_ODD,
    ),
    "azure_migrate": (
        _Column(("Machine Name",), "name", _NAME),
        _Column(("Machine ID",), "id", lambda c, n: f"/subscriptions/x/VMwareSites/s/machines/{_uuid(c, n)}"),
        _Column(("Boot Type",), "", _pick("BIOS", "UEFI")),
        _Column(("Power Stats",), "", _pick("ON", "OFF")),
        _Column(("Total Disks",), "", _pick(1, -1)),
        _Column(("First Discovery Time",), "", _moment),
        _Column(("Software Inventory Count",), "", _pick(-1, 12)),
        _Column(("IP Addresses",), "", _address),
        *_SIZES[:1],
        *_ODD,
    ),
    "aws_migration_factory": (
        _Column(("server_name",), "name", _NAME),
        _Column(("server_fqdn",), "host", _HOST),
        _Column(("wave_name",), "", _pick("Wave 1", "Wave 2")),
        _Column(("app_name",), "", _pick("hr", "shop")),
        _Column(("r_type",), "", _pick("Rehost", "Re-Platform", "odd")),
        _Column(("aws_region",), "", _pick("us-east-1")),
        _Column(("server_tier",), "", _pick("web", "db")),
        _Column(("subnet_IDs",), "", _pick("subnet-1;subnet-2", ["subnet-1", "subnet-2"])),
        _Column(("server_os_family",), "", _pick("linux", "windows")),
        _Column(("tags",), "", _pick("a=1;b=2", "a=1;a=2;c", "=;;=x", {"Cost": 7})),
    ),
    "netbox_devices": (
        _Column(("Name",), "name", _NAME),
        _Column(("Site",), "location", _SITES),
        _Column(("Tenant",), "tenant", _pick("Dunder-Mifflin, Inc.", "Other")),
        _Column(("Serial number",), "tag", lambda chance, number: chance.choice((f"SN{number}", ""))),
        _Column(("Rack",), "rack", _pick("R1", "R2", "")),
        _Column(("Position (U)",), "position", lambda chance, number: chance.choice((f"{number}.0", ""))),
        _Column(("Role",), "", _pick("Router", "Patch Panel", "Server")),
        _Column(("Manufacturer",), "", _pick("Cisco", "Dell")),
        _Column(("Type",), "type", _pick("ISR 1111", "Dell M640")),
        _Column(("Platform",), "", _SYSTEM),
    ),
    "netbox_virtual_machines": (
        _Column(("Name",), "name", _NAME),
        _Column(("Site",), "location", _SITES),
        _Column(("Cluster",), "cluster", _pick("C1", "C2")),
        _Column(("Tenant",), "tenant", _pick("Dunder", "Other", "")),
        _Column(("vCPUs",), "", _pick(1, "2.00", "")),
        _Column(("Status",), "", _pick("active", "offline")),
        _Column(("Role",), "", _pick("Web", "Db")),
        _Column(("Platform",), "", _SYSTEM),
        *_SIZES[::2],
    ),
    "netbox_cables": (
        _Column(("Cable ID", "id"), "cable", lambda chance, number: number),
        _Column(("Device A", "Side A Device"), "source", lambda chance, number: f"d{chance.randrange(9)}"),
        _Column(("Device B", "Side B Device"), "target", lambda chance, number: f"d{chance.randrange(9)}"),
        _Column(("Type",), "", _pick("cat6", "dac")),
    ),
    "azure_dependencies": (
        _Column(("Source server name",), "source", lambda chance, number: f"app{chance.randrange(6)}"),
        _Column(("Destination server name",), "target", lambda chance, number: f"db{chance.randrange(6)}"),
        _Column(("Destination IP",), "address", lambda chance, number: f"20.0.0.{chance.randrange(1, 5)}"),
        _Column(("Destination port",), "port", _pick(443, 1433, "443", "70000", "https", "")),
        _Column(("Source process",), "process", _pick("java", "")),
        _Column(("Source application",), "", _pick("App", "")),
        _Column(("Timeslot", "Time slot"), "", _pick("2025-06-14 00:00", "2025-06-13 18:00", "soon")),
    ),
}
KINDS = (*_COLUMNS, "rvtools")
_FLOWS = ("netbox_cables", "azure_dependencies")


def table(seed: int) -> Table:
    """The table of a seed; each kind has its turn."""
    chance = Random(seed)
    kind = KINDS[seed % len(KINDS)]
    return _estate(seed, chance) if kind == "rvtools" else _Single(seed, chance, kind).table()


class _Single:
    """A file with one table."""

    def __init__(self, seed: int, chance: Random, kind: str) -> None:
        self._seed, self._chance, self._kind = seed, chance, kind
        self._format = chance.choice(FORMATS)
        self._is_text = self._format in _TEXT
        self._is_named = self._format in _NAMED
        self._encoding = chance.choice(list(_WORDS)) if self._is_text else "utf-8"
        columns = list(_COLUMNS[kind])
        chance.shuffle(columns)
        self._columns = columns
        self._header = [chance.choice(column.names) for column in columns]
        # Its columns are to be told by what they hold, so those hold what they should.
        self._is_headless = kind == "table" and not self._is_named and chance.random() < 0.1
        if self._is_headless:
            parts = ("name", "id", "host")
            self._columns = [_Column((), part, c.make) for part in parts for c in columns if c.part == part]
        self._sheet = "" if self._format != "xlsx" else chance.choice(("Inventory", "Tabelle 1"))

    def table(self) -> Table:
        body = self._body()
        above: list[Cells] = []
        if not self._is_named and not self._is_headless:
            above = self._chance.choice(([], [], [["Inventory"], []], [["As of", "2026-01-02"]]))
        start = len(above) + (not self._is_named and not self._is_headless) + 1
        fates = [(number, self._fate(cells)) for number, cells in enumerate(body, start) if _is_filled(cells)]
        things = Counter(fate for _, fate in fates if fate is not None)
        # Nothing tells those apart that have no more than their place, and share it.
        crowded = {fate for fate, count in things.items() if fate[0] == "place" and count > 1}
        bad = frozenset((self._sheet, number) for number, fate in fates if fate is None or fate in crowded)
        made = things.keys() - crowded
        ends = {end for fate in made for end in fate[1:3]} if self._kind in _FLOWS else ()
        joined = len(fates) - len(made) - len(bad)
        content = self._written(above, body)
        return Table(
            self._seed, self._kind, self._format, content, len(fates), len(made), joined, bad, len(ends)
        )

    def _body(self) -> list[Cells]:
        chance, rows = self._chance, []
        words = _WORDS[self._encoding]
        for number in range(
            chance.choice((2, 5, 40)) if self._is_headless else chance.choice((1, 3, 30, 90))
        ):
            cells = [column.make(chance, number) for column in self._columns]
            if not self._is_headless:
                for index, column in enumerate(self._columns):
                    if chance.random() < (0.1 if column.part else 0.2):
                        cells[index] = chance.choice((*_UNKNOWN, *_BLANK))
                    elif column.part == "name" and chance.random() < 0.3:
                        cells[index] = chance.choice((f"{chance.choice(words)} {number}", number + 1000))
                rows += self._odd_rows(cells, rows)
            rows.append(cells)
        return rows

    def _odd_rows(self, cells: Cells, before: list[Cells]) -> list[Cells]:
        chance, width = self._chance, len(cells)
        match chance.randrange(25):
            case 0:
                return [[""] * width, []]
            case 1:
                return [[chance.choice(_BLANK)] * width]
            case 2 if before:
                return [list(chance.choice(before))]
            case 3 if before:  # JSON has its columns from the rows
                del cells[chance.randrange(1, width) :]
            case 4 if self._is_text:
                cells += ["", "over"]
            case 5 if not self._is_named:
                return [list(self._header)]
            case 6:
                return [[chance.choice(_UNKNOWN[1:])] * width]
            case 7 if self._format != "xlsx":  # there a formula is its value
                return [["=1+1" if column.part in ("name", "source") else "" for column in self._columns]]
        return []

    def _fate(self, cells: Cells) -> tuple[Any, ...] | None:
        """What a row is about; None where that cannot be told, or the row does not fit."""
        if any(map(_text, cells[len(self._columns) :])) or cells == self._header:
            return None
        padded = [*map(_text, cells), *[""] * len(self._columns)]
        said = {
            column.part: "" if text.casefold() in _UNKNOWN else text
            for column, text in zip(self._columns, padded, strict=False)
            if column.part
        }
        if self._kind in _FLOWS:
            return _flow(said)
        if not said.get("id") and not said.get("host") and said.get("name", "").startswith("="):
            return None
        return _thing(said, self._kind)

    def _written(self, above: list[Cells], body: list[Cells]) -> bytes:
        if self._is_named:
            return _named(self._chance, self._format, self._header, body)
        lines = [*above, *([] if self._is_headless else [self._header]), *body]
        if self._format == "xlsx":
            lines = [
                [str(cell) if isinstance(cell, list | dict) else cell for cell in cells] for cells in lines
            ]
            sheets: dict[str, Any] = {self._sheet: lines}
            if self._chance.random() < 0.3:
                sheets = {"About": [["Made by", "a tool"]], **sheets}
            return workbook(sheets, ghost_rows=self._chance.choice((0, 30)))
        sink = io.StringIO()
        end = self._chance.choice(("\n", "\r\n", "\r"))
        # Of Mac's line ends Python's writer does not know that a cell with others needs quotes.
        quoting = csv.QUOTE_ALL if end == "\r" else self._chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        csv.writer(sink, delimiter=self._format, quoting=quoting, lineterminator=end).writerows(lines)
        codecs = {
            "": ("ascii", "utf-8-sig"),
            "utf-16": ("utf-16", "utf-16-le"),
            "utf-8": ("utf-8", "utf-8-sig"),
        }
        codec = self._chance.choice(codecs.get(self._encoding, (self._encoding,)))
        return sink.getvalue().encode(codec)


def _thing(said: Said, kind: str) -> tuple[Any, ...] | None:
    name, host = said.get("name", ""), said.get("host", "").casefold()
    location, details = said.get("location", ""), (said.get("cluster", ""), said.get("tenant", ""))
    if said.get("id"):
        return "id", said["id"].casefold()
    if host:
        return "host", host, "" if name.casefold() in (host, host.partition(".")[0]) else name
    if name:
        return "name", name, location, *details
    if said.get("tag"):
        return "tag", said["tag"], *details
    if said.get("rack") and said.get("position"):
        return "place", *(said[part] for part in ("location", "rack", "position", "type"))
    return None


def _flow(said: Said) -> tuple[Any, ...] | None:
    source, target, port = said["source"], said["target"] or said.get("address", ""), said.get("port", "")
    if not source or not target or port in ("70000", "https"):
        return None
    return "flow", source, target, port, said.get("process", ""), said.get("cable", "")


def _estate(seed: int, chance: Random) -> Table:
    """An RVTools export: machines, their parts, and their hosts."""
    count = chance.choice((1, 5, 60))
    state, old = ("poweredOn", "False"), chance.random() < 0.5
    hosts = [f"esx-{number}.corp.example" for number in range(5)]
    size = "Provisioned MB" if old else "Provisioned MiB"
    sheets: dict[str, list[Cells]] = {
        "vInfo": [
            ["VM", "Powerstate", "Template", "CPUs", "Memory", size, "Datacenter", "Host", "VM ID", None]
        ]
    }
    machines: Counter[str] = Counter()
    rejected: set[Place] = set()
    mentioned: set[str] = set()
    joined = 0

    def add(sheet: str, cells: Cells, *, taken: bool = True) -> None:
        sheets[sheet].append(cells)
        if not taken:
            rejected.add((sheet, len(sheets[sheet])))

    for number in range(count):
        host = chance.choice((*hosts, "", None))
        row = [
            f"vm {number}",
            *state,
            2,
            4096,
            chance.choice((1024, -1, "n/a")),
            "DC",
            host,
            f"vm-{number}",
            None,
        ]
        for _ in range(1 + (chance.random() < 0.05)):
            add("vInfo", row)
            machines[row[0]] += 1
        mentioned |= {host} if host else set()
        if chance.random() < 0.05:
            add("vInfo", ["", *state, 1], taken=False)
        if chance.random() < 0.05:
            sheets["vInfo"].append([None, " "])
    joined += machines.total() - len(machines)
    made = len(machines)
    for sheet, key in (("vDisk", "Capacity MiB"), ("vPartition", "Consumed MB"), ("vNetwork", "Network")):
        if chance.random() < 0.6:
            sheets[sheet] = [["VM", "Powerstate", "Template", key, "Datacenter"]]
            for _ in range(count):
                name = chance.choice((*machines, "gone", ""))
                # Which of two that are alike it is about, nothing tells.
                add(
                    sheet,
                    [name, *state, chance.choice((7, "x", None)), "DC"],
                    taken=len(name) > 0 and machines[name] < 2,
                )
                if name and machines[name] < 2:
                    joined += machines[name]
                    made += not machines[name]
                    machines[name] = 1
    if chance.random() < 0.7:
        sheets["vHost"] = [["Host", "Datacenter", "CPU Model", "# Cores", "# Memory"]]
        for host in chance.sample(hosts, 3):
            for copy in range(1 + (chance.random() < 0.1)):
                add("vHost", [host, "DC", "Xeon", 16, 1024])
                made, joined = made + (not copy), joined + copy
            mentioned.discard(host)
        add("vHost", ["", "DC"], taken=False)
    rows = sum(sum(map(_is_filled, lines)) - 1 for lines in sheets.values())
    content = workbook(sheets, ghost_rows=chance.choice((0, 20)))
    return Table(seed, "rvtools", "xlsx", content, rows, made, joined, frozenset(rejected), len(mentioned))


def workbook(sheets: dict[str, Any], *, ghost_rows: int = 0) -> bytes:
    """A workbook of these sheets."""
    sink = io.BytesIO()
    write_workbook(sink, sheets, ghost_rows=ghost_rows)  # type: ignore[arg-type]  # openpyxl takes both
    return sink.getvalue()


def _named(chance: Random, format_: str, header: list[str], body: list[Cells]) -> bytes:
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
        array = pa.array([None if value is None else _text(value) for value in values])
    return array.dictionary_encode() if pa.types.is_string(array.type) and len(values) % 2 else array


def _is_filled(cells: Cells) -> bool:
    return any(map(_text, cells))


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value).strip()
