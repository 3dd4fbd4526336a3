import ipywidgets
import pytest
from mooring_widgets.errors import FieldViolation, InvalidArgument
from support_waiting import until
from support_widgets import ask, refusal
from support_workspace import WAVE_1


def listed(ws) -> list[str]:
    """The names that the selector's list has."""
    page = ask(ws.selector, "sessions", engagement="engagements/contoso", offset=0, limit=100)
    return [item["label"] for item in page["items"]]


def test_an_empty_form_creates(ws):
    """A new session is made in the current engagement, which stays where it is unless asked."""
    form = ws.form()
    opened = ask(form, "form.open", session="")
    assert opened["values"] == {"display_name": "", "description": "", "type": "data_import"}
    saved = ask(form, "form.save", session="", etag="", values={"display_name": "What if"})
    assert saved["label"] == "What if"
    until(lambda: form.session_id == saved["name"])
    assert ws.session.display_name == "Baseline"


def test_an_edit_saves_only_what_changed(ws, client):
    """Fields that were not touched keep what somebody else may have written."""
    form = ws.form("Wave 1")
    opened = ask(form, "form.open", session=WAVE_1)
    ask(form, "form.save", session=WAVE_1, etag=opened["etag"], values={"description": "All of Lyon"})
    session = client.service.sessions[WAVE_1]
    assert (session.display_name, session.description) == ("Wave 1", "All of Lyon")


def test_a_conflict_is_told_and_overwrites_nothing(ws, client):
    """Where somebody else was faster the save is refused as a conflict, and a reload has the new etag."""
    form = ws.form("Wave 1")
    opened = ask(form, "form.open", session=WAVE_1)
    client.service.set_session(WAVE_1, description="theirs")
    save = {"session": WAVE_1, "values": {"description": "mine"}}
    assert refusal(form, "form.save", etag=opened["etag"], **save)["kind"] == "Conflict"
    assert client.service.sessions[WAVE_1].description == "theirs"
    again = ask(form, "form.open", session=WAVE_1)
    assert again["values"]["description"] == "theirs"
    ask(form, "form.save", etag=again["etag"], **save)


def test_a_taken_name_is_told_beside_its_field(ws):
    """The refusal of a name that is taken belongs to the name's field."""
    error = refusal(ws.form(), "form.save", session="", etag="", values={"display_name": "Wave 1"})
    assert error["fields"][0]["field"] == "session.display_name"
    assert error["reason"] == "DISPLAY_NAME_TAKEN"


def test_the_services_field_errors_are_passed_on(ws, client):
    """Each violation of a BadRequest arrives with its field."""
    wrong = FieldViolation("session.description", "at most 2,000 characters")
    client.fail("create_session", InvalidArgument("one field is wrong", violations=[wrong]))
    error = refusal(ws.form(), "form.save", session="", etag="", values={"display_name": "x"})
    assert error["fields"] == [{"field": "session.description", "message": "at most 2,000 characters"}]


@pytest.mark.parametrize("name", ["", "   "])
def test_a_name_is_required(ws, client, name):
    """An empty name is refused beside its field without asking the service."""
    error = refusal(ws.form(), "form.save", session="", etag="", values={"display_name": name})
    assert error["fields"][0]["field"] == "session.display_name"
    assert "create_session" not in client.calls


def test_what_was_saved_is_seen_at_once(ws):
    """The list of sessions shows a saved name without waiting for the watch."""
    ask(ws.form(), "form.save", session="", etag="", values={"display_name": "What if"})
    assert "What if" in listed(ws)


def test_it_is_a_widget_like_any_other(ws):
    """It sits in a VBox, and session_id can be observed."""
    form = ws.form()
    seen = []
    form.observe(lambda change: seen.append(change["new"]), "session_id")
    ipywidgets.VBox([form])
    saved = ask(form, "form.save", session="", etag="", values={"display_name": "What if"})
    until(lambda: seen == [saved["name"]])


def test_a_new_session_can_start_from_another(ws, client):
    """Its sources are named; it takes over the chosen one's description and type, and is its child."""
    client.service.set_session(WAVE_1, description="All of Lyon", type="validation_run")
    form = ws.form()
    sources = ask(form, "form.open", session="")["sources"]
    assert [each["label"] for each in sources] == ["Nothing: a blank session", "Baseline"]
    opened = ask(form, "form.open", session="", source=WAVE_1)
    assert opened["values"] == {"display_name": "", "description": "All of Lyon", "type": "validation_run"}
    assert WAVE_1 in [each["value"] for each in opened["sources"]]
    saved = ask(form, "form.save", session="", etag="", source=WAVE_1, values={"display_name": "What if"})
    made = client.service.sessions[saved["name"]]
    assert (made.description, made.type, made.parent_session) == ("All of Lyon", "validation_run", WAVE_1)


def test_a_refused_edit_is_taken_back(ws, client):
    """Lists show an edit at once, and the old name again where the service refuses it."""
    opened = ask(ws.form("Wave 1"), "form.open", session=WAVE_1)
    client.fail("update_session", InvalidArgument("no"))
    refusal(ws.form("Wave 1"), "form.save", session=WAVE_1, etag=opened["etag"], values={"display_name": "x"})
    assert "Wave 1" in listed(ws)
    assert "x" not in listed(ws)
