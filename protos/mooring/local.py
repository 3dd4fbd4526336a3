"""The user's own service: finding it in the data folder, or starting it there.

One service a user: it holds a lock in the data folder for life, serves on a Unix socket that only this user
can reach, and says where in `server.json`. Liveness is told by a call, never by a pid. The command line and
the notebook widgets share this module; it needs the standard library alone until it has something to call.
"""

import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

LOCK_NAME = "server.lock"
LOG_NAME = "server.log"
EXIT_LOCKED = 75  # sysexits' EX_TEMPFAIL: another process holds the lock

_FILE_NAME = "server.json"
_INSTALL_ID_NAME = "install-id"
_PROBE_TIMEOUT_S = 2.0
_START_TIMEOUT_S = 30.0
_POLL_INTERVAL_S = 0.02
_RESPAWN_DELAY_MAX_S = 2.0
_LOG_SIZE_MAX_BYTES = 4 * 2**20


class LocalServiceError(RuntimeError):
    """The user's own service cannot be found or started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class ServerFile:
    """`server.json`: where the running service is, written by it once it serves.

    `incarnation` is the id of the database that it serves.
    """

    address: str
    pid: int
    host: str
    version: str
    incarnation: str

    @classmethod
    def here(cls, address: str, incarnation: str) -> "ServerFile":
        """What this process would write."""
        return cls(address, os.getpid(), socket.gethostname(), version("mooring"), incarnation)

    @classmethod
    def read(cls, folder: Path) -> "ServerFile | None":
        """The file of a data folder; None where there is none that can be read as one."""
        try:
            fields = json.loads((folder / _FILE_NAME).read_text("utf-8"))
            return cls(
                str(fields["address"]),
                int(fields["pid"]),
                str(fields["host"]),
                str(fields["version"]),
                str(fields["incarnation"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Puts the file in place at once, whole, and readable by its owner alone."""
        _write_private(folder / _FILE_NAME, json.dumps(asdict(self)))

    def remove(self, folder: Path) -> None:
        """Takes the file away, if it is still this one."""
        if ServerFile.read(folder) == self:
            (folder / _FILE_NAME).unlink(missing_ok=True)


def data_path() -> Path:
    """Where the user's data folder is, or would be: `MOORING_DATA_DIR`, else the platform's place.

    Raises:
        LocalServiceError: Where that cannot be told.
    """
    named = os.environ.get("MOORING_DATA_DIR")
    if named:
        try:
            return Path(named).expanduser().absolute()
        except RuntimeError:
            raise LocalServiceError(f"MOORING_DATA_DIR={named} names the home of nobody here") from None
    try:
        import platformdirs
    except ImportError:
        raise LocalServiceError(_without_extra()) from None
    return platformdirs.user_data_path("mooring", appauthor=False)


def data_dir() -> Path:
    """The user's data folder (`data_path`), made where absent.

    Raises:
        LocalServiceError: Where the folder cannot be made, or is not the user's own and private to them.
    """
    folder = data_path()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LocalServiceError(
            f"the data folder {folder} cannot be made ({error.strerror}); name another in MOORING_DATA_DIR"
        ) from None
    check_private(folder)
    return folder


def check_private(folder: Path) -> None:
    """Refuses a folder that others own or may enter: they could put a service of theirs in place of ours."""
    if not hasattr(os, "getuid"):
        return
    status = folder.stat()
    if status.st_uid != os.getuid():
        raise LocalServiceError(
            f"the data folder {folder} belongs to another user; name your own in MOORING_DATA_DIR"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise LocalServiceError(f"the data folder {folder} is open to other users; run: chmod 700 '{folder}'")


def install_id(folder: Path) -> str:
    """The id of this data folder, made at the first use: it tells equal paths on two machines apart."""
    path = folder / _INSTALL_ID_NAME
    if not path.exists():
        draft = folder / f".{_INSTALL_ID_NAME}.{uuid.uuid4().hex}"
        _write_private(draft, uuid.uuid4().hex)
        with contextlib.suppress(FileExistsError):  # somebody was faster, and theirs counts
            os.link(draft, path)
        draft.unlink()
    return path.read_text("utf-8").strip()


def find_or_start(folder: Path, *, timeout_s: float = _START_TIMEOUT_S) -> str:
    """The address of the folder's running service, which is started where there is none. Blocks.

    Any number of processes may call this at once: each may start a child, the lock lets one of them serve.

    Raises:
        LocalServiceError: Where the service belongs to another host or major version, cannot be started, or
        does not come up in `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    address = find(folder)
    child: subprocess.Popen[bytes] | None = None
    held = False
    respawn_at, respawn_delay_s = time.monotonic(), 0.25
    while address is None:
        now = time.monotonic()
        ended = child is None or child.poll() is not None
        if child is not None and child.returncode not in (None, 0, EXIT_LOCKED):
            raise LocalServiceError(_why_it_ended(folder, child.returncode))
        held = held or (child is not None and child.returncode == EXIT_LOCKED)
        if now >= deadline:
            holder = f" (another process holds the data folder {folder})" if held else ""
            raise LocalServiceError(
                f"the service did not come up in {timeout_s:g} s{holder}; its log is {folder / LOG_NAME}"
            )
        # Only when our own child has ended, and ever more slowly: whoever holds the lock may be busy
        # starting.
        if ended and now >= respawn_at:
            child = _spawn(folder)
            respawn_at, respawn_delay_s = (
                now + respawn_delay_s,
                min(2 * respawn_delay_s, _RESPAWN_DELAY_MAX_S),
            )
        time.sleep(_POLL_INTERVAL_S)  # whoever is starting it may be no child of ours
        address = find(folder)
    return address


def find(folder: Path) -> str | None:
    """The address of the folder's running service; None where none answers.

    Raises:
        LocalServiceError: Where it belongs to another host or major version.
    """
    file = ServerFile.read(folder)
    if file is None:
        return None
    if file.host != socket.gethostname():
        raise LocalServiceError(
            f"the data folder {folder} is in use by a service on {file.host}; stop that one, or name another "
            f"folder in MOORING_DATA_DIR (if {file.host} is gone for good, delete {folder / _FILE_NAME})"
        )
    if not answers(file.address):
        return None
    mine = version("mooring")
    if file.version.partition(".")[0] != mine.partition(".")[0]:
        raise LocalServiceError(
            f"the running service is Mooring {file.version} and this is {mine}; end process {file.pid}, then "
            "connect again"
        )
    return file.address


def answers(address: str, *, timeout_s: float = _PROBE_TIMEOUT_S) -> bool:
    """Whether a healthy service answers at an address within the deadline."""
    import grpc

    if address.startswith("unix:") and not Path(address.removeprefix("unix:")).exists():
        return False
    # A pool of its own: a subchannel that others share may be waiting to reconnect to a service that has
    # gone.
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        # The health protocol's messages are two bytes at most; so the base install needs no package for them.
        check: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/grpc.health.v1.Health/Check"
        )
        try:
            return check(b"", timeout=timeout_s) == b"\x08\x01"
        except grpc.RpcError:
            return False


def _spawn(folder: Path) -> "subprocess.Popen[bytes]":
    if find_spec("mooring_server") is None or find_spec("peewee") is None:
        raise LocalServiceError(_without_extra())
    log = folder / LOG_NAME
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_SIZE_MAX_BYTES:
            log.replace(log.with_suffix(".log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "mooring_server", "serve", "--embedded", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=folder,
            start_new_session=True,  # or an interrupted cell would interrupt the service too
        )
    finally:
        os.close(descriptor)
    threading.Thread(target=child.wait, name="mooring-reaper", daemon=True).start()
    return child


def _why_it_ended(folder: Path, code: int) -> str:
    log = folder / LOG_NAME
    try:
        last = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()][-1]
    except (OSError, IndexError):
        last = "it wrote nothing"
    return f"the service ended with status {code} while starting: {last} (the whole log is {log})"


def _without_extra() -> str:
    return (
        'this installation has no service to start: pip install "mooring[server,widgets]", or name a '
        'running one in connect("host:port") or MOORING_SERVER'
    )


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
