"""The chapter on bulk reads: what it says in Python is true, and its tables name every column."""

import re
from pathlib import Path

import grpc
import pytest
from mooring.endpoints import Endpoint
from mooring_server.core import reading
from support_discovery import import_file
from support_server import Caller, _Says, new_engagement

GUIDE = Path(__file__).parents[2] / "docs" / "bulk-read.md"
CSV = b"""hostname,type,memory (GB),Rack
web-1,server,16,R1
web-2,server,4,R2
db-1,server,64,
db-2,server,,R4
"""


def test_the_guide_runs_from_top_to_bottom(server, bearers):
    """Every block works below those before it, and does what stands beside it."""
    ada = Caller(grpc.intercept_channel(server.channel, _Says("authorization", f"Bearer {bearers['ada']}")))
    session = new_engagement(ada).default_session
    version = import_file(ada, session, CSV).data_version
    space = {
        "channel": server.channel,
        "endpoint": Endpoint.of(server.address, token=bearers["ada"]),
        "session": session,
    }
    text = GUIDE.read_text("utf-8")
    for found in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        padded = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(padded, GUIDE, "exec"), space)  # noqa: S102 - what the reader would run
    assert (space["header"].data_version, space["header"].row_count) == (version, 4)
    assert sorted(space["frame"]["hostname"]) == ["db-1", "db-2", "web-1", "web-2"]
    servers = space["servers"].to_pylist()
    assert {each["hostname"]: each["attributes.Rack"] for each in servers} == {"web-1": "R1", "db-1": None}
    assert space["known"] == 3


@pytest.mark.parametrize(
    ("bulk", "heading"),
    [(reading.ASSETS, "columns of assets"), (reading.DEPENDENCIES, "columns of dependencies")],
)
def test_every_column_is_listed(bulk, heading):
    """Each has one row with its type."""
    rows = GUIDE.read_text("utf-8").partition(f"| {heading} | type |\n|---|---|\n")[2].partition("\n\n")[0]
    named = [name for row in rows.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert sorted(named) == sorted([*dict(bulk.table.columns), "attributes.{key}"])
