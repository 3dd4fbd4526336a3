"""The notebook about switching and comparing, as its reader runs it."""

from pathlib import Path

import nbformat
from playwright.sync_api import Page, expect
from support_jupyter import ROOT, Demo, notebook_url, open_notebook, run_all

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
