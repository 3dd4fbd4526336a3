"""Two sessions of one engagement: the scenes of comparing and of merging them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mooring_widgets.testing import settled
from playwright.sync_api import Locator, expect
from support_stages import BASELINE, LONG, WAVE, FakeClientCalls, Scene, Stage, failing, held, says
from support_waiting import until


def different(stage: Stage) -> None:
    """Wave 1 with assets of its own, and others that were changed."""
    kept = stage.service.assets[WAVE]
    long = {"Remarks": "moved twice, and written down at length each time " * 4}
    changed = replace(
        kept[1],
        owner="Grace",
        cpu_cores=8.0,
        memory_bytes=32 * 2**30,
        storage_bytes=0,
        location="Nantes",
        status="stopped",
        environment="production, of what is left of it",
        attributes=long,
    )
    new = [
        replace(kept[0], name=f"{WAVE}/assets/{name}", display_name=name, hostname=name)
        for name in ("vm-new", LONG)
    ]
    stage.service.add_assets(WAVE, [kept[0], changed, *new])


def comparison(stage: Stage) -> Any:
    different(stage)
    return stage.ws.comparison("Baseline", "Wave 1")


def comparison_gone(stage: Stage) -> Any:
    shown = comparison(stage)
    settled(shown)
    FakeClientCalls(stage).delete(WAVE)
    return shown


def comparison_moved(root: Locator) -> None:
    """Somebody has gone on to the second page when the data changes."""
    root.get_by_role("button", name="Next page").click()
    expect(root).to_contain_text("of 61")
    expect(root.get_by_role("rowheader", name="vm-new")).to_be_visible()


def chosen(name: str, found: str) -> Callable[[Locator], None]:
    def act(root: Locator) -> None:
        root.get_by_role("radio", name=name).check()
        expect(root).to_contain_text(found)

    return act


def merging(stage: Stage) -> Any:
    """Wave 1 into the baseline, which says something else of three assets, and more of one."""
    here = stage.service.assets[BASELINE]
    others = [
        replace(here[0], owner="Bob", location="Nantes", application="shop"),
        replace(here[1], owner="Eve", memory_bytes=32 * 2**30, operating_system=f"Ubuntu, {LONG}"),
        replace(here[2], owner="Bob", attributes={"Rack": "R1"}),
        here[3],
        replace(here[0], name=f"{WAVE}/assets/{LONG}", display_name=LONG, hostname=LONG),
    ]
    moved = [replace(each, name=each.name.replace(BASELINE, WAVE)) for each in others]
    stage.service.add_assets(WAVE, moved)
    return stage.ws.merge_wizard("Wave 1", into="Baseline")


def merge_moved(stage: Stage) -> Any:
    """Somebody changes a side while another one is about to agree."""
    wizard = merging(stage)
    stage.ws.run(wizard._answer_step({"to": "confirm"})).result()
    until(lambda: wizard._state["will"])
    stage.service.add_assets(WAVE, stage.service.assets[WAVE][:4])
    return wizard


def stepped(*names: str, found: str = "") -> Callable[[Locator], None]:
    """Goes on to some steps by their names."""

    def act(root: Locator) -> None:
        for name in names:
            step = root.get_by_role("list", name="Steps").get_by_role("button", name=name)
            expect(step).to_be_enabled()
            step.click()
            expect(step).to_have_attribute("aria-current", "step")
        if found:
            expect(root).to_contain_text(found)

    return act


def choosing(root: Locator) -> None:
    stepped("Preview", "Conflicts", found="Nantes")(root)
    root.get_by_role("radiogroup", name="Owner of vm-00000").get_by_role("radio").nth(1).check()
    root.get_by_role("combobox", name="Show").select_option("owner")
    root.get_by_role("combobox", name="Owner goes to").select_option("newest")
    expect(root).to_contain_text("2 choices")


def confirmed(found: str) -> Callable[[Locator], None]:
    """Agrees to a merge, and waits for what comes of it."""

    def act(root: Locator) -> None:
        stepped("Preview", "Confirm", found="gets")(root)
        root.get_by_role("button", name="Merge", exact=True).click()
        expect(root).to_contain_text(found)

    return act


def unmerged(root: Locator) -> None:
    confirmed("was merged into")(root)
    root.get_by_role("button", name="Undo this merge").click()
    expect(root).to_contain_text("It was undone")


def running(root: Locator) -> None:
    confirmed("Waiting for its turn")(root)
    expect(root.get_by_role("button", name="Cancel")).to_be_focused()


def unknown_source(root: Locator) -> None:
    name = root.get_by_role("combobox", name="Take from")
    name.fill("Wave one")
    name.press("Enter")
    expect(root.get_by_role("alert").filter(has_text="did you mean")).to_be_visible()


SCENES: dict[str, Scene] = {
    "comparison": Scene(comparison, says("Nantes")),
    "comparison-dependencies": Scene(comparison, chosen("dependencies, removed", "vm-00001 → vm-00002")),
    "comparison-unchanged": Scene(comparison, chosen("1 asset, unchanged", "vm-00000")),
    "comparison-none": Scene(comparison, chosen("dependencies, added", "No dependencies are added")),
    "comparison-later": Scene(comparison, comparison_moved),
    "comparison-same": Scene(lambda stage: stage.ws.comparison("Wave 1", "Wave 1"), says("No difference")),
    "comparison-empty": Scene(
        lambda stage: stage.ws.comparison("Wave 2", "Wave 40"), says("Neither session")
    ),
    "comparison-loading": Scene(held(comparison, "compare_sessions"), says("Loading")),
    "comparison-failed": Scene(failing(comparison, "compare_sessions"), says("no access", "alert")),
    "comparison-rows-failed": Scene(
        failing(comparison, "list_asset_differences"), says("no access", "alert")
    ),
    "comparison-gone": Scene(comparison_gone, says("Bring it back")),
    "merge": Scene(merging, says("Wave 1")),
    "merge-blank": Scene(lambda stage: stage.ws.merge_wizard(), says("Baseline")),
    "merge-unknown": Scene(lambda stage: stage.ws.merge_wizard(), unknown_source),
    "merge-preview": Scene(merging, stepped("Preview", found="Location")),
    "merge-moved": Scene(merge_moved, says("has changed (by demo)")),
    "merge-preview-loading": Scene(held(merging, "preview_merge"), stepped("Preview", found="Looking")),
    "merge-preview-failed": Scene(failing(merging, "preview_merge"), stepped("Preview", found="no access")),
    "merge-conflicts": Scene(merging, stepped("Preview", "Conflicts", found="Nantes")),
    "merge-conflicts-chosen": Scene(merging, choosing),
    "merge-conflicts-failed": Scene(
        failing(merging, "list_merge_conflicts"), stepped("Preview", "Conflicts", found="no access")
    ),
    "merge-confirm": Scene(merging, stepped("Preview", "Confirm", found="gets")),
    "merge-running": Scene(held(merging, "merge_sessions"), running),
    "merge-refused": Scene(failing(merging, "merge_sessions"), confirmed("no access")),
    "merge-done": Scene(merging, confirmed("was merged into")),
    "merge-undone": Scene(merging, unmerged),
}
