"""`mooring merges …`: the commands with their options. The work is in `merging.py`."""

from typing import Annotated

import typer

from mooring_server.cli.options import LIMIT_DEFAULT, Authority, Engagement, Json, Limit, Server, Yes

app = typer.Typer(
    name="merges",
    no_args_is_help=True,
    help="List, show and undo the merges of an engagement.",
    epilog="Example: mooring merges revert",
)

_Merge = Annotated[
    str | None,
    typer.Argument(
        metavar="MERGE",
        help="The merge: its id, or the first digits of it. The newest without it.",
        show_default=False,
    ),
]


@app.command("list")
def list_(
    engagement: Engagement = None,
    limit: Limit = LIMIT_DEFAULT,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """List an engagement's merges, the newest first."""
    from mooring_server.cli import merging as command
    from mooring_server.cli.places import Place

    command.list_merges(Place("", engagement, server, ca), limit=limit, as_json=as_json)


@app.command()
def show(
    merge: _Merge = None,
    engagement: Engagement = None,
    limit: Limit = LIMIT_DEFAULT,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Show a merge: who did it and how, its counts, and every value that it left out."""
    from mooring_server.cli import merging as command
    from mooring_server.cli.places import Place

    command.show_merge(Place("", engagement, server, ca), merge, limit=limit, as_json=as_json)


@app.command()
def revert(
    merge: _Merge = None,
    engagement: Engagement = None,
    force: Annotated[
        bool, typer.Option("--force", help="Undo it although the data was edited since; the edits are lost.")
    ] = False,
    yes: Yes = False,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Undo a merge: both sessions are as they were before it.

    Says what will be lost, and asks on a terminal.
    """
    from mooring_server.cli import merging as command
    from mooring_server.cli.places import Place

    place = Place("", engagement, server, ca)
    command.revert_merge(place, merge, force=force, yes=yes, as_json=as_json)
