"""`mooring assets …`: the commands with their options. The work is in `assets.py` and `reading.py`."""

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
    name="assets",
    no_args_is_help=True,
    help="List, show, set and delete a session's assets, or read all into a file.",
    epilog="Example: mooring assets list 'Wave 1' --filter 'environment = prod AND cpu_cores > 8'",
)

_ASSET = "The asset: its name, or its id where several have that name."


@app.command("list")
def list_(
    session: Session,
    engagement: Engagement = None,
    filter: Filter = "",
    order_by: OrderBy = "",
    limit: Limit = LIMIT_DEFAULT,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """List a session's assets, by name.

    Example: `mooring assets list "Wave 1" --filter 'web type = SERVER' --order-by 'display_name desc'`
    """
    from mooring_server.cli import assets as command
    from mooring_server.cli.places import Place

    command.list_assets(
        Place(session, engagement, server, ca), filter=filter, order_by=order_by, limit=limit, as_json=as_json
    )


@app.command()
def show(
    session: Session,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help=_ASSET)],
    engagement: Engagement = None,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Show all that is known of an asset, and where it was read.

    Example: `mooring assets show "Wave 1" web-01`
    """
    from mooring_server.cli import assets as command
    from mooring_server.cli.places import Place

    command.show_asset(Place(session, engagement, server, ca), asset, as_json=as_json)


@app.command("set")
def set_(
    session: Session,
    asset: Annotated[str, typer.Argument(metavar="ASSET", help=_ASSET)],
    assignments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FIELD=VALUE",
            help="What to set; without a value it is cleared. Amounts have units (memory_bytes=64GiB), lists "
            "commas, and attributes.KEY=VALUE is one attribute.",
            show_default=False,
        ),
    ] = None,
    engagement: Engagement = None,
    create: Annotated[bool, typer.Option("--create", help="Make the asset where it is not there.")] = False,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Set fields of an asset, or make it with them.

    Example: `mooring assets set "Wave 1" web-09 type=server memory_bytes=16GiB owner=Sales --create`
    """
    from mooring_server.cli import assets as command
    from mooring_server.cli.places import Place

    place = Place(session, engagement, server, ca)
    command.set_asset(place, asset, assignments or (), create=create, as_json=as_json)


@app.command()
def delete(
    session: Session,
    assets: Annotated[
        list[str], typer.Argument(metavar="ASSET", help="The assets: their names, or their ids.")
    ],
    engagement: Engagement = None,
    force: Annotated[bool, typer.Option("--force", help="Delete their dependencies too.")] = False,
    yes: Yes = False,
    server: Server = None,
    ca: Authority = None,
    as_json: Json = False,
) -> None:
    """Delete assets; asks on a terminal. A later import that names one makes it anew.

    Example: `mooring assets delete "Wave 1" web-09 --yes`
    """
    from mooring_server.cli import assets as command
    from mooring_server.cli.places import Place

    place = Place(session, engagement, server, ca)
    command.delete_assets(place, assets, force=force, yes=yes, as_json=as_json)


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
    """Read all assets, or those of a filter, into a file: .parquet, .arrow, .csv or .xlsx.

    In a .csv, a text that begins with = + - @ or a tab gets an apostrophe before it, so that no spreadsheet
    runs it. Without --fields there is every field, and the attributes as one JSON text.

    Example: `mooring assets read "Wave 1" --to wave1.csv --fields display_name,owner,attributes.Rack`
    """
    from mooring_server.cli import reading as command
    from mooring_server.cli.places import Place

    place = Place(session, engagement, server, ca)
    command.read_to_file(place, "assets", to, fields=fields, filter=filter, force=overwrite, as_json=as_json)
