"""What is given to people to test their notebooks with."""

import traceback
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from mooring_widgets import connect, errors
from mooring_widgets.client import Asset, Session
from mooring_widgets.testing import FakeClient, demo_service, run_notebook, settled, standing_in, workspace
from mooring_widgets.testing.filtering import passes


def notebook(folder: Path, *cells: str) -> Path:
    """A notebook with these cells, named `c0`, `c1`, …"""
    file = folder / "n.ipynb"
    made = [nbformat.v4.new_code_cell(cell, id=f"c{number}") for number, cell in enumerate(cells)]
    nbformat.write(nbformat.v4.new_notebook(cells=made), file)
    return file


def test_a_notebook_runs_without_a_service(tmp_path: Path) -> None:
    """`connect()` answers the twin while it stands in, and cells may await and use what others made."""
    cells = (
        "from mooring_widgets import connect\nws = connect()",
        "one = await ws.aio.switch('Wave 1')\none.display_name",
        "total = count + len(await ws.aio.discovery.to_pandas())\ntotal",
    )
    with standing_in() as ws:
        assert connect("nowhere:1", token="x") is ws
        ran = run_notebook(notebook(tmp_path, *cells), count=10)
    assert ran.shown == {"c0": None, "c1": "Wave 1", "c2": 13}
    assert ran.names["total"] == 13
    assert ws.closed


def test_a_failing_cell_names_its_line(tmp_path: Path) -> None:
    """The exception comes out as it is; its traceback has the cell and the line."""
    with pytest.raises(ZeroDivisionError) as caught:
        run_notebook(notebook(tmp_path, "a = 1", "b = 2\nc = a / 0"))
    told = "".join(traceback.format_exception(caught.value))
    assert 'File "n.ipynb[c1]", line 2' in told
    assert "c = a / 0" in told
    with pytest.raises(SyntaxError):
        run_notebook(notebook(tmp_path, "%matplotlib inline"))


def test_a_settled_view_is_of_the_current_session() -> None:
    """Waiting for a view ends when it shows what is current; an error that it shows is raised."""
    client = FakeClient(demo_service())
    ws = workspace(client)
    try:
        rows: list[int] = []

        @ws.view
        def count(discovery: pd.DataFrame) -> int:
            rows.append(len(discovery))
            return len(discovery) // (5 - len(discovery[discovery.owner == "Ada"]) - 2)

        table = ws.discovery()
        for session, wanted, state in (("Wave 1", 3, "ready"), ("Wave 2", 0, "empty")):
            ws.switch(session)
            assert (settled(count), rows[-1]) == ("ready", wanted)
            assert settled(table) == state
        assert settled(ws.selector) == "ready"
        ws.switch("Baseline")
        with pytest.raises(errors.MooringError, match=r"(?s)ZeroDivisionError.*len\(discovery\) //"):
            settled(count)
        with client.hold("get_landscape"), pytest.raises(errors.DeadlineExceeded, match="did not settle"):
            settled(ws.landscape(), timeout_s=0.05)
    finally:
        ws.close()


@pytest.mark.parametrize(
    ("filter", "passed"),
    [
        ("", True),
        ("web", True),
        ("serv -wave", False),
        ("NOT db AND type = VALIDATION_RUN", True),
        ("(db OR web) asset_count >= 8", True),
        ("a b OR web", False),
        ('display_name = "Wave \\"1\\" \\*"', True),
        ("display_name = wave", False),
        ("labels.team = blue AND labels:team", True),
        ("labels.env != prod", True),
        ("is_default = true", False),
        ("description:*", True),
        ("parent_session:*", False),
    ],
)
def test_the_twin_filters_as_the_service_does(filter: str, passed: bool) -> None:
    """What notebooks write in filters means the same in a test."""
    session = Session(
        "s", 'Wave "1" *', "Web servers", "validation_run", asset_count=8, labels={"team": "blue"}
    )
    assert passes(session, filter) == passed


@pytest.mark.parametrize("filter", ["colour = blue", "(web", "web)", 'display_name = "x', "a = "])
def test_the_twin_refuses_wrong_filters(filter: str) -> None:
    """A wrong filter is refused, as by the service."""
    with pytest.raises(errors.InvalidArgument):
        passes(Session("s", "Wave 1"), filter)


def test_what_is_not_known_is_not_compared() -> None:
    """No comparison is true of a number that nobody knows."""
    asset = Asset("a", "a")
    assert not any(passes(asset, f"cpu_cores {sign} 4") for sign in ("=", "<", ">="))
    assert passes(asset, "cpu_cores != 4")
    assert passes(asset, "NOT cpu_cores:*")
