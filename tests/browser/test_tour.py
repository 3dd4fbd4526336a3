"""The main job, as a newcomer does it: the demo, the tour, another session by the keyboard."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from mooring import local
from mooring.v1 import assets_pb2, discovery_pb2_grpc, landscape_pb2, sessions_pb2, sessions_pb2_grpc
from playwright.sync_api import Page, expect
from support_jupyter import ROOT, Demo, notebook_url, open_notebook, press_tab_until, run_all

INVENTORIES = ROOT.parent / "shared" / "data"
CELLS = ["from mooring_widgets import connect\nws = connect()\nws", "ws.discovery()", "ws.landscape()"]


def mooring(demo: Demo, *arguments: str) -> dict[str, Any]:
    """What the command prints as JSON, run by the demo's user."""
    ended = subprocess.run(
        [sys.executable, "-m", "mooring_server", *arguments],
        env=demo.environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture
def channel(demo: Demo) -> Iterator[grpc.Channel]:
    """The demo's own service, asked behind the notebook's back."""
    demo.url()
    address = local.find(Path(demo.environment["MOORING_DATA_DIR"]))
    assert address is not None
    with grpc.insecure_channel(address) as channel:
        yield channel


def session_named(channel: grpc.Channel, name: str) -> sessions_pb2.Session:
    """The demo engagement's session of this name."""
    listed = sessions_pb2_grpc.SessionServiceStub(channel).ListSessions(
        sessions_pb2.ListSessionsRequest(parent="engagements/demo", page_size=1000)
    )
    return next(session for session in listed.sessions if session.display_name == name)


def first_assets(channel: grpc.Channel, session: sessions_pb2.Session, count: int) -> list[str]:
    listed = discovery_pb2_grpc.DiscoveryServiceStub(channel).ListAssets(
        assets_pb2.ListAssetsRequest(parent=session.name, page_size=count)
    )
    return [asset.display_name for asset in listed.assets]


def totals(channel: grpc.Channel, session: sessions_pb2.Session) -> landscape_pb2.LandscapeTotals:
    landscape = discovery_pb2_grpc.DiscoveryServiceStub(channel).GetLandscape(
        landscape_pb2.GetLandscapeRequest(name=f"{session.name}/landscape")
    )
    return landscape.totals


def assert_shows(page: Page, channel: grpc.Channel, name: str) -> None:
    """Selector, table and landscape show the named session's own numbers, as the service tells them."""
    session = session_named(channel, name)
    sums = totals(channel, session)
    expect(page.get_by_role("combobox", name="Session").first).to_contain_text(name)
    table = page.get_by_role("region", name=f"Discovery of {name}").first
    expect(table.get_by_role("grid")).to_have_attribute("aria-rowcount", str(session.asset_count + 1))
    for asset in first_assets(channel, session, 5):
        expect(table.get_by_role("gridcell", name=asset, exact=True).first).to_be_visible()
    landscape = page.locator(".m-landscape").first
    expect(landscape).to_contain_text(name)
    expect(landscape).to_contain_text(f"{sums.asset_count:,}")
    expect(landscape).to_contain_text(f"{sums.cpu_cores:,.0f}")


def test_the_tour_switches_by_the_keyboard(demo: Demo, page: Page, channel: grpc.Channel) -> None:
    """After all cells ran, choosing another session by the keyboard alone changes table and landscape."""
    open_notebook(page, demo.url())
    run_all(page)
    assert_shows(page, channel, "Baseline")

    session = page.get_by_role("combobox", name="Session").first
    press_tab_until(page, session)
    page.keyboard.press("Enter")
    expect(page.get_by_role("option", name="Wave 2")).to_be_visible()
    page.keyboard.type("Wave 2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("option", name="Wave 2")).to_be_hidden()

    assert_shows(page, channel, "Wave 2")


@pytest.mark.real_inventories
@pytest.mark.parametrize(
    ("file", "type_", "rows"),
    [
        ("rvtools_sizing_workshop.xlsx", "virtual_machine", 805),
        ("dotgov_pulse_subdomains.csv", "application", 24_638),
    ],
)
def test_an_imported_file_shows_after_a_switch(
    demo: Demo, page: Page, channel: grpc.Channel, file: str, type_: str, rows: int
) -> None:
    """A real inventory that the command line imported shows its numbers as soon as its session is chosen."""
    inventory = INVENTORIES / file
    if not inventory.exists():
        pytest.skip(f"{inventory} is not here")
    open_notebook(page, notebook_url(demo, file.partition(".")[0], CELLS))
    run_all(page)
    account = mooring(demo, "import", str(inventory), "--session", file, "--json")
    assert account["created_by_type"][type_] == rows

    page.get_by_role("combobox", name="Session").click()
    page.keyboard.type(file)  # the list holds what other tests made, too, and shows a window of it
    page.get_by_role("option", name=file).click()

    assert_shows(page, channel, file)
    landscape = page.get_by_role("group", name="Landscape")
    expect(landscape).to_contain_text(f"{session_named(channel, file).asset_count:,} assets")
    expect(landscape).to_contain_text(f"{rows:,}")
