"""What the rows of a table are, where no format says it.

A row's type is the first of these that answers:

1. its cell in a column `type` (or `asset type`, `category`, …) whose texts are mostly types: `VM`, `Web
   server`. NetBox calls a hardware model `Type`, so a column of that name alone proves nothing;
2. in a table of devices (with a column `manufacturer`, `model` or `rack`), what its `role` names (`Access
   Switch`: network), and `other` where it names none (`Patch Panel`);
3. the table's columns: a name column `VM`, or vCPUs and a cluster, make virtual machines; a domain or a URL
   in the place of a name applications; a name column `Application` or `Database` those; a name column
   `Server`, host names, operating systems, CPUs or memory servers;
4. `other`.

A type that whoever imports the table gives goes before 3, and before `other`.

Columns of types and roles stay attributes, since they say more than the type that they became.
"""

from collections.abc import Callable, Sequence

from mooring_server.ingest.mapping import Column, FieldMap

_NAMES = {
    "server": (
        "server",
        "physicalserver",
        "host",
        "machine",
        "computer",
        "baremetal",
        "appliance",
        "workstation",
    ),
    "virtual_machine": ("virtualmachine", "vm", "virtualserver", "guest", "instance", "ec2", "ec2instance"),
    "database": ("database", "db", "databaseinstance", "rds", "sqldatabase", "schema"),
    "application": (
        "application",
        "app",
        "service",
        "webapp",
        "website",
        "webapplication",
        "webservice",
        "api",
    ),
    "network": ("network", "router", "switch", "firewall", "subnet", "vlan", "vpc", "gateway", "accesspoint"),
    "load_balancer": ("loadbalancer", "lb", "elb", "alb", "adc"),
    "storage": (
        "storage",
        "san",
        "nas",
        "bucket",
        "volume",
        "disk",
        "fileshare",
        "share",
        "array",
        "datastore",
    ),
    "container": ("container", "pod", "containergroup"),
    "security_group": ("securitygroup", "nsg", "networksecuritygroup"),
    "other": ("other",),
}
TYPES = tuple(_NAMES)
"""Every type of asset."""

_TYPE_OF = {name: type_ for type_, names in _NAMES.items() for name in names}

_TYPE_TEXT_MAX = 200
_TYPE_COLUMNS = ("assettype", "type", "resourcetype", "citype", "devicetype", "class", "category", "kind")
_ROLE_COLUMNS = ("role", "devicerole")
_DEVICE_COLUMNS = frozenset(("manufacturer", "model", "rack"))
_VIRTUAL_NAMES = frozenset(("vm", "vmname", "virtualmachine", "virtualmachinename"))
_URL_NAMES = frozenset(("domain", "domainname", "website", "url"))
_SERVER_NAMES = frozenset(("server", "servername", "computer", "computername", "machine", "machinename"))
_SERVER_FIELDS = frozenset(("hostname", "operating_system", "cpu_cores", "memory_bytes"))


def type_of_text(text: str) -> str | None:
    """The asset type that a text names, None where it names none. Its last word decides: `Web server`.

    A long text is a description, whose words say little.
    """
    if len(text) > _TYPE_TEXT_MAX:
        return None
    words = [word for word in "".join(c if c.isalnum() else " " for c in text.casefold()).split() if word]
    for name in ("".join(words), *words[-1:]):
        for candidate in (name, name.removesuffix("s")):
            if candidate in _TYPE_OF:
                return _TYPE_OF[candidate]
    return None


def type_rule(
    field_map: FieldMap, sample: Sequence[Sequence[str]], given: str = ""
) -> Callable[[Sequence[str]], str]:
    """How the rows of a table get their type; `sample` holds its first rows, as long as the header.

    `given` is the type of rows that tell none.
    """
    type_column = _type_column(field_map.columns, sample)
    role_column = _role_column(field_map.columns)
    table_type = given or _type_of_table(field_map)

    def type_of(cells: Sequence[str]) -> str:
        if type_column is not None and (named := type_of_text(cells[type_column.index])):
            return named
        if role_column is not None and (role := cells[role_column.index]):
            return type_of_text(role) or given or "other"
        return table_type

    return type_of


def _type_column(columns: Sequence[Column], sample: Sequence[Sequence[str]]) -> Column | None:
    for key in _TYPE_COLUMNS:
        for column in (column for column in columns if column.key == key):
            texts = [cells[column.index] for cells in sample if cells[column.index]]
            types = sum(type_of_text(text) is not None for text in texts)
            if texts and 2 * types >= len(texts):
                return column
    return None


def _role_column(columns: Sequence[Column]) -> Column | None:
    by_key = {column.key: column for column in columns}
    if _DEVICE_COLUMNS.isdisjoint(by_key):
        return None
    return next((by_key[key] for key in _ROLE_COLUMNS if key in by_key), None)


def _type_of_table(field_map: FieldMap) -> str:
    keys = {column.key for column in field_map.columns}
    name = field_map.first("display_name") or field_map.first("hostname")
    name_key = name.key if name is not None else ""
    if name_key in _VIRTUAL_NAMES or ("cluster" in keys and not keys.isdisjoint(("vcpus", "vcpu"))):
        return "virtual_machine"
    if name_key in _URL_NAMES:
        return "application"
    named = type_of_text(name_key.removesuffix("name"))
    if named in ("application", "database"):
        return named
    if name_key in _SERVER_NAMES or not _SERVER_FIELDS.isdisjoint(field_map.names.values()):
        return "server"
    return "other"
