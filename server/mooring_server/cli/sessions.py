"""`mooring sessions list` and `mooring clone`: an engagement's sessions, and one more of them."""

import json

from mooring.v1 import sessions_pb2

from mooring_server.cli.console import say
from mooring_server.cli.places import Place, called, opened
from mooring_server.cli.plain import plain
from mooring_server.cli.tables import counted, moment, show_rows

_HEADS = ("session", "id", "assets", "dependencies", "changed", "state")


def list_sessions(
    place: Place, *, archived: bool, filter: str, order_by: str, limit: int, as_json: bool
) -> None:
    """Print the sessions of the place's engagement.

    Raises:
        Refused: the server cannot read the filter or the order.
    """
    with called(place) as client:
        engagement = client.engagement(place.engagement)
        found = client.first_sessions(
            engagement.name, archived=archived, filter=filter, order_by=order_by, limit=limit
        )
    if as_json:
        say(json.dumps({"sessions": [plain(one) for one in found.items], "more": found.more}))
        return
    if not found.items:
        say(f"There is no such session in {engagement.display_name}.")
        return
    show_rows(_HEADS, map(_row, found.items), numbers=("assets", "dependencies"))
    if found.more:
        say(f"the first {len(found.items):,} of {found.page.total_size:,}; --limit 0 shows all")


def clone(place: Place, display_name: str, description: str, *, as_json: bool) -> None:
    """Make a session of that name with the data of the place's session, and say what it holds."""
    with opened(place) as (client, source):
        engagement = source.name.partition("/sessions/")[0]
        made = client.create_session(engagement, display_name, source=source.name, description=description)
    if as_json:
        say(json.dumps(plain(made)))
        return
    assets = counted(made.asset_count, "asset")
    dependencies = counted(made.dependency_count, "dependency", "dependencies")
    say(f"{made.display_name}: a clone of {source.display_name} with {assets} and {dependencies}")
    say(f"  {made.name}")


def _row(one: sessions_pb2.Session) -> tuple[str | None, ...]:
    state = "default" if one.is_default else "archived" if one.HasField("archive_time") else None
    return (
        one.display_name,
        one.name.rpartition("/")[2],
        f"{one.asset_count:,}",
        f"{one.dependency_count:,}",
        moment(one.last_activity_time),
        state,
    )
