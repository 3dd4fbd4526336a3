"""Two inventories that describe the same machines differently merge as a plain script over both files counts.

The machines are those of a real discovery report where there is one beside the project, else as many made-up
ones. Both files are made of them by the alterations that stand in `_write_pair`; the script knows nothing of
those, nor of Mooring: it reads the two files.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from mooring_server.settings import Settings
from openpyxl import load_workbook
from support_calls import unique
from support_discovery import import_file
from support_evidence import kind
from support_merges import COMBINE, OVERWRITE, PRESERVE, SOURCE, drops, merge, plan, preview, revert
from support_server import Server, new_engagement, serving
from support_sessions import get, make

_REPORT = Path(__file__).parents[3] / "shared" / "data" / "azure_migrate_discovery_report.xlsx"
_UNLIMITED = {"read_rate": "", "write_rate": "", "bulk_rate": ""}
_NEW = 13

Machine = tuple[str, str, int, int, tuple[str, ...]]


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    with serving(Settings(database=database_url, port=0, **_UNLIMITED)) as running:
        yield running


def _real() -> list[Machine]:
    """Name, operating system, cores, memory in MB and addresses of each machine of the report."""
    if not _REPORT.exists():
        pytest.skip("there is no discovery report beside the project")
    rows = load_workbook(_REPORT, read_only=True)["Discovery_Report"].iter_rows(values_only=True)
    columns = [str(name) for name in next(rows)]
    names = ("Machine Name", "Operating System", "Cores", "Memory (in MB)", "IP Addresses")
    places = [columns.index(name) for name in names]
    machines = []
    for name, system, cores, memory, addresses in ([row[place] for place in places] for row in rows):
        told = tuple(each for each in str(addresses).strip("[];").split(",") if each)
        machines.append((str(name), str(system or ""), int(cores), int(memory), told))
    return machines


def _made_up() -> list[Machine]:
    systems = ("Microsoft Windows Server 2019 (64-bit)", "Ubuntu Linux (64-bit)", "")
    return [
        (
            f"HOST-{n:03}",
            systems[n % 3],
            2 + n % 7,
            2048 * (1 + n % 5),
            (f"10.0.{n % 250}.7", "fe80::1")[: n % 3],
        )
        for n in range(294)
    ]


def _write_pair(machines: list[Machine]) -> tuple[str, str]:
    """The two files. Numbered from 0, what the second says of a machine differs so:

    - every 10th from the 3rd is not in it, and 13 that the first lacks are;
    - its names are in lower case, its columns in another order, its memory in GB, addresses in reverse;
    - it names an owner, which the first does not;
    - every 7th has another operating system, every 4th other than those the same in capitals;
    - every 11th has twice the cores.

    The first leaves out the memory of every 5th.
    """
    first, second = io.StringIO(), io.StringIO()
    one, other = csv.writer(first), csv.writer(second)
    one.writerow(["Hostname", "Operating system", "vCPUs", "Memory (MB)", "IP address"])
    other.writerow(["Owner", "IP address", "Memory (GB)", "vCPUs", "Operating system", "Hostname"])
    for number, (name, system, cores, memory, addresses) in enumerate(machines):
        one.writerow([name, system, cores, "" if number % 5 == 0 else memory, ", ".join(addresses)])
        if number % 10 == 3:
            continue
        if number % 7 == 0:
            system = "Debian 12"
        elif number % 4 == 0:
            system = system.upper().replace(" ", "  ")
        cores *= 2 if number % 11 == 0 else 1
        told = ", ".join(reversed(addresses))
        other.writerow([f"team {number % 3}", told, memory / 1024, cores, system, name.lower()])
    for number in range(_NEW):
        other.writerow(["team 9", "", 4, 2, "Debian 12", f"only-in-the-second-{number}"])
    return first.getvalue(), second.getvalue()


def _script(first: str, second: str) -> tuple[int, Counter[str], Counter[str]]:
    """New machines, fills and conflicts by field: all that is known of them stands in the two files."""

    def machines(text: str) -> dict[str, dict[str, object]]:
        found = {}
        for row in csv.DictReader(io.StringIO(text)):
            memory = float(row.get("Memory (MB)") or float(row.get("Memory (GB)") or 0) * 1024)
            found[row["Hostname"].casefold()] = {
                "owner": row.get("Owner", ""),
                "operating_system": " ".join(row["Operating system"].casefold().split()),
                "cpu_cores": float(row["vCPUs"] or 0),
                "memory_bytes": memory,
                "ip_addresses": frozenset(row["IP address"].split(", ")) - {""},
                "display_name": row["Hostname"].casefold(),
            }
        return found

    mine, theirs = machines(first), machines(second)
    fills, conflicts = Counter[str](), Counter[str]()
    for name in mine.keys() & theirs.keys():
        for field, value in theirs[name].items():
            if value and not mine[name][field]:
                fills[field] += 1
            elif value and value != mine[name][field]:
                conflicts[field] += 1
    return len(theirs.keys() - mine.keys()), fills, conflicts


@pytest.mark.parametrize("machines", [_real, _made_up], ids=["real", "made-up"])
def test_a_pair_merges_as_a_script_counts(server, database_url, figure, machines):
    """New assets, fills and conflicts by field are the script's, previewed and done, by each strategy."""
    first, second = _write_pair(machines())
    new, fills, conflicts = _script(first, second)
    owner = server.user(f"ann-{unique()}")
    engagement = new_engagement(owner)
    target = make(owner, engagement.name, "As one tool has it").name
    source = make(owner, engagement.name, "As the other has it").name
    import_file(owner, target, first.encode())
    import_file(owner, source, second.encode(), file_name="other.csv")
    before = get(owner, target)
    for strategy in (PRESERVE, OVERWRITE, COMBINE):
        wanted = plan(source, strategy, SOURCE, keep_source=True)
        counts = preview(owner, target, wanted).counts
        done = merge(owner, target, wanted)
        assert done.counts == counts
        assert counts.new_asset_count == new
        assert dict(counts.conflicts) == conflicts
        assert dict(counts.fills) == ({} if strategy == PRESERVE else fills)
        assert counts.conflicts_to_source_count == (0 if strategy == PRESERVE else conflicts.total())
        # Other spellings of the same are in the record too, though no conflicts.
        assert Counter(field for _, field in drops(owner, done.name, 1_000)) >= conflicts
        assert get(owner, target).asset_count == before.asset_count + new
        revert(owner, done.name)
        assert get(owner, target).data_version == before.data_version
    whose = "a discovery report" if machines is _real else "made-up machines"
    figure(
        f"two inventories of {before.asset_count} machines, of {whose}, merged on {kind(database_url)}",
        f"{new} new, {fills.total()} fills, {conflicts.total()} conflicts, as a plain script counts by field",
    )
