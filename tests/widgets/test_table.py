import json
from dataclasses import replace

import pytest
from mooring_widgets.client import Dependency
from mooring_widgets.errors import Unavailable
from mooring_widgets.testing import demo_assets
from mooring_widgets.views import fields
from mooring_widgets.views.fields import ASSET_FIELDS, DEPENDENCY_FIELDS, chosen, unknown_fields
from support_waiting import until
from support_widgets import ask, begin, listen, refusal, shows
from support_workspace import BASELINE, WAVE_1


@pytest.fixture
def table(ws):
    shown = ws.discovery()
    shows(shown, status="ready")
    return shown


def rows(table):
    """The rows of the first page, by column."""
    page = table._state["page"]
    return [dict(zip(page["keys"], values, strict=True)) for _, *values in page["items"]]


def names(table):
    page = table._state["page"]
    return page and [row["display_name"] for row in rows(table)]


def labels(table):
    return [column["label"] for column in table._state["columns"]]


def of_now(table, **more):
    """What a page is asked for with."""
    state = table._state
    asked = {"session": state["session"], "epoch": state["epoch"], "question": state["question"]}
    return {"offset": 0, "limit": 100} | asked | more


def test_the_table_shows_the_session(table):
    """The first page comes with the state: a value a column, the assets' ids, and the count of all."""
    shows(table, session=BASELINE, session_label="Baseline")
    page = table._state["page"]
    assert page["total"] == 5
    assert page["keys"] == [column["key"] for column in table._state["columns"]]
    row = rows(table)[0]
    assert (row["display_name"], row["type"], row["cpu_cores"]) == ("vm-00000", "Virtual machine", 4.0)
    assert page["items"][0][0] == ["vm-00000"]


def test_pages_of_an_earlier_switch_are_refused(ws, table):
    """Rows are given only to who asks with the present session and epoch."""
    asked = of_now(table)
    assert len(ask(table, "page", **asked)["items"]) == 5
    ws.switch("Wave 1")
    shows(table, session=WAVE_1)
    assert refusal(table, "page", **asked)["reason"] == "SUPERSEDED"


def test_pages_of_an_earlier_filter_are_refused(table):
    """Rows of the filter before are given to nobody, for they would stand among those of this one."""
    asked = of_now(table)
    ask(table, "table.arrange", filter="environment = test")
    assert refusal(table, "page", **asked)["reason"] == "SUPERSEDED"
    shows(table, question=1)
    assert ask(table, "page", **of_now(table))["total"] == 2


def test_a_page_that_a_filter_overtakes_is_refused(table, client):
    """An answer that was under way when the filter changed is not given out as one of the new filter."""
    asked = of_now(table, limit=50)
    with client.hold("list_assets"):
        answers = listen(table)
        id_ = begin(table, "page", **asked)
        table._filter, table._question = "environment = test", table._question + 1
    until(lambda: id_ in answers)
    assert answers[id_]["error"]["reason"] == "SUPERSEDED"


def test_a_long_table_gives_any_page(ws, client):
    """A page far down comes without those before it."""
    client.service.add_assets(WAVE_1, demo_assets(WAVE_1, 1_050))
    ws.switch("Wave 1")
    table = ws.discovery()
    shows(table, status="ready")
    page = ask(table, "page", **of_now(table, offset=1_000))
    assert (page["total"], page["items"][0][0]) == (1_050, ["vm-01000"])


def test_a_filter_and_an_order_stay_through_a_switch(ws, table):
    """What is filtered and how it is ordered is the table's, whatever session it shows."""
    ask(table, "table.arrange", filter=" environment = test ")
    ask(table, "table.arrange", order="display_name desc")
    until(lambda: names(table) == ["vm-00003", "vm-00001"])
    shows(table, filter="environment = test", order="display_name desc")
    ws.switch("Wave 1")
    until(lambda: names(table) == ["vm-00001"])


def test_a_refused_filter_changes_nothing_and_names_what_is_near(table):
    """Rows and filter stay, and the refusal has fields that are spelled like the wrong one."""
    refused = ask(table, "table.arrange", filter='enviroment = "test" AND cpu_cores > 2')["refused"]
    assert refused["reason"] == "INVALID_FILTER"
    assert refused["near"][0]["wrong"] == "enviroment"
    assert refused["near"][0]["names"][0] == "environment"
    shows(table, filter="", status="ready")
    assert len(names(table)) == 5


def test_a_wrong_filter_of_the_call_is_told_at_the_filter(ws):
    """What the cell itself asked for wrongly is told where it can be mended, and is mended there."""
    table = ws.discovery(filter="colour = red")
    shows(table, status="error")
    assert table._state["filter_error"]["near"] == [{"wrong": "colour", "names": []}]
    ask(table, "table.arrange", filter="")
    shows(table, status="ready", filter_error=None)


def test_an_order_does_not_take_back_a_filter(table, client):
    """A filter that is taken while an order is on its way holds, and so does the order."""
    with client.hold("list_assets"):
        answers = listen(table)
        id_ = begin(table, "table.arrange", order="display_name desc")
        table._filter = "environment = test"
    until(lambda: id_ in answers)
    shows(table, filter="environment = test", order="display_name desc")


def test_an_outage_is_no_refusal(table, client):
    """A filter that the service could not be asked about is an error, and not taken."""
    client.fail("list_assets", Unavailable("away"), times=5)
    assert refusal(table, "table.arrange", filter="environment = test")["kind"] == "Unavailable"
    shows(table, filter="")


def test_an_unknown_order_is_refused(table):
    """Only what the API orders by is an order."""
    assert "display_name desc" in refusal(table, "table.arrange", order="cpu_cores")["message"]


def test_no_row_that_matches_is_not_no_data(ws, table, client):
    """Both are empty; the filter tells which it is."""
    ask(table, "table.arrange", filter="environment = none")
    shows(table, status="empty", filter="environment = none")
    ask(table, "table.arrange", filter="")
    shows(table, status="ready")


def test_columns_are_chosen_and_stay(ws, table):
    """Any field and any attribute is a column, in the order asked for, through a switch; none: the usual."""
    usual = labels(table)
    ask(table, "table.columns", keys=["hostname", "attributes.Rack", "hostname"])
    until(lambda: labels(table) == ["Host name", "Rack"])
    ws.switch("Wave 1")
    until(lambda: table._state["session"] == WAVE_1 and table._state["page"])
    assert table._state["page"]["keys"] == ["hostname", "attributes.Rack"]
    ask(table, "table.columns", keys=[])
    until(lambda: labels(table) == usual)


def test_attributes_of_the_rows_are_offered(ws, client):
    """The keys of the attributes that are here, and their values as a column."""
    racked = [
        replace(asset, attributes={"Rack": "R1", "Colour": "red"}) for asset in demo_assets(BASELINE, 1)
    ]
    client.service.add_assets(BASELINE, racked)
    table = ws.discovery(columns=["display_name", "attributes.Rack"])
    shows(table, status="ready", attributes=["Colour", "Rack"])
    assert rows(table) == [{"display_name": "vm-00000", "attributes.Rack": "R1"}]


def test_an_unknown_column_names_what_is_near(ws):
    """A mistyped column is refused where it is asked for, with columns that are spelled like it."""
    with pytest.raises(ValueError, match="did you mean 'hostname'"):
        ws.discovery(columns=["hostnme"])


def test_every_field_is_a_column(ws):
    """All fields that are offered can be shown, of assets and of dependencies."""
    keys = [field.key for field in ASSET_FIELDS]
    table = ws.discovery(columns=keys)
    shows(table, status="ready")
    assert table._state["page"]["keys"] == keys == [field["key"] for field in table._fields]
    json.dumps(table._state["page"])
    assert [field.key for field in chosen([f.key for f in DEPENDENCY_FIELDS], DEPENDENCY_FIELDS)]


def test_dependencies_are_ordered_by_when_they_came(ws, client):
    """The order of the table of dependencies is the API's, and their rows name the assets of both ends."""
    assets = [asset.name for asset in client.service.assets[BASELINE]]
    made = [
        Dependency(f"{BASELINE}/dependencies/d{port}", assets[0], assets[port], "flow", port=port)
        for port in (1, 2)
    ]
    client.service.add_dependencies(BASELINE, made)
    table = ws.dependencies()
    shows(table, status="ready", order="create_time")
    ask(table, "table.arrange", order="create_time desc")
    until(lambda: [row["port"] for row in rows(table)] == [2, 1])
    assert table._state["page"]["items"][0][0] == ["vm-00000", "vm-00002"]


@pytest.mark.parametrize(
    ("filter", "wrong"),
    [
        ("", []),
        ("web owner = ada", []),
        ('display_name = "ownr = 5"', []),
        ("ownr = ada OR hostname:web", ["ownr"]),
        ("attributes.Rack = R1", ["attributes.Rack"]),
        ("(ip_addresses = x)", ["ip_addresses"]),
    ],
)
def test_wrong_fields_of_a_filter_are_found(filter, wrong):
    """Names that are compared and that filters do not know; what is in quotes is no name."""
    assert list(unknown_fields(filter, ASSET_FIELDS)) == wrong


def test_a_dependency_is_filtered_by_its_ends():
    """Which no column shows under those names."""
    assert not unknown_fields("source = x AND target = y", fields.DEPENDENCY_FIELDS)
