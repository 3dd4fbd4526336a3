"""Azure Migrate's export of dependencies: which process of which machine spoke to which port of which other.

The same flow is told once for each time slot in which it was seen. Rows that differ in that alone are one
dependency with the first and the last of their time slots. An end is known by its name, and its address
serves where it has none, as machines outside of what was discovered do. A machine that speaks to itself is an
end twice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from sys import intern

from mooring_server.ingest import values
from mooring_server.ingest.inventory import DependencyRow, End, Inventory, Reader, RejectedRow, Rows
from mooring_server.ingest.mapping import Column
from mooring_server.ingest.options import ColumnUse, ReadOptions
from mooring_server.ingest.tables import OddRow, Source, Table
from mooring_server.ingest.telltales import Telltales, place_of

_NAMES = ("servername", "machinename", "server", "machine", "name")
_ADDRESSES = ("ip", "ipaddress", "ipaddresses")
_PROCESSES = ("process", "processname")
_SOURCE, _TARGET = ("source",), ("destination", "target")
_SLOTS = ("timeslot", "timeslots", "timestamp")


def _keys(sides: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(side + name for side in sides for name in names)


_PORTS = (*_keys(_TARGET, ("port", "portnumber")), "port")
_TELLTALES = Telltales(
    needed=(
        _keys(_SOURCE, (*_NAMES, *_ADDRESSES)),
        _keys(_TARGET, (*_NAMES, *_ADDRESSES)),
        _keys(_TARGET, ("port", "portnumber")),
    ),
    usual=frozenset(
        (
            *_SLOTS,
            *_keys((*_SOURCE, *_TARGET), _PROCESSES),
            *_keys((*_SOURCE, *_TARGET), ("application", "applicationname", "vlan")),
        )
    ),
    least=1,
)

_PORT = re.compile("([0-9]{1,5})(?:[.]0)?")
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class _Flow:
    """What tells one dependency from another."""

    source: End
    target: End
    port: int | None
    protocol: str
    source_process: str
    target_process: str


@dataclass(slots=True)
class _Seen:
    """The rows of a flow: the first one's number and other cells, and the time slots of all."""

    row: int
    cells: tuple[str, ...]
    first_slot: str
    last_slot: str
    count: int = 1

    def add(self, cells: tuple[str, ...], slot: str) -> None:
        self.count += 1
        self.cells = tuple(mine or theirs for mine, theirs in zip(self.cells, cells, strict=True))
        if slot and (not self.first_slot or _is_before(slot, self.first_slot)):
            self.first_slot = slot
        if slot and (not self.last_slot or not _is_before(slot, self.last_slot)):
            self.last_slot = slot


class _Flows:
    """The rows of an export."""

    def __init__(self, table: Table) -> None:
        self._table = table
        columns = table.columns
        self._source = _EndColumns.of(columns, _SOURCE)
        self._target = _EndColumns.of(columns, _TARGET)
        self._port = place_of(columns, _PORTS)
        self._protocol = place_of(columns, ("protocol", *_keys(_TARGET, ("protocol",))))
        self._slot = place_of(columns, _SLOTS)
        used = {self._port, self._protocol, self._slot, *self._source.used, *self._target.used}
        self._others = [column for column in columns if column.index not in used]
        # What an end does not take of its addresses is kept like any other cell.
        self._addresses = {
            ends.address: attrgetter(side)
            for ends, side in ((self._source, "source"), (self._target, "target"))
            if ends.address is not None
        }

    def rows(self, notes: list[str]) -> Rows:
        sheet = self._table.sheet.name
        flows: dict[_Flow, _Seen] = {}
        for row, cells in self._table.rows(notes):
            if isinstance(cells, OddRow):
                yield RejectedRow(sheet, row, cells.reason)
                continue
            try:
                flow = self._flow(cells)
            except ValueError as refusal:
                yield RejectedRow(sheet, row, str(refusal))
                continue
            others = tuple(self._left(cells, flow, column.index) for column in self._others)
            slot = _known(cells, self._slot)
            if flow in flows:
                flows[flow].add(others, slot)
            else:
                flows[flow] = _Seen(row, others, slot, slot)
        for flow, seen in flows.items():
            yield DependencyRow(
                sheet=sheet,
                row=seen.row,
                source=flow.source,
                target=flow.target,
                kind="flow",
                port=flow.port,
                protocol=flow.protocol,
                source_process=flow.source_process,
                target_process=flow.target_process,
                attributes=self._attributes(seen),
                joined=seen.count - 1,
            )

    def _flow(self, cells: Sequence[str]) -> _Flow:
        return _Flow(
            self._source.end(cells, "source"),
            self._target.end(cells, "destination"),
            self._port_of(cells),
            _known(cells, self._protocol).casefold(),
            _known(cells, self._source.process),
            _known(cells, self._target.process),
        )

    def _left(self, cells: Sequence[str], flow: _Flow, index: int) -> str:
        text = _known(cells, index)
        if (end_of := self._addresses.get(index)) is None:
            return text
        return "" if text.strip("[];") == end_of(flow).ip_address else text

    def _port_of(self, cells: Sequence[str]) -> int | None:
        text = _known(cells, self._port)
        match = _PORT.fullmatch(text)
        port = int(match[1]) if match else 0
        if text and not 1 <= port <= _PORT_MAX:
            raise ValueError(f"its destination port is `{text}`, but ports are numbers from 1 to {_PORT_MAX}")
        return port or None

    def _attributes(self, seen: _Seen) -> dict[str, str]:
        attributes = {
            column.name: text for column, text in zip(self._others, seen.cells, strict=True) if text
        }
        if self._slot is not None and seen.first_slot:
            name = self._table.columns[self._slot].name
            if seen.first_slot == seen.last_slot:
                attributes[name] = seen.first_slot
            else:
                attributes |= {f"{name} (first)": seen.first_slot, f"{name} (last)": seen.last_slot}
        return attributes


@dataclass(frozen=True, slots=True)
class _EndColumns:
    """Where an end of a flow is told: the indices of its columns, as far as the export has them."""

    name: int | None
    address: int | None
    process: int | None

    @classmethod
    def of(cls, columns: Sequence[Column], sides: Sequence[str]) -> "_EndColumns":
        return cls(*(place_of(columns, _keys(sides, names)) for names in (_NAMES, _ADDRESSES, _PROCESSES)))

    @property
    def used(self) -> tuple[int | None, ...]:
        return self.name, self.process

    def end(self, cells: Sequence[str], which: str) -> End:
        """Raises ValueError, with the reason, where a row says nothing of this end."""
        end = _end(_known(cells, self.name), text := _known(cells, self.address))
        if end is None:
            said = f"`{text}` is no address" if text else "both are empty"
            raise ValueError(f"it has neither a name nor an address of its {which}: {said}")
        return end


@lru_cache(2**16)
def _end(name: str, text: str) -> End | None:
    """The end of this name and address, which most flows share with others; None where they say nothing."""
    addresses = values.ip_addresses(text) or ()
    if named := values.ip_addresses(name):
        name, addresses = "", addresses or named
    if not name and not addresses:
        return None
    return End(name=name, ip_address=addresses[0] if addresses else "")


def _known(cells: Sequence[str], index: int | None) -> str:
    """A cell, empty where nothing is known. The same few texts come again and again, so they are shared."""
    return "" if index is None or values.is_unknown(cells[index]) else intern(cells[index])


def _is_before(one: str, other: str) -> bool:
    """Whether a time is before another; of times that cannot be read the later row has the later one."""
    try:
        return datetime.fromisoformat(one) < datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False


def _confidence(source: Source) -> float:
    return 1.0 if _TELLTALES.find(source) is not None else 0.0


def _open(source: Source, options: ReadOptions) -> Inventory:
    table = _TELLTALES.find(source)
    if table is None:
        raise ValueError("the confidence was 0")
    return Inventory(
        READER.kind,
        READER.kind,
        table.sheet.name,
        tuple(ColumnUse(column.name, "") for column in table.columns),
        table.row_total,
        _Flows(table).rows,
        source.notes(table),
    )


READER = Reader("azure_dependencies", "Azure Migrate dependencies", _confidence, _open)
