"""AWS Cloud Migration Factory's list of servers: what is to move where, and in which wave.

The list is a plan, so its region and its subnets are those that a server is to get. A server stays the same
when they are planned anew, and is known by its host name, else by its name alone.
"""

from collections.abc import Sequence

from mooring_server.ingest import values
from mooring_server.ingest.identity import identity_of
from mooring_server.ingest.inventory import Inventory, Reader, RejectedRow, Rows, asset_row
from mooring_server.ingest.mapping import COLUMN_NAME_MAX, FieldMap, Synonyms
from mooring_server.ingest.options import ReadOptions
from mooring_server.ingest.tables import OddRow, Source, Table
from mooring_server.ingest.telltales import Telltales, place_of

_TELLTALES = Telltales(
    needed=(("servername",),),
    usual=frozenset(
        ("wavename", "waveid", "appname", "rtype", "awsregion", "awsaccountid", "serverfqdn",
         "serverosfamily", "serverosversion", "servertier", "serverenvironment", "subnetids",
         "securitygroupids", "subnetidstest", "securitygroupidstest", "instancetype", "tenancy",
         "migrationstatus")
    ),
    least=5,
)  # fmt: skip

_SYNONYMS: Synonyms = {
    "hostname": ("serverfqdn",),
    "display_name": ("servername",),
    "ip_addresses": ("ipaddress", "serverip", "privateip"),
    "environment": ("serverenvironment", "environment"),
    "location": ("awsregion", "region"),
    "operating_system": ("serverosversion", "serverosfamily"),
    "application": ("appname",),
    "networks": ("subnetids",),
    "migration_status": ("migrationstatus",),
    "migration_strategy": ("rtype",),
    "migration_wave": ("wavename", "waveid"),
}
_STRATEGIES = frozenset(
    ("rehost", "replatform", "refactor", "rearchitect", "retire", "retain", "repurchase", "relocate")
)


def _confidence(source: Source) -> float:
    return 1.0 if _TELLTALES.find(source) is not None else 0.0


def _open(source: Source, options: ReadOptions) -> Inventory:
    table = _TELLTALES.find(source)
    if table is None:
        raise ValueError("the confidence was 0")
    servers = _Servers(table, options)
    return Inventory(
        READER.kind,
        READER.kind,
        table.sheet.name,
        servers.field_map.uses,
        table.row_total,
        servers.rows,
        source.notes(table) + servers.field_map.notes,
    )


class _Servers:
    """The rows of a list."""

    def __init__(self, table: Table, options: ReadOptions) -> None:
        self._table = table
        self._asset_type = options.asset_type or "server"
        self.field_map = FieldMap(table.columns, _SYNONYMS, wanted=options.columns)
        self._family = place_of(table.columns, ("serverosfamily",))
        self._tags = next((column.name for column in table.columns if column.key == "tags"), None)

    def rows(self, notes: list[str]) -> Rows:
        sheet = self._table.sheet.name
        for row, cells in self._table.rows(notes):
            if isinstance(cells, OddRow):
                yield RejectedRow(sheet, row, cells.reason)
                continue
            fields, attributes = self._read(cells)
            identity = identity_of({name: value for name, value in fields.items() if name != "location"})
            if identity is None:
                yield RejectedRow(sheet, row, "it has neither a server name nor a full domain name")
            else:
                yield asset_row(sheet, row, identity, self._asset_type, fields, attributes)

    def _read(self, cells: Sequence[str]) -> tuple[dict[str, object], dict[str, str]]:
        fields, attributes = self.field_map.read(cells)
        system = str(fields.get("operating_system", ""))
        family = "" if self._family is None else cells[self._family]
        if system and not values.is_unknown(family) and family.casefold() not in system.casefold():
            fields["operating_system"] = f"{family} {system}"
        if strategy := str(fields.get("migration_strategy", "")):
            fields["migration_strategy"] = _strategy(strategy)
        if self._tags is not None and (text := attributes.pop(column := self._tags, "")):
            attributes |= _tags(column, text)
        return fields, attributes


def _strategy(text: str) -> str:
    """One of the known strategies however it is written (`Re-Host`), any other as it is."""
    plain = text.casefold().replace("-", "").replace(" ", "")
    return plain if plain in _STRATEGIES else text


def _tags(column: str, text: str) -> dict[str, str]:
    """The tags of a cell as attributes; what is no tag stays in the column's own."""
    tags: dict[str, str] = {}
    left = []
    for piece in (piece.strip() for piece in text.split(";")):
        key, _, value = (part.strip() for part in piece.partition("="))
        name = f"{column}.{key}"
        if key and value and name not in tags and len(name) <= COLUMN_NAME_MAX:
            tags[name] = value
        elif piece:
            left.append(piece)
    return {**tags, column: ";".join(left)} if left else tags


READER = Reader("aws_migration_factory", "AWS Cloud Migration Factory servers", _confidence, _open)
