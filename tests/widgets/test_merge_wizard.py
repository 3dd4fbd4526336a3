"""Merging step by step: choices that stay, a merge of exactly what was shown, its record, and undoing it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from mooring_widgets import errors
from mooring_widgets.client import Asset, MergeRecord
from mooring_widgets.testing import FakeClient, demo_assets
from mooring_widgets.views import MergeWizard
from mooring_widgets.views.merge_choices import CHOICES_MAX, Choices
from mooring_widgets.workspace import Workspace
from support_waiting import until
from support_widgets import ask, begin, refusal, shows
from support_workspace import BASELINE, WAVE_1, WAVE_2

FIRST, SECOND = (f"{BASELINE}/assets/vm-0000{number}" for number in (0, 1))


@pytest.fixture
def wizard(ws: Workspace, client: FakeClient) -> MergeWizard:
    """Wave 1 into Baseline: two conflicts in one asset, one in another, one fill, and a new asset."""
    kept = client.service.assets[WAVE_1]
    new = replace(kept[0], name=f"{WAVE_1}/assets/new", display_name="new", hostname="new")
    client.service.add_assets(
        WAVE_1,
        [
            replace(kept[0], owner="Bob", location="Nantes", application="shop"),
            replace(kept[1], owner="Eve"),
            kept[2],
            new,
        ],
    )
    return ws.merge_wizard("Wave 1", into="Baseline")


def at(wizard: MergeWizard, *steps: str) -> MergeWizard:
    """Goes through some steps, as people do."""
    for step in steps:
        ask(wizard, "merge.step", to=step)
        shows(wizard, step=step, refreshing=False, problem=None)
        shown = {"conflicts": lambda: rows(wizard) != [], "confirm": lambda: wizard._state["will"] != ""}
        until(shown.get(step, lambda: wizard._state["preview"] is not None), step)
    return wizard


def rows(wizard: MergeWizard) -> list[dict[str, Any]]:
    page = wizard._state["rows"] or {}
    return list(page.get("items") or ())


def sides(wizard: MergeWizard) -> dict[str, dict[str, str]]:
    """Where each conflict that is listed goes."""
    return {row["label"]: {each["field"]: each["side"] for each in row["fields"]} for row in rows(wizard)}


def owners(client: FakeClient) -> list[str]:
    """Of vm-00000, vm-00001 and so on."""
    return [asset.owner for asset in client.service.assets[BASELINE] if asset.display_name != "new"]


def done(wizard: MergeWizard) -> MergeRecord:
    """Merges, and waits for the record."""
    ask(at(wizard, "confirm"), "merge.run")
    shows(wizard, step="record", doing="")
    assert wizard.record is not None
    return wizard.record


def test_it_begins_with_the_sessions_that_were_named(wizard: MergeWizard, ws: Workspace) -> None:
    """Without names it merges into the current session, from one that is still to be chosen."""
    shows(wizard, step="plan", strategy="combine")
    until(lambda: wizard._state["sides"]["source"]["label"] == "Wave 1")
    assert "merge “Wave 1” into “Baseline”" in repr(wizard)
    blank = ws.merge_wizard()
    until(lambda: blank._state["sides"]["target"]["label"] == "Baseline")
    assert blank._state["sides"]["source"] == {"name": "", "label": ""}
    assert refusal(blank, "merge.step", to="preview")["kind"] == "InvalidArgument"


def test_a_session_is_chosen_by_its_name(ws: Workspace) -> None:
    """Names are offered by their words; a wrong one says what is near, and nothing is changed by it."""
    wizard = ws.merge_wizard()
    assert ask(wizard, "merge.names", text="wave") == ["Wave 1", "Wave 2"]
    assert "did you mean" in refusal(wizard, "merge.side", side="source", text="Wave one")["message"]
    assert "into itself" in refusal(wizard, "merge.side", side="source", text="Baseline")["message"]
    assert ask(wizard, "merge.side", side="source", text="Wave 2") == {"label": "Wave 2"}
    until(lambda: wizard._state["sides"]["source"] == {"name": WAVE_2, "label": "Wave 2"})


def test_a_preview_counts_what_would_happen(wizard: MergeWizard, client: FakeClient) -> None:
    """By field, and nothing is changed."""
    before = owners(client)
    preview = at(wizard, "preview")._state["preview"]
    assert preview["assets"] == [1, 1, 2]
    assert [(each["label"], each["count"]) for each in preview["conflicts"]] == [
        ("Owner", 2),
        ("Location", 1),
    ]
    assert [(each["label"], each["count"]) for each in preview["fills"]] == [("Application", 1)]
    assert owners(client) == before


def test_the_strategy_is_the_plans(wizard: MergeWizard, client: FakeClient) -> None:
    """Overwriting takes all conflicts from the source; the sentence and the merge say so."""
    ask(wizard, "merge.plan", strategy="overwrite", keep_source=True)
    at(wizard, "confirm")
    assert "all go to “Wave 1”" in wizard._state["will"]
    assert "“Wave 1” stays as it is" in wizard._state["will"]
    done(wizard)
    assert owners(client)[:2] == ["Bob", "Eve"]
    assert client.service.sessions[WAVE_1].archive_time is None
    assert refusal(wizard, "merge.plan", strategy="mix", keep_source=True)["kind"] == "InvalidArgument"


def test_conflicts_go_where_each_is_sent(wizard: MergeWizard, client: FakeClient) -> None:
    """One asset's field goes before its field's rule, which goes before the rule of all."""
    at(wizard, "preview", "conflicts")
    target = {"location": "target", "owner": "target"}
    assert sides(wizard) == {"vm-00000": target, "vm-00001": {"owner": "target"}}
    ask(wizard, "merge.choose", asset="", field="", side="source")
    ask(wizard, "merge.choose", asset="", field="owner", side="target")
    ask(wizard, "merge.choose", asset=SECOND, field="owner", side="source")
    until(lambda: sides(wizard)["vm-00001"] == {"owner": "source"})
    assert sides(wizard)["vm-00000"] == {"location": "source", "owner": "target"}
    shows(wizard, chosen=2)
    record = done(wizard)
    assert owners(client)[:2] == ["Ada", "Eve"]
    assert "Nantes" in {asset.location for asset in client.service.assets[BASELINE]}
    assert record.counts.conflicts_to_source_count == 2


def test_the_newest_is_the_side_that_was_changed_last(wizard: MergeWizard, client: FakeClient) -> None:
    """Of both values the page says which that is."""
    kept = client.service.assets[WAVE_1]
    changed = [replace(each, update_time=client.service.time(5)) for each in kept]
    client.service.add_assets(WAVE_1, changed)
    mine = [replace(each, update_time=client.service.time(1)) for each in client.service.assets[BASELINE]]
    client.service.add_assets(BASELINE, mine)
    at(wizard, "preview", "conflicts")
    assert {row["newer"] for row in rows(wizard)} == {"source"}
    ask(wizard, "merge.choose", asset=FIRST, field="owner", side="newest")
    until(lambda: sides(wizard)["vm-00000"]["owner"] == "source")


def test_choices_are_taken_back(wizard: MergeWizard) -> None:
    """One by itself, or the last ones, in their order; it is said which."""
    at(wizard, "preview", "conflicts")
    ask(wizard, "merge.choose", asset=FIRST, field="owner", side="source")
    ask(wizard, "merge.choose", asset="", field="location", side="source")
    ask(wizard, "merge.choose", asset=FIRST, field="owner", side="")
    until(lambda: sides(wizard)["vm-00000"] == {"location": "source", "owner": "target"})
    assert ask(wizard, "merge.back") == {"undone": "Owner of vm-00000"}
    assert ask(wizard, "merge.back") == {"undone": "Location"}
    until(lambda: sides(wizard)["vm-00000"] == {"location": "target", "owner": "source"})
    assert ask(wizard, "merge.back") == {"undone": "Owner of vm-00000"}
    shows(wizard, chosen=0, undoable=False)
    assert ask(wizard, "merge.back") == {"undone": ""}


def test_one_fields_conflicts_are_listed(wizard: MergeWizard) -> None:
    """Assets without one in that field are not, nor are their other fields."""
    at(wizard, "preview", "conflicts")
    ask(wizard, "merge.only", field="location")
    until(lambda: sides(wizard) == {"vm-00000": {"location": "target"}})


def test_choices_survive_paging(ws: Workspace, client: FakeClient) -> None:
    """What was chosen on one page is there when that is come back to, and counts in the merge."""
    client.service.add_assets(BASELINE, demo_assets(BASELINE, 120))
    client.service.add_assets(WAVE_1, [replace(each, owner="Bob") for each in demo_assets(WAVE_1, 120)])
    wizard = at(ws.merge_wizard("Wave 1", into="Baseline"), "preview", "conflicts")
    ask(wizard, "merge.choose", asset=FIRST, field="owner", side="source")
    ask(wizard, "merge.page", to="next")
    until(lambda: wizard._state["rows"]["number"] == 2 and rows(wizard)[:1] != [])
    assert rows(wizard)[0]["label"] == "vm-00050"
    assert ask(wizard, "merge.back") == {"undone": "Owner of an asset on another page"}
    ask(wizard, "merge.choose", asset=FIRST, field="owner", side="source")
    ask(wizard, "merge.page", to="previous")
    until(lambda: sides(wizard).get("vm-00000") == {"owner": "source"})
    done(wizard)
    assert owners(client)[:2] == ["Bob", "Grace"]


def test_what_the_merge_itself_changes_is_no_news(
    wizard: MergeWizard, ws: Workspace, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever merges goes from confirming to the record, and is not told of a change that is their own."""
    through: Callable[..., Any] = type(client).merge_sessions
    landscape = ws.landscape()
    shows(landscape, status="ready")
    before = landscape._state["landscape"]

    async def late(*args: Any, **kwargs: Any) -> MergeRecord:
        record: MergeRecord = await through(client, *args, **kwargs)
        # The news overtake the answer: another view has heard them, and read what is new.
        await asyncio.to_thread(until, lambda: landscape._state["landscape"] not in (None, before))
        return record

    monkeypatch.setattr(client, "merge_sessions", late)
    at(wizard, "confirm")
    seen: list[dict[str, Any]] = []
    wizard.observe(lambda change: seen.append(change["new"]), "_state")
    done(wizard)
    until(lambda: (wizard._state["drops"] or {}).get("items"))
    assert {state["step"] for state in seen} <= {"confirm", "record"}
    assert not any(state["moved"] for state in seen)
    assert "list_activity" not in client.calls  # nobody was asked whose change it is


def test_a_session_is_found_in_the_targets_engagement(ws: Workspace) -> None:
    """Also when another engagement is current by then."""
    wizard = ws.merge_wizard()
    ws.switch_engagement("Fabrikam")
    assert ask(wizard, "merge.names", text="wave") == ["Wave 1", "Wave 2"]
    ask(wizard, "merge.side", side="source", text="Wave 1")
    until(lambda: wizard._state["sides"]["source"]["name"] == WAVE_1)


def test_choices_belong_to_their_two_sessions(wizard: MergeWizard) -> None:
    """With another source there are none, and with the first one they are there again."""
    at(wizard, "preview", "conflicts")
    ask(wizard, "merge.choose", asset=FIRST, field="owner", side="source")
    ask(wizard, "merge.side", side="source", text="Wave 2")
    shows(wizard, chosen=0)
    ask(wizard, "merge.side", side="source", text="Wave 1")
    shows(wizard, chosen=1)


def test_a_lost_service_costs_no_choice(wizard: MergeWizard, client: FakeClient) -> None:
    """The failure is told where it is, and what was chosen is merged once the service is back."""
    at(wizard, "preview", "conflicts")
    ask(wizard, "merge.choose", asset=FIRST, field="owner", side="source")
    at(wizard, "confirm")
    client.fail("merge_sessions", errors.Unavailable("no Mooring service answers"))
    assert refusal(wizard, "merge.run")["kind"] == "Unavailable"
    shows(wizard, doing="", failed="merging", chosen=1, step="confirm")
    done(wizard)
    assert owners(client)[0] == "Bob"


def test_a_merge_whose_answer_was_lost_is_not_done_twice(
    wizard: MergeWizard, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trying again finds it, and shows its record."""
    through = type(client).merge_sessions

    async def lost(*args: Any, **kwargs: Any) -> MergeRecord:
        await through(client, *args, **kwargs)
        raise errors.Unavailable("the connection broke")

    monkeypatch.setattr(client, "merge_sessions", lost)
    ask(wizard, "merge.plan", strategy="combine", keep_source=True)
    at(wizard, "confirm")
    assert refusal(wizard, "merge.run")["kind"] == "Unavailable"
    monkeypatch.undo()
    until(lambda: wizard._state["moved"] != "")  # its own doing; the page leads back here
    record = done(wizard)
    assert record.name == next(iter(client.service.merges))
    assert len(client.service.merges) == 1


def test_sides_that_have_changed_are_looked_at_again(wizard: MergeWizard, client: FakeClient) -> None:
    """Whoever was about to agree sees the new preview first, who changed what, and keeps the choices."""
    at(wizard, "preview", "conflicts")
    ask(wizard, "merge.choose", asset=FIRST, field="owner", side="source")
    at(wizard, "confirm")
    kept = [each for each in client.service.assets[WAVE_1] if each.display_name != "new"]
    client.service.add_assets(WAVE_1, kept)
    shows(wizard, step="preview", refreshing=False, chosen=1)
    until(lambda: "“Wave 1” has changed (by demo)" in wizard._state["moved"])
    until(lambda: wizard._state["preview"]["assets"][0] == 0)
    at(wizard, "confirm")
    assert wizard._state["moved"] == ""


def test_a_merge_that_was_overtaken_is_refused_and_previewed_again(
    wizard: MergeWizard, client: FakeClient
) -> None:
    """Also where the news had not come yet: nothing is merged that nobody has seen."""
    at(wizard, "confirm")
    client.fail("merge_sessions", errors.Conflict("preview it again", reason="MERGE_MOVED"))
    ask(wizard, "merge.run")
    shows(wizard, step="preview", doing="", error=None)
    assert "your choices are kept" in wizard._state["moved"]
    assert client.service.merges == {}


def test_who_may_only_look_is_told_so(wizard: MergeWizard, client: FakeClient) -> None:
    """The preview is theirs, the merge is not, and nothing is lost by trying."""
    at(wizard, "confirm")
    client.fail("merge_sessions", errors.PermissionDenied("this needs the role analyst in the engagement"))
    assert refusal(wizard, "merge.run")["kind"] == "PermissionDenied"
    shows(wizard, failed="merging", step="confirm")
    assert "role analyst" in wizard._state["error"]["message"]


def test_a_merge_can_be_cancelled_from_any_page(wizard: MergeWizard, client: FakeClient) -> None:
    """Nothing is changed then, which is said."""
    at(wizard, "confirm")
    with client.hold("merge_sessions"):
        begin(wizard, "merge.run")
        shows(wizard, doing="merging", progress={"phase": "queued", "done": 0, "total": 0})
        ask(wizard, "merge.run")  # of another page: it sees the one that is under way
        ask(wizard, "merge.cancel")
        shows(wizard, doing="", told="Cancelled: nothing was changed.", step="confirm")
    assert client.calls.count("merge_sessions") == 1
    assert client.service.merges == {}
    done(wizard)


def test_a_merge_that_was_through_before_it_was_cancelled_says_so(
    wizard: MergeWizard, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that nothing was changed where something was."""
    through: Callable[..., Any] = type(client).merge_sessions

    async def late(*args: Any, **kwargs: Any) -> MergeRecord:
        await through(client, *args, **kwargs)
        await asyncio.sleep(60)
        raise AssertionError("it was to be cancelled")

    monkeypatch.setattr(client, "merge_sessions", late)
    at(wizard, "confirm")
    begin(wizard, "merge.run")
    until(lambda: client.service.merges != {})
    ask(wizard, "merge.cancel")
    shows(wizard, doing="", step="record", told="It was through before it could be cancelled.")


def test_the_record_tells_what_is_not_in_the_result(wizard: MergeWizard) -> None:
    """Of each asset both values, and whose was taken."""
    record = done(wizard)
    shown = wizard._state["record"]
    assert shown["name"] == record.name
    assert "“Wave 1” was merged into “Baseline”, and archived." in shown["says"]
    until(lambda: (wizard._state["drops"] or {}).get("items"))
    first, second = wizard._state["drops"]["items"]
    assert (first["label"], second["label"]) == ("vm-00000", "vm-00001")
    assert second["values"] == [
        {"label": "Owner", "kind": "text", "target": "Grace", "source": "Eve", "taken": "target"}
    ]


def test_a_merge_is_undone(wizard: MergeWizard, client: FakeClient) -> None:
    """Both sessions are as they were, and another merge can begin."""
    before = client.service.assets[BASELINE]
    done(wizard)
    ask(wizard, "merge.undo")
    until(lambda: wizard._state["record"]["undone"])
    assert client.service.assets[BASELINE] == before
    assert client.service.sessions[WAVE_1].archive_time is None
    ask(wizard, "merge.step", to="plan")
    shows(wizard, step="plan", record=None)


def test_edits_since_are_lost_only_when_that_is_said(wizard: MergeWizard, client: FakeClient) -> None:
    """The refusal has the reason that the page offers more for."""
    done(wizard)
    edited: list[Asset] = [replace(each, owner="Zoe") for each in client.service.assets[BASELINE]]
    client.service.set_assets(BASELINE, edited)
    assert refusal(wizard, "merge.undo")["reason"] == "DATA_EDITED"
    shows(wizard, failed="undoing", doing="")
    ask(wizard, "merge.undo", force=True)
    until(lambda: wizard._state["record"]["undone"])
    assert wizard._state["error"] is None


def test_a_preview_that_fails_is_tried_again(wizard: MergeWizard, client: FakeClient) -> None:
    """So is a page of conflicts."""
    client.fail("preview_merge", errors.Internal("internal error; the log has it"))
    ask(wizard, "merge.step", to="preview")
    until(lambda: wizard._state["problem"] is not None)
    ask(wizard, "retry")
    shows(wizard, problem=None, refreshing=False)
    client.fail("list_merge_conflicts", errors.Internal("internal error; the log has it"))
    ask(wizard, "merge.step", to="conflicts")
    until(lambda: (wizard._state["rows"] or {}).get("error") is not None)
    ask(wizard, "retry")
    until(lambda: rows(wizard) != [])


def test_there_is_room_for_so_many_choices() -> None:
    """One more is refused; the rule of all is none of them, and changing one needs no room."""
    choices = Choices()
    for number in range(CHOICES_MAX):
        choices.choose(f"a{number}", "owner", "source")
    with pytest.raises(errors.InvalidArgument, match="10,000 choices"):
        choices.choose("one more", "owner", "source")
    assert choices.count == CHOICES_MAX
    choices.choose("", "", "source")
    choices.choose("a0", "owner", "target")
    assert (choices.count, choices.conflicts, choices.chosen("a0", "owner")) == (
        CHOICES_MAX,
        "source",
        "target",
    )
    with pytest.raises(errors.InvalidArgument, match="no side"):
        choices.choose("a0", "owner", "mine")


def test_a_comparison_opens_the_wizard_of_its_two_sessions(ws: Workspace) -> None:
    """Once more hides it, and what was chosen in it stays."""
    view = ws.comparison("Baseline", "Wave 1")
    shows(view, status="ready", wizard=None)
    ask(view, "comparison.merge")
    until(lambda: view._state["wizard"] is not None)
    opened = view._state["wizard"]
    ask(view, "comparison.merge")
    shows(view, wizard=None)
    ask(view, "comparison.merge")
    shows(view, wizard=opened)
