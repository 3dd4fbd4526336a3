"""Commands that work with whole sessions, with their options. The work is in `sessions.py`."""

from pathlib import Path
from typing import Annotated

import typer

from mooring_server.cli.options import (
    LIMIT_DEFAULT,
    Authority,
    Engagement,
    Filter,
    Json,
    Limit,
    OrderBy,
    Overwrite,
    Server,
    Session,
    Yes,
)

app = typer.Typer(
    name="sessions",
    no_args_is_help=True,
    help="List an engagement's sessions; take one out as a file, and bring one in.",
    epilog="Example: mooring sessions export 'Wave 1'",
)


@app.command("list")
def list_(
    engagement: Engagement = None,
    archived: Annotated[bool, typer.Option("--archived", help="List the archived ones too.")] = False,
    filter: Filter = "",
    order_by: OrderBy = "",
    limit: Limit = LIMIT_DEFAULT,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """List an engagement's sessions, by name.

    Example: `mooring sessions list --filter 'asset_count > 1000' --order-by 'asset_count desc'`
    """
    from mooring_server.cli import sessions as command
    from mooring_server.cli.places import Place

    command.list_sessions(
        Place("", engagement, server, ca),
        archived=archived,
        filter=filter,
        order_by=order_by,
        limit=limit,
        as_json=as_json,
    )


@app.command("export")
def export_(
    session: Session,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help="Where it goes, or a folder; 'NAME.mooring.zip' in this folder without it.",
            show_default=False,
        ),
    ] = None,
    engagement: Engagement = None,
    overwrite: Overwrite = False,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Write a session to one file, with all its assets and dependencies, to keep it or to move it.

    All of it is of one state, whatever others do meanwhile. `mooring sessions import` reads it on any server.
    For people and their tools there is `mooring assets read`.

    Example: `mooring sessions export "Wave 1" --to backups/wave-1.mooring.zip`
    """
    from mooring_server.cli import transfers as command
    from mooring_server.cli.places import Place

    command.export(Place(session, engagement, server, ca), to, force=overwrite, as_json=as_json)


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A file that `mooring sessions export` wrote.", show_default=False
        ),
    ],
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What the session is called; as the exported one without it, with a number if taken.",
            show_default=False,
        ),
    ] = "",
    id: Annotated[
        str,
        typer.Option(
            metavar="ID", help="Its id, such as wave-1; the server makes one without it.", show_default=False
        ),
    ] = "",
    keep_ids: Annotated[
        bool,
        typer.Option("--keep-ids", help="Take over the ids of the file, for what refers to them elsewhere."),
    ] = False,
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Make a new session of an exported one: all of it, or nothing.

    A file that was damaged or altered is refused. Ctrl-C cancels it on the server too.

    Example: `mooring sessions import "Wave 1.mooring.zip" --engagement Fabrikam`
    """
    from mooring_server.cli import transfers as command
    from mooring_server.cli.places import Place

    place = Place("", engagement, server, ca)
    command.import_session(place, file, display_name=name, session_id=id, keep_ids=keep_ids, as_json=as_json)


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
