"""`mooring dependencies …`: the commands with their options. The work is in `dependencies.py`."""

from typing import Annotated

import typer

from mooring_server.cli.options import (
    LIMIT_DEFAULT,
    Authority,
    Engagement,
    Fields,
    Filter,
    Json,
    Limit,
    OrderBy,
    Overwrite,
    Server,
    Session,
    To,
    Yes,
)

app = typer.Typer(
    name="dependencies",
    no_args_is_help=True,
    help="List, show, set and delete which asset needs which, or read all into a file.",
    epilog="Example: mooring dependencies list 'Wave 1' --of web-01",
)

Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="The asset that needs the other, by name or id.")
]
Target = Annotated[str, typer.Argument(metavar="TARGET", help="The asset that is needed, by name or id.")]
Which = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FIELD=VALUE",
        help="Which one, where there are several: by kind=, port=, protocol=, source_process=, "
        "target_process= or id=.",
        show_default=False,
    ),
]


@app.command("list")
def list_(
    session: Session,
    engagement: Engagement = None,
    of: Annotated[
        str | None,
        typer.Option(
            metavar="ASSET", help="Only those that this asset is the source or target of.", show_default=False
        ),
    ] = None,
    filter: Filter = "",
    order_by: OrderBy = "",
    limit: Limit = LIMIT_DEFAULT,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """List a session's dependencies, the oldest first.

    Example: `mooring dependencies list "Wave 1" --of web-01 --filter 'kind = FLOW AND port = 5432'`
    """
    from mooring_server.cli import dependencies as command
    from mooring_server.cli.places import Place

    place = Place(session, engagement, server, ca)
    command.list_dependencies(place, of=of, filter=filter, order_by=order_by, limit=limit, as_json=as_json)


@app.command()
def show(
    session: Session,
    source: Source,
    target: Target,
    which: Which = None,
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of a dependency, and where it was read.

    Example: `mooring dependencies show "Wave 1" web-01 db-01 port=5432`
    """
    from mooring_server.cli import dependencies as command
    from mooring_server.cli.places import Place

    command.show_dependency(
        Place(session, engagement, server, ca), (source, target), which or (), as_json=as_json
    )


@app.command("set")
def set_(
    session: Session,
    source: Source,
    target: Target,
    assignments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FIELD=VALUE",
            help="description= and attributes.KEY= are set; kind=, port=, protocol=, source_process=, "
            "target_process= and id= say which, or what is made.",
            show_default=False,
        ),
    ] = None,
    engagement: Engagement = None,
    create: Annotated[
        bool, typer.Option("--create", help="Make the dependency where it is not there.")
    ] = False,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Set fields of a dependency, or make it with them.

    Example: `mooring dependencies set "Wave 1" web-01 db-01 kind=flow port=5432 description=orders --create`
    """
    from mooring_server.cli import dependencies as command
    from mooring_server.cli.places import Place

    place = Place(session, engagement, server, ca)
    command.set_dependency(place, (source, target), assignments or (), create=create, as_json=as_json)


@app.command()
def delete(
    session: Session,
    source: Source,
    target: Target,
    which: Which = None,
    engagement: Engagement = None,
    yes: Yes = False,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Delete a dependency; asks on a terminal. A later import that tells of it makes it anew.

    Example: `mooring dependencies delete "Wave 1" web-01 db-01 port=5432 --yes`
    """
    from mooring_server.cli import dependencies as command
    from mooring_server.cli.places import Place

    place = Place(session, engagement, server, ca)
    command.delete_dependency(place, (source, target), which or (), yes=yes, as_json=as_json)


@app.command()
def read(
    session: Session,
    to: To,
    engagement: Engagement = None,
    fields: Fields = "",
    filter: Filter = "",
    overwrite: Overwrite = False,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Read all dependencies, or those of a filter, into a file: .parquet, .arrow, .csv or .xlsx.

    In a .csv, a text that begins with = + - @ or a tab gets an apostrophe before it, so that no spreadsheet
    runs it. Without --fields there is every field.

    Example: `mooring dependencies read "Wave 1" --to flows.parquet --filter 'kind = FLOW'`
    """
    from mooring_server.cli import reading as command
    from mooring_server.cli.places import Place

    place = Place(session, engagement, server, ca)
    command.read_to_file(
        place, "dependencies", to, fields=fields, filter=filter, force=overwrite, as_json=as_json
    )
