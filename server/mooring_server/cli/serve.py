"""`mooring serve`: from settings to a running server that stops in good order."""

import asyncio
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import structlog
from mooring import local

from mooring_server.app import running_app
from mooring_server.cli import logs
from mooring_server.cli.config import (
    data_folder,
    database_url,
    public_url,
    read_settings,
    sqlite_path,
    sqlite_url,
)
from mooring_server.cli.console import ExitCode, Failure, out
from mooring_server.cli.embedded import (
    LOCK_FILE,
    announced,
    ensure_private,
    exclusive,
    private_socket,
    unused,
)
from mooring_server.settings import Auth, Settings
from mooring_server.store import migrate

log = structlog.get_logger(__name__)

settings_of = read_settings


def serve(settings: Settings, *, embedded: Path | None) -> None:
    """Serve until SIGINT or SIGTERM, or in embedded mode until unused.

    Args:
        settings: As read from flags and environment.
        embedded: A data folder: its own database on a private Unix socket, whatever `settings.database` says.

    Raises:
        Failure: it cannot start; status 75 where another server has the same SQLite database.
    """
    logs.configure(settings)
    folder = (embedded or data_folder(settings)).absolute()
    url = sqlite_url(folder) if embedded else database_url(settings)
    settings = settings.model_copy(update={"data_dir": folder, "database": url})
    own_database = url == sqlite_url(folder)
    with ExitStack() as stack:
        if own_database:
            ensure_private(folder)
            stack.enter_context(exclusive(folder / LOCK_FILE, f"the data folder {folder}"))
        elif file := sqlite_path(url):
            # Two servers on one SQLite file would take each other's imports for interrupted ones.
            stack.enter_context(exclusive(file.with_name(file.name + ".lock"), f"the database {file}"))
        if embedded:
            address = stack.enter_context(private_socket())
        else:
            address = tcp_address(settings)
        if applied := migrate(url, settings):
            log.info("database migrated", migrations=applied)
        _run(_serve(settings, address, folder if own_database else None, ends_unused=embedded is not None))


def tcp_address(settings: Settings) -> str:
    """`host:port` for gRPC.

    Raises:
        Failure: the port is taken, the host is not one of this machine, or it is a public one while nobody
            has to prove who they are.
    """
    if settings.auth is Auth.NONE and not is_loopback(settings.host):
        raise Failure(
            f"--auth none would let everybody who reaches {settings.host} in as the demo user; it is allowed "
            "on loopback addresses only: use --host 127.0.0.1",
            ExitCode.USAGE,
        )
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise Failure(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); choose another with --port"
        ) from None
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{host}:{settings.port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _serve(settings: Settings, address: str, folder: Path | None, *, ends_unused: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_app(settings, address=address) as app:
        with ExitStack() as stack:
            if folder is not None:
                server = local.ServerFile(
                    address=app.address,
                    pid=os.getpid(),
                    host=socket.gethostname(),
                    version=version("mooring"),
                    incarnation=app.incarnation,
                )
                stack.enter_context(announced(folder, server))
            out.print(f"Mooring {version('mooring')} listens on {app.address}", markup=False)
            out.print(f"Database: {public_url(settings.database)}", markup=False)
            if not ends_unused:
                out.print("Ctrl-C stops it.", markup=False)
            sys.stdout.flush()
            await _wait(stop, app.idle_s, settings.idle_exit_s if ends_unused else None)
        log.info("stopping", address=app.address)


async def _wait(stop: asyncio.Event, idle_s: Callable[[], float], limit_s: float | None) -> None:
    ends = [asyncio.ensure_future(stop.wait())]
    if limit_s is not None:
        ends.append(asyncio.ensure_future(unused(idle_s, limit_s)))
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()


def _run(main: "asyncio.coroutines.Coroutine[None, None, None]") -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        uvloop.run(main)
