"""Choosing a session without a mouse, in a real JupyterLab: search, shortcuts, comparing, copying, states."""

import re
from collections.abc import Iterator

import grpc
import pytest
from mooring import local
from mooring.v1 import engagements_pb2, engagements_pb2_grpc, sessions_pb2, sessions_pb2_grpc
from playwright.sync_api import Locator, Page, expect
from support_jupyter import Demo, press_tab_until
from support_pages import data_folder, in_kernel, of_kernel, opened
from support_waiting import until

NORTHWIND = "engagements/northwind"
SITES = 130  # more than one page of the list, and more than are seen at once


@pytest.fixture(scope="module")
def northwind(demo: Demo) -> Iterator[sessions_pb2_grpc.SessionServiceStub]:
    """An engagement of many sessions; answers another client of the demo's service."""
    demo.url()
    with grpc.insecure_channel(local.find_or_start(data_folder(demo))) as channel:
        engagements_pb2_grpc.EngagementServiceStub(channel).CreateEngagement(
            engagements_pb2.CreateEngagementRequest(
                engagement=engagements_pb2.Engagement(display_name="Northwind"), engagement_id="northwind"
            )
        )
        service = sessions_pb2_grpc.SessionServiceStub(channel)
        for number in range(SITES):
            site = sessions_pb2.Session(
                display_name=f"Site {number:03}",
                description="" if number % 10 else "Racks in Lyon",
                labels={"team": "blue"} if number % 50 == 7 else {},
            )
            service.CreateSession(
                sessions_pb2.CreateSessionRequest(
                    parent=NORTHWIND, session=site, session_id=f"site-{number:03}"
                )
            )
        yield service


def at(page: Page, demo: Demo, site: str) -> None:
    """A notebook of its own at a session of that engagement, with the focus in the selector."""
    opened(page, demo, f"at-{site}", f"ws.switch('{NORTHWIND}/sessions/{site}') and None", "ws.discovery()")
    expect(box(page)).to_contain_text(site.replace("site-", "Site "))
    press_tab_until(page, box(page))


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Session", exact=True)


def search(page: Page) -> Locator:
    return page.get_by_role("combobox", name=re.compile("^Search by name, description"))


def chosen(page: Page, label: str) -> None:
    """Waits until this session is current, and the service has said so."""
    expect(box(page)).to_contain_text(label)
    expect(box(page)).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("group", name="Discovery")).to_contain_text(label)


def marked(page: Page, label: str) -> None:
    """Waits until the row with this label is the one that the search field names."""
    row = page.locator(".m-option.m-active")
    expect(row).to_contain_text(label)
    expect(search(page)).to_have_attribute("aria-activedescendant", row.get_attribute("id") or "no row")


def says(page: Page, words: str) -> None:
    """Waits until the live region has said this."""
    expect(page.locator(".m-selector > [aria-live=polite]")).to_contain_text(words)


def group(page: Page, name: str) -> Locator:
    return page.get_by_role("listbox", name="Sessions").get_by_role("group", name=name)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_search_finds_and_chooses(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """Words and labels are searched for on the service, results are announced, and Enter chooses one."""
    at(page, demo, "site-001")
    press(page, "Tab", "/")
    expect(search(page)).to_be_focused()
    page.keyboard.type("lyon rack")
    says(page, "13 sessions found")
    marked(page, "Site 000")
    press(page, "ArrowDown", "Enter")
    chosen(page, "Site 010")
    expect(box(page)).to_be_focused()

    press(page, "/")
    page.keyboard.type("site team:blue")
    says(page, "3 sessions found")
    expect(page.get_by_role("option", name=re.compile("^Site"))).to_have_count(3)
    expect(page.get_by_role("option", name=re.compile("^Site")).first).to_have_attribute("aria-setsize", "3")
    press(page, "End", "Enter")
    chosen(page, "Site 107")


def test_what_is_typed_is_chosen_without_waiting(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """Enter right after a name chooses what has it, however late the answer is."""
    at(page, demo, "site-002")
    press(page, "Enter")
    page.keyboard.type("site 099")
    press(page, "Enter")
    chosen(page, "Site 099")


def test_recent_and_pinned_sessions_are_on_top(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """The session before is one key away; pins are of the user, and come and go by a key."""
    at(page, demo, "site-020")
    press(page, "]")
    chosen(page, "Site 021")
    press(page, "Enter")
    marked(page, "Site 021")
    recent = group(page, "Recent").get_by_role("option")
    expect(recent.nth(1)).to_contain_text("Site 020")
    press(page, "ArrowDown", "Enter")
    chosen(page, "Site 020")

    press(page, "p")
    says(page, "Site 020 pinned")
    assert of_kernel(page, "[pin.display_name for pin in ws.shortcuts().pinned]") == "['Site 020']"
    press(page, "Enter")
    marked(page, "Site 020")
    expect(
        group(page, "Default and pinned").get_by_role("option", name=re.compile("Site 020"))
    ).to_be_visible()
    press(page, "Alt+p")
    says(page, "Site 020 unpinned")
    expect(group(page, "Default and pinned")).to_have_count(0)
    assert of_kernel(page, "ws.shortcuts().pinned") == "()"


def test_sessions_are_compared(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """Rows are marked in the open list, which stays open; the kernel has their names, and code shows them."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    at(page, demo, "site-030")
    press(page, "Shift+Space", "/")
    says(page, "Site 030 is compared")
    page.keyboard.type("site 03")
    says(page, "10 sessions found")
    press(page, "End", "Control+Space")
    says(page, "Site 039 is compared")
    marked(page, "Site 039")
    checked = page.get_by_role("option", checked=True)
    expect(checked).to_have_count(2)
    press(page, "Escape")
    until(
        lambda: (
            of_kernel(page, "[name[-8:] for name in ws.selector.compared_ids]") == "['site-030', 'site-039']"
        )
    )

    comparing = page.get_by_role("group", name="Comparing")
    expect(comparing.get_by_role("listitem")).to_have_text(["Site 030", "Site 039"])
    press_tab_until(page, comparing.get_by_role("button", name="Copy code"))
    press(page, "Enter")
    says(page, "Copied the code that compares them")
    code = page.evaluate("() => navigator.clipboard.readText()")
    in_kernel(page, code)
    press(page, "Tab", "Enter")
    expect(comparing).to_be_hidden()
    until(lambda: of_kernel(page, "ws.selector.compared_ids") == "[]")


def test_names_and_code_are_copied(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """Of the current session, or with Alt of the marked row while the list is open."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    at(page, demo, "site-040")
    for key, said, copied in (
        ("c", "Copied engagements/northwind", f"{NORTHWIND}/sessions/site-040"),
        ("Shift+C", "Copied the line", 'ws.switch("Site 040")'),
    ):
        press(page, key)
        says(page, said)
        assert page.evaluate("() => navigator.clipboard.readText()") == copied
    press(page, "/")
    page.keyboard.type("site 041")
    says(page, "1 session found")
    marked(page, "Site 041")
    press(page, "Alt+c")
    says(page, f"Copied {NORTHWIND}/sessions/site-041")
    assert page.evaluate("() => navigator.clipboard.readText()") == f"{NORTHWIND}/sessions/site-041"
    in_kernel(page, 'assert ws.switch("Site 040").display_name == "Site 040"')


def test_every_row_of_a_long_list_is_reached(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """The last row is one key away, few rows are in the page, and neighbours are found from anywhere."""
    at(page, demo, "site-050")
    press(page, "Enter", "End")
    marked(page, f"Site {SITES - 1}")
    row = page.locator(".m-option.m-active")
    expect(row).to_have_attribute("aria-posinset", str(SITES + 1))  # the default session is one more
    expect(row).to_have_attribute("aria-setsize", str(SITES + 1))
    assert page.locator(".m-option").count() < 26
    press(page, "PageUp", "PageUp", "Home", "End", "ArrowUp", "Enter")
    chosen(page, f"Site {SITES - 2}")

    in_kernel(page, f"ws.switch('{NORTHWIND}/sessions/site-118')")
    chosen(page, "Site 118")
    press(page, "r", "[")
    chosen(page, "Site 117")
    press(page, "]", "]")
    chosen(page, "Site 119")


def test_filters_are_reached_by_tab(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """From the search field on to the switches, then out of the list; nothing is chosen by that."""
    at(page, demo, "site-060")
    northwind.ArchiveSession(sessions_pb2.ArchiveSessionRequest(name=f"{NORTHWIND}/sessions/site-061"))
    press(page, "/")
    page.keyboard.type("site 06")
    says(page, "9 sessions found")
    press(page, "Tab", "Tab")
    expect(page.get_by_role("button", name="Archived too")).to_be_focused()
    press(page, "Space")
    says(page, "10 sessions found")
    expect(page.get_by_role("option", name=re.compile("Site 061 Archived"))).to_be_visible()
    press(page, "Tab", "Tab")
    expect(page.get_by_role("combobox", name="Type", exact=True)).to_be_focused()
    page.keyboard.type("Validation")
    says(page, "No session matches")
    press(page, "Tab")
    expect(page.get_by_role("button", name="List all")).to_be_focused()
    press(page, "Enter")
    says(page, f"{SITES} sessions")
    expect(search(page)).to_be_focused()
    press(page, *["Tab"] * 5)
    expect(page.get_by_role("listbox", name="Sessions")).to_be_hidden()
    expect(box(page)).to_contain_text("Site 060")


def test_escape_closes_then_clears_then_leaves(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """No letter that is typed reaches the notebook, until the last Escape gives it the keyboard back."""
    at(page, demo, "site-070")
    cells = page.locator(".jp-Cell")
    before = cells.count()
    press(page, "/")
    page.keyboard.type("dd a b x m y")
    expect(search(page)).to_have_value("dd a b x m y")
    press(page, "Escape")
    expect(page.get_by_role("listbox", name="Sessions")).to_be_hidden()
    narrowed = page.get_by_text("only “dd a b x m y”")
    expect(narrowed).to_be_visible()
    press(page, "a", "b", "d", "d", "x")
    press(page, "Escape")
    expect(narrowed).to_be_hidden()
    expect(box(page)).to_be_focused()
    assert cells.count() == before
    press(page, "Escape")
    expect(box(page)).not_to_be_focused()
    press(page, "b")
    expect(cells).to_have_count(before + 1)


def test_keys_and_details_are_a_key_away(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """A dialog lists every key; the details of a session are shown and said, closed and in the open list."""
    at(page, demo, "site-007")
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("copy the session's full name")
    press(page, "Escape")
    expect(keys).to_be_hidden()
    expect(box(page)).to_be_focused()

    press(page, "i")
    details = page.get_by_role("tooltip")
    expect(details).to_contain_text(f"{NORTHWIND}/sessions/site-007")
    expect(details).to_contain_text("team: blue")
    says(page, "made by you")
    expect(box(page)).to_have_accessible_description(re.compile("0 assets · 0 dependencies · data import"))
    press(page, "Escape")
    expect(details).to_be_hidden()

    press(page, "/")
    page.keyboard.type("site 010")
    marked(page, "Site 010")
    expect(page.locator(".m-option.m-active")).to_have_accessible_description(re.compile("Racks in Lyon"))


def test_a_session_that_goes_is_shown_with_a_choice(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """Deleted elsewhere it is said to be gone, and comes back by a key; archived it says so, likewise."""
    at(page, demo, "site-080")
    name = f"{NORTHWIND}/sessions/site-080"
    northwind.DeleteSession(sessions_pb2.DeleteSessionRequest(name=name))
    gone = page.get_by_role("alert").filter(has_text="Site 080 is gone")
    expect(gone).to_be_visible()
    press_tab_until(page, page.get_by_role("button", name="Bring it back"))
    press(page, "Enter")
    expect(gone).to_be_hidden()
    chosen(page, "Site 080")

    northwind.ArchiveSession(sessions_pb2.ArchiveSessionRequest(name=name))
    expect(box(page)).to_contain_text("Archived")
    press_tab_until(page, page.get_by_role("button", name="Take it up again"))
    press(page, "Enter")
    expect(box(page)).not_to_contain_text("Archived")

    northwind.DeleteSession(sessions_pb2.DeleteSessionRequest(name=name))
    press_tab_until(page, page.get_by_role("button", name="Go to the default session"))
    press(page, "Enter")
    expect(box(page)).to_contain_text("Default")


def test_a_list_that_fails_can_be_tried_again(
    demo: Demo, page: Page, northwind: sessions_pb2_grpc.SessionServiceStub
) -> None:
    """The reason stands in the list, which stays open, and a key brings the rows."""
    at(page, demo, "site-090")
    in_kernel(
        page,
        "from mooring_widgets.errors import Unavailable\n"
        "works = ws.client.list_sessions\n"
        "async def fails(*args, **more):\n    raise Unavailable('the service is away')\n"
        "ws.client.list_sessions = fails",
    )
    press(page, "/")
    page.keyboard.type("site 09")
    says(page, "the service is away")
    again = page.get_by_role("button", name="Try again")
    press(page, *["Tab"] * 5)
    expect(again).to_be_focused()
    in_kernel(page, "ws.client.list_sessions = works")
    press(page, "Enter")
    expect(page.get_by_role("option", name=re.compile("^Site 099"))).to_be_visible()
    expect(search(page)).to_be_focused()
