"""Commands that work with whole sessions, with their options. The work is in `sessions.py`."""

from typing import Annotated

import typer

from mooring_server.cli.options import (
    LIMIT_DEFAULT,
    Authority,
    Engagement,
    Filter,
    Json,
    Limit,
    Server,
    Session,
    Yes,
)


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


def compare(
    session: Session,
    other: Annotated[
        str,
        typer.Argument(
            metavar="OTHER",
            help="The session to hold against it: its name or id, in the same engagement.",
            show_default=False,
        ),
    ],
    table: Annotated[
        str, typer.Option(metavar="TABLE", help="What to list: assets or dependencies.")
    ] = "assets",
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="List what was added, removed, changed or unchanged, and again for more of them. "
            "Without it: all but what is unchanged.",
            show_default=False,
        ),
    ] = None,
    filter: Filter = "",
    limit: Limit = LIMIT_DEFAULT,
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Show how two sessions differ: counts, and each asset with the fields whose values are others.

    Assets are the same where an import would say so: by id, by host name, or by name. What the second
    session has besides counts as added.

    Example: `mooring compare Baseline "Wave 1" --kind changed --filter 'environment = Production'`
    """
    from mooring_server.cli import comparing as command
    from mooring_server.cli.places import Place

    command.compare(
        Place(session, engagement, server, ca),
        other,
        table=table,
        kinds=kind or (),
        filter=filter,
        limit=limit,
        as_json=as_json,
    )


def merge(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="The session to take from: its name or id.", show_default=False
        ),
    ],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The session that gets it.", show_default=False)
    ],
    strategy: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="combine: fill what is empty, and go by --conflicts. overwrite: the source wins where it "
            "knows something. preserve-target: add what is new, change nothing.",
        ),
    ] = "combine",
    conflicts: Annotated[
        str,
        typer.Option(metavar="SIDE", help="Where combine takes conflicts from: target, source or newest."),
    ] = "target",
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=SIDE",
            help="The same for one field, such as owner=source; again for more.",
            show_default=False,
        ),
    ] = None,
    keep_source: Annotated[
        bool, typer.Option("--keep-source", help="Leave the source as it is; else it is archived.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what the merge would do; nothing is changed.")
    ] = False,
    yes: Yes = False,
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Merge a session into another one: what only SOURCE has is added, the rest goes by your choice.

    Shows first what it will do, field by field, and asks on a terminal. Nothing is lost: what did not make
    it into the result is kept with the merge, and `mooring merges revert` undoes all of it.

    Example: `mooring merge "Field survey" Baseline --conflicts newest --field owner=source --preview`
    """
    from mooring_server.cli import merging as command
    from mooring_server.cli.places import Place

    command.merge(
        Place(target, engagement, server, ca),
        source,
        strategy=strategy,
        conflicts=conflicts,
        choices=field or (),
        keep_source=keep_source,
        preview=preview,
        yes=yes,
        as_json=as_json,
    )
