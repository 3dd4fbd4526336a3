"""Bringing an inventory in by hand: the form of a preview, by the keyboard alone."""

from playwright.sync_api import Page, expect
from support_jupyter import Demo, notebook_url, open_notebook, run_all

CELLS = [
    "from mooring_widgets import connect\nws = connect()\nws",
    "ws.switch(ws.create('By hand'))\nws.landscape()",
    "preview = ws.preview_inventory('harbour-rvtools.xlsx')\npreview",
    "preview.edit()",
]


def test_a_preview_is_corrected_and_imported_by_the_keyboard(demo: Demo, page: Page) -> None:
    """Columns are found by their labels; what is chosen is imported, and the views show it."""
    open_notebook(page, notebook_url(demo, "by-hand", CELLS))
    run_all(page)
    expect(page.get_by_role("table", name="Columns")).to_contain_text("Provisioned MiB")
    landscape = page.get_by_role("group", name="Landscape")
    expect(landscape).to_contain_text("No assets yet")

    column = page.get_by_role("combobox", name="Environment")
    expect(column).to_have_value("")
    column.focus()
    page.keyboard.type("environment")
    expect(column).to_have_value("environment")
    button = page.get_by_role("button", name="Import", exact=True)
    button.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("163 rows = 60 created")).to_be_visible(timeout=30_000)
    expect(landscape).to_contain_text("60 assets")
    expect(landscape.get_by_role("table", name="Dependencies")).to_contain_text("esx01.harbour.example")
    expect(landscape).to_contain_text("Production")
    expect(landscape).to_contain_text("Nothing is known of: criticality, technology.")
