"""Users' own functions as views: prints, nothing to show, widgets, and faults of ours."""

import anywidget
import pytest
from mooring_widgets.testing import demo_assets
from mooring_widgets.views import LandscapeView
from support_waiting import until
from support_widgets import ask, shows
from support_workspace import BASELINE, WAVE_1


def test_prints_stand_below_the_output_and_below_a_failure(ws, capsys):
    """They are of the run that is shown, and in no cell; another session starts without them."""

    @ws.view
    def told(session):
        print("looking at", session.display_name)
        if session.name == WAVE_1:
            raise KeyError("owner")
        return "fine"

    shows(told, status="ready", printed="looking at Baseline\n", output={"kind": "text", "text": "fine"})
    ws.switch("Wave 1")
    shows(told, status="error", printed="looking at Wave 1\n", output=None)
    assert capsys.readouterr().out == ""


def test_a_function_that_returns_nothing_is_empty_unless_it_prints(ws):
    """Nothing to show is said, rather than a blank; what is printed is something to show."""

    @ws.view
    def silent(session):
        return None

    @ws.view
    def talking(session):
        print("done")

    shows(silent, status="empty", output=None)
    shows(talking, status="ready", output=None, printed="done\n")


def test_the_same_output_is_not_drawn_again(ws, client):
    """A run with the same outcome leaves what is on the page alone; another one does not."""

    @ws.view
    def owners(discovery):
        return ", ".join(sorted(set(discovery.owner)))

    shows(owners, status="ready", refreshing=False)
    run, text = owners._state["run"], owners._state["output"]
    client.service.add_assets(BASELINE, demo_assets(BASELINE, 7))
    until(lambda: len(ws.discovery.to_pandas()) == 7)
    until(lambda: owners._wanted is owners._done and not owners._state["refreshing"])
    assert (owners._state["run"], owners._state["output"]) == (run, text)


def test_a_widget_made_for_the_view_goes_with_its_output(ws, monkeypatch):
    """What nobody else could close is closed on a switch and at the end; the last one lives."""
    made = []

    class Chart(anywidget.AnyWidget):
        _esm = ""

    def drawn(value):
        from mooring_widgets.views.rendering import Rendered

        made.append(Chart())
        return Rendered({"kind": "widget", "model_id": made[-1].model_id}, made[-1], made=True)

    monkeypatch.setattr("mooring_widgets.views.user.render", drawn)
    view = ws.view(lambda session: session)
    shows(view, status="ready", session=BASELINE)
    ws.switch("Wave 1")
    shows(view, status="ready", session=WAVE_1)
    assert [chart.comm is None for chart in made] == [True, False]
    view.close()
    until(lambda: made[-1].comm is None)


def test_a_fault_in_painting_is_shown_and_can_be_retried(ws, monkeypatch, caplog):
    """An exception of ours is an error of the view, which a retry clears, and is logged once a paint."""
    broken = [True]
    picture = LandscapeView._picture

    def faulty(self, data):
        if broken:
            raise ZeroDivisionError("of ours")
        return picture(self, data)

    monkeypatch.setattr(LandscapeView, "_picture", faulty)
    landscape = ws.landscape()
    shows(landscape, status="error", landscape=None)
    assert landscape._state["error"]["message"] == "ZeroDivisionError: of ours"
    broken.clear()
    ask(landscape, "retry")
    shows(landscape, status="ready", error=None)
    assert "could not be painted" in caplog.text


@pytest.mark.parametrize("what", ["landscape", "activity"])
def test_a_view_says_in_a_line_what_it_is(ws, what):
    """For where no widget can be drawn."""
    view = getattr(ws, what)()
    shows(view, status="ready")
    told = {"landscape": "Landscape of session Baseline", "activity": "Activity of engagement Contoso"}
    assert told[what] in repr(view)
