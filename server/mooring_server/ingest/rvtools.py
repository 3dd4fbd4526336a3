"""RVTools exports: virtual machines, what they are made of, and the hosts that they run on.

A row of `vInfo` is a virtual machine; a template is one as well. Old versions call the sizes `Provisioned MB`
and `In Use MB`, new ones `Provisioned MiB` and `In Use MiB`: the numbers are the same, MiB. `Memory` names no
unit and is MiB too. The operating system is the one that VMware Tools saw running, else the one that somebody
configured.

A row of `vCPU`, `vMemory`, `vDisk`, `vPartition` or `vNetwork` joins its machine. It fills what `vInfo`
leaves empty, adds addresses and networks, and is kept in the attribute of its sheet's name, a JSON array,
without the cells that only repeat the machine's own. A row of `vHost` is a server. A machine that names a
host depends on it.

A VM is known by its `VM UUID`. Where that is missing or, as copies can have it, on several rows, its `VM
ID` is no substitute, being unique in its vCenter alone: then its host name, name and datacenter are its
identity (see `identity.py`), and with them its `VM ID`, host and folder where even those are not alone in
the export.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mooring_server.ingest.identity import identity, identity_of
from mooring_server.ingest.inventory import (
    AssetRow,
    DependencyRow,
    End,
    Inventory,
    Reader,
    RejectedRow,
    Rows,
    asset_row,
)
from mooring_server.ingest.mapping import FieldMap, Synonyms
from mooring_server.ingest.options import ReadOptions
from mooring_server.ingest.rvtools_hosts import SYNONYMS as HOST_SYNONYMS
from mooring_server.ingest.rvtools_hosts import Hosts, Mention
from mooring_server.ingest.rvtools_machines import OF_MACHINE, Machine, Machines, known_cells
from mooring_server.ingest.rvtools_sheets import HOSTS, MACHINES, tables_of
from mooring_server.ingest.tables import OddRow, Source, Table

_SYNONYMS: Synonyms = {
    "external_id": ("vmuuid",),
    "hostname": ("dnsname",),
    "display_name": ("vm",),
    "ip_addresses": ("primaryipaddress",),
    "location": ("datacenter",),
    "platform": ("cluster", "host"),
    "operating_system": ("osaccordingtothevmwaretools", "osaccordingtotheconfigurationfile"),
    "status": ("powerstate",),
}
_MACHINE_SYNONYMS: Synonyms = {
    **_SYNONYMS,
    "cpu_cores": ("cpus",),
    "memory_bytes": ("memory",),
    "storage_bytes": ("provisioned",),
}
_UNITS = {"memory_bytes": "mib", "storage_bytes": "mib"}
# `Network #1` and so on, with the networks that `vNetwork` tells adapter by adapter.
_NETWORK = re.compile("network[0-9]+")
# What tells apart the rows that share all of the above.
_DETAILS = ("vmid", "host", "folder", "resourcepool")


def _confidence(source: Source) -> float:
    return 1.0 if tables_of(source) else 0.0


def _open(source: Source, options: ReadOptions) -> Inventory:
    tables = tables_of(source)
    if not tables:
        raise ValueError("the confidence was 0")
    main, *_ = tables.values()
    export = _Export(tables, options)
    read = [table.sheet for table in tables.values()]
    unread = ", ".join(f"`{sheet.name}`" for sheet in source.sheets if sheet not in read)
    return Inventory(
        READER.kind,
        # A sheet that does not list all machines cannot tell which are gone, so alone it is of its own.
        READER.kind if MACHINES in tables else f"{READER.kind}:{'+'.join(tables)}",
        main.sheet.name,
        export.maps[next(iter(tables))].uses,
        sum(table.row_total for table in tables.values()),
        export.rows,
        [f"Sheets that were not read: {unread}."] if unread else [],
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A machine's row, and the identities that it could have, the most stable first."""

    row: AssetRow
    identities: tuple[str, ...]


class _Export:
    """The sheets of an export, by RVTools' names for them."""

    def __init__(self, tables: Mapping[str, Table], options: ReadOptions) -> None:
        self._tables = tables
        self._details = {kind: table for kind, table in tables.items() if kind not in (MACHINES, HOSTS)}
        synonyms = {MACHINES: _MACHINE_SYNONYMS, HOSTS: HOST_SYNONYMS}
        self.maps = {
            kind: FieldMap(
                table.columns,
                synonyms.get(kind, _SYNONYMS),
                default_units=_UNITS,
                # What is said of columns is said of those that a preview shows: the first sheet's.
                wanted={} if index else options.columns,
            )
            for index, (kind, table) in enumerate(tables.items())
        }
        self._telling = {
            kind: [c.index for key in _DETAILS for c in table.columns if c.key == key]
            for kind, table in tables.items()
        }

    def rows(self, notes: list[str]) -> Rows:
        machines = Machines()
        yield from self._list(machines, notes)
        yield from self._join(machines, notes)
        hosts = Hosts()
        placed = []
        for machine, row in self._assets(machines, notes):
            yield row
            if host := machine.own.get("host"):
                location, cluster = (machine.own.get(key, "") for key in ("datacenter", "cluster"))
                mention = Mention(row.sheet, row.row, host, location, cluster)
                hosts.mention(mention)
                placed.append((_end(row), mention))
        if HOSTS in self._tables:
            yield from hosts.listed(self._tables[HOSTS], self.maps[HOSTS], notes)
        yield from hosts.implied()
        # Dependencies come last: by then all that they can be between is known.
        for end, mention in placed:
            yield DependencyRow(mention.sheet, mention.row, end, hosts.end(mention), "runs_on", derived=True)

    def _list(self, machines: Machines, notes: list[str]) -> Iterator[RejectedRow]:
        """Finds the machines of `vInfo`."""
        table = self._tables.get(MACHINES)
        if table is None:
            return
        keys = OF_MACHINE.union(column.key for each in self._details.values() for column in each.columns)
        networks = [column.index for column in table.columns if _NETWORK.fullmatch(column.key)]
        for row, cells in table.rows(notes):
            draft = self._draft(MACHINES, row, cells)
            if isinstance(draft, RejectedRow):
                yield draft
            elif not isinstance(cells, OddRow):
                machine = Machine(MACHINES, row, draft.identities, known_cells(table.columns, cells, keys))
                machine.enlist("networks", [cells[index] for index in networks])
                machines.add(machine)

    def _join(self, machines: Machines, notes: list[str]) -> Iterator[RejectedRow]:
        """Gives the rows of the other sheets to their machines, and makes those that `vInfo` lacks."""
        for kind, table in self._details.items():
            for row, cells in table.rows(notes):
                if isinstance(cells, OddRow):
                    yield RejectedRow(table.sheet.name, row, cells.reason)
                    continue
                said = known_cells(table.columns, cells)
                try:
                    machine = machines.about(said)
                except ValueError as refusal:
                    yield RejectedRow(table.sheet.name, row, str(refusal))
                    continue
                if machine is not None:
                    machine.joined += 1
                else:
                    draft = self._draft(kind, row, cells)
                    if isinstance(draft, RejectedRow):
                        yield draft
                        continue
                    machine = Machine(kind, row, draft.identities, said)
                    machines.add(machine)
                machine.add(kind, table.columns, cells)

    def _assets(self, machines: Machines, notes: list[str]) -> Iterator[tuple[Machine, AssetRow]]:
        """Each machine and its row."""
        identities = _chosen(machines.all)
        for kind, table in self._tables.items():
            # Read once more rather than kept: of a large estate, only what the others need is in memory.
            made = {machine.row: machine for machine in machines.all if machine.kind == kind}
            for row, cells in table.rows([]) if made else ():
                machine = made.get(row)
                if machine is None or isinstance(draft := self._draft(kind, row, cells), RejectedRow):
                    continue
                yield (
                    machine,
                    replace(
                        draft.row,
                        identity=identities[machine],
                        fields=machine.complete(draft.row.fields),
                        attributes={**draft.row.attributes, **machine.attributes},
                        joined=machine.joined,
                    ),
                )
        if shared := sum(identity != machine.identities[0] for machine, identity in identities.items()):
            notes.append(
                f"VMs that share their VM UUID or name with another and were told apart by more: {shared}."
            )

    def _draft(self, kind: str, row: int, cells: Sequence[str] | OddRow) -> _Draft | RejectedRow:
        table = self._tables[kind]
        if isinstance(cells, OddRow):
            return RejectedRow(table.sheet.name, row, cells.reason)
        fields, attributes = self.maps[kind].read(cells)
        identities = tuple(dict.fromkeys(self._identities(kind, cells, fields)))
        if not identities:
            reason = "it names no VM: VM UUID, DNS name and VM are empty"
            return RejectedRow(table.sheet.name, row, reason)
        if kind != MACHINES:
            of_machine = {column.name for column in table.columns if column.key in OF_MACHINE}
            attributes = {name: text for name, text in attributes.items() if name in of_machine}
        found = asset_row(table.sheet.name, row, identities[0], "virtual_machine", fields, attributes)
        return found if isinstance(found, RejectedRow) else _Draft(found, identities)

    def _identities(self, kind: str, cells: Sequence[str], fields: dict[str, object]) -> Iterator[str]:
        whole = identity_of(fields)
        if whole is None:
            return
        yield whole
        plain = identity_of({name: value for name, value in fields.items() if name != "external_id"})
        if plain is not None:
            yield plain
        prefix, _, key = whole.partition(":")
        yield identity(prefix, key, *(cells[index] for index in self._telling[kind]))


def _chosen(machines: Sequence[Machine]) -> dict[Machine, str]:
    """Each machine's first identity that no other has. What `vInfo` lacks changes nothing for what it has."""
    chosen: dict[Machine, str] = {}
    taken: set[str] = set()
    for is_listed in (True, False):
        group = [machine for machine in machines if (machine.kind == MACHINES) is is_listed]
        count_of = Counter(key for machine in group for key in machine.identities)
        for machine in group:
            free = (key for key in machine.identities if count_of[key] == 1 and key not in taken)
            chosen[machine] = next(free, machine.identities[-1])
        taken.update(count_of)
    return chosen


def _end(row: AssetRow) -> End:
    name, hostname, external_id, location = (
        str(row.fields.get(field, "")) for field in ("display_name", "hostname", "external_id", "location")
    )
    return End(name, hostname, external_id, location=location, type=row.type)


READER = Reader("rvtools", "RVTools export", _confidence, _open)
