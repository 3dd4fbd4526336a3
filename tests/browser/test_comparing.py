"""The notebook about switching and comparing, as its reader runs it."""

from pathlib import Path

import nbformat
from playwright.sync_api import Page, expect
from support_jupyter import ROOT, Demo, notebook_url, open_notebook, press_tab_until, run_all
from support_pages import in_kernel

FILE = ROOT / "notebooks" / "02-switching-and-comparing.ipynb"


def code_cells(file: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "code"]


def test_two_sessions_stand_side_by_side(demo: Demo, page: Page) -> None:
    """The pinned landscape stays while the other one, and the view that compares, follow the selector."""
    open_notebook(page, notebook_url(demo, "comparing", code_cells(FILE)))
    run_all(page)
    pinned, following = page.locator(".m-landscape").first, page.locator(".m-landscape").nth(1)
    expect(following).to_contain_text("Baseline")  # where its last cell switched to
    before = pinned.inner_text()

    session = page.get_by_role("combobox", name="Session").first
    session.click()
    page.get_by_role("option", name="Wave 2").click()
    expect(following).to_contain_text("Wave 2")
    expect(page.locator(".jp-OutputArea-output table caption", has_text="CPU cores")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Wave 2", exact=True)).to_be_visible()
    expect(pinned).to_have_text(before, use_inner_text=True)


COMPARISON = """
import pandas as pd
from mooring_widgets import connect
ws = connect()
before = ws.create("Before the move")
estate = {"display_name": [f"srv-{number:03}" for number in range(120)], "owner": "Ann"}
ws.import_inventory(pd.DataFrame(estate), session=before, name="estate")
after = ws.create("After the move", source_session=before)
async def edit(id_, **values):
    await ws.client.update_asset(f"{after.name}/assets/{id_}", values)
ids = ws.at(after).to_pandas(fields=["id", "display_name"]).set_index("display_name").id
ws.wait(edit(ids["srv-007"], owner="Bob"))
"""


def test_a_comparison_is_read_by_the_keyboard(demo: Demo, page: Page) -> None:
    """Numbers choose what is listed, pages go on and back, a filter narrows, and a change is followed."""
    cells = [COMPARISON + "None", "ws.comparison(before, after)"]
    open_notebook(page, notebook_url(demo, "comparison", cells))
    run_all(page)
    view = page.get_by_role("group", name="Comparison")
    expect(view.get_by_role("listitem")).to_have_text("Owner Ann → Bob")

    press_tab_until(page, view.get_by_role("radio", name="1 asset, all that differ"))
    for name in ("0 assets, added", "0 assets, removed", "1 asset, changed", "119 assets, unchanged"):
        page.keyboard.press("ArrowRight")
        expect(view.get_by_role("radio", name=name)).to_be_focused()
    names = view.get_by_role("table", name="Differences").get_by_role("rowheader")
    expect(names.first).to_have_text("srv-000")
    expect(names).to_have_count(50)

    forward = view.get_by_role("button", name="Next page")
    press_tab_until(page, forward)
    page.keyboard.press("Enter")
    expect(names.first).to_have_text("srv-051")
    expect(forward).to_be_focused()
    page.keyboard.press("Enter")
    expect(names.last).to_have_text("srv-119")
    expect(view.get_by_role("group", name="Differences")).to_be_focused()

    press_tab_until(page, view.get_by_role("textbox", name="Filter"))
    page.keyboard.type("srv-01*")
    page.keyboard.press("Enter")
    expect(names).to_have_count(10)

    in_kernel(page, "ws.wait(edit(ids['srv-011'], owner='Eve'))")
    expect(view.get_by_role("radio", name="2 assets, changed")).to_be_visible()
    expect(names).to_have_count(9)
