"""Take the pictures of the documentation: `make pictures`.

Shows scenes of the gallery in JupyterLab, and writes what they look like in the light to docs/pictures.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, Locator, expect, sync_playwright
from support_jupyter import CHROMIUM_FLAGS, ROOT, Demo, chromium
from support_showing import Gallery, watched

PICTURES = ROOT / "docs" / "pictures"
BYTES_MAX = 80 * 1024
MARGIN = 8
PAGE = {"width": 1280, "height": 1200}

# The name of a picture, and the scene that it shows.
SHOWN = {
    "selector": "selector-list-groups",
    "form": "form-new",
    "table": "table",
    "asset": "asset",
    "landscape": "landscape",
    "comparison": "comparison",
    "merge-conflicts": "merge-conflicts-chosen",
    "import-preview": "import",
    "import-report": "import-done",
    "user-view": "user",
}

# What a widget paints, lists and other pop-ups that reach over its edge included.
BOX = """roots => {
    const boxes = roots.flatMap(root => [root, ...root.querySelectorAll("*")])
        .filter(element => element.checkVisibility() && getComputedStyle(element).overflow !== "hidden")
        .filter(element => element.matches(".mooring, [role=listbox], .m-popup, .m-list, [popover], dialog"))
        .map(element => element.getBoundingClientRect());
    const left = Math.min(...boxes.map(box => box.left)), top = Math.min(...boxes.map(box => box.top));
    const right = Math.max(...boxes.map(box => box.right));
    const bottom = Math.max(...boxes.map(box => box.bottom));
    return { x: left, y: top, width: right - left, height: bottom - top };
}"""


def take(root: Locator, file: Path) -> None:
    """A picture of the widgets, with a margin, as small as a page needs."""
    root.first.scroll_into_view_if_needed()
    box: FloatRect = root.evaluate_all(BOX)
    x, y = max(0.0, box["x"] - MARGIN), max(0.0, box["y"] - MARGIN)
    width = min(box["width"] + 2 * MARGIN, PAGE["width"] - x)
    height = min(box["height"] + 2 * MARGIN, PAGE["height"] - y)
    clip: FloatRect = {"x": x, "y": y, "width": width, "height": height}
    root.page.screenshot(path=file, clip=clip, animations="disabled", caret="hide")
    if file.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{file.name} has {file.stat().st_size:,} bytes, over {BYTES_MAX:,}; show less")
    print(f"{file.name:<24} {file.stat().st_size:>7,} bytes")


def main() -> None:
    """Take them all."""
    executable = chromium()
    if executable is None:
        raise SystemExit("no Chromium is installed; name one in MOORING_CHROMIUM")
    with tempfile.TemporaryDirectory(prefix="mooring-pictures-") as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=CHROMIUM_FLAGS, chromium_sandbox=False
        )
        demo = Demo(Path(home))
        try:
            with watched(browser, viewport=PAGE, reduced_motion="reduce", timezone_id="UTC") as seen:
                gallery = Gallery(seen.page, demo, "pictures")
                gallery.theme("light")
                for name, scene in SHOWN.items():
                    take(gallery.show(scene), PICTURES / f"{name}.png")
                gallery.run("compared(staged())")
                both = seen.page.locator(".mooring")
                expect(both.last).to_contain_text("Wave 1")
                take(both, PICTURES / "compare.png")
        finally:
            demo.stop()
            browser.close()


if __name__ == "__main__":
    main()
