"""Measure what docs/figures.md says of the notebook: `make figures`.

Starts the demo in an empty home, opens its tour in Chromium, and measures inside the page: switches of five
views beside bare messages, a cold start with many sessions and assets, a list of a million sessions. Ends
with a failure where a budget is missed.
"""

import argparse
import asyncio
import contextlib
import csv
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from mooring_server.settings import Settings
from mooring_server.store import Role, Tx, open_store
from mooring_server.store.values import searched_text, sort_key
from playwright.sync_api import Page, expect, sync_playwright
from support_jupyter import (
    CHROMIUM_FLAGS,
    CURRENT,
    ROOT,
    Demo,
    chromium,
    notebook_url,
    open_notebook,
    run_all,
)
from support_pages import CONNECT, data_folder, in_kernel, of_kernel

STATIC = ROOT / "widgets" / "mooring_widgets" / "static"
BATCH = 5_000
MANY = 10_000
PACE_MS = 300
USER = "demo"

# Counts what goes between kernel and service, and answers a bare message.
SETUP = """import anywidget
import mooring_widgets.client.channel as channel

class Echo(anywidget.AnyWidget):
    _esm = '''export default { render({ model }) {
        globalThis.echo = () => new Promise(resolve => {
            const start = performance.now();
            const heard = () => { model.off("msg:custom", heard); resolve(performance.now() - start); };
            model.on("msg:custom", heard);
            model.send({});
        });
    } }'''

wire = []
plain = channel.Channel.unary

async def unary(self, path, request, *args, **kwargs):
    answer = await plain(self, path, request, *args, **kwargs)
    wire.append((path.rpartition("/")[2], request.ByteSize() + answer.ByteSize()))
    return answer

channel.Channel.unary = unary
echo = Echo()
echo.on_msg(lambda widget, content, buffers: widget.send({}))
echo"""
VIEWS = [
    SETUP,
    CONNECT,
    "ws.discovery()",
    "ws.landscape()",
    "@ws.view\ndef by_owner(landscape):\n    return str(landscape.totals.asset_count)\nby_owner",
    "@ws.view\ndef name(session):\n    return session.display_name\nname",
    "@ws.view\ndef count(session):\n    return str(session.asset_count)\ncount",
]

COUNT = f"""() => {{
    globalThis.messages = [];
    {CURRENT}.sessionContext.session.kernel.anyMessage.connect((_, {{ msg }}) => {{
        if (msg.channel === "shell" || msg.header.msg_type.startsWith("comm"))
            globalThis.messages.push(JSON.stringify(msg.content).length);
    }});
}}"""

# Resolves with the milliseconds from the key press to the frame in which the selector marks its choice,
# and to the first frame in which every view is at rest with the session that the selector names,
# another one than before.
SWITCH = """key => new Promise((resolve, reject) => {
    const selector = document.querySelectorAll(".m-combo")[1];
    const views = [...document.querySelectorAll(".m-view")];
    const labels = () => views.map(view => view.querySelector(".m-session").textContent);
    const before = labels()[0];
    let marked = null;
    const start = performance.now();
    selector.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const look = () => {
        const shown = labels();
        const taken = performance.now() - start;
        marked ??= selector.querySelector(".m-value").textContent === before ? null : taken;
        const quiet = views.every(view => view.getAttribute("aria-busy") === "false");
        if (quiet && shown[0] !== before && shown.every(label => label === shown[0]))
            resolve({ marked, taken });
        else if (taken > 10000) reject(new Error(`still ${before} -> ${shown}`));
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""

# Runs a cell; resolves with the milliseconds until it has ended, and until `selector` finds words.
CELL = f"""([index, selector]) => new Promise((resolve, reject) => {{
    const {{ content }} = {CURRENT};
    content.activeCellIndex = index;
    const start = performance.now();
    let ended = null;
    jupyterapp.commands.execute("notebook:run-cell").then(() => ended = performance.now() - start);
    const look = () => {{
        const taken = performance.now() - start;
        const found = document.querySelector(selector)?.textContent.trim();
        if (ended !== null && found) resolve({{ ended, taken }});
        else if (taken > 60000) reject(new Error(`nothing of ${{selector}}`));
        else requestAnimationFrame(look);
    }};
    requestAnimationFrame(look);
}})"""

# Scrolls an open list to a fraction of its height; resolves with the milliseconds until every seen
# row is there,
# and the longest time for which none was.
SCROLL = """fraction => new Promise((resolve, reject) => {
    const seenLists = [...document.querySelectorAll("[role=listbox]")].filter(list => list.checkVisibility());
    const scroller = [...seenLists, ...seenLists.map(list => list.parentElement)]
        .find(element => element.scrollHeight > element.clientHeight);
    const start = performance.now();
    scroller.scrollTop = fraction * (scroller.scrollHeight - scroller.clientHeight);
    let blank = 0, since = null;
    const look = () => {
        const now = performance.now();
        const box = scroller.getBoundingClientRect();
        const seen = [...document.querySelectorAll(".m-option")].filter(row => {
            const { top, bottom } = row.getBoundingClientRect();
            return bottom > box.top && top < box.bottom;
        });
        const here = seen.filter(row => row.querySelector(".m-value").textContent !== "Loading…");
        if (here.length === 0) { since ??= now; blank = Math.max(blank, now - since); } else since = null;
        if (seen.length > 3 && here.length === seen.length && now - start > 20)
            resolve({ taken: now - start, blank });
        else if (now - start > 10000) reject(new Error(`${here.length} of ${seen.length} rows`));
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})"""


@dataclass
class Report:
    """What was measured, printed as it comes, and what missed its budget."""

    missed: list[str] = field(default_factory=list)

    def say(self, what: str, figure: str) -> None:
        """Prints a line."""
        print(f"{what:<76} {figure}", flush=True)

    def hold(self, what: str, found: float, budget: float, unit: str = "ms") -> None:
        """Prints a figure beside the budget that it must stay under."""
        self.say(what, f"{found:,.1f} {unit} (< {budget:,.0f})")
        if found >= budget:
            self.missed.append(f"{what}: {found:,.1f} {unit}, not under {budget:,.0f}")


def quantile(values: list[float], share: float) -> float:
    """The value below which this share of them is."""
    return sorted(values)[int(share * (len(values) - 1))]


def seed(demo: Demo, engagement: str, sessions: int) -> None:
    """An engagement of the demo's user with so many sessions, past the service."""
    database = data_folder(demo) / "mooring.db"

    async def begin() -> None:
        store = open_store(f"sqlite:///{database}", settings=Settings())
        try:
            await store.write(lambda tx: _begin(tx, engagement))
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as thread:  # Playwright's loop runs in this one
        thread.submit(asyncio.run, begin()).result()
    with contextlib.closing(sqlite3.connect(database, timeout=60)) as connection:
        for first in range(2, sessions, BATCH):
            with connection:
                _copy(connection, engagement, range(first, min(first + BATCH, sessions)))
        with connection:
            connection.execute(
                "UPDATE engagements SET session_count = ? WHERE id = ?", (sessions, engagement)
            )


def _begin(tx: Tx, engagement: str) -> None:
    tx.engagements.insert(engagement, engagement.replace("-", " ").title(), "")
    tx.sessions.insert(engagement, f"{engagement}-0", "Baseline", "", "data_import", USER, is_default=True)
    tx.sessions.insert(engagement, f"{engagement}-1", _name(1), "", "data_import", USER)
    tx.members.put(engagement, USER, Role.MANAGER)


def _name(number: int) -> str:
    return f"Session {number:07}"


def _copy(connection: sqlite3.Connection, engagement: str, numbers: Iterable[int]) -> None:
    """The first session again and again under other names: a million statements of their own take minutes."""
    columns = [row[1] for row in connection.execute("PRAGMA table_info(sessions)")]
    cells = [_CHANGED.get(column, column) for column in columns]
    connection.executemany(
        f"INSERT INTO sessions ({', '.join(columns)}) "  # noqa: S608 - names of columns
        f"SELECT {', '.join(cells)} FROM sessions WHERE id = :first",
        (
            {
                "first": f"{engagement}-1",
                "id": f"{engagement}-{number}",
                "name": _name(number),
                "sort": sort_key(_name(number)),
                "words": searched_text((_name(number), "")),
            }
            for number in numbers
        ),
    )


_CHANGED = {"id": ":id", "display_name": ":name", "sort_name": ":sort", "words": ":words"}


def import_assets(demo: Demo, session: str, count: int) -> None:
    """So many assets, as anybody brings them in."""
    file = data_folder(demo).parent / "figures.csv"
    with file.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["hostname", "environment", "operating_system", "cpu_cores", "memory (GiB)", "owner"])
        for number in range(count):
            rows.writerow([f"vm-{number:07}", "production", "Ubuntu 24.04", 4, 16, f"owner {number % 50}"])
    command = [sys.executable, "-m", "mooring_server", "import", str(file), "--session", session]
    subprocess.run(command, env=demo.environment, check=True, capture_output=True, timeout=600)


def measure_start(report: Report, demo: Demo, page: Page) -> None:
    """From nothing to the tour."""
    start = time.perf_counter()
    url = demo.url()
    report.say("demo, empty home: address printed", f"{time.perf_counter() - start:.1f} s")
    open_notebook(page, url)
    report.say("… tour open, kernel ready", f"{time.perf_counter() - start:.1f} s")
    run_all(page)
    report.say("… every cell has run", f"{time.perf_counter() - start:.1f} s")


def measure_switches(report: Report, demo: Demo, page: Page, rounds: int) -> None:
    """Switches at a human's pace, each beside a bare message to the same kernel."""
    open_notebook(page, notebook_url(demo, "figures", VIEWS))
    run_all(page)
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    page.get_by_role("combobox", name="Session", exact=True).focus()
    page.evaluate(COUNT)
    page.wait_for_timeout(1000)
    echoes, marked, taken = [], [], []
    wires: dict[str, tuple[float, float]] = {}
    for number in range(rounds + 6):
        kind = "cold" if number < 2 else "warm"
        page.evaluate("() => messages.length = 0")
        in_kernel(page, "wire.clear()")
        found = page.evaluate(SWITCH, "]" if number // 3 % 2 == 0 else "[")
        page.wait_for_timeout(PACE_MS)
        notebook = float(page.evaluate("() => messages.reduce((all, each) => all + each, 0)"))
        wires[kind] = (float(of_kernel(page, "sum(size for _, size in wire)")), notebook)
        page.wait_for_timeout(PACE_MS)
        echo = page.evaluate("() => echo()")
        page.wait_for_timeout(PACE_MS)
        if number >= 6:
            echoes.append(echo)
            marked.append(found["marked"])
            taken.append(found["taken"])
    bare = statistics.median(echoes)
    report.say(f"bare message to the kernel and back, {len(echoes)} times, p50", f"{bare:.1f} ms")
    report.hold(
        f"switch to five views repainted, warm, {len(taken)} times, p50", statistics.median(taken), 80
    )
    report.hold("… p95", quantile(taken, 0.95), 150)
    report.hold("… p50 beside the bare message", statistics.median(taken) / bare, 6, "x")
    report.hold("… the choice is marked, p95 (a frame is 16.7 ms)", quantile(marked, 0.95), 34)
    for kind, (service, notebook) in wires.items():
        report.say(
            f"bytes of a switch, {kind}: service to kernel, kernel to page",
            f"{service:,.0f}, {notebook:,.0f}",
        )


def measure_cold(report: Report, demo: Demo, page: Page, assets: int) -> None:
    """A kernel that has just started, in an engagement of many sessions, one of which has many assets."""
    seed(demo, "ten-thousand", MANY)
    import_assets(demo, "engagements/ten-thousand/sessions/ten-thousand-0", assets)
    cells = [
        "from mooring_widgets import connect\nws = connect()\nws.switch_engagement('Ten Thousand') and None",
        "ws",
        "ws.discovery()",
    ]
    open_notebook(page, notebook_url(demo, "cold", cells))
    page.evaluate(CELL, [0, "body"])
    shown = page.evaluate(CELL, [1, ".m-combo .m-value"])
    report.hold(f"cold, {MANY:,} sessions: the selector shows what is current", shown["taken"], 1000)
    rows = page.evaluate(CELL, [2, ".m-table .m-canvas [role=gridcell]"])
    report.hold(f"cold, {assets:,} assets: first rows after the cell was run", rows["taken"], 1000)


def measure_list(report: Report, demo: Demo, page: Page, sessions: int, jumps: int = 30) -> None:
    """Anywhere in a list that nobody has scrolled before."""
    start = time.perf_counter()
    seed(demo, "a-million", sessions)
    report.say(f"{sessions:,} sessions made", f"{time.perf_counter() - start:.0f} s")
    cells = [
        "from mooring_widgets import connect\nws = connect()\nws.switch_engagement('A Million') and None",
        "ws",
    ]
    open_notebook(page, notebook_url(demo, "list", cells))
    run_all(page)
    page.get_by_role("combobox", name="Session", exact=True).click()
    page.get_by_role("option", name="Session 0000001").first.wait_for()
    page.wait_for_timeout(500)
    found = []
    for number in range(jumps):
        found.append(page.evaluate(SCROLL, (number * 0.6180339887) % 1))
        page.wait_for_timeout(PACE_MS)
    taken = [each["taken"] for each in found]
    report.say(
        f"{sessions:,} sessions, a jump anywhere: rows are there, p50", f"{statistics.median(taken):.0f} ms"
    )
    report.hold("… the slowest of them", max(taken), 300)
    report.hold("… the longest blank list", max(each["blank"] for each in found), 300)


def main() -> None:
    """Measure and print; fail where a budget is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--switches", type=int, default=60, help="how many switches to time (60)")
    options.add_argument("--assets", type=int, default=100_000, help="of the cold start (100,000)")
    options.add_argument("--sessions", type=int, default=1_000_000, help="of the long list (1,000,000)")
    chosen = options.parse_args()
    executable = chromium()
    if executable is None:
        raise SystemExit("no Chromium is installed; name one in MOORING_CHROMIUM")
    report = Report()
    sizes: dict[str, int] = {
        suffix: sum(file.stat().st_size for file in STATIC.glob(f"*.{suffix}")) for suffix in ("js", "css")
    }
    report.hold("scripts and styles of a cell with every widget", sum(sizes.values()) / 1024, 300, "KiB")
    with tempfile.TemporaryDirectory(prefix="mooring-figures-") as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=CHROMIUM_FLAGS, chromium_sandbox=False
        )
        page = browser.new_page(viewport={"width": 1280, "height": 2400})
        demo = Demo(Path(home))
        try:
            measure_start(report, demo, page)
            measure_switches(report, demo, page, chosen.switches)
            measure_cold(report, demo, page, chosen.assets)
            measure_list(report, demo, page, chosen.sessions)
        finally:
            demo.stop()
            browser.close()
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}")
    if report.missed:
        raise SystemExit("missed:\n" + "\n".join(report.missed))


if __name__ == "__main__":
    main()
