"""Making and changing sessions in the form, by keyboard alone."""

import re

from mooring.v1 import sessions_pb2, sessions_pb2_grpc
from playwright.sync_api import Page, expect
from support_jupyter import Demo
from support_pages import form_of, opened

Sessions = sessions_pb2_grpc.SessionServiceStub


def make(sessions: Sessions, name: str, **fields: str) -> sessions_pb2.Session:
    """A session of the demo's engagement."""
    request = sessions_pb2.CreateSessionRequest(
        parent="engagements/demo", session=sessions_pb2.Session(display_name=name, **fields)
    )
    return sessions.CreateSession(request)


def change(sessions: Sessions, name: str, **fields: str) -> None:
    """Changes a session as somebody else."""
    request = sessions_pb2.UpdateSessionRequest(
        session=sessions_pb2.Session(name=name, **fields), update_mask={"paths": list(fields)}
    )
    sessions.UpdateSession(request)


def test_a_taken_name_is_told_beside_its_field(demo: Demo, page: Page) -> None:
    """The service's refusal stands beside the name, and nothing that was typed is lost."""
    opened(page, demo, "taken")
    page.get_by_role("button", name="New session").click()
    form = form_of(page, "New session")
    form.get_by_role("textbox", name="Name").fill("Wave 1")
    form.get_by_role("textbox", name="Description").fill("Typed with care")
    form.get_by_role("button", name="Create").click()

    name = form.get_by_role("textbox", name="Name")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description(re.compile("Wave 1"))
    expect(name).to_be_focused()
    expect(name).to_have_value("Wave 1")
    expect(form.get_by_role("textbox", name="Description")).to_have_value("Typed with care")

    name.fill("Not taken")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Session")).to_contain_text("Not taken")


def test_a_conflict_is_a_choice_of_mine_or_theirs(demo: Demo, page: Page, sessions: Sessions) -> None:
    """Each field that both changed is shown with both values; the choice is what is saved."""
    made = make(sessions, "Contended")
    opened(page, demo, "stale", "ws.switch('Contended') and None")
    page.get_by_role("combobox", name="Session").press("e")
    form = form_of(page, re.compile("^Edit “Contended"))
    name, description = (form.get_by_role("textbox", name=label) for label in ("Name", "Description"))
    name.fill("Contended by me")
    description.fill("Mine")
    change(sessions, made.name, display_name="Contended by them", description="Theirs")
    page.keyboard.press("Control+Enter")

    expect(form.get_by_role("alert").filter(has_text="Somebody else changed the same")).to_be_visible()
    mine = form.get_by_role("group", name="Name").get_by_role("radio", name="Mine")
    expect(mine).to_be_focused()
    expect(mine).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(form.get_by_role("group", name="Description").get_by_role("radio", name="Theirs")).to_be_checked()
    expect(description).to_have_value("Theirs")
    page.keyboard.press("Control+Enter")

    expect(form).to_be_hidden()
    expect(page.get_by_role("combobox", name="Session")).to_contain_text("Contended by me")
    saved = sessions.GetSession(sessions_pb2.GetSessionRequest(name=made.name))
    assert (saved.display_name, saved.description) == ("Contended by me", "Theirs")


def test_what_was_typed_outlives_a_switch(demo: Demo, page: Page, sessions: Sessions) -> None:
    """A switch leaves the form and its unsaved text; another form says what waits, and leads back to it."""
    make(sessions, "Unsaved A")
    make(sessions, "Unsaved B")
    opened(page, demo, "drafts", "ws.switch('Unsaved A') and None")
    selector = page.get_by_role("combobox", name="Session")
    selector.press("e")
    form_of(page, "Edit “Unsaved A”").get_by_role("textbox", name="Description").fill("Typed with care")
    selector.press("]")
    expect(selector).to_contain_text("Unsaved B")
    expect(form_of(page, "Edit “Unsaved A”")).to_be_visible()
    selector.press("e")
    form = form_of(page, "Edit “Unsaved B”")
    expect(form.get_by_role("textbox", name="Description")).to_have_value("")
    form.get_by_role("button", name="Unsaved A").press("Enter")
    back = form_of(page, "Edit “Unsaved A”").get_by_role("textbox", name="Description")
    expect(back).to_have_value("Typed with care")
    back.press("Escape")
    expect(back).to_have_value("Typed with care")
    back.press("Escape")
    expect(back).to_be_hidden()


def test_a_new_session_starts_from_another(demo: Demo, page: Page, sessions: Sessions) -> None:
    """Its description is taken over, it is switched to, and the source is its parent."""
    source = make(sessions, "Source", description="Taken over")
    opened(page, demo, "from", "ws.switch('Source') and None")
    page.get_by_role("combobox", name="Session").press("n")
    form = form_of(page, "New session")
    form.get_by_role("textbox", name="Name").fill("What if")
    form.get_by_role("combobox", name="Start from").select_option(label="Source")
    expect(form.get_by_role("textbox", name="Description")).to_have_value("Taken over")
    expect(form.get_by_role("textbox", name="Name")).to_have_value("What if")
    form.get_by_role("textbox", name="Name").press("Enter")
    expect(page.get_by_role("combobox", name="Session")).to_contain_text("What if")
    listed = sessions.ListSessions(
        sessions_pb2.ListSessionsRequest(parent="engagements/demo", filter='display_name = "What if"')
    )
    assert [each.parent_session for each in listed.sessions] == [source.name]
