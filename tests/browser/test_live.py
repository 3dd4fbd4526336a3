"""Two notebooks with a kernel each, on the same engagement."""

from playwright.sync_api import Browser, Page, expect
from support_jupyter import Demo, notebook_url, open_notebook, run_all

CELLS = ["from mooring_widgets import connect\nws = connect()\nws", "ws.discovery()"]


def test_a_rename_in_one_notebook_shows_in_the_other(demo: Demo, browser: Browser, page: Page) -> None:
    """A session renamed in one kernel's form has its new name in another kernel's selector, without a reload."""
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


def test_a_selection_survives_a_kernel_restart(demo: Demo, page: Page) -> None:
    """After a restart of the kernel, running the cells again puts the user back where they were."""
    open_notebook(page, notebook_url(demo, "restart", CELLS))
    run_all(page)
    selector = page.get_by_role("combobox", name="Session")
    expect(selector).to_contain_text("Baseline")
    selector.press("]")
    expect(selector).not_to_contain_text("Baseline")
    expect(page.get_by_text("Switched to")).to_have_count(1)
    chosen = page.get_by_role("region", name="Discovery of").get_attribute("aria-label")

    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    run_all(page)

    expect(page.get_by_role("region", name=chosen or "")).to_be_visible()
    assert chosen != "Discovery of Baseline"
