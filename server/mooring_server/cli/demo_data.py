"""Made-up estates that look like real ones: the same call makes the same bytes, on every machine.

An estate has applications; each runs in environments, on tiers of machines, with databases, a load balancer
and a rule set, over the sites' networks, hosts and storage. A scenario is a view of one estate: which
applications it takes in, and how far they have moved to the cloud. So two scenarios share names and ids where
they overlap, as two inventories of one company do.
"""

import csv
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

COLUMNS = (
    "Name",
    "Type",
    "ID",
    "Hostname",
    "IP Address",
    "Environment",
    "Location",
    "Cluster",
    "Operating System",
    "Status",
    "Owner",
    "Application",
    "Criticality",
    "vCPUs",
    "Memory (MB)",
    "Storage (GB)",
    "Engine",
    "Patch window",
    "Cost centre",
)

_SITES = {"fra": "Frankfurt", "dub": "Dublin", "iad": "Ashburn"}
_CLOUD = {"fra": "Cloud eu-central", "dub": "Cloud eu-west", "iad": "Cloud us-east"}
_OWNERS = (
    "Payments",
    "Logistics",
    "People",
    "Web shop",
    "Data platform",
    "Finance",
    "Service desk",
    "Security",
)
# fmt: off
_SUBJECTS = (
    "billing", "ledger", "payroll", "orders", "returns", "stock", "routing", "fleet", "catalog", "search",
    "checkout", "loyalty", "identity", "mail", "intranet", "reports", "forecast", "archive", "ticketing",
    "monitoring", "backup", "printing", "badges", "treasury",
)
# fmt: on
_PARTS = ("core", "api", "batch", "portal")
_SYSTEMS = (
    "Red Hat Enterprise Linux 8",
    "Red Hat Enterprise Linux 9",
    "Ubuntu Linux 22.04",
    "Ubuntu Linux 24.04",
    "Debian GNU/Linux 12",
    "Microsoft Windows Server 2016",
    "Microsoft Windows Server 2019",
    "Microsoft Windows Server 2022",
)
_DATABASES = (
    "PostgreSQL 16",
    "PostgreSQL 14",
    "Oracle Database 19c",
    "Microsoft SQL Server 2019",
    "MariaDB 10.11",
)
_ENVIRONMENTS = {"prd": "Production", "tst": "Test", "dev": "Development"}

APPLICATIONS_MAX = len(_SUBJECTS) * len(_PARTS)

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A view of an estate.

    Attributes:
        estate: The company's short name; it decides names, ids and sizes.
        first: The first application that it takes in, from 0.
        applications: How many it takes in.
        moved: The share of them that runs in the cloud, 0 to 1.
        switched_off: The share of machines outside production that is switched off, 0 to 1.
    """

    estate: str
    first: int
    applications: int
    moved: float = 0.0
    switched_off: float = 0.1


def inventory(scenario: Scenario) -> str:
    """The scenario's inventory as CSV text with a header."""
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(_rows(scenario))
    return text.getvalue()


def _rows(scenario: Scenario) -> Iterator[Row]:
    machines = dict.fromkeys(_SITES, 0)
    for number in range(scenario.first, scenario.first + scenario.applications):
        application = f"{_SUBJECTS[number % len(_SUBJECTS)]}-{_PARTS[number // len(_SUBJECTS)]}"
        for site, row in _application(scenario, application):
            machines[site] += row["Type"] == "Virtual machine"
            yield row
    for site, count in machines.items():
        yield from _infrastructure(scenario.estate, site, count)


def _application(scenario: Scenario, application: str) -> Iterator[tuple[str, Row]]:
    """Everything that one application consists of, each with its site."""
    # A source of chance for each application: what it looks like does not depend on the ones before it.
    chance = _chance(scenario.estate, application)
    site = chance.choice(list(_SITES))
    system = chance.choice(_SYSTEMS)
    database = chance.choice(_DATABASES)
    in_cloud = chance.random() < scenario.moved
    common: Row = {
        "Location": (_CLOUD if in_cloud else _SITES)[site],
        "Owner": chance.choice(_OWNERS),
        "Application": application,
        "Criticality": chance.choice(("High", "Medium", "Medium", "Low")),
        "Cost centre": f"CC-{chance.randrange(100, 180)}",
    }
    where = {"Environment": "Production", "Status": "Running", **common}
    yield site, _row(scenario.estate, application, "Application", **where)
    yield site, _row(scenario.estate, f"{application}-rules", "Security group", **where)
    yield site, _row(scenario.estate, f"{application}-lb", "Load balancer", **where)
    for short, environment in _ENVIRONMENTS.items():
        if short != "prd" and chance.random() < 0.25:
            continue
        for tier, count in _tiers(chance, production=short == "prd"):
            for number in range(1, count + 1):
                off = short != "prd" and chance.random() < scenario.switched_off
                name = f"{site}-{application}-{short}-{tier}{number:02}"
                row = _machine(scenario.estate, name, tier, chance) | common
                row |= {"Environment": environment, "Status": "Stopped" if off else "Running"}
                if in_cloud and tier != "db":
                    row["Type"] = "Container"
                    row["Operating System"] = "Container Linux"
                    row["Cluster"] = "Kubernetes"
                else:
                    row["Type"] = "Virtual machine"
                    row["Operating System"] = system
                    row["Cluster"] = "Cloud machines" if in_cloud else f"{site}-cluster-{1 + number % 3}"
                yield site, row
        fields: Row = {
            "Environment": environment,
            "Status": "Running",
            "Engine": f"{database} (managed)" if in_cloud else database,
            "Storage (GB)": chance.choice((20, 50, 120, 400, 900)),
        }
        name = f"{application.replace('-', '_')}_{short}"
        yield site, _row(scenario.estate, name, "Database", **common, **fields)


def _tiers(chance: Random, *, production: bool) -> list[tuple[str, int]]:
    if production:
        return [("web", chance.randint(1, 4)), ("app", chance.randint(1, 4)), ("db", chance.randint(1, 2))]
    return [("web", 1), ("app", chance.randint(1, 2)), ("db", 1)]


def _machine(estate: str, name: str, tier: str, chance: Random) -> Row:
    cores = chance.choice((4, 8, 16) if tier == "db" else (1, 2, 2, 4, 8))
    return _row(
        estate,
        name,
        "",
        **{
            "Hostname": f"{name}.{estate}.example",
            "IP Address": f"10.{chance.randrange(1, 60)}.{chance.randrange(256)}.{chance.randrange(1, 255)}",
            "vCPUs": cores,
            "Memory (MB)": cores * chance.choice((2, 4, 4, 8)) * 1024,
            "Storage (GB)": chance.choice((40, 60, 80, 100)) * (5 if tier == "db" else 1),
            "Patch window": chance.choice(("Sat 22:00", "Sun 02:00", "Sun 04:00", "Wed 23:00")),
        },
    )


def _infrastructure(estate: str, site: str, machines: int) -> Iterator[Row]:
    """What a site has of its own: hosts for its machines, storage, networks."""
    chance = _chance(estate, site)
    common: Row = {"Location": _SITES[site], "Owner": "Service desk", "Environment": "Production"}
    for number in range(1, machines // 20 + 3):
        cores = chance.choice((32, 48, 64))
        yield _row(
            estate,
            f"{site}-host{number:02}",
            "Server",
            **common,
            **{
                "Hostname": f"{site}-host{number:02}.{estate}.example",
                "Status": "Running",
                "Cluster": f"{site}-cluster-{1 + number % 3}",
                "Operating System": "VMware ESXi 8.0",
                "vCPUs": cores,
                "Memory (MB)": cores * 16 * 1024,
            },
        )
    for number in range(1, machines // 120 + 3):
        size = {"Storage (GB)": chance.choice((50_000, 100_000, 200_000)), "Status": "Running"}
        yield _row(estate, f"{site}-array{number:02}", "Storage", **common, **size)
    for short, environment in _ENVIRONMENTS.items():
        for tier in ("web", "app", "db", "management"):
            place = common | {"Environment": environment, "Status": "Running"}
            yield _row(estate, f"{site}-{short}-{tier}", "Network", **place)


def _row(estate: str, name: str, kind: str, **fields: object) -> Row:
    row_id = uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.{estate}.example")
    return {"Name": name, "Type": kind, "ID": str(row_id)} | fields


def _chance(*seed: str) -> Random:
    return Random("/".join(seed))  # noqa: S311 - made-up data, not a secret
