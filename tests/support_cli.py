"""The command line as its users run it: in a process of its own, with a data folder of its own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from click.testing import Result
from mooring_server.cli import app
from typer.testing import CliRunner

COMMAND = (sys.executable, "-m", "mooring_server")
DEADLINE_S = 30


def environment(data_folder: Path, **settings: str) -> dict[str, str]:
    """This process's environment with none of our variables but these."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
    return plain | {"MOORING_DATA_DIR": str(data_folder), "NO_COLOR": "1"} | settings


def mooring(*arguments: object, data_folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environment(data_folder, **settings),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def runner(server: "Server", folder: Path) -> Callable[..., Result]:
    """Runs commands against a server, in this process: `run("assets", "list", "Wave 1")`."""
    settings = {
        "MOORING_SERVER": server.address,
        "MOORING_DATA_DIR": str(folder / "unused"),
        "NO_COLOR": "1",
        "COLUMNS": "80",
    }

    def run(*arguments: object, **others: str) -> Result:
        return CliRunner().invoke(app, [*map(str, arguments)], env=settings | others)

    return run


@dataclass
class Server:
    """`mooring serve` while it runs."""

    process: "subprocess.Popen[str]"
    address: str
    _log: IO[str]

    def log(self) -> str:
        """What it wrote to stderr so far."""
        self._log.seek(0)
        return self._log.read()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


@contextmanager
def serving(*arguments: object, data_folder: Path, **settings: str) -> Iterator[Server]:
    """A server, from the moment it answers."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*COMMAND, "serve", *map(str, arguments)],
            env=environment(data_folder, **settings),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            found = re.search(r"listens on (\S+)", process.stdout.readline())
            if found is None:
                process.wait(DEADLINE_S)
                log.seek(0)
                raise AssertionError(f"the server did not start: {log.read()}")
            yield Server(process, found[1], log)
        finally:
            if process.poll() is None:
                process.terminate()  # in good order: a killed one leaves its socket's folder behind
                process.wait(DEADLINE_S)
            process.stdout.close()
