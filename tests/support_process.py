"""A server in a process of its own, to be killed: `HeaderAuth` over a database, on a port or a socket.

Run as a script with the database's URL, an address and settings as JSON; it says `ready` once it serves.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from support_server import Caller, HeaderAuth, _Says


class Process:
    """A server that can be killed and started again, with callers of it."""

    def __init__(self, database_url: str, address: str, **settings: Any) -> None:
        self.address = address
        self._arguments = [sys.executable, __file__, database_url, address, json.dumps(settings)]
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it and waits until it serves."""
        self._child = subprocess.Popen(self._arguments, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        assert line == "ready\n", f"the server did not start: {line!r}"

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is flushed."""
        if self._child is not None:
            os.kill(self._child.pid, signal.SIGKILL)
            self._child.communicate()
            self._child = None

    @contextmanager
    def user(self, name: str) -> Iterator[Caller]:
        """Stubs that call as a user, on a connection of their own."""
        options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]
        with grpc.insecure_channel(self.address, options=options) as channel:
            yield Caller(grpc.intercept_channel(channel, _Says("user", name)))


async def _main(database_url: str, address: str, settings: dict[str, Any]) -> None:
    from mooring_server.app import running_app
    from mooring_server.settings import Settings
    from mooring_server.store import migrate

    chosen = Settings(database=database_url, **settings)
    migrate(database_url, chosen)
    async with running_app(chosen, addresses=[address], authenticator=HeaderAuth()):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        # Nobody reads what is logged: a full pipe would stop the server.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
