from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager
from mooring_server.settings import Settings
from support_server import serving

Run = Callable[[str], str]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A real server, which outlives the kernels."""
    settings = Settings(database=f"sqlite:///{tmp_path / 'mooring.db'}", port=0, stop_grace_s=0)
    with serving(settings) as running:
        yield running.address


@pytest.fixture
def kernel(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[KernelManager]:
    """A real kernel, as a notebook server starts it."""
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MOORING_SERVER", address)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "runtime").mkdir()
    manager = KernelManager(
        kernel_name="python3",
        connection_file=str(tmp_path / "runtime" / "kernel-0b7f2c6e-9d5b-4a51-8c39-1d2f6a3b4c5d.json"),
    )
    manager.start_kernel()
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.fixture
def run(kernel: KernelManager) -> Run:
    """Runs a cell, as a page just opened does, and returns what it printed; an error fails the test."""

    def run_cell(code: str) -> str:
        printed: list[str] = []

        def hook(message: dict) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        client = kernel.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            reply = client.execute_interactive(code, output_hook=hook, timeout=60, allow_stdin=False)
        finally:
            client.stop_channels()
        assert reply["content"]["status"] == "ok", reply["content"].get("traceback")
        return "".join(printed)

    return run_cell


def test_a_restarted_kernel_is_where_it_was(run: Run, kernel: KernelManager) -> None:
    """Switch, restart, connect: the user is back at the session that they chose."""
    run("from mooring_widgets import connect\nws = connect()\nws.switch(ws.create('Wave 1'))")
    assert run("print(ws.session.display_name)") == "Wave 1\n"
    kernel.restart_kernel(now=True)
    assert run("from mooring_widgets import connect\nprint(connect().session.display_name)") == "Wave 1\n"


def test_cells_can_wait_both_ways(run: Run) -> None:
    """In a cell, on the kernel's running loop, the sync methods work and so do their async twins."""
    run("from mooring_widgets import connect\nws = connect()\nws.create('Wave 1')")
    assert run("print(ws.switch('Wave 1').display_name)") == "Wave 1\n"
    assert run("print((await ws.aio.switch('Baseline')).display_name)") == "Baseline\n"


def test_an_imports_progress_is_printed_in_its_cell(run: Run, tmp_path: Path) -> None:
    """The line of progress belongs to the cell that imports, and the report reads well."""
    (tmp_path / "estate.csv").write_text("Hostname,CPU cores\na,1\nb,2\n")
    run("from mooring_widgets import connect\nws = connect()")
    shown = run(f"print(ws.import_inventory({str(tmp_path / 'estate.csv')!r}))")
    assert "uploading:" in shown
    assert "Imported 2 rows (table)" in shown


def test_an_interrupted_cell_leaves_the_workspace_usable(run: Run) -> None:
    """Stopping a cell that waits stops the wait, not the library's loop."""
    run("from mooring_widgets import connect\nws = connect()")
    stuck = """
import asyncio, os, signal, sys, threading, traceback
def is_waiting():
    stack = traceback.extract_stack(sys._current_frames()[threading.main_thread().ident])
    return stack[-1].filename.endswith("threading.py")
async def stuck():
    while not is_waiting():
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(3600)
try:
    ws.wait(stuck())
except KeyboardInterrupt:
    print("stopped")
"""
    assert run(stuck) == "stopped\n"
    assert run("print(ws.session.display_name)") == "Baseline\n"
