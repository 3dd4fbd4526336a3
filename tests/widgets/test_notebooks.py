"""The notebooks that we show people, run from top to bottom."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from mooring_server.cli.client import connected
from mooring_server.cli.demo import seed
from mooring_server.settings import Settings
from mooring_widgets.testing import run_notebook, settled, standing_in
from nbclient import NotebookClient
from support_server import serving

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FILE = NOTEBOOKS / "02-switching-and-comparing.ipynb"
MERGING = NOTEBOOKS / "03-merging.ipynb"
Execute = Callable[[Path], dict[str, Any]]


@pytest.fixture
def demo_server(tmp_path: Path) -> Iterator[str]:
    """A real server with the engagements of the demo."""
    settings = Settings(database=f"sqlite:///{tmp_path / 'mooring.db'}", port=0, stop_grace_s=0)
    with serving(settings) as running:
        with connected(running.address) as client:
            seed(client)
        yield running.address


def test_switching_and_comparing_is_right() -> None:
    """Over the twin, whose numbers are known, each cell shows what its text says."""
    with standing_in() as ws:
        for _ in range(2):  # it tidies up, so that it can be run again
            ran = run_notebook(FILE)
            assert ran.shown["search"] == ["Wave 1", "Wave 2"]
            assert ran.shown["switch"] == ("Baseline", 5)
            assert ran.shown["same"] == 0
            assert ran.shown["only"].tolist() == [2, 0, 3]
            assert ran.shown["frames"].loc["virtual_machine"].tolist() == [5, 3, 20, 12]
            assert ran.shown["landscapes"] == {"Baseline": "80 GiB", "Twice the memory": "160 GiB"}
            assert settled(ran.shown["view"]) == "ready"
            assert ws.session.display_name == "Baseline"
            assert ws.sessions("memory").total == 0


def test_merging_is_right() -> None:
    """Over the twin: what is compared, previewed, merged and undone is what the text says."""
    with standing_in() as ws:
        for _ in range(2):
            ran = run_notebook(MERGING)
            assert ran.shown["compared"].assets.changed == 3
            assert [each.taken for each in ran.shown["conflicts"]] == ["target"]
            assert [(each.target, each.source, each.taken) for each in ran.shown["chosen"]] == [
                ("Ann", "Bob", "source")
            ]
            assert ran.shown["result"].owner.tolist() == ["Bob", "Ann", "Bob"]
            assert ran.shown["result"].business_unit.tolist() == ["Retail"] * 3
            assert ("Ann", "Bob", "source") in [
                (each.target, each.source, each.taken) for each in ran.shown["drops"]
            ]
            assert ran.shown["undone"] is True
            assert ran.shown["before"].owner.tolist() == ["Ann", "Ann", ""]
            assert [each.display_name for each in ws.sessions("ours")] == []


@pytest.fixture
def execute(demo_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Execute:
    """Runs a notebook in a real kernel, on a real server with the demo's engagements; what cells showed."""
    for name in [name for name in os.environ if name.startswith("MOORING_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MOORING_SERVER", demo_server)
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "data"))
    for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))

    def run(file: Path) -> dict[str, Any]:
        notebook = nbformat.read(file, as_version=4)
        resources = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=90, kernel_name="python3", resources=resources).execute()
        return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}

    return run


def test_switching_and_comparing_runs_in_a_kernel(execute: Execute) -> None:
    """No cell fails, and widgets are shown."""
    shown = execute(FILE)
    for widget in ("connect", "beside", "view"):
        assert "application/vnd.jupyter.widget-view+json" in shown[widget][0].data
    assert "did you mean" in shown["near"][0].text
    counts = dict(re.findall(r"(only in \w+(?: \d)?|in both) +(\d+)", shown["only"][0].data["text/plain"]))
    assert int(counts["in both"]) > 0
    assert shown["tidy"][0].data["text/plain"] == "'Baseline'"


def test_merging_runs_in_a_kernel(execute: Execute) -> None:
    """The same on the demo's data: one conflict goes where it was told, and the merge is taken back."""
    shown = execute(MERGING)
    assert "application/vnd.jupyter.widget-view+json" in shown["comparison"][0].data
    assert "Bob" in shown["result"][0].data["text/plain"]
    assert shown["undone"][0].data["text/plain"] == "True"


@pytest.mark.parametrize("file", [FILE, MERGING], ids=lambda file: file.stem)
def test_notebooks_are_kept_without_outputs(file: Path) -> None:
    """The committed notebook holds no outputs and no counts, so that its changes are readable."""
    for cell in nbformat.read(file, as_version=4).cells:
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)
