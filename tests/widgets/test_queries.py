import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from mooring.v1 import watch_pb2
from mooring_widgets import errors, queries
from mooring_widgets.client import Change, PageOf, Session, decode
from mooring_widgets.query import QueryFunctionContext
from mooring_widgets.staleness import stale_keys, stream_keys
from mooring_widgets.testing import FakeClient, workspace
from support_workspace import CONTOSO, WAVE_1

ASKED: dict[str, Callable[[FakeClient], queries.Key]] = {
    "engagements": lambda client: queries.engagements(client).query_key,
    "engagement": lambda client: queries.engagement(client, CONTOSO).query_key,
    "sessions": lambda client: queries.sessions(client, CONTOSO, 100, 50).query_key,
    "session": lambda client: queries.session(client, WAVE_1).query_key,
    "assets": lambda client: queries.assets(client, WAVE_1, 0, 50).query_key,
    "landscape": lambda client: queries.landscape(client, WAVE_1).query_key,
    "dependencies": lambda client: queries.dependencies(client, WAVE_1, 0, 50).query_key,
    "imports": lambda client: queries.imports(client, WAVE_1).query_key,
    "table": lambda client: queries.table(client, WAVE_1, "assets").query_key,
    "frame": lambda client: queries.discovery_frame(client, WAVE_1).query_key,
    "another session": lambda client: queries.session(client, f"{CONTOSO}/sessions/other").query_key,
    "another landscape": lambda client: queries.landscape(client, f"{CONTOSO}/sessions/other").query_key,
}

DATA = {"assets", "dependencies", "imports", "landscape", "table", "frame"}


def stale(change: Change) -> set[str]:
    prefixes = list(stale_keys(change))
    keys = {name: ask(FakeClient()) for name, ask in ASKED.items()}
    return {name for name, key in keys.items() if any(key[: len(prefix)] == prefix for prefix in prefixes)}


@pytest.mark.parametrize(
    ("kind", "resource", "expected"),
    [
        ("updated", WAVE_1, {"sessions", "session"}),
        ("created", WAVE_1, {"sessions", "session", "engagement", "engagements"}),
        ("deleted", WAVE_1, {"sessions", "session", "engagement", "engagements"}),
        ("imported", WAVE_1, {"sessions", "session", *DATA}),
        ("reverted", WAVE_1, {"sessions", "session", *DATA}),
        ("created", f"{WAVE_1}/assets/a1", {"sessions", "session", *DATA}),
        ("updated", f"{WAVE_1}/assets/a1", {"sessions", "session", *DATA}),
        ("deleted", f"{WAVE_1}/assets/a1", {"sessions", "session", *DATA}),
        ("updated", f"{WAVE_1}/dependencies/d1", {"sessions", "session", *DATA}),
        ("updated", CONTOSO, {"engagement", "engagements"}),
        ("switched", "users/ada/contexts/c1", set()),
        ("updated", "users/ada", {"engagements"}),
        ("deleted", "users/ada/contexts/c1", set()),
        ("revoked", "users/ada/tokens/t1", set()),
        ("archived", CONTOSO, {"engagement", "engagements"}),
        ("archived", WAVE_1, {"sessions", "session"}),
        ("undeleted", WAVE_1, {"sessions", "session", "engagement", "engagements"}),
        ("created", f"{CONTOSO}/members/bob", set()),
        ("created", f"{CONTOSO}/things/new", {"engagement", "engagements"}),
        ("created", "users/ada/things/new", set()),
    ],
)
def test_a_change_makes_stale_what_it_touches(kind: str, resource: str, expected: set[str]) -> None:
    """Each kind of change names the queries that show it, and no others."""
    assert stale(Change("a stream", 1, kind, resource)) == expected


def test_ones_own_membership_changes_what_one_sees() -> None:
    """It is on one's own stream too, where it makes the engagement and the list of them stale."""
    change = Change("users/ada", 1, "deleted", f"{CONTOSO}/members/ada")
    assert stale(change) == {"engagement", "engagements"}


def test_an_unknown_kind_of_change_is_an_update() -> None:
    """A newer service may tell of things that this client does not know: its watch must not end of that."""
    message = watch_pb2.Change(stream=CONTOSO, revision=1, kind=99, resource=WAVE_1)
    assert decode.change(message) == Change(CONTOSO, 1, "updated", WAVE_1)


def test_a_streams_keys_cover_its_changes() -> None:
    """What is forgotten after a gap is at least what any change of that stream can touch."""
    prefixes = list(stream_keys(CONTOSO))
    asset = f"{WAVE_1}/assets/a1"
    for kind, resource in (
        ("imported", WAVE_1),
        ("created", WAVE_1),
        ("updated", CONTOSO),
        ("updated", asset),
    ):
        for key in stale_keys(Change(CONTOSO, 1, kind, resource)):
            assert any(key[: len(prefix)] == prefix for prefix in prefixes)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (errors.Unavailable("away"), True),
        (errors.DeadlineExceeded("slow"), True),
        (errors.PermissionDenied("no"), False),
        (errors.NotFound("gone"), False),
    ],
)
def test_only_an_outage_is_tried_again(error: errors.MooringError, again: bool) -> None:
    """A refusal would be the same the next time; an outage passes, and is not tried for ever."""
    assert queries.worth_retrying(0, error) is again
    assert queries.worth_retrying(3, error) is False


def test_the_queries_can_be_read() -> None:
    """`ws.queries` at the end of a cell lists each query with its status, age, observers and last error."""
    ws = workspace()
    try:
        ws.discovery.to_pandas()
        listed = repr(ws.queries)
        assert "'frame', 'assets')" in listed
        assert listed.count("\n") == len(list(ws.queries.query_cache))
    finally:
        ws.close()


def test_short_pages_are_joined() -> None:
    """A page that the service answers in parts, some empty, arrives whole and no longer than asked."""
    parts = {"": ("a", "1"), "1": ("", "2"), "2": ("bc", "3"), "3": ("d", "")}

    class Parts(FakeClient):
        async def list_sessions(self, engagement: str, **asked: Any) -> PageOf[Session]:
            names, token = parts[asked["page_token"]]
            assert asked["skip"] == (0 if asked["page_token"] else 7)
            found = tuple(Session(name, name) for name in names)[: asked["page_size"]]
            return PageOf(found, 9, token, total_at_least=True)

    for limit, names in ((3, "abc"), (9, "abcd"), (1, "a")):
        fetch = queries.sessions(Parts(), CONTOSO, 7, limit, filter="wave").query_fn
        page = asyncio.run(fetch(QueryFunctionContext(query_key=(), meta={})))
        assert "".join(each.display_name for each in page.items) == names
