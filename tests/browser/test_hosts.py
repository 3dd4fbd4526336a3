"""The same notebook in each host: choose a session, and what depends on it follows."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from support_jupyter import Demo, free_port, notebook_url, open_notebook, run_all
from support_pages import CONNECT

CELLS = [CONNECT, "ws.discovery()", "ws.landscape()"]
SUBSHELLS = "@jupyterlab/apputils-extension/kernels-settings.jupyterlab-settings"

APP = """import marimo

app = marimo.App()


@app.cell
def _():
    from mooring_widgets import connect

    ws = connect()
    ws
    return (ws,)


@app.cell
def _(ws):
    ws.discovery()
    return


@app.cell
def _(ws):
    ws.landscape()
    return


if __name__ == "__main__":
    app.run()
"""


def assert_switches(page: Page) -> None:
    """By the keyboard, to a session that is not current."""
    session = page.get_by_role("combobox", name="Session", exact=True)
    expect(page.get_by_text("Live", exact=True).first).to_be_visible(timeout=60_000)
    name = "Wave 2" if "Wave 1" in session.inner_text() else "Wave 1"
    session.press("Enter")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    page.keyboard.type(name)
    expect(page.get_by_role("option", name=name).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(session).to_contain_text(name)
    table = page.get_by_role("region", name=f"Discovery of {name}")
    expect(table.get_by_role("gridcell").first).not_to_be_empty()
    expect(page.get_by_role("group", name="Landscape", exact=True)).to_contain_text(name)


@pytest.fixture
def subshells(demo: Demo, request: pytest.FixtureRequest) -> Iterator[str]:
    """How JupyterLab sends the messages of widgets: beside a running cell, or after it."""
    file = Path(demo.environment["HOME"], ".jupyter", "lab", "user-settings", SUBSHELLS)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"commsOverSubshells": request.param}))
    yield request.param
    file.unlink()


@pytest.mark.parametrize("subshells", ["disabled", "perComm", "perCommTarget"], indirect=True)
def test_jupyterlab(demo: Demo, page: Page, subshells: str) -> None:
    """With every setting of how widgets' messages travel."""
    open_notebook(page, notebook_url(demo, f"lab-{subshells}", CELLS))
    run_all(page)
    assert_switches(page)


def test_notebook_7(demo: Demo, page: Page) -> None:
    """In Notebook 7, which is another shell around JupyterLab's parts."""
    url = notebook_url(demo, "seven", CELLS)
    open_notebook(page, beside(url, "/notebooks/seven.ipynb"))
    run_all(page)
    assert_switches(page)


def test_voila(demo: Demo, page: Page) -> None:
    """In Voilà, which runs the cells by itself and shows what they put out."""
    page.goto(beside(notebook_url(demo, "dashboard", CELLS), "/voila/render/dashboard.ipynb"))
    assert_switches(page)


def test_marimo(demo: Demo, page: Page, tmp_path: Path) -> None:
    """In an app of marimo, which knows anywidget and no ipywidgets."""
    demo.url()
    (tmp_path / "app.py").write_text(APP)
    with running_marimo(demo, tmp_path / "app.py") as url:
        page.goto(url)
        assert_switches(page)
        page.goto("about:blank")  # it would ask on when nobody answers any more


def beside(url: str, path: str) -> str:
    """Another page of the same Jupyter server."""
    parts = urlsplit(url)
    return parts._replace(path=path).geturl()


@contextlib.contextmanager
def running_marimo(demo: Demo, file: Path) -> Iterator[str]:
    """The address of an app while it runs, as the demo's user."""
    port = free_port()
    command = ["run", str(file), "--headless", "--no-token", "--port", str(port)]
    with (file.parent / "marimo.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "marimo", *command],
            env=demo.environment,
            cwd=file.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until_listening(port, process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def wait_until_listening(port: int, process: "subprocess.Popen[bytes]", timeout_s: float = 60) -> None:
    """Until a process takes connections."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)  # it tells nobody
    raise AssertionError(f"nothing listens on {port}; it ended with {process.poll()}")
