"""The table of assets as a person uses it: filtered, arranged, walked and copied, and an asset opened."""

import re

from playwright.sync_api import FloatRect, Locator, Page, expect
from support_jupyter import Demo, notebook_url, open_notebook, press_tab_until, run_all
from support_pages import of_kernel, opened

# A twin of the service in the kernel, for what the demo has not: assets that need each other, and trouble.
TWIN = """
from mooring_widgets.client import Dependency
from mooring_widgets.errors import PermissionDenied
from mooring_widgets.testing import FakeClient, FakeService, demo_assets, workspace
service = FakeService()
service.add_engagement("contoso", "Contoso")
here = "engagements/contoso/sessions/baseline"
service.add_assets(here, demo_assets(here, {count}))
ends = [asset.name for asset in service.assets[here]]
service.add_dependencies(here, [
    Dependency(f"{{here}}/dependencies/d{{i}}", ends[i], ends[i + 1], "flow", protocol="tcp", port=443,
               source_display_name=f"vm-{{i:05}}", target_display_name=f"vm-{{i + 1:05}}")
    for i in range(min(9, {count} - 1))
])
client = FakeClient(service)
twin = workspace(client)
"""


def table_of(page: Page) -> Locator:
    return page.get_by_role("group", name="Discovery", exact=True)


def twin(page: Page, demo: Demo, name: str, count: int = 60, cell: str = "twin.discovery()") -> Locator:
    """The table of a twin with so many assets, vm-00000 and on, of which the first ten need each other.

    Alone in its notebook, so that nothing but its own style sheet makes it look as it does.
    """
    open_notebook(page, notebook_url(demo, name, [TWIN.format(count=count) + "None", cell]))
    run_all(page)
    table = table_of(page)
    expect(table.get_by_role("grid")).to_be_visible()
    return table


def expect_at(table: Locator, words: str) -> None:
    """The cell that the grid says to be active has these words, and is in the page."""
    grid = table.get_by_role("grid")
    expect(grid).to_be_focused()
    expect(table.locator(".m-at")).to_have_text(words)
    id_ = table.locator(".m-at").get_attribute("id")
    expect(grid).to_have_attribute("aria-activedescendant", str(id_))


def box_of(element: Locator) -> FloatRect:
    """Where it stands in the page, in pixels."""
    box = element.bounding_box()
    assert box is not None
    return box


def clipboard(page: Page) -> str:
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def headings(table: Locator) -> Locator:
    return table.get_by_role("columnheader")


def test_a_filter_is_typed_and_mended(demo: Demo, page: Page) -> None:
    """The service's refusal stands beside the filter with a way to mend it; clearing brings all back."""
    opened(page, demo, "table-filter", "ws.discovery()")
    table = table_of(page)
    box = table.get_by_role("textbox", name="Filter")
    expect(table.get_by_role("status").filter(has_text=re.compile(r"\d+ assets"))).to_be_visible()
    every = table.get_by_role("grid").get_attribute("aria-rowcount")
    table.get_by_role("grid").focus()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("typ = VIRTUAL_MACHINE")
    page.keyboard.press("Enter")
    expect(table.get_by_role("alert").filter(has_text="Did you mean")).to_contain_text("typ")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(table.get_by_role("grid")).to_have_attribute("aria-rowcount", str(every))
    table.get_by_role("button", name="type", exact=True).click()
    expect(box).to_have_value("type = VIRTUAL_MACHINE")
    expect(box).not_to_have_attribute("aria-invalid", "true")
    machines = of_kernel(page, "sum(ws.discovery.to_pandas().type == 'virtual_machine')")
    expect(table.get_by_role("grid")).to_have_attribute("aria-rowcount", str(int(machines) + 1))

    box.fill("owner = nobody")
    box.press("Enter")
    expect(table).to_contain_text("Nothing here passes the filter")
    table.get_by_role("button", name="Clear the filter").click()
    expect(table.get_by_role("grid")).to_have_attribute("aria-rowcount", str(every))
    expect(box).to_be_focused()

    table.get_by_role("button", name="Fields").click()
    table.get_by_role("button", name="cpu_cores", exact=True).click()
    page.keyboard.type("100000")
    expect(box).to_have_value("cpu_cores >= 100000")
    page.keyboard.press("Escape")
    expect(box).to_have_value("")


def test_the_table_is_walked_sorted_and_copied_by_keyboard(demo: Demo, page: Page) -> None:
    """Tab reaches it, arrows walk, Enter on a heading sorts, Shift marks, Ctrl+C copies, Tab leaves."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    table = twin(page, demo, "table-keys")
    press_tab_until(page, table.get_by_role("grid"))
    expect_at(table, "vm-00000")
    head, first = (box_of(table.get_by_role("row").nth(index)) for index in (0, 1))
    assert abs(head["y"] + head["height"] - first["y"]) < 2, "the rows begin under the heading"
    page.keyboard.press("ArrowUp")
    expect_at(table, "Name")
    page.keyboard.press("Enter")
    expect(headings(table).first).to_have_attribute("aria-sort", "descending")
    expect_at(table, "Name")
    page.keyboard.press("ArrowDown")
    expect_at(table, "vm-00059")
    page.keyboard.press("Control+End")
    expect(table.locator(".m-at")).to_be_in_viewport()
    page.keyboard.press("Home")
    expect_at(table, "vm-00000")
    page.keyboard.press("Control+c")
    expect(table).to_contain_text("Copied the cell")
    assert clipboard(page) == "vm-00000"
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Control+c")
    expect(table).to_contain_text("Copied 2 rows")
    assert clipboard(page) == "vm-00001\tVirtual machine\nvm-00000\tVirtual machine"
    page.keyboard.press("Escape")
    expect(table.locator("[aria-selected=true]")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(table.get_by_role("grid")).not_to_be_focused()


def test_columns_are_chosen_and_put_in_order(demo: Demo, page: Page) -> None:
    """By keyboard in the list and from a heading, by dragging, and back to the usual ones."""
    table = twin(
        page, demo, "table-columns", cell="twin.discovery(columns=['display_name', 'owner', 'type'])"
    )
    expect(headings(table)).to_have_text(["Name", "Owner", "Type"])
    table.get_by_role("button", name="Columns").press("Enter")
    chosen = page.get_by_role("dialog", name="Columns")
    expect(chosen.get_by_role("checkbox", name="Name", exact=True)).to_be_focused()
    page.keyboard.press("h")
    expect(chosen.get_by_role("checkbox", name="Host name")).to_be_focused()
    page.keyboard.press("Space")
    expect(headings(table)).to_have_text(["Name", "Owner", "Type", "Host name"])
    page.keyboard.press("Control+ArrowLeft")
    expect(headings(table)).to_have_text(["Name", "Owner", "Host name", "Type"])
    chosen.get_by_role("button", name="Move Owner left").click()
    expect(headings(table)).to_have_text(["Owner", "Name", "Host name", "Type"])
    page.keyboard.press("Escape")
    expect(chosen).to_be_hidden()

    table.get_by_role("grid").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    expect_at(table, "Owner")
    page.keyboard.press("Control+ArrowRight")
    expect(headings(table)).to_have_text(["Name", "Owner", "Host name", "Type"])
    expect_at(table, "Owner")
    headings(table).nth(3).drag_to(headings(table).nth(1))
    expect(headings(table)).to_have_text(["Name", "Type", "Owner", "Host name"])
    expect(table.get_by_role("row").nth(1).get_by_role("gridcell")).to_have_text(
        ["vm-00000", "Virtual machine", "Ada", "vm-00000.example.net"]
    )
    table.get_by_role("button", name="Columns").click()
    chosen.get_by_role("button", name="Usual columns").click()
    expect(headings(table)).to_have_text(["Name", "Owner", "Type"])
    table.get_by_role("heading", name="Discovery").click()
    expect(chosen).to_be_hidden()


def test_an_asset_is_opened_and_its_dependencies_followed(demo: Demo, page: Page) -> None:
    """Enter opens it with all that is known; links lead on, Backspace back; the mouse does the same."""
    table = twin(page, demo, "table-asset")
    table.get_by_role("grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    panel = table.get_by_role("region", name="vm-00001", exact=True)
    expect(panel.get_by_role("heading", name="vm-00001")).to_be_focused()
    expect(panel.get_by_role("group", name="Machine")).to_contain_text("16 GiB")
    expect(panel.get_by_role("group", name=re.compile("^Needs"))).to_contain_text("vm-00002 Flow, 443/tcp")
    expect(panel.get_by_role("group", name=re.compile("^Needed by"))).to_contain_text("vm-00000")
    panel.get_by_role("button", name="vm-00002", exact=True).press("Enter")
    panel = table.get_by_role("region", name="vm-00002", exact=True)
    expect(panel.get_by_role("heading", name="vm-00002")).to_be_focused()
    page.keyboard.press("Backspace")
    panel = table.get_by_role("region", name="vm-00001", exact=True)
    expect(panel.get_by_role("heading", name="vm-00001")).to_be_focused()
    panel.get_by_role("button", name="Grace", exact=True).click()
    expect(table.get_by_role("textbox", name="Filter")).to_have_value('owner = "Grace"')
    expect(table.get_by_role("grid")).to_have_attribute("aria-rowcount", "31")
    panel.get_by_role("button", name="Close").press("Enter")
    expect(panel).to_be_hidden()
    expect(table.get_by_role("grid")).to_be_focused()
    table.get_by_text("vm-00003", exact=True).click()
    expect(table.get_by_role("heading", name="vm-00003")).to_be_focused()
    assert page.locator(".jp-Notebook .jp-Cell").count() == 2  # no key went to the notebook


def test_in_a_narrow_page_an_asset_takes_the_tables_place(demo: Demo, page: Page) -> None:
    """And gives it back, with the keyboard where it was."""
    table = twin(page, demo, "table-narrow")
    page.set_viewport_size({"width": 620, "height": 1000})
    expect(table).to_have_class(re.compile("m-narrow"))
    table.get_by_role("grid").focus()
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(table.get_by_role("heading", name="vm-00020")).to_be_focused()
    expect(table.get_by_role("grid")).to_be_hidden()
    width = table.evaluate("element => element.scrollWidth - element.clientWidth")
    assert width <= 0
    page.keyboard.press("Escape")
    expect_at(table, "vm-00020")
    expect(table.locator(".m-at")).to_be_in_viewport()


def test_hundreds_of_thousands_of_rows_are_one_table(demo: Demo, page: Page) -> None:
    """Rows far down come where the scroll bar is put, few are in the page, and each stands at its place."""
    table = twin(page, demo, "table-long", count=400_000)
    grid = table.get_by_role("grid")
    expect(table).to_contain_text("400,000 assets")
    expect(grid).to_have_attribute("aria-rowcount", "400001")
    table.locator(".m-scroll").evaluate("element => { element.scrollTop = element.scrollHeight / 2; }")
    expect(table).to_contain_text(re.compile(r"Rows 200,0\d\d.200,0\d\d of 400,000"))
    expect(table.locator(".m-canvas [aria-rowindex='200010'] .m-td").first).to_have_text(re.compile("^vm-"))
    grid.focus()
    page.keyboard.press("Control+End")
    page.keyboard.press("Home")
    expect_at(table, "vm-99999")
    expect(table.locator(".m-at")).to_be_in_viewport()
    page.keyboard.press("ArrowUp")
    expect_at(table, "vm-99998")
    assert table.get_by_role("row").count() < 40
    assert float(table.locator(".m-canvas").evaluate("element => element.offsetHeight")) <= 10_000_000


def test_failures_say_so_and_are_tried_again(demo: Demo, page: Page) -> None:
    """Rows and an asset that could not be had say why where they would stand, with a way on."""
    table = twin(page, demo, "table-failing", count=1_000)
    refuse = "client.fail('{}', PermissionDenied('you have no access to contoso'), times={})"
    of_kernel(page, refuse.format("list_assets", 1))
    grid = table.get_by_role("grid")
    grid.focus()
    page.keyboard.press("Control+End")
    expect(table.get_by_role("alert")).to_contain_text("you have no access to contoso")
    table.get_by_role("button", name="Try again").press("Enter")
    page.keyboard.press("Home")
    expect_at(table, "vm-00999")
    expect(table.get_by_role("alert").filter(has_text="no access")).to_have_count(0)

    of_kernel(page, refuse.format("get_asset", 1))
    page.keyboard.press("Enter")
    expect(table.get_by_role("alert")).to_contain_text("you have no access to contoso")
    table.get_by_role("button", name="Try again").press("Enter")
    expect(table.get_by_role("group", name="Machine")).to_be_visible()
    expect(table.get_by_role("alert").filter(has_text="no access")).to_have_count(0)
