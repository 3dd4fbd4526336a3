"""`mooring demo`: the embedded service, example engagements and JupyterLab on the tour."""

import hashlib
import os
import signal
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from mooring import local
from mooring.v1.engagements_pb2 import Engagement

from mooring_server.cli import demo_workbook
from mooring_server.cli.client import Client, connected
from mooring_server.cli.config import data_folder
from mooring_server.cli.connection import Absent
from mooring_server.cli.console import Failure, say
from mooring_server.cli.demo_data import APPLICATIONS_MAX, Scenario, inventory
from mooring_server.cli.inventory import import_file
from mooring_server.cli.lab import free_port, running_lab
from mooring_server.cli.reports import check

LIBRARIES = ("jupyterlab", "anywidget", "ipywidgets", "pandas")
PORT_DEFAULT = 8888
TOUR = "01-tour.ipynb"
SERVICE_STOP_TIMEOUT_S = 15.0

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Example:
    """An engagement to seed: its id, its name, and its sessions, the first being its default one."""

    id: str
    display_name: str
    sessions: dict[str, Scenario]


EXAMPLES = (
    Example(
        "demo",
        "Demo engagement",
        {
            "Baseline": Scenario("northgate", 0, APPLICATIONS_MAX),
            "Wave 1": Scenario("northgate", 0, 40, moved=0.35),
            "Wave 2": Scenario("northgate", 30, 60, moved=0.6),
            "What if: cloud first": Scenario("northgate", 0, APPLICATIONS_MAX, moved=0.85, switched_off=0.3),
        },
    ),
    Example(
        "contoso",
        "Contoso",
        {
            "Baseline": Scenario("contoso", 0, 48),
            "Pilot": Scenario("contoso", 0, 16, moved=0.5),
        },
    ),
)


def demo(*, port: int | None, open_browser: bool) -> None:
    """Run the demo until Ctrl-C, SIGTERM, or until JupyterLab is shut down from its menu.

    Raises:
        Failure: something that it needs is missing, or does not start.
    """
    if missing := next((name for name in LIBRARIES if find_spec(name) is None), None):
        raise Failure(
            f"the demo needs the libraries of its extra ({missing} is missing); "
            'get them with: pip install "mooring[demo]"'
        )
    port = free_port(PORT_DEFAULT if port is None else port, only=port is not None)
    folder = data_folder()
    for number in _ENDINGS:
        signal.signal(number, _end)
    with suppress(KeyboardInterrupt), _service(folder) as address:
        with connected(address) as client:
            seed(client)
        work = working_copy(folder / "mooring-demo")
        say("Starting JupyterLab …")
        with running_lab(work, port, folder / "jupyterlab.log") as lab:
            url = lab.url(TOUR)
            say(f"\nThe tour is open at\n\n    {url}\n\nCtrl-C stops it.")
            if open_browser and _has_screen():
                webbrowser.open(url)
            lab.process.wait()


def seed(client: Client) -> None:
    """Bring in the example engagements. What holds data already is left as it is, so this may be repeated."""
    with tempfile.TemporaryDirectory(prefix="mooring-demo-") as folder:
        for example in EXAMPLES:
            engagement = _engagement(client, example)
            for number, (name, scenario) in enumerate(example.sessions.items()):
                wanted = engagement.default_session if number == 0 else name
                session = client.session(engagement.name, wanted) or client.create_session(
                    engagement.name, name
                )
                if session.data_version:
                    continue
                file = Path(folder) / f"{example.id}-{name.lower().replace(':', '').replace(' ', '-')}.csv"
                file.write_text(inventory(scenario), "utf-8")
                report = import_file(client, session.name, file, file.stat().st_size, _unseen)
                check(report)
                say(
                    f"Imported {report.created:,} assets into {example.display_name} / {session.display_name}"
                )


def shipped_notebooks() -> Sequence[Path]:
    """The notebooks as they were shipped: in the installed package, or in the repository that this runs from.

    Raises:
        Failure: they are in neither.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "notebooks", package.parents[1] / "notebooks"):
        if (folder / TOUR).is_file():
            return sorted(folder.glob("*.ipynb"))
    raise Failure("this installation has no tour notebook; install Mooring again")


def working_copy(folder: Path) -> Path:
    """A folder for JupyterLab: the user's own copies of the notebooks, and the workbook of the tour.

    A newer Mooring brings newer notebooks: each takes the place of a copy that is as it was shipped, which
    the hash beside it tells, never of one that the user has changed.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (workbook := folder / demo_workbook.NAME).exists():
        _put(workbook, demo_workbook.rvtools_workbook())
    for shipped in shipped_notebooks():
        _refresh(folder / shipped.name, shipped.read_bytes())
    return folder


def _refresh(copy: Path, shipped: bytes) -> None:
    note = copy.with_name(f".{copy.name}.sha256")
    if copy.exists():
        found = _sha256(copy.read_bytes())
        untouched = note.exists() and note.read_text("ascii", "replace") == found
        if not untouched and found != _sha256(shipped):
            return
    _put(copy, shipped)
    _put(note, _sha256(shipped).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _put(file: Path, content: bytes) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(file)


def _engagement(client: Client, example: Example) -> Engagement:
    try:
        return client.engagement(example.id)
    except Absent:
        return client.create_engagement(example.id, example.display_name)


def _unseen(_what: str, _done: int, _total: int) -> None:
    """Progress of imports that are over in a second."""


@contextmanager
def _service(folder: Path) -> Iterator[str]:
    """The embedded service. Where the demo started it, the demo ends it; one that was there stays."""
    address = local.find_or_start(folder)
    server = local.ServerFile.read(folder)
    try:
        yield address
    finally:
        if server is not None and _is_running_child(server.pid):
            os.kill(server.pid, signal.SIGTERM)
            deadline = time.monotonic() + SERVICE_STOP_TIMEOUT_S
            while _is_running_child(server.pid) and time.monotonic() < deadline:
                time.sleep(0.05)  # waitpid knows no deadline


def _is_running_child(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:  # somebody else's, or ended and waited for
        return False


def _end(_number: int, _frame: FrameType | None) -> None:
    """Every way to end the demo takes the way of Ctrl-C; once begun, a second one does not cut it short."""
    for number in _ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    say("\nStopping …")
    raise KeyboardInterrupt


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or any(
        os.environ.get(v) for v in ("DISPLAY", "WAYLAND_DISPLAY")
    )
