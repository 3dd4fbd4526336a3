"""`mooring import` and `mooring imports …`: the commands with their options. The work is elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from mooring_server.cli.console import ExitCode, Failure
from mooring_server.cli.options import LIMIT_DEFAULT, Authority, Engagement, Json, Limit, Server, Session, Yes

app = typer.Typer(
    name="imports",
    no_args_is_help=True,
    help="Look into a session's imports, and undo them.",
    epilog="Example: mooring imports revert 'Wave 1'",
)

Import = Annotated[
    str | None,
    typer.Argument(
        metavar="IMPORT",
        help="Its id, as `list` shows it, or the beginning of that; else the newest.",
        show_default=False,
    ),
]


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Exports of your tools, or tables as .xlsx, .csv, .json, .parquet, ….",
            show_default=False,
        ),
    ],
    session: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Session by name or id. It is made if it is not there. Only --preview goes without.",
            show_default=False,
        ),
    ] = None,
    engagement: Engagement = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Show what would be made of the files, and change nothing."),
    ] = False,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD[:UNIT]",
            help="The asset field of a column, and what its bare numbers count; 'COLUMN=' keeps it as an "
            "attribute. May be repeated.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="Take the files for this: rvtools, table, … as --preview names them.",
            show_default=False,
        ),
    ] = "",
    sheet: Annotated[
        str, typer.Option(metavar="NAME", help="Read this sheet of a workbook.", show_default=False)
    ] = "",
    type_: Annotated[
        str,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="What rows are that do not say: server, virtual_machine, database, application, …",
            show_default=False,
        ),
    ] = "",
    encoding: Annotated[
        str,
        typer.Option(metavar="NAME", help="The encoding of text files, such as cp1252.", show_default=False),
    ] = "",
    server: Server = None,
    ca: Authority = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each file, on a line.")
    ] = False,
) -> None:
    """Import inventories into a session, each all or nothing.

    Prints where every row went. Importing the same again changes nothing, and `mooring imports revert`
    undoes an import. Ctrl-C cancels it on the server too. A server that asks for an API token gets the one in
    MOORING_TOKEN.

    Look first: `mooring import estate.xlsx --preview`. Then: `mooring import estate.xlsx --session "Wave 1"
    --map "RAM=memory_bytes:GiB"`
    """
    from mooring_server.cli import inventory as command
    from mooring_server.cli.places import Place

    if session is None and not preview:
        raise Failure(
            "into which session? Name it with --session, or look first with --preview", ExitCode.USAGE
        )
    reading = command.Reading(kind=kind, sheet=sheet, encoding=encoding, type=type_, maps=maps or ())
    place = Place(session or "", engagement, server, ca)
    run = command.preview_inventories if preview else command.import_inventories
    run(files, place, reading, as_json=as_json)


@app.command("list")
def list_(
    session: Session,
    engagement: Engagement = None,
    limit: Limit = LIMIT_DEFAULT,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """List a session's imports, the newest first: what came when, from whom, and what it changed."""
    from mooring_server.cli import history as command
    from mooring_server.cli.places import Place

    command.list_imports(Place(session, engagement, server, ca), limit=limit, as_json=as_json)


@app.command()
def show(
    session: Session,
    wanted: Import = None,
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Show an import with its whole report: where every row went, and how the file was read."""
    from mooring_server.cli import history as command
    from mooring_server.cli.places import Place

    command.show_import(Place(session, engagement, server, ca), wanted, as_json=as_json)


@app.command()
def revert(
    session: Session,
    wanted: Import = None,
    engagement: Engagement = None,
    force: Annotated[
        bool, typer.Option("--force", help="Undo it although the data was edited since; the edits are lost.")
    ] = False,
    yes: Yes = False,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Undo an import: the session shows again what it showed before. The newest goes first.

    Says what will be lost, and asks on a terminal.
    """
    from mooring_server.cli import history as command
    from mooring_server.cli.places import Place

    place = Place(session, engagement, server, ca)
    command.revert_import(place, wanted, force=force, yes=yes, as_json=as_json)
