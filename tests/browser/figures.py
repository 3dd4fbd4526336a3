"""Measure what docs/figures.md says: `make figures`.

Starts the demo in an empty home, opens the tour in Chromium, then switches sessions in a notebook with five
views. Each switch is timed inside the page, from the key press to the frame in which all five show it.
"""

import argparse
import platform
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from support_jupyter import CHROMIUM_FLAGS, Demo, chromium, notebook_url, open_notebook, run_all

VIEWS = [
    "from mooring_widgets import connect\nws = connect()\nws",
    "ws.discovery()",
    "ws.landscape()",
    "@ws.view\ndef by_owner(landscape):\n    return str(landscape.totals.asset_count)\nby_owner",
    "@ws.view\ndef name(session):\n    return session.display_name\nname",
    "@ws.view\ndef count(session):\n    return str(session.asset_count)\ncount",
]

# Resolves with the milliseconds from the key press to the first frame in which every view is at rest with
# the session that the selector names, which must be another one than before.
SWITCH = """key => new Promise((resolve, reject) => {
    const selector = [...document.querySelectorAll("[role=combobox]")].at(1);
    const views = [...document.querySelectorAll(".m-view")];
    const labels = () => views.map(view => view.querySelector(".m-session").textContent);
    const before = labels()[0];
    const start = performance.now();
    selector.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const look = () => {
        const shown = labels();
        const quiet = views.every(view => view.getAttribute("aria-busy") === "false");
        const taken = performance.now() - start;
        if (quiet && shown[0] !== before && shown.every(label => label === shown[0])) resolve(taken);
        else if (taken > 10000) reject(new Error(`still ${before} -> ${shown}`));
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""


def switches(page: Page, rounds: int) -> list[float]:
    """Milliseconds of each switch, at a human's pace, after a walk through the sessions that warms caches."""
    taken = []
    for number in range(rounds):
        key = "]" if number // 3 % 2 == 0 else "["
        taken.append(page.evaluate(SWITCH, key))
        page.wait_for_timeout(300)
    return taken[6:]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--switches", type=int, default=60, help="how many switches to time (60)")
    chosen = options.parse_args()
    executable = chromium()
    if executable is None:
        raise SystemExit("no Chromium is installed; name one in MOORING_CHROMIUM")
    with tempfile.TemporaryDirectory(prefix="mooring-figures-") as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=CHROMIUM_FLAGS, chromium_sandbox=False
        )
        page = browser.new_page(viewport={"width": 1280, "height": 2400})
        start = time.perf_counter()
        demo = Demo(Path(home))
        try:
            url = demo.url()
            print(f"demo, empty home: address printed           {time.perf_counter() - start:6.1f} s")
            open_notebook(page, url)
            print(f"                  tour open, kernel ready   {time.perf_counter() - start:6.1f} s")
            run_all(page)
            print(f"                  every cell has run        {time.perf_counter() - start:6.1f} s")
            open_notebook(page, notebook_url(demo, "figures", VIEWS))
            run_all(page)
            page.get_by_role("combobox", name="Session").focus()
            page.wait_for_timeout(1000)
            taken = sorted(switches(page, chosen.switches + 6))
        finally:
            demo.stop()
            browser.close()
    p95 = taken[int(0.95 * (len(taken) - 1))]
    print(f"switch to five views repainted, in the page, warm, {len(taken)} switches:")
    print(
        f"                  p50 {statistics.median(taken):.0f} ms, p95 {p95:.0f} ms, max {taken[-1]:.0f} ms"
    )
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
