"""What people type: every command with its options. The work is in the modules beside this one."""

import os
import sys
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from mooring.local import LocalServiceError
from typer.core import TyperGroup

from mooring_server.cli import (
    asset_commands,
    dependency_commands,
    import_commands,
    landscape_commands,
    merge_commands,
    operation_commands,
    session_commands,
    token_commands,
)
from mooring_server.cli.config import read_settings
from mooring_server.cli.console import ExitCode, Failure, complain, say
from mooring_server.cli.options import Database, Json
from mooring_server.errors import MooringError


class Commands(TyperGroup):
    """Ends every failure in one line on stderr and a documented exit status, never in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; see the class."""
        try:
            return super().invoke(ctx)
        except Failure as failure:
            complain(failure.message)
            raise typer.Exit(failure.code) from None
        except MooringError as failure:
            complain(failure.message)
            raise typer.Exit(ExitCode.FAILED) from None
        except LocalServiceError as failure:
            complain(str(failure))
            raise typer.Exit(ExitCode.UNREACHABLE) from None
        except KeyboardInterrupt:
            complain("interrupted; nothing was changed")
            raise typer.Exit(ExitCode.INTERRUPTED) from None


app = typer.Typer(
    name="mooring",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 done, 1 refused or failed, 2 wrong use, 3 server not reachable, "
    "75 another server has the data, 130 interrupted.",
)

_DATA = "Discovery data"
_SERVICE = "The service"

app.command("import", rich_help_panel=_DATA)(import_commands.import_)
app.add_typer(import_commands.app, rich_help_panel=_DATA)
app.add_typer(asset_commands.app, rich_help_panel=_DATA)
app.add_typer(dependency_commands.app, rich_help_panel=_DATA)
app.command(rich_help_panel=_DATA)(landscape_commands.landscape)
app.command(rich_help_panel=_DATA)(session_commands.clone)
app.command(rich_help_panel=_DATA)(session_commands.compare)
app.command(rich_help_panel=_DATA)(session_commands.merge)
app.add_typer(merge_commands.app, rich_help_panel=_DATA)
app.add_typer(session_commands.app, rich_help_panel=_DATA)
app.add_typer(operation_commands.app, rich_help_panel=_DATA)
app.add_typer(token_commands.app, rich_help_panel=_SERVICE)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"mooring {version('mooring')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Mooring keeps a team's discovery data in sessions; a notebook follows the session you pick.

    New here? `mooring demo` opens a notebook with example data.
    """


@app.command(rich_help_panel=_SERVICE)
def serve(
    host: Annotated[
        str | None,
        typer.Option(
            envvar="MOORING_HOST", metavar="HOST", help="Address to listen on; 127.0.0.1 by default."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            envvar="MOORING_PORT",
            metavar="PORT",
            min=0,
            max=65535,
            help="Port; 50051 by default, 0 takes a free one.",
        ),
    ] = None,
    database: Database = None,
    embedded: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Serve this data folder on a private Unix socket and end when unused. "
            "Notebooks start this themselves.",
        ),
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            envvar="MOORING_AUTH",
            metavar="KIND",
            help="How callers prove who they are. 'token': by an API token. 'none' (the default): everybody "
            "is the demo user; allowed on this machine's own addresses only.",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            envvar="MOORING_TLS_CERT_FILE", metavar="FILE", help="Serve TLS with this certificate chain, PEM."
        ),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(
            envvar="MOORING_TLS_KEY_FILE", metavar="FILE", help="The certificate's private key, PEM."
        ),
    ] = None,
    tls_by_proxy: Annotated[
        bool | None,
        typer.Option(
            "--tls-by-proxy",
            envvar="MOORING_TLS_BY_PROXY",
            help="Serve in the clear, since a proxy in front of it ends TLS.",
            show_default=False,
        ),
    ] = None,
    reflection: Annotated[
        bool | None,
        typer.Option(
            "--reflection/--no-reflection",
            envvar="MOORING_REFLECTION",
            help="Let tools such as grpcurl discover the API.",
            show_default=False,
        ),
    ] = None,
    log_level: Annotated[
        str | None,
        typer.Option(envvar="MOORING_LOG_LEVEL", metavar="LEVEL", help="debug, info, warning or error."),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            envvar="MOORING_LOG_FORMAT",
            metavar="FORMAT",
            help="console, json or auto (console on a terminal).",
        ),
    ] = None,
) -> None:
    """Serve the gRPC API until Ctrl-C.

    Brings the database to the newest schema first. Without --database, your notebooks and `mooring import`
    find it without an address. Every other setting is an environment variable MOORING_… as well.
    """
    settings = read_settings(
        host=host,
        port=port,
        database=database,
        auth=auth,
        tls_cert_file=tls_cert,
        tls_key_file=tls_key,
        tls_by_proxy=tls_by_proxy,
        reflection=reflection,
        log_level=log_level,
        log_format=log_format,
    )
    from mooring_server.cli import serve as command

    command.serve(settings, embedded=embedded)


@app.command(rich_help_panel=_SERVICE)
def migrate(
    database: Database = None,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Drop the tables that the adoption of an old shape put aside.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring a database to the newest schema, also one of the first prototype's.

    Safe to repeat and safe to run from several machines at once: one of them does it, the others wait.
    """
    from mooring_server.cli import database as command

    command.migrate(database, drop_old=drop_old, as_json=as_json)


@app.command(rich_help_panel=_SERVICE)
def doctor(
    database: Database = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair first what can be repaired without losing anything.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a database: is its schema the newest, and do its contents agree with each other?

    Changes nothing without --repair. A server may run meanwhile. Exit status 1 when something is wrong.
    """
    from mooring_server.cli import database as command

    command.doctor(database, repair=repair, as_json=as_json)


@app.command(rich_help_panel=_SERVICE)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the backup goes.")],
    database: Database = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there already.")] = False,
    as_json: Json = False,
) -> None:
    """Write all of a database, in one consistent state, to one file; servers go on meanwhile.

    It holds everything but the signing key, so keep it as safe as the database. `mooring restore` reads it
    again, on SQLite and on PostgreSQL alike.
    """
    from mooring_server.cli import backups as command

    command.backup(file, database=database, force=force, as_json=as_json)


@app.command(rich_help_panel=_SERVICE)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `mooring backup`.")],
    database: Database = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let everything go that the database holds now.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of everything that a database holds, all or nothing.

    Verifies the whole file first. Servers may go on meanwhile: they take the new state up by themselves.
    """
    from mooring_server.cli import backups as command

    command.restore(file, database=database, replace=replace, as_json=as_json)


@app.command()
def demo(
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=1,
            max=65535,
            help="JupyterLab's port; 8888 or the next free one without it.",
            show_default=False,
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address; for machines without a screen.")
    ] = False,
) -> None:
    """Open the tour: JupyterLab with example engagements, sessions and inventories.

    Everything stays in your data folder and on this machine. Ctrl-C stops what it started.
    """
    from mooring_server.cli import demo as command

    command.demo(port=port, open_browser=not no_browser)


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a name still gets the rest
    try:
        app(prog_name="mooring")
    except Exception as fault:
        if os.environ.get("MOORING_LOG_LEVEL") == "debug":
            raise
        complain(f"this is a fault of Mooring: {fault!r} (MOORING_LOG_LEVEL=debug shows where)")
        raise SystemExit(ExitCode.FAILED) from None
