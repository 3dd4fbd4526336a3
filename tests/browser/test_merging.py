"""Merging by the keyboard alone: from a comparison to the record, and back."""

from playwright.sync_api import Locator, Page, expect
from support_jupyter import Demo, notebook_url, open_notebook, press_tab_until, run_all
from support_pages import address_of, in_kernel

ESTATE = """
import pandas as pd
from mooring_widgets import connect
ws = connect()
here, there = ws.create("What we know"), ws.create("What they say")
names = [f"srv-{number}" for number in range(4)]
mine = {"display_name": names, "owner": ["Ann", "Ann", "Ann", ""]}
theirs = {"display_name": [*names, "srv-new"], "owner": "Bob"}
for session, estate in ((here, mine), (there, theirs)):
    ws.import_inventory(pd.DataFrame(estate), session=session, name="estate")
def owners():
    return ws.at(here).to_pandas(fields=["owner"]).owner.tolist()
"""


def step_of(wizard: Locator, name: str) -> None:
    """The wizard is at this step, and the keyboard at its heading."""
    current = wizard.get_by_role("list", name="Steps").locator("[aria-current=step]")
    expect(current).to_have_text(name)
    expect(wizard.get_by_role("heading", level=4)).to_be_focused()


def pressed(page: Page, button: Locator) -> None:
    """Reaches a button by the Tab key, and presses it."""
    press_tab_until(page, button)
    page.keyboard.press("Enter")


def test_a_merge_by_the_keyboard(demo: Demo, page: Page) -> None:
    """Each step takes the keyboard along, a reload loses no choice, and undoing it is one key."""
    open_notebook(page, notebook_url(demo, "merging", [ESTATE + "None", "ws.comparison(here, there)"]))
    run_all(page)
    comparison = page.get_by_role("group", name="Comparison", exact=True)
    expect(comparison.get_by_role("radio", name="5 assets, all that differ")).to_be_visible()
    pressed(page, comparison.get_by_role("button", name="Merge…"))

    wizard = page.get_by_role("group", name="Merge “What they say” into “What we know”")
    source = wizard.get_by_role("combobox", name="Take from")
    expect(source).to_be_focused()
    expect(source).to_have_value("What they say")
    pressed(page, wizard.get_by_role("button", name="Next"))
    step_of(wizard, "Preview")
    expect(wizard).to_contain_text("3 conflicts, the source wins 0")

    pressed(page, wizard.get_by_role("button", name="Next"))
    step_of(wizard, "Conflicts")
    owner = wizard.get_by_role("radiogroup", name="Owner of srv-0")
    press_tab_until(page, owner.get_by_role("radio").first)
    page.keyboard.press("ArrowRight")
    expect(owner.get_by_role("radio").nth(1)).to_be_focused()
    expect(owner.get_by_role("radio").nth(1)).to_be_checked()
    expect(wizard).to_contain_text("1 choice")

    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    open_notebook(page, address_of(demo, "merging"))
    expect(wizard).to_contain_text("1 choice")
    expect(owner.get_by_role("radio").nth(1)).to_be_checked()
    pressed(page, wizard.get_by_role("button", name="Next"))
    step_of(wizard, "Confirm")
    expect(wizard).to_contain_text("of 3 conflicts 1 go to “What they say”")

    pressed(page, wizard.get_by_role("button", name="Merge", exact=True))
    step_of(wizard, "Record")
    expect(wizard).to_contain_text("was merged into “What we know”, and archived")
    expect(wizard.get_by_role("list", name="What is not in the result")).to_contain_text("srv-0")
    in_kernel(page, "assert sorted(owners()) == ['Ann', 'Ann', 'Bob', 'Bob', 'Bob'], owners()")

    pressed(page, wizard.get_by_role("button", name="Undo this merge"))
    expect(wizard).to_contain_text("It was undone")
    in_kernel(page, "assert sorted(owners()) == ['', 'Ann', 'Ann', 'Ann'], owners()")
