import threading
from dataclasses import replace

import pytest
from mooring_widgets.errors import Internal, Unavailable
from mooring_widgets.testing import demo_assets
from support_waiting import until
from support_widgets import ask, shows
from support_workspace import BASELINE, WAVE_1


def total(table):
    page = table._state["page"]
    return page and page["total"]


def test_views_follow_a_switch(ws):
    """Table and landscape show the other session's numbers, under a higher epoch."""
    table, landscape = ws.discovery(), ws.landscape()
    shows(table, status="ready")
    epoch = table._state["epoch"]
    ws.switch("Wave 1")
    until(lambda: total(table) == 3)
    until(lambda: (landscape._state["landscape"] or {}).get("totals", {}).get("asset_count") == 3)
    assert table._state["epoch"] > epoch
    assert landscape._state["landscape"]["totals"]["cpu_cores"] == 12


def test_nothing_of_another_session_is_ever_sent(ws, client):
    """While the other session loads there are no rows, and no state pairs a session with another's rows."""
    table = ws.discovery()
    shows(table, status="ready")
    seen = []
    table.observe(lambda change: seen.append((change["new"]["session"], total(table))), "_state")
    with client.hold("list_assets"):
        ws.switch("Wave 1")
        shows(table, status="loading", session=WAVE_1)
        assert table._state["page"] is None
    until(lambda: total(table) == 3)
    assert {pair for pair in seen if pair[1] is not None} <= {(BASELINE, 5), (WAVE_1, 3)}


def test_an_empty_session_says_so(ws):
    """A session without assets is empty, not loading and not an error."""
    table, landscape = ws.discovery(), ws.landscape()
    ws.switch("Wave 2")
    shows(table, status="empty")
    shows(landscape, status="empty")


def test_an_error_is_shown_and_can_be_retried(ws, client):
    """A failure is shown in place with its words, and a retry that succeeds clears it."""
    client.fail("get_landscape", Internal("internal error; the log has it"))
    landscape = ws.landscape()
    shows(landscape, status="error")
    assert landscape._state["error"]["message"] == "internal error; the log has it"
    ask(landscape, "retry")
    shows(landscape, status="ready", error=None)


def test_an_import_refreshes_what_it_touches(ws, client):
    """When the session's data changes elsewhere the rows come anew; until then the old ones stay."""
    table = ws.discovery()
    shows(table, status="ready")
    version = table._state["page"]["version"]
    states = []
    table.observe(lambda change: states.append(change["new"]), "_state")
    client.service.add_assets(BASELINE, demo_assets(BASELINE, 7))
    until(lambda: total(table) == 7 and not table._state["refreshing"])
    assert table._state["page"]["version"] > version
    assert all(state["page"] is not None for state in states)


def test_a_pinned_view_stays(ws):
    """A view of a named session does not follow a switch."""
    pinned = ws.at("Wave 1").discovery()
    shows(pinned, status="ready", session=WAVE_1)
    ws.switch("Wave 2")
    assert (pinned._state["session"], total(pinned)) == (WAVE_1, 3)


def test_a_long_group_is_cut_and_counted(ws, client):
    """Of many values the largest are sent, with how many there are in all."""
    assets = [replace(a, location=f"Site {i}") for i, a in enumerate(demo_assets(BASELINE, 30))]
    client.service.add_assets(BASELINE, assets)
    landscape = ws.landscape()
    until(lambda: (landscape._state["landscape"] or {}).get("totals", {}).get("asset_count") == 30)
    group = next(g for g in landscape._state["landscape"]["groups"] if g["field"] == "location")
    assert (len(group["buckets"]), group["value_count"]) == (7, 30)


def test_a_function_becomes_a_view(ws):
    """What the function returns for the current session is shown, and again for the next."""

    @ws.view
    def cores(discovery):
        return discovery.groupby("owner").cpu_cores.sum().to_frame()

    shows(cores, status="ready")
    assert "12.0" in cores._state["output"]["html"]
    ws.switch("Wave 1")
    shows(cores, status="ready", session=WAVE_1)
    assert "8.0" in cores._state["output"]["html"]


def test_a_view_is_given_what_its_parameters_name(ws):
    """Each parameter gets its data, defaults are left alone, and the view can be called as the function."""

    @ws.view(stale_time=30)
    def told(session, engagement, landscape, prefix="at"):
        return f"{prefix} {engagement.display_name}/{session.display_name}: {landscape.totals.asset_count}"

    shows(told, status="ready", output={"kind": "text", "text": "at Contoso/Baseline: 5"})
    landscape = ws.wait(ws.client.get_landscape(WAVE_1))
    assert told(ws.session, ws.engagement, landscape, prefix="now") == "now Contoso/Baseline: 3"


def test_an_unknown_parameter_is_refused_at_once(ws):
    """A parameter that names nothing fails at the definition, and the message lists what there is."""
    with pytest.raises(TypeError, match="discovery, dependencies, landscape, session, engagement"):
        ws.view(lambda discovrey: None)


def test_a_coroutine_function_is_refused_at_once(ws):
    """Nothing would await it; the message says what to write."""

    async def later(discovery):
        return len(discovery)

    with pytest.raises(TypeError, match="write def, not async def"):
        ws.view(later)


def test_a_retry_does_not_wait_for_the_next_try(ws, client):
    """Where the service is away a query tries again by itself after some time; whoever asks gets it now."""
    client.fail("get_landscape", Unavailable("the service cannot be reached"), times=1)
    landscape = ws.landscape()
    shows(landscape, status="error", landscape=None)
    asked = client.calls.count("get_landscape")
    ask(landscape, "retry")
    shows(landscape, status="ready", error=None)
    assert client.calls.count("get_landscape") == asked + 1


def test_a_failing_function_is_shown_in_place(ws):
    """The exception and where it was raised are shown; a retry after mending shows the output."""
    broken = True

    @ws.view
    def fragile(session):
        if broken:
            raise KeyError("owner")
        return "fine"

    shows(fragile, status="error")
    assert fragile._state["error"]["message"] == "KeyError: 'owner'"
    assert "in fragile" in fragile._state["traceback"]
    assert "run_in_executor" not in fragile._state["traceback"]
    broken = False
    ask(fragile, "retry")
    shows(fragile, status="ready", output={"kind": "text", "text": "fine"}, error=None)


def test_a_function_that_exits_ends_nothing(ws):
    """sys.exit() in a view is an error of the view; the library's loop goes on."""

    @ws.view
    def leave(session):
        raise SystemExit("bye")

    shows(leave, status="error")
    assert leave._state["error"]["message"] == "SystemExit: bye"
    assert ws.switch("Wave 1").name == WAVE_1


def test_the_last_output_stays_while_the_next_is_made(ws, client):
    """During a run for the same session the old output is shown, marked as refreshing."""
    go = threading.Event()
    go.set()

    @ws.view
    def count(discovery):
        assert go.wait(5)
        return str(len(discovery))

    shows(count, status="ready", output={"kind": "text", "text": "5"})
    go.clear()
    client.service.add_assets(BASELINE, demo_assets(BASELINE, 7))
    until(lambda: count._state["refreshing"] and count._wanted is not count._done)
    assert count._state["output"] == {"kind": "text", "text": "5"}
    go.set()
    shows(count, status="ready", refreshing=False, output={"kind": "text", "text": "7"})


def test_a_run_for_an_earlier_session_is_not_shown(ws):
    """An output that comes after a switch is dropped, and the function runs for the current session."""
    go, seen = threading.Event(), []

    @ws.view
    def slow(session):
        seen.append(session.display_name)
        assert go.wait(5)
        return session.display_name

    until(lambda: seen == ["Baseline"])
    outputs = []
    slow.observe(lambda change: outputs.append(change["new"]["output"]), "_state")
    ws.switch("Wave 1")
    go.set()
    shows(slow, status="ready", output={"kind": "text", "text": "Wave 1"})
    assert {"kind": "text", "text": "Baseline"} not in outputs


def test_the_cached_frame_is_the_functions_own(ws):
    """A function that changes its frame changes nobody else's."""

    @ws.view
    def vandal(discovery):
        discovery["owner"] = "me"
        return "done"

    shows(vandal, status="ready")
    assert set(ws.discovery.to_pandas()["owner"]) == {"Ada", "Grace"}


def test_a_closed_view_lets_go(ws, client):
    """A closed view observes nothing any more."""
    landscape = ws.landscape()
    shows(landscape, status="ready")
    landscape.close()
    asked = client.calls.count("get_landscape")
    ws.switch("Wave 1")
    ws.switch("Baseline")
    assert client.calls.count("get_landscape") == asked
