"""Who did what, as a view."""

import pytest
from mooring_widgets.errors import Internal, InvalidArgument
from support_waiting import until
from support_widgets import ask, refusal, shows
from support_workspace import BASELINE, CONTOSO, WAVE_1


def told(view):
    """The lines as sentences."""
    return [
        f"{line['actor']} {line['done']} {line['what']}"
        + (f" in {line['session']}" if line["session"] else "")
        for line in view._state["lines"] or ()
    ]


def test_it_tells_who_did_what_by_display_names(ws):
    """Of the whole engagement, the newest first, with the names that sessions have now."""
    ws.rename("Wave 2", "Wave two")
    view = ws.activity()
    shows(view, status="ready", session_label="Contoso", of_session=False)
    assert told(view)[0] == "demo changed Wave two"
    assert "demo imported data into Wave 1" in told(view)


def test_it_follows_what_happens(ws):
    """What is done elsewhere comes without asking."""
    view = ws.activity()
    shows(view, status="ready")
    ws.create("What if")
    until(lambda: told(view)[0] == "demo created What if")


def test_only_one_kind(ws, client):
    """A kind given at first or chosen later is asked of the service; where none has happened that is said."""
    view = ws.activity(kind="imported")
    shows(view, status="ready", kind="imported")
    assert {line["done"] for line in view._state["lines"]} == {"imported data into"}
    ask(view, "activity.choose", only="reverted", of_session=False)
    shows(view, status="empty", kind="reverted", lines=[])
    ask(view, "activity.choose", only="", of_session=False)
    shows(view, status="ready", kind="")
    assert refusal(view, "activity.choose", only="lost", of_session=False)["kind"] == "InvalidArgument"


def test_a_kind_that_there_is_not_is_refused_at_once(ws):
    """With names like it."""
    with pytest.raises(InvalidArgument, match="did you mean 'imported'"):
        ws.activity(kind="importd")


def test_of_the_session_it_follows_the_switch_and_of_the_engagement_it_stays(ws):
    """Chosen for the session, another session's is never shown under its name."""
    view = ws.activity()
    shows(view, status="ready")
    everything = told(view)
    ws.switch("Wave 1")
    shows(view, session=WAVE_1, status="ready")
    assert set(everything) <= set(told(view))
    ask(view, "activity.choose", only="", of_session=True)
    shows(view, status="ready", session_label="Wave 1", of_session=True)
    assert all("Wave 1" in line for line in told(view))
    seen = []
    view.observe(lambda change: seen.append((change["new"]["session"], told(view))), "_state")
    ws.switch("Baseline")
    shows(view, status="ready", session_label="Baseline")
    assert all("Baseline" in line for line in told(view))
    assert not [
        lines for session, lines in seen if session == BASELINE and any("Wave" in line for line in lines)
    ]


def test_of_a_pinned_session_there_is_no_other(ws):
    """It stays, whatever is current and whatever the page asks for."""
    view = ws.at("Wave 1").activity()
    shows(view, status="ready", session_label="Wave 1", fixed=True)
    ask(view, "activity.choose", only="", of_session=False)
    ws.switch("Wave 2")
    assert view._state["of_session"] is True
    assert told(view) == ["demo imported data into Wave 1", "demo created Wave 1"]


def test_much_of_the_same_is_one_line(ws, client):
    """Changes of assets in a row are counted; those of another session are another line."""
    for session, count in ((BASELINE, 3), (WAVE_1, 1)):
        for number in range(count):
            client.service.note("updated", f"{session}/assets/a{number}")
    view = ws.activity()
    shows(view, status="ready")
    assert told(view)[:2] == ["demo changed 1 asset in Wave 1", "demo changed 3 assets in Baseline"]
    assert view._state["count"] == len(ws.activity.recent(None))


def test_older_ones_are_added(ws, client):
    """What is there stays while more of it comes; at the end there is nothing to ask for."""
    for number in range(80):
        client.service.note("updated", f"{CONTOSO}/members/u{number}")
    view = ws.activity()
    shows(view, status="ready", count=50, more=True)
    states = []
    view.observe(lambda change: states.append(change["new"]["lines"]), "_state")
    ask(view, "activity.older")
    until(lambda: view._state["count"] > 50)
    shows(view, more=False, cut=False)
    assert all(states)


def test_a_failure_is_shown_and_can_be_retried(ws, client):
    """As in every view."""
    client.fail("list_activity", Internal("internal error; the log has it"))
    view = ws.activity()
    shows(view, status="error", lines=None)
    ask(view, "retry")
    shows(view, status="ready", error=None)
