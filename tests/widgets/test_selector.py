import threading

import ipywidgets
import pytest
import traitlets
from mooring_widgets.errors import NotFound, Unavailable
from mooring_widgets.testing import workspace
from support_waiting import until
from support_widgets import ask, begin, listen, refusal, shows
from support_workspace import BASELINE, CONTOSO, WAVE_1, WAVE_2


@pytest.fixture
def selector(ws):
    selector = ws.selector
    shows(selector, status="ready")
    return selector


def label(selector):
    return (selector._state["session"] or {}).get("label")


def test_it_shows_what_is_current(selector):
    """Names, counts and the default mark are derived from queries; the traits hold the two ids."""
    assert (selector.engagement_id, selector.session_id) == (CONTOSO, BASELINE)
    assert selector._state["engagement"]["label"] == "Contoso"
    assert (
        selector._state["session"] | {"label": "Baseline", "asset_count": 5, "is_default": True}
        == (selector._state["session"])
    )


def test_a_choice_of_the_front_end_switches_and_is_acknowledged(selector, ws):
    """A selected session is current, on the server too, once the request is answered."""
    ask(selector, "select", session=WAVE_1)
    assert ws.session.name == WAVE_1
    until(lambda: selector.session_id == WAVE_1)
    until(lambda: label(selector) == "Wave 1" and selector._state["status"] == "ready")


def test_writing_the_trait_switches(selector, ws):
    """Setting session_id from Python is a switch like any other."""
    selector.session_id = WAVE_2
    until(lambda: label(selector) == "Wave 2" and selector._state["status"] == "ready")
    assert ws.session.name == WAVE_2


def test_writing_the_engagement_takes_its_default_session(selector, ws):
    """Setting engagement_id switches to that engagement's default session."""
    selector.engagement_id = "engagements/fabrikam"
    until(lambda: selector.session_id == "engagements/fabrikam/sessions/baseline")
    assert ws.engagement.display_name == "Fabrikam"


def test_a_choice_is_shown_as_pending_until_it_is_answered(selector, client):
    """While the service has not answered, the chosen session is shown, marked as pending."""
    with client.hold("switch_session"):
        begin(selector, "select", session=WAVE_1)
        until(lambda: selector._state["status"] == "pending")
        assert label(selector) == "Wave 1"
    shows(selector, status="ready")


def test_a_refused_choice_is_rolled_back_with_the_reason(selector, client):
    """A refusal puts names and traits back and answers with the reason."""
    client.fail("switch_session", NotFound("that session is gone", reason="SESSION_NOT_FOUND"))
    error = refusal(selector, "select", session=WAVE_1)
    assert error["reason"] == "SESSION_NOT_FOUND"
    until(lambda: label(selector) == "Baseline" and selector.session_id == BASELINE)


def test_a_refused_trait_write_is_rolled_back_and_said(selector, client):
    """A refused write from Python puts the trait back, and the reason is on the screen."""
    client.fail("switch_session", NotFound("that session is gone", reason="SESSION_NOT_FOUND"))
    selector.session_id = WAVE_1
    shows(selector, status="error")
    assert selector._state["error"]["message"] == "that session is gone"
    until(lambda: selector.session_id == BASELINE)


def test_the_last_choice_wins(selector, client):
    """Of quick choices only the last becomes current, and the earlier one is told that it was overtaken."""
    answers = listen(selector)
    with client.hold("switch_session"):
        first = begin(selector, "select", session=WAVE_1)
        until(lambda: selector._state["status"] == "pending")
        second = begin(selector, "select", session=WAVE_2)
        until(lambda: label(selector) == "Wave 2")
    until(lambda: len(answers) == 2)
    assert answers[first]["error"]["reason"] == "SUPERSEDED"
    assert answers[second]["ok"]
    until(lambda: selector.session_id == WAVE_2)


def test_observers_may_use_the_workspace(selector, ws):
    """A callback on session_id may make blocking calls, and sees the session that it was told."""
    seen = []
    selector.observe(lambda change: seen.append((change["new"], ws.session.display_name)), "session_id")
    ws.switch("Wave 1")
    until(lambda: seen)
    assert seen == [(WAVE_1, "Wave 1")]


def test_a_failing_observer_is_shown_and_stops_nothing(selector, ws):
    """What a callback raises stands in the selector until the next switch, which is followed as ever."""

    def fail(change):
        if change["new"] == WAVE_1:
            raise ValueError("oh")

    selector.observe(fail, "session_id")
    ws.switch("Wave 1")
    shows(selector, status="error")
    assert selector._state["error"]["kind"] == "ObserverError"
    assert selector._state["error"]["message"] == "ValueError: oh"
    ws.switch("Wave 2")
    until(lambda: selector.session_id == WAVE_2)
    shows(selector, status="ready", error=None)


def test_an_observer_may_switch_on(selector, ws):
    """A callback that writes another session into the trait switches to it."""

    def onward(change):
        if change["new"] == WAVE_1:
            selector.session_id = WAVE_2

    selector.observe(onward, "session_id")
    ws.current.switch(WAVE_1)
    until(lambda: ws.current.state.session_id == WAVE_2 and not ws.current.state.pending)
    until(lambda: selector.session_id == WAVE_2)


def test_a_partial_name_is_refused(selector):
    """The traits take full names alone, and say what to use instead."""
    with pytest.raises(traitlets.TraitError, match=r"ws\.switch"):
        selector.session_id = "Wave 1"
    assert selector.session_id == BASELINE


def test_it_is_a_widget_like_any_other(selector, ws):
    """It sits in a VBox and its traits can be linked both ways."""
    text = ipywidgets.Text()
    ipywidgets.link((selector, "session_id"), (text, "value"))
    assert ipywidgets.VBox([selector, text]).children == (selector, text)
    text.value = WAVE_1
    until(lambda: label(selector) == "Wave 1")
    ws.switch("Wave 2")
    until(lambda: text.value == WAVE_2)


def test_lists_come_page_by_page(selector, client):
    """The front end gets the part of a list that it asks for, and the total."""
    for number in range(250):
        client.service.add_session(CONTOSO, f"Z {number:03}")
    page = ask(selector, "sessions", engagement=CONTOSO, offset=200, limit=100)
    assert (page["total"], len(page["items"])) == (253, 53)
    assert ask(selector, "engagements", offset=0, limit=100)["items"][1]["label"] == "Fabrikam"


def test_a_change_of_another_client_arrives(selector, client):
    """A rename elsewhere changes the label here, and tells the front end that its lists are out of date."""
    before = selector._state["lists"]
    client.service.set_session(BASELINE, display_name="As is")
    client.service.note("updated", BASELINE)
    until(lambda: label(selector) == "As is" and selector._state["lists"] != before)


def test_a_deleted_session_is_shown_as_gone(selector, client):
    """A session that goes is said to be gone; nothing else is chosen silently."""
    ask(selector, "select", session=WAVE_1)
    del client.service.sessions[WAVE_1]
    client.service.note("deleted", WAVE_1)
    shows(selector, status="gone")
    assert selector.session_id == WAVE_1


def test_an_outage_is_said_and_passes(client):
    """When the service does not answer the selector says so, and a refresh brings it back."""
    client.fail("get_session", Unavailable("the service is away"), times=9)
    ws = workspace(client)
    try:
        selector = ws.selector
        begin(selector, "refresh")
        until(lambda: selector._state["connection"] in ("live", "disconnected", "connecting"))
        client._failures.clear()
        ask(selector, "refresh")
        until(lambda: label(selector) == "Baseline")
    finally:
        ws.close()


def test_a_closed_workspace_leaves_what_is_shown(selector, ws, client):
    """Widgets keep their last answer and say that they are disconnected; a choice is refused, with why."""
    table = ws.discovery()
    shows(table, status="ready")
    ws.close()
    shows(selector, status="ready", connection="disconnected")
    assert (label(selector), table._state["status"], table._state["page"]["total"]) == (
        "Baseline",
        "ready",
        5,
    )
    client.fail("switch_session", Unavailable("this connection was closed; call connect() again"))
    assert refusal(selector, "select", session=WAVE_1)["kind"] == "Unavailable"
    shows(selector, status="error")
    assert label(selector) == "Baseline"


def test_the_new_session_form_switches_to_what_it_made(selector, ws):
    """A session made in the selector's form is current afterwards where that was asked for."""
    opened = ask(selector, "form.open", session="")
    values = opened["values"] | {"display_name": "What if"}
    ask(selector, "form.save", session="", etag="", values=values, switch=True)
    until(lambda: label(selector) == "What if" and selector._state["status"] == "ready")
    assert ws.session.display_name == "What if"


def test_revisions_only_rise(selector, ws):
    """Every write to the front end carries a higher rev, and epochs never fall."""
    seen = []
    lock = threading.Lock()

    def note(change):
        with lock:
            seen.append((change["new"]["rev"], change["new"]["epoch"]))

    selector.observe(note, "_state")
    for name in ("Wave 1", "Wave 2", "Baseline"):
        ws.switch(name)
    until(lambda: label(selector) == "Baseline" and selector._state["status"] == "ready")
    assert seen == sorted(seen)
    assert len({rev for rev, _ in seen}) == len(seen)


def test_a_saved_notebook_reads_well(selector):
    """Without a kernel the output still says which engagement and session it was."""
    data, _ = selector._repr_mimebundle_()
    assert "engagement Contoso, session Baseline" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_names_cannot_break_the_fallback(ws, client):
    """A display name with markup is text in the saved notebook."""
    client.service.set_session(BASELINE, display_name="<script>alert(1)</script>")
    selector = ws.selector
    shows(selector, status="ready")
    data, _ = selector._repr_mimebundle_()
    assert "<script>" not in data["text/html"]
