"""Running a notebook without Jupyter and without a service."""

import ast
import asyncio
import contextlib
import inspect
import json
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mooring_widgets.errors import DeadlineExceeded, MooringError
from mooring_widgets.selector import Selector
from mooring_widgets.surface import Surface
from mooring_widgets.testing.client import FakeClient
from mooring_widgets.testing.workspace import workspace
from mooring_widgets.views import DependentView
from mooring_widgets.workspace import Workspace
from mooring_widgets.workspace.connect import answering

_SETTLED_TIMEOUT_S = 30.0
_PAUSE_S = 0.005
_UNSETTLED = ("loading", "pending")


@contextlib.contextmanager
def standing_in(client: FakeClient | None = None) -> Iterator[Workspace]:
    """While the block lasts, every `connect()` answers one workspace over a fake service.

    Args:
        client: What it talks to; by default a client of `demo_service`.
    """
    ws = workspace(client)
    try:
        with answering(ws):
            yield ws
    finally:
        ws.close()


@dataclass(frozen=True)
class Ran:
    """What a notebook left behind.

    Attributes:
        names: Its variables and functions.
        shown: What stood at the end of each code cell, by the cell's id; None where nothing did.
    """

    names: dict[str, Any]
    shown: dict[str, Any]


def run_notebook(file: str | Path, **names: Any) -> Ran:
    """Runs the code cells of a notebook from top to bottom in this process; cells may await.

    An exception of a cell ends it and is raised as it is, with the cell in its traceback.

    Args:
        file: An `.ipynb` file of format 4.
        names: Variables that it finds, as papermill's parameters are found.

    Raises:
        SyntaxError: For a cell that only IPython understands (`%magic`, `!command`).
    """
    path = Path(file)
    ran = Ran({"__name__": "__main__", **names}, {})
    with asyncio.Runner() as runner:
        for number, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"]):
            if cell["cell_type"] == "code":
                id_ = cell.get("id", str(number))
                ran.shown[id_] = _run("".join(cell["source"]), f"{path.name}[{id_}]", ran.names, runner)
    return ran


def settled(view: Surface, *, timeout_s: float = _SETTLED_TIMEOUT_S) -> str:
    """Waits until a widget shows the session that is current, or its pinned one, and nothing is on its way.

    Returns:
        `ready`, or what else it says then: `empty`, `gone`.

    Raises:
        MooringError: What it shows, where that is an error.
        DeadlineExceeded: Where it does not settle in time.
    """

    async def wait() -> dict[str, Any]:
        while True:
            state: dict[str, Any] = view._state
            if state["status"] not in _UNSETTLED and not state.get("refreshing") and _is_of_now(view, state):
                return state
            await asyncio.sleep(_PAUSE_S)

    async def bounded() -> dict[str, Any]:
        try:
            return await asyncio.wait_for(wait(), timeout_s)
        except TimeoutError:
            raise DeadlineExceeded(f"{view!r} did not settle in {timeout_s:g} s") from None

    state = view._host.run(bounded()).result()
    if state["status"] == "error":
        error = state["error"]
        told = f"{view!r} shows: {error['message']}\n{state.get('traceback', '')}".rstrip()
        raise MooringError(told, reason=error.get("reason"))
    return str(state["status"])


def _is_of_now(view: Surface, state: dict[str, Any]) -> bool:
    current = view._host.current.state
    if isinstance(view, DependentView):
        return (state["epoch"], state["session"]) == view._place(current)
    return not isinstance(view, Selector) or bool(state["epoch"] == current.epoch)


def _run(source: str, name: str, names: dict[str, Any], runner: "asyncio.Runner") -> Any:
    # A traceback finds the lines of a cell there.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    _evaluate(tree, name, "exec", names, runner)
    if not isinstance(last, ast.Expr):
        return None
    return _evaluate(ast.Expression(last.value), name, "eval", names, runner)


def _evaluate(
    tree: ast.Module | ast.Expression, name: str, mode: str, names: dict[str, Any], runner: "asyncio.Runner"
) -> Any:
    code = compile(tree, name, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    # The notebook is the test's own.
    result = eval(code, names)  # noqa: S307
    if code.co_flags & inspect.CO_COROUTINE:
        return runner.run(result)
    return result
