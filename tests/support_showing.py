"""A page of JupyterLab with one cell, which shows the scenes of the gallery one after the other."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page
from support_gallery import SCENES
from support_jupyter import CURRENT, ROOT, Demo, assert_no_errors, notebook_url, open_notebook, run_all

# A day after the twin's epoch, so that what says how long ago something was says the same every day.
NOW = "2026-01-02T12:00:00Z"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

# What JupyterLab and Chromium themselves print, whatever runs in them.
NOT_OURS = (
    "favicon",
    "jupyterlab.github.io",
    "net::ERR_",
    "the server responded with a status of 404",
    "Could not restore the debugger state",  # of JupyterLab's own debugger, when a kernel dies
    "reading 'schema'",  # of Notebook 7, which leaves out plugins that others of its own ask for
    "Command 'filebrowser:open-path' not registered",
    "The getter for the shared module is not a function",  # of Voilà, about an extension of JupyterLab alone
)


@dataclass
class Watched:
    """A page, and what has gone wrong in it so far."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def heard(self, message: ConsoleMessage) -> None:
        """Keeps what the console is told as an error, if it is ours."""
        if message.type == "error":
            self.note(message.text, f"{message.text} {message.location}")

    def note(self, error: str, told: str = "") -> None:
        """Keeps an error that is ours."""
        if not any(part in (told or error) for part in NOT_OURS):
            self.errors.append(error)


@contextlib.contextmanager
def watched(browser: Browser, **options: object) -> Iterator[Watched]:
    """A page of its own whose errors are kept; `options` as of a browser's new context."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 1600}, **options})
    watched = Watched(context.new_page())
    watched.page.on("console", watched.heard)
    watched.page.on("pageerror", lambda error: watched.note(str(error)))
    yield watched
    context.close()


class Gallery:
    """Shows scenes; each begins with a twin of its own, and ends the one before."""

    def __init__(self, page: Page, demo: Demo, name: str = "gallery") -> None:
        self.page = page
        page.clock.set_fixed_time(NOW)
        setup = f"import sys\nsys.path.insert(0, {str(ROOT / 'tests')!r})\n"
        setup += "from support_gallery import compared, show, staged"
        open_notebook(page, notebook_url(demo, name, [setup, "None"]))
        run_all(page)

    def theme(self, name: str) -> None:
        """Changes JupyterLab's theme, `light` or `dark`."""
        page, theme = self.page, THEMES[name]
        page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=theme)

    def show(self, scene: str) -> Locator:
        """The widget in that state, done with what a person does to it."""
        self.run(f"show({scene!r})")
        root = self.page.locator(".mooring")
        root.wait_for()
        SCENES[scene].act(root)
        return root

    def run(self, code: str) -> None:
        """Has the cell put out what `code` is."""
        self.page.evaluate(
            f"""async code => {{
                const {{ content }} = {CURRENT};
                content.activeCellIndex = 1;
                content.activeCell.model.sharedModel.setSource(code);
                await jupyterapp.commands.execute("notebook:run-cell");
            }}""",
            code,
        )
        assert_no_errors(self.page)
