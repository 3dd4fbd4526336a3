"""A server of a benchmark's own, on a fresh database, and how much memory it takes."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

STOP_TIMEOUT_S = 60
_SAMPLE_S = 0.1


@dataclass
class Server:
    """A running server: where it listens, and the most memory that it has had, in bytes."""

    address: str
    memory_max_bytes: int = 0
    parser_memory_max_bytes: int = 0


@contextmanager
def running_server(folder: Path, database_url: str, settings: Mapping[str, str]) -> Iterator[Server]:
    """A fresh server that lives as long as this context; `settings` by their names."""
    log = folder / "server.log"
    environment = {**os.environ, **{f"MOORING_{name.upper()}": value for name, value in settings.items()}}
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [
                *(sys.executable, "-m", "mooring_server", "serve", "--host", "127.0.0.1", "--port", "0"),
                *("--database", database_url),
            ],
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            env=environment,
        )
    over = threading.Event()
    try:
        first_line = process.stdout.readline() if process.stdout else ""
        listening = re.search(r"listens on (\S+)", first_line)
        if listening is None:
            raise SystemExit(f"the server did not start: {log.read_text()}")
        server = Server(listening.group(1))
        threading.Thread(
            target=_sample, args=(psutil.Process(process.pid), server, over), daemon=True
        ).start()
        yield server
    finally:
        over.set()
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_TIMEOUT_S)


def _sample(process: psutil.Process, server: Server, over: threading.Event) -> None:
    while not over.wait(_SAMPLE_S):
        try:
            server.memory_max_bytes = max(server.memory_max_bytes, process.memory_info().rss)
            for child in process.children():
                size = child.memory_info().rss
                server.parser_memory_max_bytes = max(server.parser_memory_max_bytes, size)
        except psutil.Error:
            continue
