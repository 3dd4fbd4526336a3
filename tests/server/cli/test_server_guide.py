import re
from enum import Enum
from pathlib import Path

from mooring_server.cli.console import ExitCode
from mooring_server.metrics import Metrics
from mooring_server.settings import Settings

GUIDE = (Path(__file__).parents[3] / "docs" / "server.md").read_text("utf-8")


def rows(heading):
    """The cells of a section's table, without its head."""
    section = GUIDE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r" ?\| ?", line)] for line in lines[2:]]


def shown(default):
    if default is None or default == "":
        return ""
    if isinstance(default, bool | Enum):
        default = str(getattr(default, "value", default)).lower()
    return f"`{default}`"


def test_every_setting_is_in_the_guide():
    """`docs/server.md` lists each setting with its variable and its default, in the order of the code."""
    expected = [
        (f"`{name}`", f"`MOORING_{name.upper()}`", shown(field.default))
        for name, field in Settings.model_fields.items()
    ]
    found = rows("Settings")

    assert [tuple(row[:3]) for row in found] == expected
    assert all(len(row) == 4 and row[3] for row in found)


def test_every_exit_status_is_in_the_guide():
    """`docs/server.md` lists the exit statuses that the commands have."""
    assert [int(row[0]) for row in rows("Exit statuses")] == [code.value for code in ExitCode]


def test_every_metric_is_in_the_guide():
    """`docs/server.md` lists what a scrape has, and nothing else."""
    exposed = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Metrics().registry.collect()
        if not family.name.startswith("process_")
    }
    assert {row[0].strip("`") for row in rows("Metrics")} == exposed | {"process_*"}
