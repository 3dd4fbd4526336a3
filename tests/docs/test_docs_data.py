"""The guide to a session's data: what it says in Python is true."""

import re
from pathlib import Path

import grpc
from mooring.endpoints import Endpoint
from support_server import Caller, _Says, new_engagement

GUIDE = Path(__file__).parents[2] / "docs" / "data.md"


def test_the_guide_runs_from_top_to_bottom(server, bearers):
    """Every block works below those before it, and does what stands beside it."""
    ada = Caller(grpc.intercept_channel(server.channel, _Says("authorization", f"Bearer {bearers['ada']}")))
    space = {
        "channel": server.channel,
        "endpoint": Endpoint.of(server.address, token=bearers["ada"]),
        "session": new_engagement(ada).default_session,
    }
    text = GUIDE.read_text("utf-8")
    for found in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        padded = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(padded, GUIDE, "exec"), space)  # noqa: S102 - what the reader would run
    assert (space["changed"].owner, space["changed"].cpu_cores) == ("Ann", 4)
    assert space["late"] is grpc.StatusCode.ABORTED
    assert [each.name for each in space["of_web"].dependencies] == [space["flow"].name]
    assert space["flow"].target_display_name == "web-1"
    assert (space["gone"].asset.owner, space["gone"].dependency_count) == ("Ann", 1)
