"""What stays when something goes: restarts, reloads, other browsers and notebooks, servers that come back."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from mooring import local
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Locator, Page, expect
from support_jupyter import CURRENT, ROOT, Demo, free_port, notebook_url, open_notebook, run_all
from support_pages import address_of, data_folder, in_kernel, opened
from support_waiting import until

ARTIFACTS = Path(os.environ.get("MOORING_TEST_ARTIFACTS", ROOT / "test-artifacts"))
VIEWS = ("ws.discovery()", "ws.landscape()")
ENDED = "The kernel was restarted or has ended, and this widget with it."
DEAD_AFTER_MS = 3_000


class Server:
    """A named server, to be killed and started again at its address."""

    def __init__(self, folder: Path) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        database = f"sqlite:///{folder / 'mooring.db'}"
        port = self.address.rpartition(":")[2]
        self._command = [sys.executable, "-m", "mooring_server", "serve"]
        self._command += ["--port", port, "--database", database]
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: local.answers(self.address), "the server")

    def kill(self) -> None:
        """SIGKILL."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own for a test, which runs."""
    made = Server(tmp_path)
    made.start()
    yield made
    made.kill()


def run_cells(page: Page) -> None:
    """Runs every cell, whatever they warn of."""
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")


def session_of(page: Page) -> Locator:
    """What the selector says is the current session."""
    return page.get_by_role("combobox", name="Session")


def connection(page: Page) -> Locator:
    """What the selector says about changes arriving."""
    return page.locator(".m-status:visible")


def stands_at(page: Page, name: str) -> None:
    """The selector and the table are at this session."""
    expect(session_of(page)).to_contain_text(name)
    expect(page.get_by_role("region", name=f"Discovery of {name}")).to_be_visible()


def time_banners(page: Page) -> None:
    """Notes in the page itself when each widget first says that nothing answers it."""
    page.evaluate(
        """() => {
            globalThis.silence = [];
            for (const banner of document.querySelectorAll(".m-silence")) {
                new MutationObserver(() => {
                    if (!banner.hidden) silence.push([performance.now(), banner.innerText]);
                }).observe(banner, { attributes: true, childList: true, subtree: true });
            }
            globalThis.banners = document.querySelectorAll(".m-silence").length;
        }"""
    )


def told_after(page: Page, act: str) -> tuple[list[float], list[str]]:
    """Does something to the kernel; after how many milliseconds each widget spoke, and what they say last."""
    page.evaluate(f"async () => {{ globalThis.actedAt = performance.now(); {act} }}")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.m-silence')].filter(each => !each.hidden).length === banners"
    )
    first = page.evaluate("() => silence.map(([at]) => at - actedAt)")
    return first[: page.evaluate("() => banners")], page.locator(".m-silence").all_inner_texts()


def test_a_selection_survives_a_kernel_restart(demo: Demo, page: Page) -> None:
    """After a restart of the kernel, running the cells again puts the user back where they were."""
    opened(page, demo, "restart", *VIEWS, "ws.switch('Wave 1') and None")
    stands_at(page, "Wave 1")
    page.evaluate(f"() => {CURRENT}.sessionContext.restartKernel()")
    expect(page.get_by_text(ENDED)).to_have_count(3)
    page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.evaluate(f"() => {CURRENT}.content.widgets.at(-1).model.sharedModel.setSource('')")
    run_all(page)
    stands_at(page, "Wave 1")
    expect(page.get_by_text(ENDED)).to_have_count(0)


def test_widgets_survive_a_reload_of_the_page(demo: Demo, page: Page) -> None:
    """The same widgets work on, in a page that was loaded anew, without a cell being run."""
    opened(page, demo, "reload", *VIEWS)
    in_kernel(page, "ws.switch('Wave 1')")
    stands_at(page, "Wave 1")
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    open_notebook(page, address_of(demo, "reload"))
    stands_at(page, "Wave 1")
    session_of(page).press("Enter")
    page.keyboard.type("Baseline")
    page.keyboard.press("Enter")
    stands_at(page, "Baseline")
    in_kernel(page, "assert ws.session.display_name == 'Baseline', ws.session")


def test_a_second_browser_shows_the_same(demo: Demo, browser: Browser, page: Page) -> None:
    """A second browser on the same notebook shows the same widgets, and a switch in one moves the other."""
    opened(page, demo, "both", *VIEWS)
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    there = browser.new_context().new_page()
    open_notebook(there, address_of(demo, "both"))
    stands_at(there, "Baseline")
    session_of(there).press("]")
    # The selector names the choice at once, the table when the kernel has heard of it.
    followed = there.get_by_role("region", name=re.compile("^Discovery of (?!Baseline)"))
    expect(followed).to_be_visible()
    chosen = followed.get_attribute("aria-label") or ""
    stands_at(page, chosen.removeprefix("Discovery of "))
    there.context.close()


def test_a_second_notebook_has_its_own_context(demo: Demo, browser: Browser, page: Page) -> None:
    """Two notebooks stand at two sessions, and neither moves the other."""
    there = browser.new_context().new_page()
    opened(there, demo, "second", *VIEWS)
    opened(page, demo, "first", *VIEWS)
    in_kernel(page, "ws.switch('Wave 1')")
    stands_at(page, "Wave 1")
    in_kernel(there, "assert ws.session.display_name == 'Baseline', ws.session")
    stands_at(there, "Baseline")
    there.context.close()


def test_a_killed_service_comes_back_elsewhere(demo: Demo, page: Page) -> None:
    """The user's own service is killed: it is started again at another address, and the views follow."""
    opened(page, demo, "killed", *VIEWS)
    page.evaluate(
        """() => {
            const status = document.querySelector(".m-status");
            globalThis.connectionWords = [];
            new MutationObserver(() => connectionWords.push(status.innerText.trim()))
                .observe(status, { subtree: true, childList: true, characterData: true });
        }"""
    )
    before = json.loads((data_folder(demo) / "server.json").read_text())
    os.kill(before["pid"], signal.SIGKILL)
    page.wait_for_function(
        "() => connectionWords.includes('Disconnected') && connectionWords.at(-1) === 'Live'"
    )
    after = json.loads((data_folder(demo) / "server.json").read_text())
    assert after["pid"] != before["pid"]
    assert after["address"] != before["address"]
    in_kernel(page, "ws.switch('Wave 1')")
    stands_at(page, "Wave 1")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("how", "act"),
    [
        ("restarted", f"{CURRENT}.sessionContext.restartKernel();"),
        ("shut-down", f"{CURRENT}.sessionContext.session.kernel.shutdown();"),
    ],
)
def test_a_dead_widget_says_so(demo: Demo, page: Page, how: str, act: str) -> None:
    """Every widget of a kernel that is over says so within three seconds, and what to do."""
    opened(page, demo, f"dead-{how}", *VIEWS)
    time_banners(page)
    times, said = told_after(page, act)
    assert len(said) == 3
    assert all(ENDED in each for each in said), said
    assert max(times) < DEAD_AFTER_MS, times
    expect(connection(page)).to_have_text("Disconnected")


def test_a_killed_kernel_is_told_in_time(demo: Demo, page: Page) -> None:
    """A kernel that ends without a word is noticed by its silence, within three seconds."""
    opened(page, demo, "dead-killed", *VIEWS)
    time_banners(page)
    pid = kernel_pid(page)
    page.evaluate("() => { globalThis.actedAt = performance.now(); }")
    os.kill(pid, signal.SIGKILL)
    page.wait_for_function("() => silence.length >= banners")
    times = page.evaluate("() => silence.slice(0, banners).map(([at]) => at - actedAt)")
    assert max(times) < DEAD_AFTER_MS, times
    expect(page.get_by_text(ENDED)).to_have_count(3)  # when Jupyter has noticed too, and restarted it


def kernel_pid(page: Page) -> int:
    """The process of the notebook's kernel."""
    return int(
        page.evaluate(
            f"""async () => {{
                const kernel = {CURRENT}.sessionContext.session.kernel;
                const future = kernel.requestExecute({{ code: "import os; print(os.getpid())" }});
                let printed = "";
                future.onIOPub = message => {{ printed += message.content.text ?? ""; }};
                await future.done;
                return printed;
            }}"""
        )
    )


def test_a_server_that_is_away_is_bridged(demo: Demo, page: Page, server: Server) -> None:
    """Killed, its data stays, with its age, for a new kernel too; back, everything is true again."""
    connect = f"from mooring_widgets import connect\nws = connect({server.address!r})\nws"
    open_notebook(page, notebook_url(demo, "away", [connect, *VIEWS]))
    run_cells(page)
    expect(connection(page)).to_have_text("Live")
    in_kernel(
        page,
        "import pandas as pd\n"
        "frame = pd.DataFrame({'Hostname': ['ada', 'grace'], 'CPU cores': [4, 8]})\n"
        "ws.import_inventory(frame, on_progress=print)",
    )
    table = page.get_by_role("region", name="Discovery of Baseline")
    expect(table.get_by_role("row", name=re.compile("grace"))).to_be_visible()
    expect(page.locator(".m-age:visible")).to_have_count(0)

    server.kill()
    expect(connection(page)).to_have_text("Disconnected")
    expect(page.locator(".m-age:visible")).to_have_count(2)
    expect(table.get_by_role("row", name=re.compile("grace"))).to_be_visible()

    page.evaluate(f"() => {CURRENT}.sessionContext.restartKernel()")
    expect(page.get_by_text(ENDED)).to_have_count(3)
    run_cells(page)
    expect(page.get_by_text("this notebook shows what it read before")).to_be_visible()
    expect(page.get_by_text(ENDED)).to_have_count(0)
    expect(page.locator(".m-age:visible")).to_have_text(["as of just now", "as of just now"])
    expect(table.get_by_role("row", name=re.compile("grace"))).to_be_visible()
    expect(connection(page)).to_have_text("Disconnected")
    page.screenshot(path=ARTIFACTS / "away.png", full_page=True)

    server.start()
    expect(connection(page)).to_have_text("Live")
    expect(page.locator(".m-age:visible")).to_have_count(0)
    expect(page.get_by_role("alert").filter(visible=True)).to_have_count(0)
    in_kernel(page, "ws.switch(ws.create('Back again'))")
    expect(session_of(page)).to_contain_text("Back again")


def test_a_saved_notebook_reads_well(demo: Demo, page: Page) -> None:
    """What a page without widgets shows of a saved notebook: a line for each, which says what it was."""
    opened(page, demo, "saved", *VIEWS)
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function(f"() => !{CURRENT}.context.model.dirty")
    html, _ = HTMLExporter(embed_images=True).from_filename(
        str(data_folder(demo) / "mooring-demo" / "saved.ipynb")
    )
    page.set_content(html)
    lines = page.get_by_text("Run the notebook to use it.").locator("..")
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_contain_text("Mooring: engagement Demo engagement, session Baseline, on ")
    expect(lines.nth(1)).to_contain_text("Mooring: Discovery of session Baseline, on ")
    expect(lines.nth(2)).to_contain_text("Mooring: Landscape of session Baseline, on ")


def test_a_received_notebook_reads_well(demo: Demo, page: Page) -> None:
    """JupyterLab itself shows those lines of a notebook that somebody else has run."""
    opened(page, demo, "saved", *VIEWS)
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function(f"() => !{CURRENT}.context.model.dirty")
    path = data_folder(demo) / "mooring-demo" / "saved.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["received"] = True  # as it is, this Jupyter has signed it
    nbformat.write(notebook, path.with_name("received.ipynb"))
    open_notebook(page, address_of(demo, "received"))
    expect(page.get_by_text("Run the notebook to use it.")).to_have_count(3)
