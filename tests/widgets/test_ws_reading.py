"""Taking the data in a notebook: Arrow, pandas, polars, whole, in part and in pieces."""

import asyncio

import pytest
from mooring_widgets import errors
from mooring_widgets.client import Asset, Dependency
from mooring_widgets.testing import FakeClient
from mooring_widgets.workspace import Workspace
from support_waiting import until
from support_widgets import shows
from support_workspace import BASELINE, WAVE_1

NAMES = [f"{BASELINE}/assets/{id_}" for id_ in ("web", "db")]


@pytest.fixture
def related(ws: Workspace, client: FakeClient) -> Workspace:
    """Baseline with two assets, of which the first needs the second."""
    web, db = NAMES
    client.service.add_assets(
        BASELINE,
        [
            Asset(web, "web", "server", ip_addresses=("10.0.0.1",), attributes={"Rack": "7"}),
            Asset(db, "db", "database", cpu_cores=2.0, memory_bytes=2**33, application="shop"),
        ],
    )
    flow = Dependency(
        f"{BASELINE}/dependencies/d1",
        web,
        db,
        "flow",
        5432,
        source_display_name="web",
        target_display_name="db",
    )
    client.service.add_dependencies(BASELINE, [flow])
    return ws


def test_all_of_it_as_arrow(related: Workspace) -> None:
    """Unknown numbers are null, lists are lists, and attributes are JSON."""
    table = related.to_arrow()
    db, web = table.to_pylist()
    assert (db["id"], db["memory_bytes"], web["memory_bytes"]) == ("db", 2**33, None)
    assert (web["ip_addresses"], web["attributes"]) == (["10.0.0.1"], '{"Rack": "7"}')


def test_some_of_it(related: Workspace) -> None:
    """Fields come in the order asked for, attributes by their keys, and a filter lets some rows through."""
    fields = ["attributes.Rack", "id"]
    assert related.to_arrow(fields=fields, filter="type = server").to_pylist() == [
        {"attributes.Rack": "7", "id": "web"}
    ]
    with pytest.raises(errors.InvalidArgument, match="no field"):
        related.to_arrow(fields=["colour"])
    with pytest.raises(ValueError, match="take one of assets, dependencies"):
        related.to_arrow(table="asset")  # type: ignore[arg-type]


def test_frames_have_names_types_and_unknowns(related: Workspace) -> None:
    """Full names come first, whole numbers stay whole, lists are tuples and attributes dicts."""
    frame = related.to_pandas()
    assert list(frame["name"]) == sorted(NAMES)
    assert (str(frame.memory_bytes.dtype), str(frame.cpu_cores.dtype)) == ("Int64", "Float64")
    assert frame["attributes"][1] == {"Rack": "7"}
    assert frame["ip_addresses"][1] == ("10.0.0.1",)
    flows = related.to_pandas(table="dependencies", fields=["source_id", "target_id", "port"])
    assert flows.to_dict("records") == [{"source_id": "web", "target_id": "db", "port": 5432}]


def test_polars_and_pieces(related: Workspace) -> None:
    """The same rows come as a polars frame, and batch by batch."""
    assert related.to_polars(fields=["id"]).to_dicts() == [{"id": "db"}, {"id": "web"}]
    assert sum(batch.num_rows for batch in related.to_batches()) == 2
    assert related.at("Wave 1").to_arrow().num_rows == 3


def test_what_is_taken_whole_is_fetched_once(ws: Workspace, client: FakeClient) -> None:
    """The whole table comes from the cache while it is true."""
    until(lambda: "get_context" in client.calls)  # the watch has begun, and said what to read again
    assert ws.discovery.to_arrow() is ws.discovery.to_arrow()
    assert ws.discovery.to_polars().height == 5
    assert client.calls.count("read_assets") == 1


def test_dependencies_are_taken_whole_too(related: Workspace) -> None:
    """They come as a frame and as a table."""
    assert related.dependencies.to_pandas().port[0] == 5432
    assert related.dependencies.to_arrow().num_rows == 1


def test_the_async_twins_read_too(related: Workspace) -> None:
    """Each way to take the data can be awaited, of any session."""

    async def cell() -> list[int]:
        pieces = [batch.num_rows async for batch in related.aio.to_batches()]
        return [
            sum(pieces),
            (await (await related.aio.at(WAVE_1)).aio.to_arrow()).num_rows,
            len(await related.aio.to_pandas(filter="type = server")),
            (await related.aio.to_polars(table="dependencies")).height,
            len(await related.aio.dependencies.to_pandas()),
        ]

    assert asyncio.run(cell()) == [2, 3, 1, 1, 1]


def test_dependencies_are_a_view(related: Workspace) -> None:
    """A table of them follows the session, and a filter narrows it."""
    table = related.dependencies(filter="kind = flow")
    shows(table, status="ready", noun="dependency")
    page = table._state["page"]
    [ids, *values] = page["items"][0]
    row = dict(zip(page["keys"], values, strict=True))
    assert (row["source_display_name"], row["kind"], row["port"], len(ids)) == ("web", "Flow", 5432, 2)
    related.switch("Wave 1")
    shows(table, status="empty")


def test_a_view_of_ones_own_can_ask_for_dependencies(related: Workspace) -> None:
    """A function that names `dependencies` is given their frame."""

    @related.view
    def flows(dependencies: object) -> str:
        return f"{len(dependencies)} in all"  # type: ignore[arg-type]

    shows(flows, status="ready", output={"kind": "text", "text": "1 in all"})


def test_the_landscape_tells_unknown_from_nothing(related: Workspace) -> None:
    """Sums come with how many assets they are of, a sum of none is None, and groups of none are named."""
    view = related.landscape()
    shows(view, status="ready")
    shown = view._state["landscape"]
    assert (shown["totals"]["cpu_cores"], shown["totals"]["known"]["cpu_cores"]) == (2.0, 1)
    assert shown["totals"]["storage_bytes"] is None
    assert {group["field"] for group in shown["groups"]} == {"type"}
    assert {"Environment", "Criticality", "Technology"} <= set(shown["unknown"])
    assert [(each["label"], each["server_count"]) for each in shown["applications"]] == [("shop", 0)]
    dependencies = shown["dependencies"]
    assert (dependencies["count"], dependencies["isolated"]) == (1, 0)
    assert {"label": "db", "needed_by": 1, "needs": 0} in dependencies["degrees"]
    assert {"label": "Cpu cores", "known": 1} in shown["completeness"]
