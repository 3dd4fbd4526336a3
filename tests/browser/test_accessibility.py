"""Nothing keeps a person out: axe-core on every state of every widget, and what a screen reader is told.

The accessibility snapshots are in `snapshots/`; `MOORING_SNAPSHOTS=write` writes them anew, to be read before
they are committed.
"""

import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator
from support_axe import axe
from support_gallery import SCENES
from support_jupyter import ARTIFACTS, Demo
from support_showing import Gallery, Watched, watched

Shown = tuple[Watched, Gallery]
SNAPSHOTS = Path(__file__).parent / "snapshots"
LOOKS, PAUSE_MS = 20, 100


@pytest.fixture(scope="module")
def shown(demo: Demo, browser: Browser) -> Iterator[Shown]:
    with watched(browser, reduced_motion="reduce", timezone_id="UTC") as seen:
        yield seen, Gallery(seen.page, demo)


@pytest.fixture(scope="module", params=["light", "dark"])
def theme(request: pytest.FixtureRequest, shown: Shown) -> str:
    shown[1].theme(request.param)
    return str(request.param)


@pytest.mark.parametrize("scene", SCENES)
def test_axe_finds_nothing(shown: Shown, theme: str, scene: str) -> None:
    """No rule of axe-core is broken in either theme, and it reads as the snapshot says."""
    seen, gallery = shown
    seen.errors.clear()
    root = gallery.show(scene)
    ARTIFACTS.mkdir(exist_ok=True)
    root.screenshot(path=ARTIFACTS / f"{scene}-{theme}.png")
    assert axe(seen.page) == []
    compare(scene, root)
    assert seen.errors == []


def test_every_snapshot_has_its_scene() -> None:
    """No snapshot is left of a state that there is no more."""
    assert {file.stem for file in SNAPSHOTS.glob("*.yml")} <= set(SCENES)


def compare(scene: str, root: Locator) -> None:
    """That a widget still reads as it did, soon: what it shows may still be on its way."""
    file = SNAPSHOTS / f"{scene}.yml"
    if os.environ.get("MOORING_SNAPSHOTS") == "write":
        file.write_text(unannounced(at_rest(root)) + "\n")
    kept = file.read_text().rstrip("\n") if file.exists() else ""
    for _ in range(LOOKS):
        found = unannounced(root.aria_snapshot())
        if found == kept:
            return
        root.page.wait_for_timeout(PAUSE_MS)
    changes = unified_diff(kept.splitlines(), found.splitlines(), str(file), "found", lineterm="")
    raise AssertionError("\n".join([*changes, "where this is meant: MOORING_SNAPSHOTS=write"]))


def unannounced(snapshot: str) -> str:
    """Without the word of the connection, which is only said where that changed after the first paint."""
    return re.sub("- status: (Live|Disconnected)$", "- status", snapshot, flags=re.MULTILINE)


def at_rest(root: Locator) -> str:
    """What a widget reads as when that no longer changes."""
    before, same = "", 0
    while same < LOOKS // 2:
        found = root.aria_snapshot()
        before, same = found, same + 1 if found == before else 0
        root.page.wait_for_timeout(PAUSE_MS)
    return before
