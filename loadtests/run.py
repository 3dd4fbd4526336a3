"""Load test of a server of its own: `python loadtests/run.py [--users N] [--seconds S] [--budget RPC=MS]`.

Starts `mooring serve` on a free port and a fresh SQLite file, brings in the example inventories, lets Locust
run the journey, prints what was measured, and ends with status 0 only if every budget holds.
"""

import argparse
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from budgets import budgets
from mooring_server.cli.client import connected
from mooring_server.cli.demo import seed

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
STOP_TIMEOUT_S = 20


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """The address of a fresh server that lives as long as this context."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                *(sys.executable, "-m", "mooring_server", "serve", "--host", "127.0.0.1", "--port", "0"),
                *("--database", f"sqlite:///{folder / 'load.db'}"),
            ],
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        first_line = process.stdout.readline() if process.stdout else ""
        listening = re.search(r"listens on (\S+)", first_line)
        if listening is None:
            raise SystemExit(f"the server did not start: {log.read_text()}")
        yield listening.group(1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_TIMEOUT_S)


def main() -> int:
    """Run and return the exit status."""
    options = argparse.ArgumentParser(description="Load test against a fresh server, held to budgets.")
    options.add_argument("--users", type=int, default=20, help="users at the same time (20)")
    options.add_argument("--seconds", type=int, default=20, help="how long they work (20)")
    options.add_argument(
        "--budget", action="append", default=[], metavar="RPC=MS", help="change a p95 budget; repeatable"
    )
    chosen = options.parse_args()
    try:
        budgets(chosen.budget)
    except ValueError as error:
        options.error(str(error))
    with tempfile.TemporaryDirectory(prefix="mooring-load-") as name, running_server(Path(name)) as address:
        with connected(address) as client:
            seed(client)
        locust = [
            *(sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--host", address),
            *("--headless", "--users", str(chosen.users), "--spawn-rate", str(chosen.users)),
            *("--run-time", f"{chosen.seconds}s", "--only-summary", "--loglevel", "WARNING"),
            *(f"--budget={change}" for change in chosen.budget),
        ]
        return subprocess.run(locust, check=False).returncode  # noqa: S603 - our own interpreter


if __name__ == "__main__":
    sys.exit(main())
