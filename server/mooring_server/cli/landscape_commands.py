"""`mooring landscape`: the command with its options. The work is in `landscapes.py`."""

from mooring_server.cli.options import Authority, Engagement, Json, Server, Session


def landscape(
    session: Session,
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Show what a session's data adds up to: sums by type and environment, applications, what is known.

    Example: `mooring landscape "Wave 1"`
    """
    from mooring_server.cli import landscapes as command
    from mooring_server.cli.places import Place

    command.show_landscape(Place(session, engagement, server, ca), as_json=as_json)
