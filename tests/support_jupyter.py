"""A real JupyterLab, started by `mooring demo` in an empty home, and how to drive its pages."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from mooring import local
from playwright.sync_api import Locator, Page

ROOT = Path(__file__).parents[1]
ARTIFACTS = Path(os.environ.get("MOORING_TEST_ARTIFACTS", ROOT / "test-artifacts"))
CURRENT = "globalThis.jupyterapp?.shell?.currentWidget"
READY = f"{CURRENT}?.sessionContext"


# Without these Chromium asks the network for updates and components by itself, and a page that asks another
# host for a font or a map would wait for as long as a network takes to say that there is none.
CHROMIUM_FLAGS = [
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    *(f"--disable-{part}" for part in ("gpu", "quic", "background-networking", "component-update", "sync")),
]


def chromium() -> str | None:
    """The browser: MOORING_CHROMIUM, else one that is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = (shutil.which(name) for name in names)
    return os.environ.get("MOORING_CHROMIUM") or next((path for path in found if path), None)


def prepare_home(home: Path) -> dict[str, str]:
    """Settings that make a page testable; answers the environment for what is started in this home."""
    lab = home / ".jupyter" / "lab" / "user-settings" / "@jupyterlab"
    for name, settings in {
        # A pop-up that asks about news covers buttons; cells out of view would not be in the DOM.
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "notebook-extension/tracker": {"windowingMode": "none"},
    }.items():
        file = lab / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    for name, app in {"lab": "LabApp", "notebook": "JupyterNotebookApp"}.items():
        config = home / ".jupyter" / f"jupyter_{name}_config.json"
        config.write_text(json.dumps({app: {"expose_app_in_browser": True}}))
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("MOORING_", "JUPYTER", "JPY_"))
    }
    private = {"HOME": str(home), "MOORING_DATA_DIR": str(home / "mooring")}
    return kept | private | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def free_port() -> int:
    """A port that nobody has now: two demos that both look for the next free one could find the same."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """`mooring demo --no-browser`, from its start to its clean end."""

    def __init__(self, home: Path) -> None:
        self.log = home / "demo.log"
        self.environment = prepare_home(home)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mooring_server", "demo", "--no-browser", "--port", str(free_port())],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def url(self, timeout_s: float = 90) -> str:
        """The address with its token, as soon as it is printed."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            text = self.log.read_text(errors="replace")
            if found := re.search(r"http://127\.0\.0\.1:\d+/lab\S*token=[\w-]+", text):
                return found[0]
            if self.process.poll() is not None:
                raise AssertionError(f"mooring demo ended with {self.process.returncode}:\n{text}")
            time.sleep(0.05)  # the log is a file of another process: there is nothing to wait on
        raise AssertionError(f"mooring demo printed no address in {timeout_s} s:\n{text}")

    def stop(self) -> int:
        """What Ctrl-C does; answers the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            # A kernel that found no service has started one, which is not the demo's to end.
            left = local.ServerFile.read(Path(self.environment["MOORING_DATA_DIR"]))
            if left is not None:
                with suppress(ProcessLookupError):
                    os.kill(left.pid, signal.SIGTERM)


def notebook_url(demo: Demo, name: str, cells: list[str]) -> str:
    """The address of a new notebook with these code cells, beside the tour."""
    tour = demo.url()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    # Without it JupyterLab asks which kernel to use, and waits.
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    folder = Path(demo.environment["MOORING_DATA_DIR"]) / "mooring-demo"
    nbformat.write(notebook, folder / f"{name}.ipynb")
    # A workspace of its own: the tabs of other tests' notebooks are not opened again beside it.
    return tour.replace("/lab/tree/01-tour", f"/lab/workspaces/{name}/tree/{name}")


def open_notebook(page: Page, url: str) -> None:
    """Open the notebook at `url` and wait for its kernel."""
    page.goto(url)
    page.wait_for_function(READY, timeout=60_000)
    # Lab may show another tab until it has opened this one.
    name = urlsplit(url).path.rpartition("/")[2]
    page.wait_for_function(f"name => {CURRENT}.context.path.endsWith(name)", arg=name)
    page.evaluate(
        """async () => {
            const panel = jupyterapp.shell.currentWidget;
            await panel.context.ready;
            await panel.sessionContext.ready;
            await panel.sessionContext.session.kernel.info;
        }"""
    )


def run_all(page: Page) -> None:
    """Run every cell and wait until all have ended; a cell that raises fails the test."""
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    assert_no_errors(page)


def end_kernel(page: Page) -> None:
    """Ends the kernel of a page's notebook, if it has one still: dozens would slow down what comes after."""
    page.evaluate(
        "() => globalThis.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown().catch(() => null)"
    )


def assert_no_errors(page: Page) -> None:
    """Nothing that a cell put out is an error."""
    kinds = ("stderr", "error")
    errors = page.locator(
        ", ".join(f".jp-RenderedText[data-mime-type='application/vnd.jupyter.{kind}']" for kind in kinds)
    )
    assert errors.count() == 0, errors.all_inner_texts()


def outputs(page: Page) -> Locator:
    """What cells have put out, without their sources."""
    return page.locator(".jp-OutputArea-output")


def press_tab_until(page: Page, target: Locator, presses_max: int = 200) -> None:
    """Walk to an element as somebody without a mouse does, from the top of the page."""
    page.evaluate("() => document.activeElement?.blur()")
    for _ in range(presses_max):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{presses_max} Tabs do not reach {target}")
