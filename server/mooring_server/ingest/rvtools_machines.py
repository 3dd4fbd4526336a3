"""The virtual machines of an RVTools export, and which of them a row of another sheet is about.

`vInfo` has a row for each. The other sheets have a row for each of its disks, partitions or adapters, which
names it by its `VM UUID`, its `VM ID` or only its name; the first of these that some machine has decides.
Where several machines fit, the rest of what the row repeats of its machine tells them apart. A row of a
machine that `vInfo` lacks is that machine's own, and the rows after it can be about it too.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern

from mooring_server.ingest import values
from mooring_server.ingest.mapping import Column

# By these columns a row names its machine, the surest first.
_KEYS = ("vmuuid", "vmid", "vm")
# These never differ between a machine and a row about it, where both say something.
_FIXED = ("vmuuid", "vmid", "datacenter", "visdkuuid", "visdkserver")
_TELLING = ("vm", "cluster", "host", "folder", "resourcepool")
_ADDRESSES = ("ipv4address", "ipv6address", "ipaddress", "ipaddresses")

OF_MACHINE = frozenset(
    (*_KEYS, *_FIXED, *_TELLING, "powerstate", "template", "srmplaceholder", "annotation", "visdkservertype",
     "visdkapiversion", "osaccordingtotheconfigurationfile", "osaccordingtothevmwaretools")
)  # fmt: skip
"""The columns that sheets of machines share: they are about the machine, whatever else the sheet is about."""


@dataclass(slots=True, eq=False)
class Machine:
    """A machine: the sheet (by RVTools' name) and row that it is from, and what other rows say of it.

    `own` has those of its row's known cells that other sheets repeat, by `Column.key`; `details` the rows of
    each sheet as JSON objects.
    """

    kind: str
    row: int
    identities: tuple[str, ...]
    own: dict[str, str]
    joined: int = 0
    details: dict[str, list[str]] = field(default_factory=dict)
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    storage_bytes: int | None = None
    lists: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, columns: Sequence[Column], cells: Sequence[str]) -> None:
        """Takes what a row of the sheet `kind` says."""
        said = {
            column.name: cells[column.index]
            for column in columns
            if not values.is_unknown(cells[column.index]) and cells[column.index] != self.own.get(column.key)
        }
        if said:
            text = json.dumps(said, ensure_ascii=False, separators=(", ", ": "))
            self.details.setdefault(kind, []).append(text)
        for column in columns:
            if not values.is_unknown(cells[column.index]):
                self._measure(kind, column, cells[column.index])

    def _measure(self, kind: str, column: Column, text: str) -> None:
        match kind, column.key:
            case "vCPU", "cpus":
                self.cpu_cores = values.cores(text)
            case "vMemory", "size":
                self.memory_bytes = _mebibytes(column, text)
            case "vDisk", "capacity":
                self.storage_bytes = (self.storage_bytes or 0) + (_mebibytes(column, text) or 0) or None
            case "vNetwork", "macaddress":
                self.enlist("mac_addresses", values.mac_addresses(text) or ())
            case "vNetwork", "network":
                self.enlist("networks", (text,))
            case "vNetwork", key if key in _ADDRESSES:
                self.enlist("ip_addresses", values.ip_addresses(text) or ())

    def enlist(self, name: str, texts: Iterable[str]) -> None:
        """Adds those of the texts that are new and known to a field that is a list."""
        listed = self.lists.setdefault(name, [])
        listed += [
            text for text in dict.fromkeys(texts) if text not in listed and not values.is_unknown(text)
        ]

    def complete(self, fields: Mapping[str, object]) -> dict[str, object]:
        """The fields of its own row, with what the other sheets know beyond them."""
        measured = {name: getattr(self, name) for name in ("cpu_cores", "memory_bytes", "storage_bytes")}
        known: dict[str, object] = {name: value for name, value in measured.items() if value is not None}
        known |= fields
        for name, texts in self.lists.items():
            mine = fields.get(name, ())
            if merged := dict.fromkeys((*(mine if isinstance(mine, tuple) else ()), *texts)):
                known[name] = tuple(merged)
        return known

    @property
    def attributes(self) -> dict[str, str]:
        """The rows of each other sheet as one JSON array, by the sheet's name."""
        return {kind: f"[{', '.join(rows)}]" for kind, rows in self.details.items()}


class Machines:
    """All machines, found by what other rows say of them."""

    def __init__(self) -> None:
        self.all: list[Machine] = []
        self._by_key: dict[str, dict[str, list[Machine]]] = {key: {} for key in _KEYS}

    def add(self, machine: Machine) -> None:
        """Adds a machine."""
        self.all.append(machine)
        for key, found in self._by_key.items():
            if text := machine.own.get(key):
                found.setdefault(text.casefold(), []).append(machine)

    def about(self, said: Mapping[str, str]) -> Machine | None:
        """The machine that a row is about which says this, by `Column.key`; None where there is none.

        Raises:
            ValueError: there are several, and nothing tells which; the message says so.
        """
        for key, machines in self._by_key.items():
            text = said.get(key)
            if not text:
                continue
            found = [each for each in machines.get(text.casefold(), ()) if _may_be(each, said)]
            for telling in _TELLING:
                if len(found) > 1 and telling in said:
                    found = [each for each in found if each.own.get(telling) == said[telling]] or found
            if len(found) > 1:
                raise ValueError(
                    f"{len(found)} VMs are called `{text}`, and nothing tells which of them it is about"
                )
            if found:
                return found[0]
        return None


def _may_be(machine: Machine, said: Mapping[str, str]) -> bool:
    return all(
        key not in said or key not in machine.own or said[key].casefold() == machine.own[key].casefold()
        for key in _FIXED
    )


def _mebibytes(column: Column, text: str) -> int | None:
    return values.size_bytes(text, values.UNITS_BYTES.get(column.unit, 2**20))


def known_cells(
    columns: Sequence[Column], cells: Sequence[str], keys: frozenset[str] = OF_MACHINE
) -> dict[str, str]:
    """The cells of these columns that are known, by `Column.key`; the same texts are the same objects."""
    return {
        column.key: intern(cells[column.index])
        for column in columns
        if column.key in keys and not values.is_unknown(cells[column.index])
    }
