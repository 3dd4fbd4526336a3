from collections.abc import Iterator
from pathlib import Path

import pytest
from mooring_server.settings import Settings
from mooring_widgets import connect
from mooring_widgets.testing import FakeClient, demo_service, workspace
from mooring_widgets.workspace import Workspace
from support_server import serving
from support_sides import Sides, filled


@pytest.fixture
def client() -> FakeClient:
    """A client of a fake service."""
    return FakeClient(demo_service())


@pytest.fixture
def ws(client: FakeClient) -> Iterator[Workspace]:
    """A workspace over that client, at Contoso's Baseline."""
    opened = workspace(client)
    yield opened
    opened.close()


@pytest.fixture(params=["service", "twin"])
def sides(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    """A workspace, and two sessions that say something else of the same things."""
    if request.param == "twin":
        ws = workspace(FakeClient(demo_service()))
        yield filled(ws)
        ws.close()
        return
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("MOORING_CONTEXT", raising=False)
    with serving(Settings(database=f"sqlite:///{tmp_path}/mooring.db", port=0, stop_grace_s=1)) as running:
        ws = connect(running.address)
        yield filled(ws)
        ws.close()
