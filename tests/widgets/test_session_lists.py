"""What the lists are answered: searches, order, shortcuts, pins, places and comparisons."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import traitlets
from mooring_widgets.client import PageOf
from mooring_widgets.errors import FailedPrecondition, NotFound
from mooring_widgets.session_lists import sought
from support_waiting import until
from support_widgets import ask, begin, refusal, shows
from support_workspace import BASELINE, CONTOSO, WAVE_1, WAVE_2


@pytest.fixture
def selector(ws):
    selector = ws.selector
    shows(selector, status="ready")
    until(lambda: not ws.queries.is_fetching())  # its own first page would take what a test prepares
    return selector


def listed(selector, **narrowed):
    """The labels of the first page of a list."""
    # Not the selector's own first page, which it may have fetched before a test changed something.
    page = ask(selector, "sessions", engagement=CONTOSO, offset=0, limit=99, **narrowed)
    return [item["label"] for item in page["items"]]


def names(rows):
    return [row["name"] for row in rows]


@pytest.mark.parametrize(
    ("typed", "filter_"),
    [
        ("", ""),
        ("  ", ""),
        ("wave 2", '"wave 2"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("AND", '"AND"'),
        ("50%*", '"50%\\\\*"'),
        ("--- !", ""),
        ("team:blue", 'labels.team = "blue"'),
        ("wave team:blue env:prod", '("wave") AND (labels.team = "blue") AND (labels.env = "prod")'),
        ("http://x", '"http://x"'),
    ],
)
def test_what_is_typed_is_a_filter_whatever_is_in_it(typed, filter_):
    """Words are quoted, labels are told from them, and a text without words narrows nothing."""
    assert sought(typed) == filter_.replace("\\\\*", "\\*")


def test_a_search_is_the_services(selector, client):
    """Words, labels and switches narrow the list together; its total counts what was found."""
    client.service.add_session(CONTOSO, "Wave 3", labels={"team": "blue"}, description="Racks")
    client.service.add_session(CONTOSO, "Other", type_="validation_run")
    assert listed(selector, search="wav") == ["Wave 1", "Wave 2", "Wave 3"]
    assert listed(selector, search="rack") == ["Wave 3"]
    assert listed(selector, search="wave team:blue") == ["Wave 3"]
    assert listed(selector, type="validation_run") == ["Other"]
    page = ask(selector, "sessions", engagement=CONTOSO, offset=2, limit=100, search="wav")
    assert (names(page["items"]), page["total"], page["at_least"]) == (
        [f"{CONTOSO}/sessions/wave-3"],
        3,
        False,
    )
    assert [
        row["label"] for row in ask(selector, "engagements", offset=0, limit=9, search="fab")["items"]
    ] == ["Fabrikam"]


def test_mine_are_those_that_the_caller_made(selector, client):
    """Only the caller's own sessions, by the user whose context this is."""
    client.service.sessions[WAVE_1] = replace(client.service.sessions[WAVE_1], creator="users/someone")
    assert listed(selector, mine=True) == ["Baseline", "Wave 2"]


def test_archived_sessions_are_listed_where_asked_for(selector, client):
    """They are left out by default, and told apart where they are not."""
    client.service.set_session(WAVE_1, archive_time=client.service.time())
    assert listed(selector) == ["Baseline", "Wave 2"]
    page = ask(selector, "sessions", engagement=CONTOSO, offset=0, limit=9, archived=True)
    assert [(item["label"], item["archived"]) for item in page["items"]] == [
        ("Baseline", False),
        ("Wave 1", True),
        ("Wave 2", False),
    ]


def test_the_latest_come_first_where_asked_for(selector, client):
    """The order is by last activity, the newest first."""
    for days, name in enumerate((BASELINE, WAVE_2, WAVE_1)):
        client.service.set_session(
            name, last_activity_time=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days)
        )
    assert listed(selector, latest=True) == ["Wave 1", "Wave 2", "Baseline"]


def test_a_row_has_everything_that_is_shown_about_it(selector, client):
    """Counts, kind, labels, who made it and when it was last touched travel with the row."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    client.service.set_session(WAVE_1, labels={"team": "blue"}, description="Web", last_activity_time=moment)
    rows = ask(selector, "sessions", engagement=CONTOSO, offset=1, limit=1)["items"]
    assert rows == [
        {
            "name": WAVE_1,
            "id": "wave-1",
            "label": "Wave 1",
            "is_default": False,
            "asset_count": 3,
            "dependency_count": 0,
            "description": "Web",
            "type": "data_import",
            "labels": {"team": "blue"},
            "creator": "demo",
            "mine": True,
            "last_activity": "2026-01-01T00:00:00+00:00",
            "archived": False,
        }
    ]


def test_the_end_of_a_list_that_was_only_counted_so_far_tells_its_size(selector, client, monkeypatch):
    """Until a page has the last row the total is a bound; then it is exact."""
    for number in range(7):
        client.service.add_session(CONTOSO, f"Z {number}")
    whole = client.list_sessions

    async def bounded(engagement, **more):
        return replace(await whole(engagement, **more), total=4, total_at_least=True)

    monkeypatch.setattr(client, "list_sessions", bounded)
    page = ask(selector, "sessions", engagement=CONTOSO, offset=0, limit=5, search="z")
    assert (len(page["items"]), page["total"], page["at_least"]) == (5, 5, True)
    page = ask(selector, "sessions", engagement=CONTOSO, offset=5, limit=5, search="z")
    assert (len(page["items"]), page["total"], page["at_least"]) == (2, 7, False)


def test_nothing_is_promised_behind_a_page_that_came_short(selector, client, monkeypatch):
    """Where the service has looked long enough, the total is what was found so far, and there may be more."""

    async def tired(engagement, **more):
        return PageOf((), 10_000, "more", total_at_least=True)

    monkeypatch.setattr(client, "list_sessions", tired)
    page = ask(selector, "sessions", engagement=CONTOSO, offset=0, limit=10, search="z")
    assert (page["total"], page["at_least"]) == (0, True)


def test_shortcuts_are_the_default_pinned_and_recent_sessions(selector, client):
    """In the order of the service; a default that is gone in this moment is left out."""
    client.service.pins[CONTOSO] = [WAVE_2]
    client.service.visits[CONTOSO] = [WAVE_1, BASELINE]
    found = ask(selector, "shortcuts", engagement=CONTOSO)
    assert found["default"]["name"] == BASELINE
    assert (names(found["pinned"]), names(found["recent"])) == ([WAVE_2], [WAVE_1, BASELINE])


def test_pinning_again_unpins(selector, client):
    """One request does both, and says which it was; the lists hear of it."""
    before = selector._state["shortcuts"]
    ask(selector, "shortcuts", engagement=CONTOSO)
    assert ask(selector, "pin", session=WAVE_1) == {"pinned": True}
    assert client.service.pins[CONTOSO] == [WAVE_1]
    until(lambda: selector._state["shortcuts"] != before)
    until(lambda: names(ask(selector, "shortcuts", engagement=CONTOSO)["pinned"]) == [WAVE_1])
    assert ask(selector, "pin", session=WAVE_1) == {"pinned": False}
    assert client.service.pins[CONTOSO] == []


def test_a_refused_pin_says_why(selector, client):
    """The service's reason reaches the front end, and nothing is pinned."""
    client.fail("pin_session", FailedPrecondition("unpin another session first", reason="TOO_MANY_PINS"))
    assert refusal(selector, "pin", session=WAVE_1)["reason"] == "TOO_MANY_PINS"
    assert names(ask(selector, "shortcuts", engagement=CONTOSO)["pinned"]) == []


def test_a_pin_of_another_notebook_arrives(selector, client):
    """Once the shortcuts were looked at, a change elsewhere makes the front end ask again."""
    ask(selector, "shortcuts", engagement=CONTOSO)
    shows(selector, status="ready")
    before = selector._state["shortcuts"]
    client.service.pins[CONTOSO] = [WAVE_2]
    client.service.note("updated", f"{CONTOSO}/shortcuts", "users/demo")
    until(lambda: selector._state["shortcuts"] != before)
    until(lambda: names(ask(selector, "shortcuts", engagement=CONTOSO)["pinned"]) == [WAVE_2])


@pytest.mark.parametrize("order", [{}, {"latest": True}, {"search": "z"}])
@pytest.mark.parametrize("number", [0, 1, 231, 398, 399])
def test_the_place_of_a_session_is_found_in_a_long_list(selector, client, order, number):
    """Wherever it is and however the list is ordered and narrowed, without reading the list."""
    for index in range(400):
        made = client.service.add_session(CONTOSO, f"Z {index:04}")
        if order.get("latest"):
            moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=index)
            client.service.sessions[made.name] = replace(made, last_activity_time=moment)
    wanted = f"{CONTOSO}/sessions/z-{number:04}"
    before = len(client.calls)
    place = ask(selector, "place", engagement=CONTOSO, session=wanted, **order)["index"]
    assert client.calls[before:].count("list_sessions") < 10
    page = ask(selector, "sessions", engagement=CONTOSO, offset=place, limit=1, **order)
    assert names(page["items"]) == [wanted]


def test_a_session_that_is_not_in_a_list_has_no_place(selector):
    """A list that was narrowed to others does not have it."""
    assert ask(selector, "place", engagement=CONTOSO, session=BASELINE, search="wave") == {"index": -1}


def test_compared_sessions_are_a_trait(selector, client):
    """What the front end marks is in the trait once, observers hear of it, and their names follow renames."""
    seen = []
    selector.observe(lambda change: seen.append(change["new"]), "compared_ids")
    ask(selector, "compare", sessions=[WAVE_1, WAVE_2, WAVE_1])
    assert selector.compared_ids == [WAVE_1, WAVE_2]
    assert seen == [[WAVE_1, WAVE_2]]
    shows(selector, compared=[{"name": WAVE_1, "label": "Wave 1"}, {"name": WAVE_2, "label": "Wave 2"}])
    client.service.set_session(WAVE_1, display_name="First")
    client.service.note("updated", WAVE_1)
    shows(selector, compared=[{"name": WAVE_1, "label": "First"}, {"name": WAVE_2, "label": "Wave 2"}])


def test_writing_the_compared_sessions_shows_them(selector):
    """The trait may be written from Python; a name that is none is refused."""
    selector.compared_ids = [WAVE_2]
    shows(selector, compared=[{"name": WAVE_2, "label": "Wave 2"}])
    selector.compared_ids = []
    shows(selector, compared=[])
    with pytest.raises(traitlets.TraitError, match=r"ws\.at"):
        selector.compared_ids = ["Wave 2"]


def test_an_observer_of_the_compared_may_fail(selector):
    """What it raises is shown, and the mark is kept."""

    def fail(change):
        raise ValueError("oh")

    selector.observe(fail, "compared_ids")
    ask(selector, "compare", sessions=[WAVE_1])
    assert selector.compared_ids == [WAVE_1]
    shows(selector, status="error")
    assert selector._state["error"]["message"] == "ValueError: oh"


def test_a_gone_session_can_be_brought_back(selector, client, ws):
    """One that was deleted elsewhere is shown again, with its data, once it lives."""
    ask(selector, "select", session=WAVE_1)
    deleted = client.service.sessions.pop(WAVE_1)
    client.service.deleted[WAVE_1] = replace(deleted, delete_time=client.service.time())
    client.service.note("deleted", WAVE_1)
    shows(selector, status="gone")
    ask(selector, "undelete", session=WAVE_1)
    shows(selector, status="ready")
    assert ws.session.asset_count == 3


def test_an_archived_session_can_be_taken_up_again(selector, client):
    """The mark goes with the answer."""
    client.service.set_session(WAVE_1, archive_time=client.service.time())
    ask(selector, "select", session=WAVE_1)
    until(lambda: (selector._state["session"] or {}).get("archived") is True)
    ask(selector, "unarchive", session=WAVE_1)
    until(lambda: selector._state["session"]["archived"] is False)


def test_a_list_that_fails_says_why(selector, client):
    """A wrong answer of the service reaches whoever asked, once."""
    client.fail("list_sessions", NotFound("the engagement is gone", reason="ENGAGEMENT_NOT_FOUND"))
    failed = refusal(selector, "sessions", engagement=CONTOSO, offset=0, limit=10, search="x")
    assert failed["message"] == "the engagement is gone"


def test_a_search_that_was_overtaken_is_cancelled(selector, client):
    """The front end gives up a search with the next letter; its answer is not waited for."""
    with client.hold("list_sessions"):
        id_ = begin(selector, "sessions", engagement=CONTOSO, offset=0, limit=10, search="w")
        until(lambda: id_ in selector._requests._running)
        selector._handle_custom_msg({"type": "cancel", "id": id_}, [])
        assert id_ not in selector._requests._running
    assert listed(selector, search="wave") == ["Wave 1", "Wave 2"]
