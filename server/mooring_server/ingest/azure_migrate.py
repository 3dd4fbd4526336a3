"""Azure Migrate's discovery report: one row a machine that its appliance found.

The report's first sheet is about the project. In the other `-1` stands for what was not discovered, so it is
no count, and lists of addresses are written `[a,b,c];`. A machine is known by its `Machine ID`, the path of
its Azure resource; that path says which kind of site it was found in, and so whether it is a virtual machine.
"""

import re

from mooring_server.ingest import values
from mooring_server.ingest.identity import identity_of
from mooring_server.ingest.inventory import Inventory, Reader, RejectedRow, Rows, asset_row
from mooring_server.ingest.mapping import FieldMap, Synonyms
from mooring_server.ingest.options import ReadOptions
from mooring_server.ingest.tables import OddRow, Source, Table
from mooring_server.ingest.telltales import Telltales

_TELLTALES = Telltales(
    needed=(("machinename", "servername"),),
    usual=frozenset(
        ("machineid", "powerstats", "powerstatus", "boottype", "firstdiscoverytime", "lastupdatedtime",
         "totalnetworkadapters", "totaldisks", "softwareinventorycount", "sqldiscoveryservercount",
         "issqlservicepresent", "webapplicationscount")
    ),
    least=4,
)  # fmt: skip

_SYNONYMS: Synonyms = {
    "external_id": ("machineid",),
    "display_name": ("machinename", "servername"),
    "hostname": ("fqdn", "dnsname"),
    "ip_addresses": ("ipaddresses", "ipaddress"),
    "mac_addresses": ("macaddresses", "macaddress"),
    "environment": ("environment",),
    "operating_system": ("operatingsystem", "operatingsystemname", "osname"),
    "status": ("powerstats", "powerstatus", "powerstate"),
    "cpu_cores": ("cores", "cpus"),
    "memory_bytes": ("memory",),
    "storage_bytes": ("storage", "totaldisksize"),
}
_VIRTUAL = re.compile("/(?:vmware|hyperv)sites/", re.IGNORECASE)
_PHYSICAL = re.compile("/serversites/", re.IGNORECASE)


def _confidence(source: Source) -> float:
    return 1.0 if _TELLTALES.find(source) is not None else 0.0


def _open(source: Source, options: ReadOptions) -> Inventory:
    table = _TELLTALES.find(source)
    if table is None:
        raise ValueError("the confidence was 0")
    field_map = FieldMap(table.columns, _SYNONYMS, wanted=options.columns)
    return Inventory(
        READER.kind,
        READER.kind,
        table.sheet.name,
        field_map.uses,
        table.row_total,
        lambda notes: _rows(table, field_map, options, notes),
        source.notes(table) + field_map.notes,
    )


def _rows(table: Table, field_map: FieldMap, options: ReadOptions, notes: list[str]) -> Rows:
    sheet = table.sheet.name
    for row, cells in table.rows(notes):
        if isinstance(cells, OddRow):
            yield RejectedRow(sheet, row, cells.reason)
            continue
        fields, attributes = field_map.read(cells)
        identity = identity_of(fields)
        if identity is None:
            yield RejectedRow(sheet, row, "it has neither a machine id nor a name")
            continue
        known = {name: text for name, text in attributes.items() if not values.is_unknown(text)}
        yield asset_row(sheet, row, identity, _type_of(fields, options), fields, known)


def _type_of(fields: dict[str, object], options: ReadOptions) -> str:
    machine_id = str(fields.get("external_id", ""))
    if _VIRTUAL.search(machine_id):
        return "virtual_machine"
    if _PHYSICAL.search(machine_id):
        return "server"
    return options.asset_type or "server"


READER = Reader("azure_migrate", "Azure Migrate discovery report", _confidence, _open)
