"""The form of a preview in a real notebook: what choices make of the rows, failures, and undoing."""

import re

from playwright.sync_api import Page, expect
from support_jupyter import Demo
from support_pages import in_kernel, opened

ESTATE = "Name,CPU,RAM (MB),Colour\\nalpha,4,4096,red\\nbeta,8,8192,blue\\n,2,1024,green\\n"


def form_cells(session: str) -> list[str]:
    """A new session, its landscape, and the form of a preview for it."""
    return [
        f"ws.switch(ws.create({session!r}))\nws.landscape()",
        f"from pathlib import Path\nPath('{session}.csv').write_text('{ESTATE}')\n"
        f"form = ws.preview_inventory('{session}.csv').edit()\nform",
    ]


def test_a_choice_shows_what_the_rows_become(demo: Demo, page: Page) -> None:
    """The first assets as they would be follow what is chosen for a column, and nothing is changed by it."""
    opened(page, demo, "choosing", *form_cells("choosing"))
    form = page.get_by_role("form", name=re.compile("^Import choosing.csv"))
    form.get_by_text("as they would be").click()
    first = form.get_by_role("table", name="First assets")
    expect(first.get_by_role("columnheader", name="owner")).to_have_count(0)
    form.get_by_role("combobox", name="Colour").select_option("owner")
    expect(first.get_by_role("columnheader", name="owner")).to_be_visible()
    expect(first).to_contain_text("blue")
    form.get_by_role("combobox", name="Unit of RAM (MB)").select_option("GiB")
    expect(first).not_to_contain_text("4,294,967,296")
    expect(page.get_by_role("group", name="Landscape")).to_contain_text("No assets yet")


def test_an_import_is_undone(demo: Demo, page: Page) -> None:
    """The report says where every row went; undone by a button that the keyboard reaches, views show it."""
    opened(page, demo, "undoing", *form_cells("undoing"))
    form = page.get_by_role("form", name=re.compile("^Import undoing.csv"))
    landscape = page.get_by_role("group", name="Landscape")
    form.get_by_role("button", name="Import", exact=True).press("Enter")
    expect(form).to_contain_text(re.compile(r"\d+ rows = \d+ created"))
    expect(landscape).to_contain_text("CPU cores")
    expect(landscape).not_to_contain_text("No assets yet")
    undo = form.get_by_role("button", name="Undo this import")
    expect(undo).to_be_focused()
    page.keyboard.press("Enter")
    expect(form).to_contain_text("It was undone: the session shows again what it showed before.")
    expect(landscape).to_contain_text("No assets yet")


def test_a_refused_import_keeps_what_was_chosen(demo: Demo, page: Page) -> None:
    """An archived session is refused in place; brought back, another try imports what was chosen."""
    opened(page, demo, "refused", *form_cells("refused"))
    form = page.get_by_role("form", name=re.compile("^Import refused.csv"))
    colour = form.get_by_role("combobox", name="Colour")
    colour.select_option("owner")
    in_kernel(page, "ws.archive('refused')")
    form.get_by_role("button", name="Import", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("archived")
    expect(colour).to_have_value("owner")
    in_kernel(page, "ws.unarchive('refused')")
    form.get_by_role("button", name="Try again").click()
    expect(form).to_contain_text(re.compile(r"\d+ rows = \d+ created"))
    expect(form.get_by_role("alert")).to_be_hidden()
    in_kernel(page, "assert set(ws.discovery.to_pandas().owner) >= {'red', 'blue'}")
