"""Every widget in every state: what axe-core, the accessibility snapshots and the pictures look at.

A scene has two halves. `show` runs in a kernel, over a twin of the service that makes trouble on demand;
`act` runs in the test, and does to the widget what a person does. A new state is a new entry of `SCENES`.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import support_pair_scenes
from mooring_widgets.errors import PermissionDenied
from playwright.sync_api import Locator, expect
from support_stages import BASELINE, WAVE, FakeClientCalls, Scene, Stage, failing, held, says, stale_error

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
    **support_pair_scenes.SCENES,
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
