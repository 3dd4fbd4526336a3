"""The main job, as a newcomer does it: the demo, the tour, another session by the keyboard."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from mooring import local
from mooring.v1 import discovery_pb2, discovery_pb2_grpc, sessions_pb2, sessions_pb2_grpc
from playwright.sync_api import Page, expect
from support_jupyter import Demo, open_notebook, press_tab_until, run_all


@pytest.fixture
def channel(demo: Demo) -> Iterator[grpc.Channel]:
    """The demo's own service, asked behind the notebook's back."""
    demo.url()
    address = local.find(Path(demo.environment["MOORING_DATA_DIR"]))
    assert address is not None
    with grpc.insecure_channel(address) as channel:
        yield channel


def session_named(channel: grpc.Channel, name: str) -> sessions_pb2.Session:
    listed = sessions_pb2_grpc.SessionServiceStub(channel).ListSessions(
        sessions_pb2.ListSessionsRequest(parent="engagements/demo", page_size=1000)
    )
    return next(session for session in listed.sessions if session.display_name == name)


def first_assets(channel: grpc.Channel, session: sessions_pb2.Session, count: int) -> list[str]:
    listed = discovery_pb2_grpc.DiscoveryServiceStub(channel).ListAssets(
        discovery_pb2.ListAssetsRequest(parent=session.name, page_size=count)
    )
    return [asset.display_name for asset in listed.assets]


def totals(channel: grpc.Channel, session: sessions_pb2.Session) -> discovery_pb2.LandscapeTotals:
    landscape = discovery_pb2_grpc.DiscoveryServiceStub(channel).GetLandscape(
        discovery_pb2.GetLandscapeRequest(name=f"{session.name}/landscape")
    )
    return landscape.totals


def assert_shows(page: Page, channel: grpc.Channel, name: str) -> None:
    """Selector, table and landscape show the named session's own numbers, as the service tells them."""
    session = session_named(channel, name)
    sums = totals(channel, session)
    expect(page.get_by_role("combobox", name="Session").first).to_contain_text(name)
    table = page.get_by_role("region", name=f"Discovery of {name}").first
    expect(table.get_by_role("table")).to_have_attribute("aria-rowcount", str(session.asset_count + 1))
    for asset in first_assets(channel, session, 5):
        expect(table.get_by_role("cell", name=asset, exact=True).first).to_be_visible()
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
