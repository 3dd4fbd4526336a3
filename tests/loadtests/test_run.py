import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "loadtests" / "run.py"


def run(*arguments, folder):
    """`loadtests/run.py` as `make load` runs it, with none of our settings."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
    return subprocess.run(
        [sys.executable, RUN, *arguments],
        env=plain | {"MOORING_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_a_short_run_holds_every_budget(tmp_path):
    """Five users for five seconds do the whole journey without an error and within every budget."""
    result = run("--users", "5", "--seconds", "5", folder=tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Every budget holds." in result.stdout
    rows = {words[0]: words[1:] for line in result.stdout.splitlines() if (words := line.split())}
    for rpc in (
        "OpenContext",
        "ListSessions",
        "SwitchSession",
        "GetLandscape",
        "ListAssets",
        "CreateSession",
    ):
        calls, errors = rows[rpc][:2]
        assert int(calls.replace(",", "")) > 0, rpc
        assert errors == "0", rpc


def test_a_passed_budget_is_the_exit_status(tmp_path):
    """A budget that nothing can hold makes the run fail, and the sentence names it."""
    result = run("--users", "2", "--seconds", "2", "--budget", "SwitchSession=0", folder=tmp_path)

    assert result.returncode == 1, result.stderr
    assert "Broken: SwitchSession took" in result.stdout


@pytest.mark.parametrize("budget", ["SwitchSession", "=5", "SwitchSession=soon"])
def test_a_wrong_budget_is_refused_before_anything_starts(tmp_path, budget):
    """What is no budget is wrong use."""
    result = run("--budget", budget, folder=tmp_path)

    assert result.returncode == 2
    assert result.stdout == ""
