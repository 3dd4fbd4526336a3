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

from mooring_server.cli.config import read_settings
from mooring_server.cli.console import ExitCode, Failure, complain, say
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

Database = Annotated[
    str | None,
    typer.Option(
        envvar="MOORING_DATABASE",
        metavar="URL",
        help="sqlite:///FILE or postgresql://USER@HOST/NAME. Without it: a SQLite file in your data folder.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


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


@app.command()
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
            help="How callers prove who they are. 'none' (the default): everybody is the demo user; "
            "allowed on this machine's own addresses only.",
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
        reflection=reflection,
        log_level=log_level,
        log_format=log_format,
    )
    from mooring_server.cli import serve as command

    command.serve(settings, embedded=embedded)


@app.command()
def migrate(database: Database = None) -> None:
    """Bring a database to the newest schema.

    Safe to repeat and safe to run from several machines at once: one of them does it, the others wait.
    """
    from mooring_server.cli import database as command

    command.migrate(database)


@app.command()
def doctor(database: Database = None, as_json: Json = False) -> None:
    """Check a database: is its schema the newest, and do its contents agree with each other?

    Changes nothing. Exit status 1 when something is wrong.
    """
    from mooring_server.cli import database as command

    command.doctor(database, as_json=as_json)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An RVTools workbook, or a table as .xlsx or .csv.")
    ],
    session: Annotated[
        str,
        typer.Option(metavar="NAME", help="Session by name or id. It is made if it is not there."),
    ],
    engagement: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Engagement by name or id; your default one without it.", show_default=False
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            envvar="MOORING_SERVER",
            metavar="HOST:PORT",
            help="The server. Without it: your own service, started if need be.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Import an inventory into a session, all or nothing.

    Prints where every row of the file went. Importing the same file again changes nothing. Ctrl-C cancels
    the import on the server too.
    """
    from mooring_server.cli import inventory as command

    command.import_inventory(file, session=session, engagement=engagement, server=server, as_json=as_json)


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
