"""What is fetched again when somebody else changes something: that, and nothing else."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mooring_widgets.testing import FakeClient, demo_assets
from mooring_widgets.workspace import Workspace
from support_waiting import until
from support_widgets import ask, shows
from support_workspace import BASELINE, CONTOSO, WAVE_1, WAVE_2

DATA = Counter(list_assets=1, get_landscape=1)
"""What the data of the current session is shown from: the table's page and the landscape."""
LISTED = Counter(list_sessions=1, list_shortcuts=1)
"""What the lists of sessions are made from, which tell each session's counts too."""
HAPPENED = Counter(list_activity=1, list_sessions=1)
"""What the engagement's activity is shown from, with the names of its sessions."""
SESSION = Counter(get_session=1)
PINS = Counter(list_shortcuts=1)

Change = Callable[[FakeClient, Workspace], Any]

CHANGES: dict[str, tuple[Change, Counter[str]]] = {
    "another session is renamed": (
        lambda other, ws: ws.wait(other.update_session(WAVE_1, display_name="Wave One")),
        LISTED + HAPPENED,
    ),
    "the current session is renamed": (
        lambda other, ws: ws.wait(other.update_session(BASELINE, display_name="Base")),
        LISTED + HAPPENED + SESSION,
    ),
    "an asset of the current session is edited": (
        lambda other, ws: ws.wait(other.update_asset(f"{BASELINE}/assets/vm-00000", {"owner": "Linus"})),
        LISTED + HAPPENED + SESSION + DATA,
    ),
    "an asset of another session is edited": (
        lambda other, ws: ws.wait(other.update_asset(f"{WAVE_1}/assets/vm-00000", {"owner": "Linus"})),
        LISTED + HAPPENED,
    ),
    "an import in the current session": (
        lambda other, ws: other.service.add_assets(BASELINE, demo_assets(BASELINE, 7)),
        LISTED + HAPPENED + SESSION + DATA,
    ),
    "an import in another session": (
        lambda other, ws: other.service.add_assets(WAVE_2, demo_assets(WAVE_2, 7)),
        LISTED + HAPPENED,
    ),
    "a new session": (
        lambda other, ws: ws.wait(other.create_session(CONTOSO, "Draft")),
        LISTED + HAPPENED + Counter(get_engagement=1, list_engagements=1),
    ),
    "a pin": (lambda other, ws: ws.wait(other.pin_session(WAVE_1)), PINS),
    "a switch in another notebook": (
        lambda other, ws: ws.wait(_switch_elsewhere(other)),
        PINS,
    ),
    "something in another engagement that is not shown": (
        lambda other, ws: ws.wait(other.update_session("engagements/fabrikam/sessions/baseline", type="x")),
        Counter(),
    ),
}


async def _switch_elsewhere(other: FakeClient) -> None:
    context = await other.open_context(kernel_key="another")
    await other.switch_session(WAVE_2, context=context.name)


@pytest.fixture
def shown(ws: Workspace, client: FakeClient) -> Iterator[Workspace]:
    """A notebook that shows the selector, with its list opened, a table, the landscape and the activity."""
    views = [ws.discovery(), ws.landscape(), ws.activity()]
    ask(ws.selector, "shortcuts", engagement=CONTOSO)
    for view in views:
        shows(view, status="ready", refreshing=False)
    shows(ws.selector, status="ready", connection="live")
    until(lambda: settled(ws, client))
    yield ws
    for view in views:
        view.close()


def settled(ws: Workspace, client: FakeClient) -> bool:
    """Whether every change was heard and nothing is on its way."""
    heard = int(ws.feed._token or -1) == len(client.service.changes)
    return heard and not any(query.state.fetch_status != "idle" for query in ws.queries)


@pytest.mark.parametrize("what", CHANGES)
def test_only_what_changed_is_fetched_again(shown: Workspace, client: FakeClient, what: str) -> None:
    """A change costs the calls that show it, each once, whatever else the notebook has shown."""
    change, calls = CHANGES[what]
    other = FakeClient(client.service)
    client.calls.clear()
    before = len(client.service.changes)
    change(other, shown)
    assert len(client.service.changes) > before, "the change was noted"
    until(lambda: settled(shown, client), f"the calls after {what}: {client.calls}")
    assert Counter(client.calls) == calls


def test_many_changes_at_once_are_fetched_a_few_times(shown: Workspace, client: FakeClient) -> None:
    """Changes that come faster than answers share their fetches."""
    client.calls.clear()
    with client.hold("list_sessions"):
        for number in range(50):
            shown.wait(FakeClient(client.service).update_session(WAVE_1, display_name=f"Wave 1.{number}"))
        until(lambda: int(shown.feed._token) == len(client.service.changes))
    until(lambda: settled(shown, client))
    assert (
        Counter(client.calls)["list_sessions"] <= 2 * 2
    )  # of each of the two lists one that was under way, and one more
    page = ask(shown.selector, "sessions", engagement=CONTOSO, offset=0, limit=100)
    assert "Wave 1.49" in [item["label"] for item in page["items"]]


def test_looking_again_asks_for_nothing_that_is_kept_true(shown: Workspace, client: FakeClient) -> None:
    """A page that is seen again fetches nothing while changes arrive."""
    client.calls.clear()
    for visible in (True, False, True):
        ask(shown.selector, "ping", page="p", visible=visible)
    until(lambda: settled(shown, client))
    assert client.calls == []
