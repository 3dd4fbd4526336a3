"""The serving side of a data folder: one server at a time, found by whoever may read the folder.

`mooring.local` is the other side, which finds or starts it. Whether a server is alive is told by the lock and
by calls, never by its pid, which another process may have by now.
"""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mooring import local

from mooring_server.cli.console import ExitCode, Failure

_SOCKET_PATH_MAX_BYTES = 107  # what `sockaddr_un` holds, its NUL not counted
_SOCKET_NAME_BYTES = len("/mooring-12345678/api.sock")


@contextmanager
def exclusive(lock: Path, what: str, holder: Callable[[], int | None] = lambda: None) -> Iterator[None]:
    """Hold a lock file while serving. The kernel frees it however this process ends.

    Args:
        lock: The file; made where it is missing, never removed (a removed lock can be held twice).
        what: What is being served, for the message.
        holder: Finds out who holds it, for the message; None where that is not known.

    Raises:
        Failure: with status 75, where another process holds it.
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failure(f"the lock {lock} cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = holder()
            who = f"another server (process {pid})" if pid else "another server"
            raise Failure(
                f"{who} already serves {what}: use that one, stop it, or name another --database",
                ExitCode.LOCKED,
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def private_socket() -> Iterator[str]:
    """A gRPC address that only this user can reach: a Unix socket in a fresh folder of mode 0700.

    It lies in a short folder of the system, since a data folder's path may be too long for a socket.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    fits = len(os.fsencode(base)) + _SOCKET_NAME_BYTES <= _SOCKET_PATH_MAX_BYTES
    if not (base and fits and os.access(base, os.W_OK)):
        base = "/tmp"  # noqa: S108 - mkdtemp makes a private folder below it
    folder = tempfile.mkdtemp(prefix="mooring-", dir=base)
    try:
        yield f"unix:{folder}/api.sock"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def announced(server: local.ServerFile, folder: Path) -> Iterator[None]:
    """Let clients find a server that already answers; the file goes before the server does."""
    server.write(folder)
    try:
        yield
    finally:
        server.remove(folder)


def serving_pid(folder: Path) -> int | None:
    """The process that serves a data folder, if it answers."""
    server = local.ServerFile.read(folder)
    return server.pid if server and local.answers(server.address) else None


def sweep(folder: Path) -> None:
    """Remove the socket that a killed server left behind. Only for the holder of the folder's lock."""
    left = local.ServerFile.read(folder)
    if left is None:
        return
    socket = Path(left.address.removeprefix("unix:"))
    if left.address.startswith("unix:") and socket.parent.name.startswith("mooring-"):
        shutil.rmtree(socket.parent, ignore_errors=True)
    left.remove(folder)


async def unused(idle_s: Callable[[], float], limit_s: float) -> None:
    """Return once nobody has used the server for `limit_s` seconds."""
    while (left_s := limit_s - idle_s()) > 0:  # noqa: ASYNC110 - each use starts the time anew
        await asyncio.sleep(max(left_s, 0.05))
