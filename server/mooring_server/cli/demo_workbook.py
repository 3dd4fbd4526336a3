"""A made-up RVTools export for the tour to import: the same call makes the same bytes, on every machine."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from uuid import NAMESPACE_DNS, uuid5
from xml.sax.saxutils import escape, quoteattr

NAME = "harbour-rvtools.xlsx"

Cell = str | int | None
Rows = Sequence[Sequence[Cell]]

_VM = ("VM", "Powerstate", "Template")
_PLACE = ("Datacenter", "Cluster", "Host", "VM ID", "VM UUID")
_INFO = (
    *_VM, "DNS Name", "CPUs", "Memory", "Primary IP Address", "Provisioned MiB", *_PLACE,
    "OS according to the VMware Tools", "Annotation", "Application", "Environment", "Owner",
)  # fmt: skip
_NETWORK = (*_VM, "NIC label", "Network", "Mac Address", "IPv4 Address", *_PLACE)
_PARTITION = (*_VM, "Disk", "Capacity MiB", "Consumed MiB", "Free MiB", *_PLACE)
_HOST = ("Host", "Datacenter", "Cluster", "CPU Model", "# CPU", "Cores per CPU", "# Cores", "# Memory",
         "# VMs", "ESX Version", "Vendor", "Model")  # fmt: skip

_HOSTS, _CORES, _MEMORY_MIB = 4, 32, 512 * 1024
_APPLICATIONS = ("berths", "cranes", "customs", "gates", "pilots", "tides", "yard")
_TIERS = {"web": 2, "app": 2, "db": 1}
_SYSTEMS = (
    "Ubuntu Linux (64-bit)",
    "Microsoft Windows Server 2019 (64-bit)",
    "Red Hat Enterprise Linux 9 (64-bit)",
)

_EPOCH = (2026, 1, 1, 0, 0, 0)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def rvtools_workbook() -> bytes:
    """An XLSX file with vInfo, vPartition, vNetwork and vHost of one small data centre."""
    chance = Random("harbour")  # noqa: S311 - made-up data, not a secret
    machines = list(_machines(chance))
    per_host = [sum(machine["Host"] == _host(number) for machine in machines) for number in range(_HOSTS)]
    return _xlsx(
        {
            "vInfo": [_INFO, *(tuple(machine.get(column) for column in _INFO) for machine in machines)],
            "vPartition": [_PARTITION, *_partitions(chance, machines)],
            "vNetwork": [_NETWORK, *_networks(machines)],
            "vHost": [
                _HOST,
                *(
                    (_host(number), "Harbour", f"quay-{1 + number % 2}", "Intel(R) Xeon(R) Gold 6338", 2, 16,
                     _CORES, _MEMORY_MIB, count, "VMware ESXi 8.0.3", "Dell Inc.", "PowerEdge R750")
                    for number, count in enumerate(per_host)
                ),
            ],
        }
    )  # fmt: skip


def _host(number: int) -> str:
    return f"esx{number + 1:02}.harbour.example"


def _machines(chance: Random) -> Iterator[dict[str, Cell]]:
    number = 0
    for application in _APPLICATIONS:
        system = chance.choice(_SYSTEMS)
        for environment in ("Production", "Test"):
            for tier, count in _TIERS.items():
                for copy in range(1, 1 + (count if environment == "Production" else 1)):
                    number += 1
                    name = f"{application}-{environment[0].lower()}-{tier}{copy:02}"
                    cores = chance.choice((4, 8) if tier == "db" else (2, 2, 4))
                    on = environment == "Production" or chance.random() < 0.8
                    yield {
                        "VM": name,
                        "Powerstate": "poweredOn" if on else "poweredOff",
                        "Template": "False",
                        "DNS Name": f"{name}.harbour.example" if on else None,
                        "CPUs": cores,
                        "Memory": cores * 4096,
                        "Primary IP Address": f"10.20.{number // 200}.{number % 200 + 10}" if on else None,
                        "Provisioned MiB": (500 if tier == "db" else 80) * 1024,
                        "Datacenter": "Harbour",
                        "Cluster": f"quay-{1 + number % _HOSTS % 2}",
                        "Host": _host(number % _HOSTS),
                        "VM ID": f"vm-{number}",
                        "VM UUID": str(uuid5(NAMESPACE_DNS, f"{name}.harbour.example")),
                        "OS according to the VMware Tools": system if on else None,
                        "Application": application,
                        "Environment": environment,
                        "Owner": chance.choice(("Operations", "Terminal", None)),
                    }


def _partitions(chance: Random, machines: Sequence[Mapping[str, Cell]]) -> Iterator[tuple[Cell, ...]]:
    for machine in machines:
        if machine["Powerstate"] == "poweredOn":
            consumed = chance.randrange(5_000, 60_000)
            yield (*_of(machine, _VM), "/", 81_920, consumed, 81_920 - consumed, *_of(machine, _PLACE))


def _networks(machines: Sequence[Mapping[str, Cell]]) -> Iterator[tuple[Cell, ...]]:
    for number, machine in enumerate(machines):
        network = f"harbour-{str(machine['Environment']).lower()}"
        mac = f"00:50:56:00:{number // 256:02x}:{number % 256:02x}"
        nic = ("Network adapter 1", network, mac, machine["Primary IP Address"])
        yield (*_of(machine, _VM), *nic, *_of(machine, _PLACE))


def _of(machine: Mapping[str, Cell], columns: Sequence[str]) -> list[Cell]:
    return [machine[column] for column in columns]


def _xlsx(sheets: Mapping[str, Rows]) -> bytes:
    """The least that is a workbook: texts in their cells, no styles."""
    numbers = range(1, len(sheets) + 1)
    kinds = [
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_CONTENT}.worksheet+xml"/>'
        for n in numbers
    ]
    names = [
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)
    ]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        f'PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>{"".join(kinds)}</Types>',
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{"".join(names)}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            [("worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
        ),
        **{f"xl/worksheets/sheet{n}.xml": _sheet(rows) for n, rows in enumerate(sheets.values(), 1)},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), head + text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _sheet(rows: Rows) -> str:
    written = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{written}</sheetData></worksheet>'


def _cell(value: Cell) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
