from dataclasses import replace

import pytest
from mooring_widgets.client import Dependency
from mooring_widgets.errors import Internal
from mooring_widgets.testing import FakeClient
from mooring_widgets.views.asset import AssetView
from mooring_widgets.views.fields import ASSET_FIELDS
from support_waiting import until
from support_widgets import ask, refusal, shows
from support_workspace import BASELINE, WAVE_1


def link(client, session, *ends):
    """Dependencies between assets that are named by their numbers."""
    made = [
        Dependency(
            f"{session}/dependencies/d{number}",
            f"{session}/assets/vm-{source:05}",
            f"{session}/assets/vm-{target:05}",
            "flow",
            port=443,
            protocol="tcp",
            source_display_name=f"vm-{source:05}",
            target_display_name=f"vm-{target:05}",
        )
        for number, (source, target) in enumerate(ends)
    ]
    client.service.add_dependencies(session, made)


@pytest.fixture
def table(ws, client):
    link(client, BASELINE, (0, 1), (2, 0), (1, 3))
    shown = ws.discovery()
    shows(shown, status="ready", refreshing=False)
    return shown


def do(table, kind, **more):
    state = table._state
    return ask(table, kind, session=state["session"], epoch=state["epoch"], **more)


def detail(table):
    return table._state["detail"]


def opened(table, id_):
    """Waits until all about an asset is shown."""
    until(
        lambda: (
            (it := detail(table))
            and it["name"].endswith(f"/{id_}")
            and None not in (it["asset"], it["needs"], it["needed_by"])
        )
    )
    return detail(table)


def labels(ends):
    return [end["label"] for end in ends["items"]]


def test_an_asset_opens_with_what_it_needs_and_what_needs_it(table):
    """Its known fields by groups, and the dependencies at either end of which it stands."""
    do(table, "asset.open", id="vm-00000")
    it = opened(table, "vm-00000")
    told = {field["label"]: field for group in it["asset"]["groups"] for field in group["fields"]}
    assert told["Host name"]["value"] == "vm-00000.example.net"
    assert told["Host name"]["filter"] == 'hostname = "vm-00000.example.net"'
    assert (told["Type"]["value"], told["Type"]["filter"]) == ("Virtual machine", "type = VIRTUAL_MACHINE")
    assert "Serial number" not in told
    assert (labels(it["needs"]), labels(it["needed_by"])) == (["vm-00001"], ["vm-00002"])
    assert it["needs"]["items"][0]["through"] == "443/tcp"


def test_dependencies_can_be_followed_and_back(table):
    """Each asset leads to the next, back leads to the one before, and back from the first one closes."""
    do(table, "asset.open", id="vm-00000")
    do(table, "asset.open", id="vm-00001")
    assert labels(opened(table, "vm-00001")["needs"]) == ["vm-00003"]
    assert detail(table)["depth"] == 1
    do(table, "asset.back")
    assert opened(table, "vm-00000")["depth"] == 0
    do(table, "asset.back")
    shows(table, detail=None)


def test_an_open_asset_follows_the_data(table, client):
    """What somebody else changes shows in it."""
    do(table, "asset.open", id="vm-00000")
    opened(table, "vm-00000")
    link(client, BASELINE, (0, 1), (0, 4))
    until(lambda: labels(detail(table)["needs"]) == ["vm-00001", "vm-00004"])


def test_a_switch_closes_the_asset(ws, table):
    """Nothing of another session stays open, and what was asked for there is refused."""
    do(table, "asset.open", id="vm-00000")
    before = {"session": table._state["session"], "epoch": table._state["epoch"]}
    pairs = []
    table.observe(lambda change: pairs.append((change["new"]["session"], change["new"]["detail"])), "_state")
    ws.switch("Wave 1")
    shows(table, session=WAVE_1, status="ready")
    assert all(it is None or it["name"].startswith(f"{session}/") for session, it in pairs)
    assert refusal(table, "asset.open", id="vm-00001", **before)["reason"] == "SUPERSEDED"
    shows(table, detail=None)


def test_an_asset_that_fails_says_so_and_is_tried_again(table, client):
    """The table stays; the failure stands in the detail, and a retry shows the asset."""
    client.fail("get_asset", Internal("internal error; the log has it"))
    do(table, "asset.open", id="vm-00000")
    until(lambda: detail(table) and detail(table)["error"])
    shows(table, status="ready", error=None)
    ask(table, "retry")
    assert opened(table, "vm-00000")["error"] is None


def test_more_dependencies_come_when_asked_for(table, client):
    """The first ones with how many there are, more on demand."""
    link(client, BASELINE, *[(0, 1)] * 60)
    do(table, "asset.open", id="vm-00000")
    needs = opened(table, "vm-00000")["needs"]
    assert (len(needs["items"]), needs["total"], needs["more"]) == (50, 60, True)
    do(table, "asset.more")
    until(lambda: len(detail(table)["needs"]["items"]) == 60)
    assert not detail(table)["needs"]["more"]


def test_more_of_an_asset_that_was_closed_is_nothing(table):
    """A button that was pressed just before the asset closed does no harm."""
    assert do(table, "asset.more") == {}
    shows(table, detail=None, status="ready")


def test_an_asset_has_a_view_of_its_own(ws):
    """It is found by its name in each session, and said to be missing where it is not."""
    view = AssetView(ws, "vm-00004")
    assert opened(view, "vm-00004")["depth"] == 0
    do(view, "asset.back")
    assert opened(view, "vm-00004")
    ws.switch("Wave 1")  # has the first three alone
    shows(view, session=WAVE_1, status="empty", detail=None)
    ws.switch("Baseline")
    shows(view, status="ready")
    assert opened(view, "vm-00004")["name"] == f"{BASELINE}/assets/vm-00004"


def test_assets_of_one_name_are_counted(ws, client):
    """One of them is shown, and that there are others."""
    here = client.service.assets[BASELINE]
    client.service.set_assets(BASELINE, [replace(asset, display_name="twin") for asset in here[:2]])
    view = AssetView(ws, "twin")
    shows(view, status="ready", same=2)


def test_a_closed_view_follows_no_asset(ws, table, client: FakeClient):
    """What an open asset asks for ends with its widget."""
    do(table, "asset.open", id="vm-00000")
    opened(table, "vm-00000")
    table.close()
    asked = client.calls.count("get_asset")
    link(client, BASELINE, (0, 4))
    ws.wait(ws.client.get_session(BASELINE))
    assert client.calls.count("get_asset") == asked


def test_every_value_filters_to_itself(client):
    """The filter that a value offers lets through the asset that has it."""
    from mooring_widgets.testing.filtering import passes

    asset = replace(client.service.assets[BASELINE][0], external_id='a "quoted* id', implied=True, owner="*")
    asset = replace(asset, cpu_cores=1_234_567.5)
    offered = [filter for field in ASSET_FIELDS if (filter := field.filter_for(asset))]
    assert len(offered) > 10
    assert all(passes(asset, filter) for filter in offered)
