"""What differs between two sessions, as a view."""

from dataclasses import replace

import pytest
from mooring_widgets import errors
from mooring_widgets.client import Dependency
from mooring_widgets.testing import FakeClient, demo_assets
from mooring_widgets.views import ComparisonView
from mooring_widgets.workspace import Workspace
from support_waiting import until
from support_widgets import ask, refusal, shows
from support_workspace import BASELINE, WAVE_1, WAVE_2


@pytest.fixture
def view(ws: Workspace) -> ComparisonView:
    """Baseline, with five assets, beside Wave 1, with three of them."""
    shown = ws.comparison("Baseline", "Wave 1")
    shows(shown, status="ready", refreshing=False)
    until(lambda: names(shown) == ["vm-00003", "vm-00004"])
    return shown


def names(view: ComparisonView) -> list[str]:
    """The names of the differences that are listed."""
    rows = view._state["rows"] or {}
    return [row["label"] for row in rows.get("items") or ()]


def many(client: FakeClient, session: str, count: int) -> None:
    client.service.add_assets(session, demo_assets(session, count))


def test_it_counts_and_lists_what_differs(view: ComparisonView) -> None:
    """The counts are of all, the rows of the kinds that differ, each with what it is."""
    state = view._state
    assert state["counts"]["assets"] == {"added": 0, "removed": 2, "changed": 0, "unchanged": 3}
    assert state["session_label"] == "Baseline → Wave 1"
    assert [row["kind"] for row in state["rows"]["items"]] == ["removed", "removed"]
    assert state["rows"]["items"][0]["about"].startswith("Virtual machine, test")
    assert "Baseline and Wave 1" in repr(view)


def test_it_follows_both_sides(view: ComparisonView, client: FakeClient) -> None:
    """A change of either is shown, each field with both of its values."""
    wave = client.service.assets[WAVE_1]
    client.service.add_assets(WAVE_1, [replace(wave[0], owner="Bob", memory_bytes=2**30), *wave[1:]])
    until(lambda: view._state["counts"]["assets"]["changed"] == 1)
    until(lambda: "vm-00000" in names(view))
    assert view._state["rows"]["items"][0]["changes"] == [
        {"label": "Owner", "kind": "text", "before": "Ada", "after": "Bob"},
        {"label": "Memory", "kind": "bytes", "before": 16 * 2**30, "after": 2**30},
    ]
    many(client, BASELINE, 4)
    until(lambda: view._state["counts"]["assets"]["removed"] == 1)
    until(lambda: "vm-00004" not in names(view))


def test_a_change_of_another_session_asks_for_nothing(
    view: ComparisonView, ws: Workspace, client: FakeClient
) -> None:
    """The keys name the data of these two, so nobody else's change touches them."""
    landscape = ws.at("Wave 2").landscape()
    shows(landscape, status="empty")
    asked = client.calls.count("compare_sessions"), client.calls.count("list_asset_differences")
    many(client, WAVE_2, 7)
    shows(landscape, status="ready", refreshing=False)  # which heard of the same change
    assert (client.calls.count("compare_sessions"), client.calls.count("list_asset_differences")) == asked
    assert names(view) == ["vm-00003", "vm-00004"]


def test_alone_it_is_held_against_whichever_session_is_current(ws: Workspace) -> None:
    """A switch shows the other one's differences, and never those of before under its name."""
    view = ws.comparison("Wave 1")
    shows(view, status="ready", session_label="Baseline → Wave 1")
    seen = []
    view.observe(lambda change: seen.append(change["new"]), "_state")
    ws.switch("Wave 2")
    shows(view, status="ready", session_label="Wave 2 → Wave 1", session=WAVE_2)
    until(lambda: names(view) == ["vm-00000", "vm-00001", "vm-00002"])
    late = [state for state in seen if state["session"] == WAVE_2 and state["counts"] is not None]
    assert late
    assert all(state["counts"]["assets"]["added"] == 3 for state in late)
    rows = [row for state in seen if state["session"] == WAVE_2 for row in state["rows"]["items"] or ()]
    assert {row["kind"] for row in rows} == {"added"}


def test_a_kind_and_a_table_are_chosen(view: ComparisonView, client: FakeClient) -> None:
    """What is chosen is asked of the service; each table keeps its own filter."""
    ask(view, "comparison.choose", table="assets", only="unchanged")
    until(lambda: names(view) == ["vm-00000", "vm-00001", "vm-00002"])
    assert ask(view, "table.arrange", filter="owner = Grace") == {"refused": None}
    until(lambda: names(view) == ["vm-00001"])
    ends = [f"{BASELINE}/assets/vm-0000{number}" for number in (0, 1)]
    client.service.add_dependencies(BASELINE, [Dependency(f"{BASELINE}/dependencies/d", *ends, "flow")])
    ask(view, "comparison.choose", table="dependencies", only="")
    until(lambda: names(view) == ["vm-00000 → vm-00001 (flow)"])
    assert view._state["filter"] == ""
    ask(view, "comparison.choose", table="assets", only="")
    shows(view, filter="owner = Grace")
    assert refusal(view, "comparison.choose", table="assets", only="lost")["kind"] == "InvalidArgument"


def test_a_filter_that_is_refused_changes_nothing(view: ComparisonView) -> None:
    """It is told with names that are near."""
    told = ask(view, "table.arrange", filter="ownr = Ada")["refused"]
    assert told["near"][0]["wrong"] == "ownr"
    assert "owner" in told["near"][0]["names"]
    assert names(view) == ["vm-00003", "vm-00004"]
    assert view._state["filter"] == ""


def test_pages_go_on_and_back(view: ComparisonView, client: FakeClient) -> None:
    """A page is as long as it says, and the way back is remembered."""
    many(client, BASELINE, 128)
    until(lambda: view._state["rows"]["more"])
    first = names(view)
    assert len(first) == 50
    ask(view, "comparison.page", to="next")
    until(lambda: view._state["rows"]["number"] == 2 and names(view)[:1] == ["vm-00053"])
    ask(view, "comparison.page", to="next")
    until(lambda: view._state["rows"]["number"] == 3 and names(view)[-1:] == ["vm-00127"])
    assert not view._state["rows"]["more"]
    ask(view, "comparison.page", to="next")
    assert view._state["rows"]["number"] == 3
    ask(view, "comparison.page", to="previous")
    ask(view, "comparison.page", to="previous")
    until(lambda: view._state["rows"]["number"] == 1 and names(view) == first)


def test_whoever_reads_a_later_page_stays_there(view: ComparisonView, client: FakeClient) -> None:
    """New data is counted at once, and told beside the pages; it is listed when that is asked for."""
    many(client, BASELINE, 128)
    until(lambda: view._state["rows"]["more"])
    ask(view, "comparison.page", to="next")
    until(lambda: names(view)[:1] == ["vm-00053"])
    many(client, WAVE_1, 100)
    until(lambda: view._state["counts"]["assets"]["removed"] == 28)
    shows(view, moved=True)
    assert names(view)[:1] == ["vm-00053"]
    ask(view, "comparison.page", to="first")
    until(lambda: names(view)[:1] == ["vm-00100"])
    shows(view, moved=False)


def test_a_walk_whose_data_is_gone_begins_anew(view: ComparisonView, client: FakeClient) -> None:
    """Trying again leads to what differs now, not to the same refusal."""
    many(client, BASELINE, 128)
    until(lambda: view._state["rows"]["more"])
    client.fail("list_asset_differences", errors.InvalidArgument("too old", reason="INVALID_PAGE_TOKEN"))
    ask(view, "comparison.page", to="next")
    until(lambda: view._state["rows"]["error"] is not None)
    ask(view, "retry")
    until(lambda: view._state["rows"]["number"] == 1 and names(view)[:1] == ["vm-00003"])
    assert view._state["rows"]["error"] is None


def test_rows_and_counts_fail_apart(ws: Workspace, client: FakeClient) -> None:
    """What could be had is shown beside the failure of the other, and each is tried again."""
    client.fail("list_asset_differences", errors.Internal("internal error; the log has it"))
    view = ws.comparison("Baseline", "Wave 1")
    shows(view, status="ready")
    until(lambda: view._state["rows"]["error"] is not None)
    ask(view, "retry")
    until(lambda: names(view) == ["vm-00003", "vm-00004"])
    client.fail("compare_sessions", errors.Internal("internal error; the log has it"))
    other = ws.comparison("Wave 1", "Wave 2")
    shows(other, status="error", counts=None)
    ask(other, "retry")
    shows(other, status="ready", error=None)


def test_a_deleted_session_is_shown_as_it_was_and_can_be_brought_back(
    view: ComparisonView, ws: Workspace
) -> None:
    """Nothing is taken from the page; what to do is said."""
    ws.delete("Wave 1")
    shows(view, status="error", gone=WAVE_1)
    assert "“Wave 1” was deleted" in view._state["error"]["message"]
    assert names(view) == ["vm-00003", "vm-00004"]
    ask(view, "comparison.undelete", session=WAVE_1)
    shows(view, status="ready", gone="", error=None)


def test_two_sessions_without_data_are_empty(ws: Workspace) -> None:
    """There is nothing to compare, which is not the same as no difference."""
    ws.create("Wave 3")
    shows(ws.comparison("Wave 2", "Wave 3"), status="empty")
    same = ws.comparison("Wave 1", "Wave 1")
    shows(same, status="ready")
    assert same._state["counts"]["assets"]["unchanged"] == 3


def test_a_session_that_is_not_there_is_refused_at_once(ws: Workspace) -> None:
    """With names like it."""
    with pytest.raises(errors.NotFound, match="did you mean"):
        ws.comparison("Baseline", "Wave one")
