"""A notebook of the demo in a page, and what tests do with it."""

from pathlib import Path
from re import Pattern
from typing import Any

from playwright.sync_api import Locator, Page, expect
from support_jupyter import CURRENT, Demo, notebook_url, open_notebook, run_all

CONNECT = "from mooring_widgets import connect\nws = connect()\nws"


def data_folder(demo: Demo) -> Path:
    """Where the demo's own service keeps its data."""
    return Path(demo.environment["MOORING_DATA_DIR"])


def opened(page: Page, demo: Demo, name: str, *cells: str) -> None:
    """Opens a notebook with `ws` and these cells, runs it, and waits until changes arrive."""
    open_notebook(page, notebook_url(demo, name, [CONNECT, *cells]))
    run_all(page)
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()


def in_kernel(page: Page, code: str) -> None:
    """Runs code in the notebook's kernel, beside its cells."""
    page.evaluate(
        f"""async code => {{
            const kernel = {CURRENT}.sessionContext.session.kernel;
            const reply = await kernel.requestExecute({{ code }}).done;
            if (reply.content.status !== "ok") throw new Error(reply.content.evalue);
        }}""",
        code,
    )


def of_kernel(page: Page, expression: str) -> str:
    """What an expression is in the notebook's kernel, as `repr` writes it."""
    found: dict[str, Any] = page.evaluate(
        f"""async expression => {{
            const kernel = {CURRENT}.sessionContext.session.kernel;
            const asked = {{ code: "", user_expressions: {{ expression }} }};
            return (await kernel.requestExecute(asked).done).content.user_expressions.expression;
        }}""",
        expression,
    )
    if found["status"] != "ok":
        raise AssertionError(f"{expression}: {found['ename']}: {found['evalue']}")
    return str(found["data"]["text/plain"])


def form_of(page: Page, title: str | Pattern[str]) -> Locator:
    """The session form of that title."""
    return page.get_by_role("form", name=title)


def address_of(demo: Demo, name: str) -> str:
    """The address of a notebook that was made before, with the token that another browser needs."""
    return demo.url().replace("/lab/tree/01-tour", f"/lab/workspaces/{name}/tree/{name}")
