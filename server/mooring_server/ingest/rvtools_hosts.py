"""The hosts of an RVTools export: those of `vHost`, and those that machines name and `vHost` lacks.

A host is known by its name in vCenter: the full domain name, else the name (or the address) with its
datacenter. Ids that only `vHost` knows are no identity, since `vInfo` names the same hosts without. Where one
of the sheets has a short name and the other the full one, they are one host if no other could be meant.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from mooring_server.ingest import values
from mooring_server.ingest.identity import identity_of
from mooring_server.ingest.inventory import AssetRow, End, RejectedRow, asset_row
from mooring_server.ingest.mapping import FieldMap, Synonyms
from mooring_server.ingest.tables import OddRow, Table

SYNONYMS: Synonyms = {
    "display_name": ("host",),
    "location": ("datacenter",),
    "platform": ("cluster",),
    "cpu_cores": ("cores",),
    "memory_bytes": ("memory",),
    "operating_system": ("esxversion",),
    "model": ("model",),
    "serial_number": ("serialnumber", "servicetag"),
}


@dataclass(frozen=True, slots=True)
class Mention:
    """A host as a machine names it."""

    sheet: str
    row: int
    name: str
    location: str
    cluster: str


class Hosts:
    """The hosts of an export."""

    def __init__(self) -> None:
        self._ends: dict[str, list[End]] = {}
        self._mentions: dict[tuple[str, str], Mention] = {}

    def mention(self, mention: Mention) -> None:
        """Notes that a machine names a host."""
        self._mentions.setdefault((mention.name.casefold(), mention.location), mention)

    def listed(self, table: Table, field_map: FieldMap, notes: list[str]) -> Iterator[AssetRow | RejectedRow]:
        """The rows of `vHost`."""
        sheet = table.sheet.name
        vendor = next((column for column in table.columns if column.key == "vendor"), None)
        for row, cells in table.rows(notes):
            if isinstance(cells, OddRow):
                yield RejectedRow(sheet, row, cells.reason)
                continue
            fields, attributes = field_map.read(cells)
            name = str(fields.get("display_name", ""))
            fields = _named(fields, name)
            identity = identity_of(fields)
            if not name or identity is None:
                yield RejectedRow(sheet, row, "it names no host")
                continue
            if vendor is not None and (model := _model(cells[vendor.index], str(fields.get("model", "")))):
                fields["model"] = model
            self._ends.setdefault(_label(name), []).append(_end(fields))
            yield asset_row(sheet, row, identity, "server", fields, attributes)

    def implied(self) -> Iterator[AssetRow]:
        """The hosts that machines name and `vHost` lacks, once it was read."""
        for mention in self._mentions.values():
            if self._find(mention) is None:
                fields = _fields(mention)
                identity = identity_of(fields) or ""
                yield AssetRow(mention.sheet, mention.row, identity, "server", fields, {}, implied=True)

    def end(self, mention: Mention) -> End:
        """The host that a machine names, once `vHost` was read."""
        return self._find(mention) or _end(_fields(mention))

    def _find(self, mention: Mention) -> End | None:
        near = [
            end
            for end in self._ends.get(_label(mention.name), ())
            if "" in (end.location, mention.location) or end.location == mention.location
        ]
        exact = [end for end in near if end.name.casefold() == mention.name.casefold()]
        if exact or len(near) != 1:
            return exact[0] if exact else None
        # Two full names that differ are two hosts, and a short one that two of them could be is neither.
        short, full = sorted((near[0].name, mention.name), key=len)
        alike = {name for name, _ in self._mentions if _label(name) == _label(full)} - {short.casefold()}
        return near[0] if "." not in short and len(alike) <= 1 else None


def _named(fields: dict[str, object], name: str) -> dict[str, object]:
    named = {**fields, "display_name": name}
    if _is_address(name):
        return {**named, "ip_addresses": (name,)}
    return {**named, "hostname": name} if "." in name else named


def _fields(mention: Mention) -> dict[str, object]:
    texts = {"location": mention.location, "platform": mention.cluster}
    return _named({name: text for name, text in texts.items() if text}, mention.name)


def _end(fields: dict[str, object]) -> End:
    name = str(fields["display_name"])
    return End(
        name=name,
        hostname=str(fields.get("hostname", "")),
        ip_address=name if _is_address(name) else "",
        location=str(fields.get("location", "")),
        type="server",
    )


def _label(name: str) -> str:
    """What a short and a full name share; of an address all of it."""
    return name if _is_address(name) else name.casefold().partition(".")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _model(vendor: str, model: str) -> str:
    if values.is_unknown(vendor) or model.casefold().startswith(vendor.casefold()):
        return model
    return f"{vendor} {model}".strip()
