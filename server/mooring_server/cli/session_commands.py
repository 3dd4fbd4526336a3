"""Commands that work with whole sessions, with their options. The work is in `sessions.py`."""

from typing import Annotated

import typer

from mooring_server.cli.options import Authority, Engagement, Json, Server, Session


def clone(
    source: Session,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What the new session is called.", show_default=False)
    ],
    description: Annotated[
        str, typer.Option(metavar="TEXT", help="What it is for.", show_default=False)
    ] = "",
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Make a session that begins with another one's data; from then on neither sees changes of the other.

    It takes no longer for a million assets than for one: both share the data until one of them is changed.

    Example: `mooring clone "Wave 1" "Wave 1, two racks less"`
    """
    from mooring_server.cli import sessions as command
    from mooring_server.cli.places import Place

    command.clone(Place(source, engagement, server, ca), name, description, as_json=as_json)
