"""Every widget in every state: what axe-core, the accessibility snapshots and the pictures look at.

A scene has two halves. `show` runs in a kernel, over a twin of the service that makes trouble on demand;
`act` runs in the test, and does to the widget what a person does. A new state is a new entry of `SCENES`.
"""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mooring_widgets.client import Asset, Dependency
from mooring_widgets.errors import MooringError, PermissionDenied
from mooring_widgets.testing import FakeClient, FakeService, demo_assets, settled, workspace
from playwright.sync_api import Locator, expect
from support_waiting import until

BASELINE = "engagements/contoso/sessions/baseline"
WAVE = "engagements/contoso/sessions/wave-1"
LONG = "a-new-machine-with-a-name-that-is-much-longer-than-anybody-would-expect-it-to-be"
REFUSED = PermissionDenied("you have no access to engagements/contoso")


def gallery_service() -> FakeService:
    """An engagement with long names, many sessions, one of each kind."""
    service = FakeService()
    contoso = service.add_engagement("contoso", "Contoso")
    service.add_session(contoso.name, "Wave 1", description="What moves first")
    service.add_session(contoso.name, "Wave 2")
    service.add_session(contoso.name, "A name that is much longer than the place that there is for it " * 2)
    for number in range(3, 203):
        service.add_session(contoso.name, f"Wave {number}")
    service.add_engagement("fabrikam", "Fabrikam")
    service.add_assets(BASELINE, assets(BASELINE, 60))
    service.add_assets(WAVE, assets(WAVE, 3))
    ends = [asset.name for asset in service.assets[BASELINE]]
    service.add_dependencies(
        BASELINE,
        [
            Dependency(f"{BASELINE}/dependencies/d{index}", source, target, "flow", protocol="tcp", port=443)
            for index, (source, target) in enumerate(itertools.pairwise(ends))
        ],
    )
    return service


def assets(session: str, count: int) -> list[Asset]:
    """Assets of which not everything is known."""
    return demo_assets(session, count)


class Stage:
    """A twin and its workspace, for one scene."""

    def __init__(self) -> None:
        self.client = FakeClient(gallery_service())
        self.service = self.client.service
        self.ws = workspace(self.client)
        self._held = contextlib.ExitStack()

    def hold(self, method: str) -> None:
        """Calls of a method wait until the scene ends."""
        self._held.enter_context(self.client.hold(method))

    def fail(self, method: str, error: MooringError = REFUSED) -> None:
        """Calls of a method are refused until the scene ends."""
        self.client.fail(method, error, times=1000)

    def refresh(self, view: Any) -> Any:
        """Has everything fetched anew, after it was shown."""
        settled(view)
        self.ws.queries.invalidate_queries(())
        return view

    def close(self) -> None:
        """Lets go of everything."""
        self._held.close()
        self.ws.close()


def nothing(root: Locator) -> None:
    """What a person does who only looks."""


@dataclass(frozen=True)
class Scene:
    """One state of one widget.

    Attributes:
        show: What stands at the end of the cell.
        act: What a person does to the widget, `.mooring`; it waits until that can be seen.
    """

    show: Callable[[Stage], Any]
    act: Callable[[Locator], None] = nothing


def says(text: str, role: str | None = None) -> Callable[[Locator], None]:
    """Waits for a text, in an element of a role."""

    def wait(root: Locator) -> None:
        where = root if role is None else root.get_by_role(role).filter(has_text=text).first
        expect(where).to_contain_text(text)

    return wait


_stages: list[Stage] = []


def show(name: str) -> Any:
    """Sets up a scene in this kernel, in the place of the one before."""
    return SCENES[name].show(staged())


def staged() -> Stage:
    """A twin that nobody has touched, in the place of the one before."""
    while _stages:
        _stages.pop().close()
    _stages.append(Stage())
    return _stages[-1]


# The selector


def at_wave_1(stage: Stage) -> Any:
    stage.ws.switch("Wave 1")
    return stage.ws


def pinned_and_compared(stage: Stage) -> Any:
    for name in ("Wave 2", "Wave 1", "Wave 17"):
        stage.ws.switch(name)
    stage.ws.pin("Wave 40")
    stage.ws.pin("Wave 41")
    stage.ws.selector.compared_ids = [BASELINE, WAVE]
    return stage.ws


def pending(stage: Stage) -> Any:
    stage.hold("switch_session")
    stage.ws.current.switch(WAVE)
    return stage.ws


def refused(stage: Stage) -> Any:
    stage.fail("switch_session")
    with contextlib.suppress(PermissionDenied):
        stage.ws.switch("Wave 1")
    return stage.ws


def gone(stage: Stage) -> Any:
    stage.ws.switch("Wave 1")
    FakeClientCalls(stage).delete(WAVE)
    return stage.ws


def archived(stage: Stage) -> Any:
    stage.ws.switch("Wave 1")
    stage.ws.archive("Wave 1")
    return stage.ws


def disconnected(stage: Stage) -> Any:
    stage.service.outage = True
    return stage.ws


class FakeClientCalls:
    """What somebody else does meanwhile."""

    def __init__(self, stage: Stage) -> None:
        self._other = FakeClient(stage.service)
        self._ws = stage.ws

    def delete(self, session: str) -> None:
        """Deletes a session."""
        self._ws.wait(self._other.delete_session(session))

    def rename(self, session: str, display_name: str) -> None:
        """Renames a session."""
        self._ws.wait(self._other.update_session(session, display_name=display_name))


def session_of(root: Locator) -> Locator:
    return root.get_by_role("combobox", name="Session", exact=True)


def opened(root: Locator) -> None:
    session_of(root).press("Enter")
    expect(root.get_by_role("listbox").get_by_role("option").first).to_be_visible()


def searched(text: str, found: str) -> Callable[[Locator], None]:
    def act(root: Locator) -> None:
        session_of(root).press("Enter")
        root.page.keyboard.type(text)
        expect(root).to_contain_text(found)

    return act


def pressed(key: str, found: str) -> Callable[[Locator], None]:
    def act(root: Locator) -> None:
        session_of(root).press(key)
        expect(root).to_contain_text(found)

    return act


def compared(stage: Stage) -> Any:
    """Two sessions side by side, for a picture."""
    from ipywidgets import HBox

    return HBox([stage.ws.landscape(), stage.ws.at("Wave 1").landscape()])


# Forms


def edited_by_two(root: Locator) -> None:
    root.get_by_role("textbox", name="Name").fill("Wave 1, mine")
    root.get_by_role("button", name="Save").click()
    expect(root.get_by_role("alert").filter(has_text="Somebody else")).to_be_visible()


def taken_name(root: Locator) -> None:
    root.get_by_role("textbox", name="Name").fill("Wave 1")
    root.get_by_role("button", name="Create").click()
    expect(root.get_by_role("textbox", name="Name")).to_have_attribute("aria-invalid", "true")


# Views


def stale_error(view: Callable[[Stage], Any], method: str) -> Callable[[Stage], Any]:
    def show(stage: Stage) -> Any:
        shown = view(stage)
        settled(shown)
        stage.fail(method)
        return stage.refresh(shown)

    return show


def held(view: Callable[[Stage], Any], method: str, *, after: bool = False) -> Callable[[Stage], Any]:
    """Loading, or refreshing where it was shown before."""

    def show(stage: Stage) -> Any:
        if not after:
            stage.hold(method)
            return view(stage)
        shown = view(stage)
        settled(shown)
        stage.hold(method)
        stage.ws.queries.invalidate_queries(("discovery",))
        return shown

    return show


def failing(view: Callable[[Stage], Any], method: str) -> Callable[[Stage], Any]:
    def show(stage: Stage) -> Any:
        stage.fail(method)
        return view(stage)

    return show


def table(stage: Stage) -> Any:
    return stage.ws.discovery()


def dependencies(stage: Stage) -> Any:
    return stage.ws.dependencies()


def landscape(stage: Stage) -> Any:
    return stage.ws.landscape()


def activity(stage: Stage) -> Any:
    return stage.ws.activity()


def at_empty(view: Callable[[Any], Any]) -> Callable[[Stage], Any]:
    return lambda stage: view(stage.ws.at("Wave 2"))


def user(fn: Callable[..., Any]) -> Callable[[Stage], Any]:
    return lambda stage: stage.ws.view(fn)


def cores_by_owner(discovery):  # type: ignore[no-untyped-def]
    """A data frame."""
    return discovery.groupby("owner").cpu_cores.sum().to_frame("cores")


def printing(session):  # type: ignore[no-untyped-def]
    """A text, and something printed."""
    print("looked at", session.display_name)
    return session.display_name


def broken(session):  # type: ignore[no-untyped-def]
    """An exception."""
    raise ValueError("no racks are known")


def silent(session):  # type: ignore[no-untyped-def]
    """Nothing."""


def html(session):  # type: ignore[no-untyped-def]
    """HTML that goes into a sandbox."""

    class Page:
        def _repr_html_(self) -> str:
            return "<h1>Hello</h1><script>document.title</script>"

    return Page()


def asset_opened(root: Locator) -> None:
    grid = root.get_by_role("grid")
    expect(grid).to_contain_text("vm-00000")
    grid.press("ArrowDown")
    grid.press("Enter")
    expect(root.locator(".m-asset-title")).to_have_text("vm-00001")


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


CSV = b"Box,CPU,RAM (MB),Env,Colour\nalpha,4,4096,production,red\nbeta,8,8192,test,blue\n"


def preview(stage: Stage) -> Any:
    import tempfile
    from pathlib import Path

    file = Path(tempfile.mkdtemp()) / "estate.csv"
    file.write_bytes(CSV)
    return stage.ws.preview_inventory(file)


def imported(root: Locator) -> None:
    root.get_by_role("button", name="Import", exact=True).click()
    expect(root.get_by_role("button", name="Imported")).to_be_visible()


def refused_import(root: Locator) -> None:
    root.get_by_role("button", name="Import", exact=True).click()
    expect(root.get_by_role("alert")).to_contain_text("no access")


SCENES: dict[str, Scene] = {
    "selector": Scene(lambda stage: stage.ws, says("Live")),
    "selector-another": Scene(at_wave_1, says("Wave 1")),
    "selector-list": Scene(lambda stage: stage.ws, opened),
    "selector-list-groups": Scene(pinned_and_compared, opened),
    "selector-list-search": Scene(lambda stage: stage.ws, searched("Wave 19", "Wave 190")),
    "selector-list-none": Scene(lambda stage: stage.ws, searched("zebra", "No session matches")),
    "selector-list-loading": Scene(
        held(lambda stage: stage.ws, "list_sessions"), lambda root: session_of(root).press("Enter")
    ),
    "selector-list-failed": Scene(
        failing(lambda stage: stage.ws, "list_sessions"), pressed("Enter", "no access")
    ),
    "selector-help": Scene(lambda stage: stage.ws, pressed("?", "Keys")),
    "selector-details": Scene(lambda stage: stage.ws, pressed("i", "baseline")),
    "selector-pending": Scene(pending, says("Switching")),
    "selector-refused": Scene(refused, says("no access", "alert")),
    "selector-gone": Scene(gone, says("gone", "alert")),
    "selector-archived": Scene(archived, says("archived")),
    "selector-disconnected": Scene(disconnected, says("Disconnected")),
    "selector-form": Scene(lambda stage: stage.ws, pressed("n", "New session")),
    "form-new": Scene(lambda stage: stage.ws.form(), says("New session")),
    "form-edit": Scene(lambda stage: stage.ws.form("Wave 1"), says("Wave 1")),
    "form-taken": Scene(lambda stage: stage.ws.form(), taken_name),
    "form-failed": Scene(
        failing(lambda stage: stage.ws.form("Wave 1"), "get_session"), says("no access", "alert")
    ),
    "table": Scene(table, says("vm-00000")),
    "table-loading": Scene(held(table, "list_assets"), says("Loading")),
    "table-refreshing": Scene(held(table, "list_assets", after=True), says("Refreshing")),
    "table-empty": Scene(at_empty(lambda at: at.discovery()), says("No assets yet")),
    "table-failed": Scene(failing(table, "list_assets"), says("no access", "alert")),
    "table-stale": Scene(stale_error(table, "list_assets"), says("no access", "alert")),
    "asset": Scene(table, asset_opened),
    "dependencies": Scene(dependencies, says("vm-00001")),
    "landscape": Scene(landscape, says("60")),
    "landscape-loading": Scene(held(landscape, "get_landscape"), says("Loading")),
    "landscape-refreshing": Scene(held(landscape, "get_landscape", after=True), says("Refreshing")),
    "landscape-empty": Scene(at_empty(lambda at: at.landscape()), says("No assets yet")),
    "landscape-failed": Scene(failing(landscape, "get_landscape"), says("no access", "alert")),
    "landscape-stale": Scene(stale_error(landscape, "get_landscape"), says("no access", "alert")),
    "activity": Scene(activity, says("imported data into")),
    "activity-loading": Scene(held(activity, "list_activity"), says("Loading")),
    "activity-empty": Scene(lambda stage: stage.ws.activity(kind="reverted"), says("Nothing of this kind")),
    "activity-failed": Scene(failing(activity, "list_activity"), says("no access", "alert")),
    "activity-stale": Scene(stale_error(activity, "list_activity"), says("no access", "alert")),
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
    "user": Scene(user(cores_by_owner), says("Ada")),
    "user-printing": Scene(user(printing), says("looked at Baseline")),
    "user-stale": Scene(stale_error(user(cores_by_owner), "read_assets"), says("no access", "alert")),
    "user-broken": Scene(user(broken), says("no racks are known", "alert")),
    "user-nothing": Scene(user(silent), says("nothing to show")),
    "user-sandbox": Scene(user(html), lambda root: expect(root.locator("iframe")).to_be_visible()),
    "import": Scene(lambda stage: preview(stage).edit(), says("estate.csv")),
    "import-failed": Scene(failing(lambda stage: preview(stage).edit(), "import_upload"), refused_import),
    "import-done": Scene(lambda stage: preview(stage).edit(), imported),
}
