"""Two notebooks with a kernel each, on the same engagement."""

from playwright.sync_api import Browser, Page, expect
from support_jupyter import Demo, notebook_url, open_notebook, run_all

CELLS = ["from mooring_widgets import connect\nws = connect()\nws", "ws.discovery()"]


def test_a_rename_in_one_notebook_shows_in_the_other(demo: Demo, browser: Browser, page: Page) -> None:
    """A session renamed in one kernel's form has its new name in another's selector, without a reload."""
    there = browser.new_context().new_page()
    open_notebook(there, notebook_url(demo, "there", CELLS))
    run_all(there)
    open_notebook(page, notebook_url(demo, "here", [*CELLS[:1], "ws.switch(ws.create('Draft'))", *CELLS[1:]]))
    run_all(page)
    there.get_by_role("combobox", name="Session").click()
    expect(there.get_by_role("option", name="Draft")).to_be_visible()

    page.get_by_role("button", name="Edit this session").click()
    page.get_by_role("textbox", name="Name").fill("Final")
    page.keyboard.press("Enter")

    expect(page.get_by_role("combobox", name="Session")).to_contain_text("Final")
    expect(there.get_by_role("option", name="Final")).to_be_visible()
    expect(there.get_by_role("option", name="Draft")).to_have_count(0)
    expect(there.get_by_role("combobox", name="Session")).to_contain_text("Baseline")
    there.context.close()
