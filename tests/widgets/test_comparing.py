"""Two sessions held against each other in a notebook: the same of a real service and of its twin."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from mooring_server.settings import Settings
from mooring_widgets import connect, errors
from mooring_widgets.client import Asset
from mooring_widgets.testing import FakeClient, demo_service, workspace
from mooring_widgets.workspace import Workspace
from support_server import serving

ESTATE = {
    "display_name": ["alpha", "beta", "delta"],
    "owner": ["Ann", "Bob", "Dan"],
    "cpu_cores": [2.0, 4.0, 8.0],
    "Rack": ["R1", "R1", "R2"],
}


@pytest.fixture(params=["service", "twin"])
def ws(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """A workspace with a session `Before`, and a clone of it, `After`, to which something was done."""
    if request.param == "twin":
        opened = workspace(FakeClient(demo_service()))
        change(opened)
        yield opened
        opened.close()
        return
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("MOORING_CONTEXT", raising=False)
    with serving(Settings(database=f"sqlite:///{tmp_path}/mooring.db", port=0, stop_grace_s=1)) as running:
        opened = connect(running.address)
        change(opened)
        yield opened
        opened.close()


def change(ws: Workspace) -> None:
    before = ws.create("Before")
    ws.import_inventory(pd.DataFrame(ESTATE), session=before, name="estate")
    after = ws.create("After", source_session=before)
    ids = ws.at(after).to_pandas(fields=["id", "display_name"]).set_index("display_name").id

    async def edit() -> None:
        client = ws.client
        beta = f"{after.name}/assets/{ids['beta']}"
        await client.update_asset(beta, {"owner": "Eve", "cpu_cores": 16.0, "attributes": {"Rack": "R9"}})
        await client.delete_asset(f"{after.name}/assets/{ids['delta']}")
        await client.update_asset(f"{after.name}/assets/new", {"display_name": "zeta"}, allow_missing=True)

    ws.wait(edit())


def test_two_sessions_are_held_against_each_other(ws: Workspace) -> None:
    """Counts of all, and each asset with what differs in it, before and after."""
    found = ws.compare("Before", "After")
    counts = found.assets
    assert (counts.added, counts.removed, counts.changed, counts.unchanged) == (1, 1, 1, 1)
    assert (found.session.display_name, found.other.display_name, found.more) == ("Before", "After", False)
    assert [(each.kind, each.label) for each in found.differences] == [
        ("changed", "beta"),
        ("removed", "delta"),
        ("added", "zeta"),
    ]
    assert found.differences[0].changes == {
        "owner": ("Bob", "Eve"),
        "cpu_cores": (4.0, 16.0),
        "attributes.Rack": ("R1", "R9"),
    }
    removed, added = found.differences[1:]
    assert isinstance(removed.own, Asset)
    assert removed.other is None
    assert isinstance(added.other, Asset)
    assert added.own is None


def test_a_comparison_is_a_table_and_a_frame(ws: Workspace) -> None:
    """A cell shows the counts and the differences; the frame has a row for each field that differs."""
    found = ws.compare("Before", "After")
    assert "Before → After" in repr(found)
    assert "changed     beta   owner: Bob → Eve; cpu cores: 4.0 → 16.0; Rack: R1 → R9" in repr(found)
    assert "<th" in found._repr_html_()
    assert "owner: Bob → Eve" in found._repr_html_()
    frame = found.to_pandas()
    assert list(frame.columns) == ["difference", "name", "field", "before", "after"]
    assert frame.values.tolist()[0] == ["changed", "beta", "owner", "Bob", "Eve"]
    assert frame.values.tolist()[3] == ["removed", "delta", None, None, None]
    assert len(frame) == 5


def test_what_is_asked_for_is_listed(ws: Workspace) -> None:
    """Kinds, a filter and a limit narrow what is listed, never what is counted."""
    assert [each.label for each in ws.compare("Before", "After", kinds=["unchanged"]).differences] == [
        "alpha"
    ]
    found = ws.compare("Before", "After", filter="owner = Dan")
    assert [each.label for each in found.differences] == ["delta"]
    assert found.assets.added == 1
    first = ws.compare("Before", "After", limit=2)
    assert (len(first.differences), first.more) == (2, True)
    assert "limit=None" in repr(first)
    everything = ws.compare("Before", "After", kinds=["added", "removed", "changed", "unchanged"], limit=None)
    assert (len(everything.differences), everything.more) == (4, False)
    nothing = ws.compare("Before", "After", filter="owner = Nobody")
    assert "No difference is so." in repr(nothing)
    assert len(nothing.to_pandas()) == 0


def test_dependencies_are_compared_too(ws: Workspace) -> None:
    """They are counted with the assets, and listed where they are asked for."""
    found = ws.compare("Before", "After", table="dependencies")
    assert (found.dependencies.added, found.differences) == (0, ())


def test_one_session_is_held_against_the_current_one(ws: Workspace) -> None:
    """The current one comes first; the same can be awaited."""
    ws.switch("Before")
    assert ws.compare("After").session.display_name == "Before"
    assert ws.compare("Before").assets.unchanged == 3
    found = asyncio.run(ws.aio.compare("After"))
    assert (found.other.display_name, found.assets.changed) == ("After", 1)


def test_what_cannot_be_compared_says_so(ws: Workspace) -> None:
    """Names that are not there come with near ones; kinds and tables say what there is."""
    with pytest.raises(errors.NotFound, match="Before"):
        ws.compare("Befor", "After")
    with pytest.raises(errors.InvalidArgument, match="take some of added, removed, changed, unchanged"):
        ws.compare("Before", "After", kinds=["more"])
    with pytest.raises(errors.InvalidArgument, match="take one of assets, dependencies"):
        ws.compare("Before", "After", table="asset")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidArgument):
        ws.compare("Before", "After", filter="colour = blue")
