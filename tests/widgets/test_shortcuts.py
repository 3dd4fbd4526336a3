"""A user's shortcuts, the same by the client of a real service and by its twin."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from mooring_server.settings import Settings
from mooring_widgets import errors, queries
from mooring_widgets.client import Change, MooringClient, Session, Shortcuts, library_loop
from mooring_widgets.staleness import stale_keys, stream_keys
from mooring_widgets.testing import FakeClient
from support_server import serving
from support_workspace import CONTOSO, WAVE_1

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["service", "twin"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MooringClient]:
    if request.param == "twin":
        yield FakeClient()
        return
    with serving(Settings(database=f"sqlite:///{tmp_path}/mooring.db", port=0, stop_grace_s=1)) as running:
        made = MooringClient(running.address)
        yield made
        library_loop().wait(made.close())


@pytest.fixture
def wait(client: MooringClient) -> Run:
    return asyncio.run if isinstance(client, FakeClient) else library_loop().wait


def names(shortcuts: Shortcuts) -> tuple[list[str], list[str]]:
    """The display names of the pinned sessions, and those of the recent ones."""

    def told(sessions: tuple[Session, ...]) -> list[str]:
        return [session.display_name for session in sessions]

    return told(shortcuts.pinned), told(shortcuts.recent)


def test_shortcuts_are_pinned_and_visited(client: MooringClient, wait: Run) -> None:
    """In the order of pinning and the last visited first; deleted ones are hidden, archived ones stay."""
    engagement = wait(client.create_engagement("Contoso")).name
    made = {name: wait(client.create_session(engagement, name)) for name in ("A", "B", "C")}
    for name in ("C", "A", "B", "C"):
        assert wait(client.pin_session(made[name].name)).display_name == name
    for name in ("A", "B", "C", "A"):
        wait(client.switch_session(made[name].name))
    assert names(wait(client.list_shortcuts(engagement))) == (["C", "A", "B"], ["A", "C", "B"])
    wait(client.archive_session(made["C"].name))
    wait(client.delete_session(made["B"].name))
    shortcuts = wait(client.list_shortcuts(engagement))
    assert names(shortcuts) == (["C", "A"], ["A", "C"])
    assert shortcuts.pinned[0].archive_time is not None
    wait(client.undelete_session(made["B"].name))
    for _ in range(2):
        assert wait(client.unpin_session(made["C"].name)).display_name == "C"
    assert names(wait(client.list_shortcuts(engagement))) == (["A", "B"], ["A", "C", "B"])


def test_one_pin_too_many_is_refused(client: MooringClient, wait: Run) -> None:
    """With a reason for programs, and a sentence that says what to do."""
    engagement = wait(client.create_engagement("Contoso")).name
    for number in range(21):
        session = wait(client.create_session(engagement, f"S {number:02}"))
        if number < 20:
            wait(client.pin_session(session.name))
    with pytest.raises(errors.FailedPrecondition, match="unpin") as refused:
        wait(client.pin_session(session.name))
    assert refused.value.reason == "TOO_MANY_PINS"
    with pytest.raises(errors.NotFound):
        wait(client.pin_session(f"{engagement}/sessions/nothing"))


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        (Change("users/ada", 1, "updated", f"{CONTOSO}/shortcuts"), True),
        (Change("users/ada", 1, "updated", "engagements/other/shortcuts"), False),
        (Change("users/ada", 1, "switched", "users/ada/contexts/c1"), True),
        (Change("users/ada", 1, "deleted", "users/ada/contexts/c1"), False),
        (Change(CONTOSO, 1, "archived", WAVE_1), True),
        (Change(CONTOSO, 1, "updated", CONTOSO), False),
    ],
)
def test_changes_make_shortcuts_stale(change: Change, touched: bool) -> None:
    """A pin, a switch in any notebook, and what happens to a session; a pin makes nothing else stale."""
    key = queries.shortcuts(FakeClient(), CONTOSO).query_key
    stale = list(stale_keys(change))
    assert any(key[: len(prefix)] == prefix for prefix in stale) == touched
    if change.resource.endswith("/shortcuts"):
        assert len(stale) == 1


@pytest.mark.parametrize("stream", ["users/ada", CONTOSO])
def test_a_gap_makes_shortcuts_stale(stream: str) -> None:
    """Either stream can have told of a change of them."""
    key = queries.shortcuts(FakeClient(), CONTOSO).query_key
    assert any(key[: len(prefix)] == prefix for prefix in stream_keys(stream))
