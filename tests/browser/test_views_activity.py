"""The activity view in a real notebook: it follows what others do, and can be narrowed by keyboard."""

from mooring.v1 import sessions_pb2, sessions_pb2_grpc
from playwright.sync_api import Page, expect
from support_jupyter import Demo
from support_pages import opened


def test_what_somebody_else_does_appears(
    demo: Demo, page: Page, sessions: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """A session that is made elsewhere is told at the top, without a reload."""
    opened(page, demo, "activity-live", "ws.activity()")
    view = page.get_by_role("group", name="Activity", exact=True)
    expect(view.get_by_role("heading", name="Today")).to_be_visible()
    sessions.CreateSession(
        sessions_pb2.CreateSessionRequest(
            parent="engagements/demo", session=sessions_pb2.Session(display_name="Made <b>elsewhere</b>")
        )
    )
    expect(view.get_by_role("listitem").first).to_contain_text("created Made <b>elsewhere</b>")


def test_it_is_narrowed_by_the_keyboard(demo: Demo, page: Page) -> None:
    """To the session, also after a switch; and to a kind, and where there is none that is said."""
    opened(
        page,
        demo,
        "activity-narrow",
        "ws.activity()",
        "ws.create('Looked at')\nws.create('Not looked at')\nws.switch('Looked at') and None",
    )
    view = page.get_by_role("group", name="Activity", exact=True)
    view.get_by_role("combobox", name="Of").focus()
    page.keyboard.type("The current session")
    expect(view.locator(".m-session")).to_have_text("Looked at")
    lines = view.get_by_role("listitem")
    expect(lines.filter(has_text="created Looked at")).to_have_count(1)
    expect(lines.filter(has_text="Not looked at")).to_have_count(0)

    view.get_by_role("combobox", name="Show").focus()
    page.keyboard.type("Undone")
    expect(view).to_contain_text("Nothing of this kind has happened.")
    page.keyboard.press("Home")
    expect(lines.first).to_be_visible()

    page.get_by_role("combobox", name="Session").press("[")
    expect(view.locator(".m-session")).not_to_have_text("Looked at")
    expect(lines.filter(has_text="Looked at")).to_have_count(0)


def test_of_a_pinned_session_it_stays(demo: Demo, page: Page) -> None:
    """Beside the current one, whatever that is, and there is nothing else to choose whose it is."""
    opened(page, demo, "activity-pinned", "ws.at('Baseline').activity()")
    view = page.get_by_role("group", name="Activity", exact=True)
    expect(view.locator(".m-session")).to_have_text("Baseline")
    expect(view.get_by_role("combobox", name="Of")).to_have_count(0)
    page.get_by_role("combobox", name="Session").press("]")
    expect(view.locator(".m-session")).to_have_text("Baseline")
    expect(view.get_by_role("listitem").filter(has_text="Baseline").first).to_be_visible()
