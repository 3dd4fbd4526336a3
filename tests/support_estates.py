"""Files that several tools write about the same few machines, which each calls as it likes."""

import csv
import io
from collections.abc import Sequence
from random import Random
from typing import Any

from support_cells import workbook

Lines = list[Sequence[Any]]

_MACHINES = 8
_DOMAIN = "corp.example"


def estate_files(seed: int, count: int) -> list[bytes]:
    """Such files, in the order in which they are imported."""
    chance = Random(seed)
    makers = (_table, _flows, _cables, _devices, _export)
    return [chance.choice(makers)(chance) for _ in range(count)]


def _name(chance: Random) -> str:
    number = chance.randrange(_MACHINES)
    short = f"app{number}"
    return chance.choice((short, short, short.upper(), f"{short}.{_DOMAIN}", f"App{number}.Corp.Example"))


def _host(chance: Random) -> str:
    return chance.choice(("", f"app{chance.randrange(_MACHINES)}.{_DOMAIN}"))


def _address(chance: Random) -> str:
    return chance.choice(("", f"10.0.0.{chance.randrange(_MACHINES)}"))


def _id(chance: Random) -> str:
    return chance.choice(("", f"u-{chance.randrange(_MACHINES)}"))


def _site(chance: Random) -> str:
    return chance.choice(("", "Akron", "Albany"))


def _text(lines: Lines) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def _size(chance: Random) -> range:
    return range(chance.choice((3, 25)))


def _table(chance: Random) -> bytes:
    lines: Lines = [("Name", "UUID", "FQDN", "IP", "Type", "Site", "OS")]
    for _ in _size(chance):
        type_, system = chance.choice(("server", "database", "")), chance.choice(("Linux", "Windows", ""))
        name = chance.choice((_name(chance), _name(chance), ""))
        lines.append((name, _id(chance), _host(chance), _address(chance), type_, _site(chance), system))
    return _text(lines)


def _flows(chance: Random) -> bytes:
    lines: Lines = [
        ("Time slot", "Source server name", "Source IP", "Source process", "Destination server name",
         "Destination IP", "Destination process", "Destination port")
    ]  # fmt: skip
    for _ in _size(chance):
        ends = [chance.choice(((_name(chance), ""), ("", _address(chance)))) for _ in range(2)]
        lines.append(("2025-06-14", *ends[0], "java", *ends[1], "pg", chance.choice((1, 2))))
    return _text(lines)


def _cables(chance: Random) -> bytes:
    cables = [(chance.choice((number, "")), _name(chance), _name(chance)) for number in _size(chance)]
    return _text([("Cable ID", "Device A", "Device B"), *cables])


def _devices(chance: Random) -> bytes:
    lines: Lines = [("Name", "Site", "Tenant", "Role", "Manufacturer", "Type", "Serial number")]
    for _ in _size(chance):
        name, serial = chance.choice((_name(chance), "")), chance.choice(("", chance.randrange(_MACHINES)))
        lines.append((name, _site(chance), chance.choice(("T1", "")), "Router", "Cisco", "ISR", serial))
    return _text(lines)


def _export(chance: Random) -> bytes:
    state = ("poweredOn", "False")
    machines: Lines = [("VM", "Powerstate", "Template", "DNS Name", "Datacenter", "Host", "VM UUID")]
    for _ in _size(chance):
        host = chance.choice(("", _name(chance)))
        machines.append((_name(chance), *state, _host(chance), _site(chance), host, _id(chance)))
    sheets = {"vInfo": machines}
    if chance.random() < 0.6:
        disks = [(_name(chance), *state, 7, _site(chance), _id(chance)) for _ in _size(chance)]
        sheets["vDisk"] = [("VM", "Powerstate", "Template", "Capacity MiB", "Datacenter", "VM UUID"), *disks]
    if chance.random() < 0.6:
        hosts = [(_name(chance), _site(chance), "Xeon", 16) for _ in range(4)]
        sheets["vHost"] = [("Host", "Datacenter", "CPU Model", "# Cores"), *hosts]
    return workbook(sheets)
