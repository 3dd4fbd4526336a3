"""`mooring token …`: the commands with their options. The work is in `tokens.py`."""

from enum import StrEnum
from typing import Annotated

import typer

from mooring_server.cli.console import ExitCode, Failure
from mooring_server.cli.options import Authority, Database, Json

app = typer.Typer(
    name="token",
    no_args_is_help=True,
    help="Make, list and revoke API tokens, in a database or on a server.",
)

Server = Annotated[
    str | None,
    typer.Option(
        envvar="MOORING_SERVER",
        metavar="ADDRESS",
        help="Ask this server (https://HOST, HOST:PORT) with your token in MOORING_TOKEN, not a database.",
        show_default=False,
    ),
]


class Scope(StrEnum):
    """What can be written after --scope; the store's own names, without its libraries at every start."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


_USER = "The user's id; you yourself where a server is asked and nobody is named."


@app.command()
def create(
    ctx: typer.Context,
    user: Annotated[
        str | None,
        typer.Argument(metavar="USER", help=f"{_USER} In a database it is made if it is not there."),
    ] = None,
    display_name: Annotated[
        str, typer.Option(metavar="TEXT", help="What the token is for; shown in lists.")
    ] = "made on the command line",
    scope: Annotated[
        Scope,
        typer.Option(help="What it allows: to read, all that its user may, or everything everywhere."),
    ] = Scope.WRITE,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=36_500,
            metavar="N",
            help="Its life in days; 90 unless set otherwise.",
            show_default=False,
        ),
    ] = None,
    user_name: Annotated[
        str, typer.Option(metavar="TEXT", help="What to call a user that is made.", show_default=False)
    ] = "",
    server: Server = None,
    ca: Authority = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """Make a token and print its secret, this once.

    Without --server it needs no token: whoever can write the database is its operator.
    """
    from mooring_server.cli import tokens as command

    place = command.Place(_chosen_server(ctx, server, database), ca, database)
    command.create(
        place,
        user,
        display_name=display_name,
        scope=scope,
        days=days,
        user_name=user_name,
        as_json=as_json,
    )


@app.command("list")
def list_(
    ctx: typer.Context,
    user: Annotated[
        str | None,
        typer.Argument(metavar="USER", help="The user's id; else everybody, or you where a server is asked."),
    ] = None,
    server: Server = None,
    ca: Authority = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """List tokens, the newest first: what they are for, until when, when last used. Never their secrets."""
    from mooring_server.cli import tokens as command

    place = command.Place(_chosen_server(ctx, server, database), ca, database)
    command.list_tokens(place, user, as_json=as_json)


@app.command()
def revoke(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="The user's id; `me` is you, on a server.")],
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The token's id, as `list` shows it.")],
    server: Server = None,
    ca: Authority = None,
    database: Database = None,
    as_json: Json = False,
) -> None:
    """End a token. Every server on the database refuses it within a second."""
    from mooring_server.cli import tokens as command

    place = command.Place(_chosen_server(ctx, server, database), ca, database)
    command.revoke(place, user, token, as_json=as_json)


def _chosen_server(ctx: typer.Context, server: str | None, database: str | None) -> str | None:
    """The server to ask, None to use the database: where both are named, the flag says which."""
    if not (server and database):
        return server
    sources = {name: ctx.get_parameter_source(name) for name in ("server", "database")}
    typed = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if len(typed) != 1:
        raise Failure(
            "both a server and a database are named (MOORING_SERVER, MOORING_DATABASE count too): "
            "give --server or --database",
            ExitCode.USAGE,
        )
    return server if typed == ["server"] else None
