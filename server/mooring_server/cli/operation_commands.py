"""`mooring operations …`: the commands with their options. The work is in `operations.py`."""

from typing import Annotated

import typer

from mooring_server.cli.options import LIMIT_DEFAULT, Authority, Engagement, Json, Limit, Server, Session

app = typer.Typer(
    name="operations",
    no_args_is_help=True,
    help="Watch imports and merges that are running, and cancel them.",
    epilog="Example: mooring operations wait 'Wave 1'",
)

Operation = Annotated[
    str | None,
    typer.Argument(
        metavar="OPERATION",
        help="Its id, as `list` shows it, or the beginning of that; else the newest.",
        show_default=False,
    ),
]


@app.command("list")
def list_(
    session: Session,
    engagement: Engagement = None,
    limit: Limit = LIMIT_DEFAULT,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """List a session's operations, the newest first: what is running, and how the others ended."""
    from mooring_server.cli import operations as command
    from mooring_server.cli.places import Place

    command.list_operations(Place(session, engagement, server, ca), limit=limit, as_json=as_json)


@app.command()
def wait(
    session: Session,
    wanted: Operation = None,
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Wait until an import or a merge is over, and say what came of it. Ctrl-C ends the waiting alone."""
    from mooring_server.cli import operations as command
    from mooring_server.cli.places import Place

    command.wait_operation(Place(session, engagement, server, ca), wanted, as_json=as_json)


@app.command()
def cancel(
    session: Session,
    wanted: Operation = None,
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Cancel an import or a merge that is running; the session stays as it is."""
    from mooring_server.cli import operations as command
    from mooring_server.cli.places import Place

    command.cancel_operation(Place(session, engagement, server, ca), wanted, as_json=as_json)
