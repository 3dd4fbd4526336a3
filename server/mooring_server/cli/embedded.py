"""The serving side of a data folder: one server at a time, found by whoever may read the folder.

`mooring.local` is the other side: it reads `server.json`, and starts a server where there is none. Whether a
server is alive is told by the lock and by calls, never by its pid, which another process may have by now.
"""

import asyncio
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mooring import local

from mooring_server.cli.console import ExitCode, Failure

LOCK_FILE = "server.lock"
SOCKET_PATH_MAX_BYTES = 107  # what `sockaddr_un` holds, its NUL not counted


def ensure_private(folder: Path) -> None:
    """Make the folder, for its owner alone.

    Raises:
        Failure: somebody else owns it or may enter it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise Failure(f"the data folder {folder} cannot be used: {error.strerror}") from None
    if found.st_uid != os.getuid():
        raise Failure(f"the data folder {folder} belongs to another user; set MOORING_DATA_DIR to your own")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise Failure(f"other users may enter the data folder {folder}; run: chmod 700 '{folder}'")


@contextmanager
def exclusive(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock file while serving. The kernel frees it however this process ends.

    Args:
        lock: The file; made where it is missing, never removed (a removed lock can be held twice).
        what: What is being served, for the message.

    Raises:
        Failure: with status 75, where another process holds it.
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failure(f"{lock} cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(
                f"another server already serves {what}; use that one, stop it, or name another --database",
                ExitCode.LOCKED,
            ) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def private_socket() -> Iterator[str]:
    """A gRPC address that only this user can reach: a Unix socket in a fresh folder of mode 0700.

    The folder is a short one of the system, since a data folder's path may be too long for a socket.
    """
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if not base or not os.access(base, os.W_OK) or len(os.fsencode(base)) > SOCKET_PATH_MAX_BYTES - 40:
        base = "/tmp"  # noqa: S108 - mkdtemp makes a private folder below it
    folder = tempfile.mkdtemp(prefix="mooring-", dir=base)
    try:
        yield f"unix:{folder}/api.sock"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def announced(folder: Path, server: "local.ServerFile") -> Iterator[None]:
    """Let clients find a running server; the file goes before the server does."""
    server.write(folder)
    try:
        yield
    finally:
        # The lock is still held: nobody else can have written it.
        (folder / local.SERVER_FILE).unlink(missing_ok=True)


async def unused(idle_s: Callable[[], float], limit_s: float) -> None:
    """Return once nobody has used the server for `limit_s` seconds."""
    while (left_s := limit_s - idle_s()) > 0:
        await asyncio.sleep(max(left_s, 0.05))
