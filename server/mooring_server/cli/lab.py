"""One JupyterLab of our own: started on a folder, stopped with everything that it started."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mooring_server.cli.console import Failure

HOST = "127.0.0.1"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 15.0

# Its standard input is a pipe that we hold: it closes however we end, SIGKILL included.
_ENDING_WITH_US = """
import os, runpy, signal, threading

def wait():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=wait, daemon=True).start()
runpy.run_module("jupyterlab", run_name="__main__", alter_sys=True)
"""
PORTS_TRIED_MAX = 100


@dataclass(frozen=True, slots=True)
class Lab:
    """A JupyterLab that answers."""

    process: "subprocess.Popen[bytes]"
    port: int
    token: str

    def url(self, notebook: str) -> str:
        """The address of a notebook in its folder, with the token that lets one in."""
        return f"http://{HOST}:{self.port}/lab/tree/{quote(notebook)}?token={self.token}"


def free_port(first: int, *, only: bool) -> int:
    """`first` where it is free, else (unless `only`) the next one that is.

    Raises:
        Failure: none is free.
    """
    for port in range(first, first + (1 if only else PORTS_TRIED_MAX)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError, OverflowError):
                probe.bind((HOST, port))
                return port
    raise Failure(f"port {first} is taken; name a free one with --port")


@contextmanager
def running_lab(folder: Path, port: int, log: Path) -> Iterator[Lab]:
    """JupyterLab on a folder, from the moment it answers.

    Args:
        folder: What it shows.
        port: A free port of the loopback address.
        log: Where it writes what it has to say.

    Raises:
        Failure: it ended, or did not answer in time.
    """
    token = secrets.token_urlsafe(24)
    command = [
        *(sys.executable, "-c", _ENDING_WITH_US, "--no-browser"),
        f"--ServerApp.ip={HOST}",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.base_url=/",
        f"--ServerApp.root_dir={folder}",
        "--LanguageServerManager.autodetect=False",  # it asks npm, for seconds
        "--LabApp.news_url=None",  # its question about news covers the first page
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *(["--allow-root"] if hasattr(os, "getuid") and os.getuid() == 0 else []),
    ]
    # Not on the command line, where every user of the machine can read it.
    environment = os.environ | {"JUPYTER_TOKEN": token, "JUPYTER_PREFER_ENV_PATH": "1"}
    environment.pop("MOORING_SERVER", None)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # a Ctrl-C is ours to pass on, in good order
        )
    try:
        lab = Lab(process, port, token)
        _wait_until_it_answers(lab, log)
        yield lab
    finally:
        _stop(process)
        if process.stdin:
            process.stdin.close()


def _wait_until_it_answers(lab: Lab, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if lab.process.poll() is not None:
            raise Failure(
                f"JupyterLab ended at its start (status {lab.process.returncode}); its log is {log}"
            )
        if _answers(lab):
            return
        time.sleep(0.1)  # JupyterLab tells nobody when it is ready
    raise Failure(f"JupyterLab did not answer within {START_TIMEOUT_S:g} s; its log is {log}")


def _answers(lab: Lab) -> bool:
    connection = http.client.HTTPConnection(HOST, lab.port, timeout=5)
    try:
        connection.request("GET", "/api/status", headers={"Authorization": f"token {lab.token}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the whole process group; JupyterLab ends its kernels when it is asked nicely."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
