"""Which sheets of RVTools a file holds.

A workbook names its sheets (`vInfo`; `tabvInfo` in old versions). As CSV, RVTools writes a file for each
sheet, and there the header has to do.
"""

from collections.abc import Mapping

from mooring_server.ingest.tables import Source, Table
from mooring_server.ingest.telltales import Telltales

MACHINES, HOSTS = "vInfo", "vHost"

_VM, _POWER = ("vm",), ("powerstate", "template")

_COMMON = frozenset(
    ("powerstate", "template", "datacenter", "cluster", "host", "folder", "vmid", "vmuuid", "srmplaceholder",
     "annotation", "osaccordingtotheconfigurationfile", "osaccordingtothevmwaretools")
)  # fmt: skip
_OF_VM = Telltales((_VM,), _COMMON, least=1)

# In the order in which they are read: what a machine is comes first, what it has after.
_NAMED: Mapping[str, Telltales] = {
    MACHINES: Telltales((_VM,), _COMMON | {"cpus", "memory", "provisioned", "dnsname"}, least=1),
    "vCPU": _OF_VM,
    "vMemory": _OF_VM,
    "vDisk": _OF_VM,
    "vPartition": _OF_VM,
    "vNetwork": _OF_VM,
    HOSTS: Telltales((("host",),), frozenset(("datacenter", "cluster", "cpumodel", "cpu", "cores")), least=1),
}
# From the most particular to that which the others contain.
_NAMELESS: Mapping[str, Telltales] = {
    "vPartition": Telltales((_VM, _POWER, ("disk",), ("capacity",), ("consumed", "free"))),
    "vDisk": Telltales((_VM, _POWER, ("disk",), ("capacity",), ("diskmode", "thin", "controller", "raw"))),
    "vNetwork": Telltales((_VM, _POWER, ("macaddress", "niclabel", "adapter"), ("network", "connected"))),
    "vMemory": Telltales((_VM, _POWER, ("size",), ("consumed", "overhead", "ballooned", "entitlement"))),
    "vCPU": Telltales((_VM, _POWER, ("cpus",), ("sockets", "coresps"))),
    HOSTS: Telltales((("host",), ("cpumodel",), ("cores", "corespercpu"), ("memory",), ("vms", "vmstotal"))),
    MACHINES: Telltales((_VM, ("powerstate",), ("template",))),
}


def tables_of(source: Source) -> dict[str, Table]:
    """The tables of the sheets that are understood, by RVTools' name for them, in the order to read them."""
    found: dict[str, Table] = {}
    for sheet in source.sheets:
        name = sheet.name.strip().casefold().removeprefix("rvtools_").removeprefix("tab")
        for kind, telltales in _NAMED.items() if name else _NAMELESS.items():
            if name in ("", kind.casefold()) and kind not in found:
                table = source.table(sheet, telltales.score)
                if table is not None:
                    found[kind] = table
                    break
    return {kind: found[kind] for kind in _NAMED if kind in found}
