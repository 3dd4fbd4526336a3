"""`mooring serve`: from settings to a running server that stops in good order."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import structlog
from mooring import local

from mooring_server.api.listening import check_exposure
from mooring_server.app import running_app, tcp_address
from mooring_server.cli import logs
from mooring_server.cli.config import data_folder, public_url, reaching, sqlite_path, sqlite_url
from mooring_server.cli.console import Failure, say
from mooring_server.cli.embedded import announced, exclusive, private_socket, serving_pid, sweep, unused
from mooring_server.settings import Auth, Settings
from mooring_server.store import migrate

log = structlog.get_logger(__name__)

_PRIVATE = {
    "auth": Auth.NONE,
    "tls_cert_file": None,
    "tls_key_file": None,
    "tls_by_proxy": False,
    "metrics_address": "",
}


def serve(settings: Settings, *, embedded: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM; in embedded mode, until unused at the latest.

    Whoever serves a data folder's database also serves its private Unix socket, so that this user's notebooks
    and commands find it without an address.

    Args:
        settings: As read from flags and environment.
        embedded: A data folder: its own database on that socket alone, whatever the settings say of
            addresses, databases and authentication.

    Raises:
        InvalidArgument: strangers could call as somebody; nothing has been touched then.
        Failure: it cannot start; status 75 where another server has the same SQLite database.
    """
    logs.configure(settings, quiet=True)  # until it serves, failures are sentences
    folder = _own_folder(settings) if embedded is None else embedded.absolute()
    addresses = [tcp_address(settings)] if embedded is None else []
    if embedded is not None:  # whoever can reach that socket is this user
        settings = settings.model_copy(update=_PRIVATE)
    check_exposure(settings, addresses)
    with ExitStack() as stack:
        if folder is not None:
            _claim_folder(folder, stack)
            addresses.append(stack.enter_context(private_socket()))
            settings = settings.model_copy(update={"database": sqlite_url(folder), "data_dir": folder})
        if file := sqlite_path(settings.database):
            _claim_file(file.absolute(), stack)
        with reaching(settings.database):
            applied = migrate(settings.database, settings)
        logs.configure(settings)
        if applied:
            log.info("database migrated", migrations=applied)
        _run(_serve(settings, addresses, folder, None if embedded is None else settings.idle_exit_s))


def _own_folder(settings: Settings) -> Path | None:
    """This user's data folder, if its database is the one to serve."""
    if not settings.database:
        return data_folder()
    file, own = sqlite_path(settings.database), sqlite_path(sqlite_url(local.data_path()))
    return data_folder() if file and own and file.resolve() == own.resolve() else None


def _claim_folder(folder: Path, stack: ExitStack) -> None:
    """Become the one server of a data folder."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        local.check_private(folder)
    except local.LocalServiceError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"the data folder {folder} cannot be made: {error.strerror}") from None
    lock, what = folder / local.LOCK_NAME, f"the data folder {folder}"
    stack.enter_context(exclusive(lock, what, lambda: serving_pid(folder)))
    sweep(folder)


def _claim_file(file: Path, stack: ExitStack) -> None:
    """Become the one server of a SQLite file: two would take each other's imports for interrupted ones."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"the folder {file.parent} of the database cannot be made: {error.strerror}") from None
    stack.enter_context(exclusive(file.with_name(f"{file.name}.lock"), f"the database {file}"))


async def _serve(
    settings: Settings, addresses: Sequence[str], folder: Path | None, idle_exit_s: float | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_app(settings, addresses=addresses) as app:
        with ExitStack() as stack:
            if folder is not None:
                server = local.ServerFile.here(app.addresses[-1], app.incarnation)
                stack.enter_context(announced(server, folder))
            say(f"Mooring {version('mooring')} listens on {app.address}")
            say(f"Database: {public_url(settings.database)}")
            if app.metrics_address:
                say(f"Metrics: http://{app.metrics_address}/metrics")
            if settings.auth is Auth.TOKEN:
                say("Callers need an API token: `mooring token create USER` makes one.")
            if folder is not None and idle_exit_s is None:
                say("Your notebooks and `mooring import` find it without an address.")
            say("Ctrl-C stops it." if idle_exit_s is None else "It ends by itself when unused.")
            await _wait(stop, app.idle_s, idle_exit_s)
        log.info("stopping", addresses=app.addresses, asked=stop.is_set())


async def _wait(stop: asyncio.Event, idle_s: Callable[[], float], limit_s: float | None) -> None:
    ends: set[asyncio.Task[object]] = {asyncio.create_task(stop.wait())}
    if limit_s is not None:
        ends.add(asyncio.create_task(unused(idle_s, limit_s)))
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()


def _run(main: Coroutine[None, None, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(main)
    else:
        import uvloop

        uvloop.run(main)
