"""What a notebook shows when things are empty, fail, or go away."""

import re

from playwright.sync_api import Page, expect
from support_jupyter import Demo, outputs
from support_pages import in_kernel, opened


def test_an_error_in_a_users_view_is_shown_in_place(demo: Demo, page: Page) -> None:
    """The exception stands where the output would be, with its traceback, and a retry shows the output."""
    opened(
        page,
        demo,
        "broken",
        'mended = False\n\n@ws.view\ndef owners(discovery):\n    assert mended, "not yet mended"\n'
        "    return discovery.groupby('owner').size().to_frame('assets')\nowners",
    )
    view = page.get_by_role("group", name="owners")
    expect(view.get_by_role("alert")).to_have_text("!AssertionError: not yet mended")
    view.get_by_text("Traceback", exact=True).click()
    expect(view.get_by_role("group", name="Traceback")).to_contain_text("in owners")
    expect(view.get_by_role("table")).to_have_count(0)

    in_kernel(page, "mended = True")
    view.get_by_role("button", name="Try again").click()

    expect(view.get_by_role("row", name=re.compile("Service desk"))).to_be_visible()
    expect(view.get_by_role("alert")).to_be_hidden()


def test_a_new_session_says_what_to_do(demo: Demo, page: Page) -> None:
    """Table and landscape of a session without assets say so and how to bring some in."""
    opened(page, demo, "empty", "ws.discovery()", "ws.landscape()", "ws.switch(ws.create('Empty')) and None")
    table, landscape = (
        page.get_by_role("group", name=name, exact=True) for name in ("Discovery", "Landscape")
    )
    expect(table).to_contain_text('No assets yet. Bring some in: ws.import_inventory("estate.xlsx")')
    expect(landscape).to_contain_text("No assets yet")
    expect(page.get_by_role("table")).to_have_count(0)


def test_the_selector_composes(demo: Demo, page: Page) -> None:
    """In a VBox with a view, linked and observed like any other widget."""
    opened(
        page,
        demo,
        "composed",
        "import ipywidgets\n"
        "text, browser_text = ipywidgets.Text(description='Python'), ipywidgets.Text(description='Browser')\n"
        "ipywidgets.link((ws.selector, 'session_id'), (text, 'value'))\n"
        "seen = []\n"
        "ws.selector.observe(lambda change: seen.append(change['new']), 'session_id')\n"
        "ipywidgets.jslink((ws.selector, 'session_id'), (browser_text, 'value'))\n"
        "ipywidgets.VBox([ws.selector, ws.discovery(), text, browser_text])",
    )
    box = outputs(page).last
    box.get_by_role("combobox", name="Session").press("]")
    chosen = box.get_by_role("combobox", name="Session")
    expect(chosen).not_to_contain_text("Baseline")
    for name in ("Python", "Browser"):
        expect(box.get_by_role("textbox", name=name)).not_to_have_value(re.compile("baseline"))
        expect(box.get_by_role("textbox", name=name)).to_have_value(re.compile("^engagements/demo/sessions/"))
    in_kernel(page, "assert seen == [ws.selector.session_id] == [ws.session.name], seen")


def test_the_form_composes(demo: Demo, page: Page) -> None:
    """In a VBox, linked and observed: the session that it made is its `session_id`."""
    opened(
        page,
        demo,
        "composed-form",
        "import ipywidgets\n"
        "form, text = ws.form(), ipywidgets.Text(description='Made')\n"
        "ipywidgets.link((form, 'session_id'), (text, 'value'))\n"
        "seen = []\n"
        "form.observe(lambda change: seen.append(change['new']), 'session_id')\n"
        "ipywidgets.VBox([form, text])",
    )
    box = outputs(page).last
    name = box.get_by_role("textbox", name="Name")
    name.fill("Made in a box")
    name.press("Enter")
    expect(box.get_by_role("textbox", name="Made")).to_have_value(re.compile("^engagements/demo/sessions/"))
    in_kernel(page, "assert seen == [form.session_id], seen")
