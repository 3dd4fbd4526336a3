"""Listing sessions, and making, changing and putting them away."""

import pytest
from mooring_widgets import errors, queries
from mooring_widgets.client import PageOf, Session
from mooring_widgets.testing import FakeClient
from mooring_widgets.workspace import Workspace
from support_waiting import until
from support_workspace import BASELINE, CONTOSO, WAVE_1, WAVE_2


def page(ws: Workspace, **asked: bool) -> PageOf[Session]:
    """A list of Contoso's sessions as a widget shows it, from the cache."""
    found: PageOf[Session] = ws.queries.get_query_data(
        queries.sessions(ws.client, CONTOSO, 0, 50, **asked).query_key  # type: ignore[arg-type]
    )
    return found


def listed(ws: Workspace, **asked: bool) -> list[str]:
    return [session.display_name for session in page(ws, **asked).items]


@pytest.fixture
def shown(ws: Workspace) -> Workspace:
    """A workspace whose lists, with and without archived sessions, are in the cache."""
    until(lambda: "get_context" in ws.client.calls)  # the watch has begun, and said what to read again
    ws.session  # noqa: B018 - reading it is the fetch
    for archived in (False, True):
        options = queries.sessions(ws.client, CONTOSO, 0, 50, show_archived=archived)
        ws.wait(ws.queries.fetch_query(options))
    return ws


def test_sessions_are_searched_filtered_and_counted(ws: Workspace) -> None:
    """A list says how many there are; words and filters narrow it, and orders turn it round."""
    assert [each.display_name for each in ws.sessions()] == ["Baseline", "Wave 1", "Wave 2"]
    assert [each.display_name for each in ws.sessions("wav")] == ["Wave 1", "Wave 2"]
    assert [each.name for each in ws.sessions("wave", filter="asset_count = 0 OR is_default = true")] == [
        WAVE_2
    ]
    assert ws.sessions('nothing "like" *this').total == 0
    first = ws.sessions(order_by="display_name desc", limit=1)
    assert ([each.name for each in first], first.total) == ([WAVE_2], 3)
    assert "the first 1 of 3" in repr(first)
    assert "the first 1 of 3" in first._repr_html_()
    assert list(ws.sessions().to_pandas().asset_count) == [5, 3, 0]
    with pytest.raises(errors.InvalidArgument):
        ws.sessions(filter="colour = blue")


def test_a_list_takes_as_many_pages_as_it_needs(ws: Workspace, client: FakeClient) -> None:
    """More than the service gives in one answer comes in several, up to the limit."""
    for number in range(1_200):
        client.service.add_session(CONTOSO, f"Run {number:04}")
    assert (len(ws.sessions()), ws.sessions().total) == (100, 1_203)
    assert len(ws.sessions(limit=1_100)) == 1_100
    assert len(ws.sessions(limit=None)) == 1_203
    before = client.calls.count("list_sessions")
    assert ws.switch("Run 1199").display_name == "Run 1199"
    assert client.calls.count("list_sessions") == before + 1, "a name is found without reading them all"


def test_empty_lists_say_so(ws: Workspace) -> None:
    """Nothing is a sentence, not an empty table."""
    assert repr(ws.sessions("zzz")) == "No sessions here."
    assert "No engagements here" in ws.engagements("zzz")._repr_html_()


def test_a_source_hands_on_what_is_not_given(ws: Workspace) -> None:
    """A session made from another goes back to it, and has its fields where none are given."""
    ws.update("Wave 1", description="Web", type="validation_run", labels={"team": "blue"})
    made = ws.create("A", source_session="Wave 1")
    assert (made.parent_session, made.description, made.type) == (WAVE_1, "Web", "validation_run")
    assert (made.labels, made.asset_count) == ({"team": "blue"}, 3)
    other = ws.create("B", source_session=made, description="", type="data_import", labels={})
    assert (other.parent_session, other.description, other.labels) == (made.name, "", {})
    assert other.type == "data_import"


def test_a_source_of_another_engagement_is_refused(ws: Workspace) -> None:
    """A session goes back to one of its own engagement."""
    with pytest.raises(errors.InvalidArgument, match="of another engagement"):
        ws.create("A", source_session="engagements/fabrikam/sessions/baseline")
    with pytest.raises(errors.NotFound):
        ws.create("A", source_session="Wave 9")
    assert ws.sessions("A").total == 0


def test_changes_show_at_once_and_are_taken_back(shown: Workspace, client: FakeClient) -> None:
    """Lists show a new name before the service has answered, and the old one again when it says no."""
    with client.hold("update_session"):
        renamed = shown.run(shown.aio.rename("Wave 1", "First wave"))
        until(lambda: "First wave" in listed(shown))
        assert not renamed.done()
    assert renamed.result(20).display_name == "First wave"
    client.fail("update_session", errors.PermissionDenied("not yours"))
    with pytest.raises(errors.PermissionDenied):
        shown.rename("First wave", "Wave one")
    assert "First wave" in listed(shown)
    assert shown.rename("First wave", "Wave 1").display_name == "Wave 1"


def test_the_current_session_shows_its_change_at_once(shown: Workspace, client: FakeClient) -> None:
    """What is shown of a session itself is as optimistic as the lists are."""
    key = queries.session(client, BASELINE).query_key
    with client.hold("update_session"):
        changed = shown.run(shown.aio.update("Baseline", description="All of it"))
        until(lambda: shown.queries.get_query_data(key).description == "All of it")
        assert not changed.done()
    changed.result(20)
    assert shown.session.description == "All of it"


@pytest.mark.parametrize(("method", "call"), [("archive", "archive_session"), ("delete", "delete_session")])
def test_what_is_put_away_leaves_the_lists_at_once(
    shown: Workspace, client: FakeClient, method: str, call: str
) -> None:
    """An archived or deleted session is gone from where such are not shown, and back if it is refused."""
    client.fail(call, errors.Unavailable("away"))
    with pytest.raises(errors.Unavailable):
        getattr(shown, method)("Wave 2")
    assert (listed(shown), page(shown).total) == (["Baseline", "Wave 1", "Wave 2"], 3)
    with client.hold(call):
        done = shown.run(getattr(shown.aio, method)("Wave 2"))
        until(lambda: listed(shown) == ["Baseline", "Wave 1"])
        assert page(shown).total == 2
        assert ("Wave 2" in listed(shown, show_archived=True)) == (method == "archive")
    done.result(20)


def test_an_archived_session_can_be_read_and_not_changed(ws: Workspace) -> None:
    """It is found by its name, can be current, and refuses changes until it is taken up again."""
    assert ws.archive("Wave 1").archive_time is not None
    assert ws.switch("Wave 1").name == WAVE_1
    assert len(ws.discovery.to_pandas()) == 3
    with pytest.raises(errors.FailedPrecondition, match="unarchive"):
        ws.rename("Wave 1", "First wave")
    assert ws.unarchive(WAVE_1).archive_time is None
    assert ws.rename("Wave 1", "First wave").name == WAVE_1


def test_a_deleted_session_comes_back_by_its_name(ws: Workspace) -> None:
    """Its name, its id or its full name will do; one that was not deleted comes with near ones."""
    for called in ("Wave 2", "wave-2", WAVE_2):
        ws.delete("Wave 2")
        with pytest.raises(errors.NotFound):
            ws.switch("Wave 2")
        assert ws.undelete(called).name == WAVE_2
    ws.delete("Wave 2")
    with pytest.raises(errors.NotFound, match="did you mean 'Wave 2'"):
        ws.undelete("Wave too")


def test_two_deleted_sessions_of_one_name_are_told_apart(ws: Workspace) -> None:
    """Where a name says too little, the refusal has the ids that say enough."""
    ws.delete("Wave 2")
    second = ws.create("Wave 2")
    ws.delete("Wave 2")
    with pytest.raises(errors.InvalidArgument, match=r"2 sessions .* wave-2, "):
        ws.undelete("Wave 2")
    assert ws.undelete(second.name.rpartition("/")[2]).name == second.name


def test_the_default_moves(shown: Workspace) -> None:
    """One session is the default, the others are not, here and in every list."""
    assert shown.set_default("Wave 1").is_default
    assert {each.name for each in shown.sessions() if each.is_default} == {WAVE_1}
    assert shown.engagement.default_session == WAVE_1
    with pytest.raises(errors.FailedPrecondition, match="set another default first"):
        shown.delete("Wave 1")


def test_a_change_based_on_an_old_snapshot_is_refused(ws: Workspace) -> None:
    """With its etag a change overwrites nothing that it has not seen; without, the last one wins."""
    seen = ws.session
    ws.update("Baseline", description="theirs")
    with pytest.raises(errors.Conflict):
        ws.update("Baseline", description="mine", etag=seen.etag)
    assert ws.update(seen, description="mine").description == "mine"
    with pytest.raises(TypeError, match="display_name, description, type, labels"):
        ws.update("Baseline")


def test_activity_says_who_did_what(ws: Workspace) -> None:
    """Of the engagement, or of a pinned session; the newest first."""
    ws.rename("Wave 1", "First wave")
    log = ws.activity.recent()
    assert (log[0].kind, log[0].session, log[0].actor) == ("updated", WAVE_1, "users/demo")
    assert {each.session for each in ws.at(WAVE_1).activity.recent()} == {WAVE_1}
    assert "demo  updated  sessions/wave-1" in repr(ws.activity.recent(limit=1))
    assert len(ws.activity.recent(2, filter="kind = created")) == 2


def test_near_names_are_found_among_many(ws: Workspace, client: FakeClient) -> None:
    """A name that shares a word with the one asked for is offered, wherever it stands in a long list."""
    for number in range(11_000):
        run = Session(f"{CONTOSO}/sessions/run-{number}", f"Run {number:05}")
        client.service.sessions[run.name] = run  # not one by one through its rules, which would take a minute
    client.service.add_session(CONTOSO, "Zurich cut-over")
    with pytest.raises(errors.NotFound) as caught:
        ws.switch("zurich cutover")
    assert "Zurich cut-over" in caught.value.near
    assert client.calls.count("list_sessions") < 20


def test_pins_show_at_once_and_are_taken_back(ws: Workspace, client: FakeClient) -> None:
    """A pin is in the list before the service has answered, and gone again when it says no."""
    until(lambda: "get_context" in client.calls)  # the watch has begun, and said what to read again
    key = queries.shortcuts(client, CONTOSO).query_key

    def pinned() -> list[str]:
        return [session.display_name for session in ws.queries.get_query_data(key).pinned]

    assert ws.shortcuts().pinned == ()
    with client.hold("pin_session"):
        done = ws.run(ws.aio.pin("Wave 2"))
        until(lambda: pinned() == ["Wave 2"])
        assert not done.done()
    done.result(20)
    client.fail("pin_session", errors.FailedPrecondition("unpin another", reason="TOO_MANY_PINS"))
    with pytest.raises(errors.FailedPrecondition):
        ws.pin("Wave 1")
    assert [session.name for session in ws.shortcuts().pinned] == [WAVE_2]
    ws.unpin("Wave 2")
    assert ws.shortcuts().pinned == ()


def test_a_switch_is_recent_on_the_next_line(ws: Workspace) -> None:
    """What was switched to is the first of the recent ones, without waiting for anybody to tell."""
    for name in ("Wave 1", "Wave 2", "Wave 1"):
        ws.switch(name)
        assert ws.shortcuts().recent[0].display_name == name
    assert [session.display_name for session in ws.shortcuts().recent[:2]] == ["Wave 1", "Wave 2"]
