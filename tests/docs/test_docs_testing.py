"""`docs/testing.md`, as its reader would follow it: the notebook and its tests, run by pytest."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from mooring import local

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
BLOCKS = re.findall(r"```python\n# (\S+)(.*?)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
FILES = {name: text for name, _, text in BLOCKS if name.endswith(".py")}


def write_notebook(folder: Path) -> None:
    first = next(f"# cell:{rest}\n{text}" for name, rest, text in BLOCKS if name == "cell:")
    cells = re.findall(r"# cell: (\w+)\n(.*?)(?=\n# cell:|\Z)", first, re.DOTALL)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text.strip(), id=id_) for id_, text in cells]
    )
    nbformat.write(notebook, folder / "report.ipynb")


@pytest.mark.parametrize("name", FILES)
def test_the_examples_pass(name: str, tmp_path: Path) -> None:
    """Each test file of the page passes where it was written down, beside the notebook that it shows."""
    write_notebook(tmp_path)
    (tmp_path / name).write_text(FILES[name])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        name,
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MOORING_")}
    private = {"HOME": str(tmp_path), "MOORING_DATA_DIR": str(tmp_path / "data")}
    try:
        done = subprocess.run(
            [*command, f"--basetemp={tmp_path / 'made'}"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment | private,
        )
    finally:
        for file in tmp_path.rglob("server.json"):
            if server := local.ServerFile.read(file.parent):
                os.kill(server.pid, signal.SIGTERM)
    assert done.returncode == 0, done.stdout + done.stderr
