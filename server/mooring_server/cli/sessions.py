"""`mooring clone`: a session that begins with another one's data."""

import json

from mooring_server.cli.console import say
from mooring_server.cli.places import Place, opened
from mooring_server.cli.plain import plain
from mooring_server.cli.tables import counted


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
