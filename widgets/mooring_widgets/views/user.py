"""A user's own function as a dependent view."""

import asyncio
import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mooring_widgets import queries
from mooring_widgets.bridge import failure
from mooring_widgets.client import engagement_of
from mooring_widgets.errors import MooringError, did_you_mean, near_names
from mooring_widgets.surface import Host
from mooring_widgets.views.dependent import DependentView, Options
from mooring_widgets.views.printing import captured
from mooring_widgets.views.rendering import Rendered, render

_ARGUMENTS: dict[str, Callable[[Host, str], Options]] = {
    "discovery": lambda host, session: queries.discovery_frame(host.client, session),
    "dependencies": lambda host, session: queries.dependencies_frame(host.client, session),
    "landscape": lambda host, session: queries.landscape(host.client, session),
    "session": lambda host, session: queries.session(host.client, session),
    "engagement": lambda host, session: queries.engagement(host.client, engagement_of(session)),
}
_FRAMES = ("discovery", "dependencies")


class UserView(DependentView, view="user"):
    """What a user's function makes of a session: run again whenever what it needs has changed.

    The function runs on a thread of its own, one run at a time. While it runs, its last output for the same
    session stays, dimmed; an exception is shown in place, and what was printed below either. Called, the view
    calls the function.
    """

    def __init__(
        self, host: Host, fn: Callable[..., Any], *, stale_time: float = 0, pinned: str | None = None
    ) -> None:
        """Show `fn`, whose parameters name what it needs.

        Args:
            host: The workspace.
            fn: Takes any of `discovery`, `dependencies` (DataFrames, its own), `landscape`, `session`,
                `engagement`.
            stale_time: For how many seconds what it was given counts as fresh, changes apart.
            pinned: A session's full name, to show whatever is current.

        Raises:
            TypeError: Where a parameter names nothing that there is, and for a coroutine function.
        """
        self._fn = fn
        self._stale_time = stale_time
        self._names = _parameters(fn)
        self._attempt = 0
        self._wanted: _Inputs | None = None
        self._done: _Inputs | None = None
        self._output: Rendered | None = None
        self._replaced: list[Rendered] = []
        self._failed: BaseException | None = None
        self._printed = ""
        self._run = 0
        self._running = False
        super().__init__(host, getattr(fn, "__name__", type(fn).__name__), pinned)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns for these arguments."""
        return self._fn(*args, **kwargs)

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        needs = {name: _ARGUMENTS[name](host, session) for name in self._names}
        if not self._stale_time:
            return needs
        return {name: replace(options, stale_time=self._stale_time) for name, options in needs.items()}

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        self._want(_Inputs(self._session, self._attempt, data))
        done = self._done is self._wanted
        output = self._output.payload if self._output else None
        shown: dict[str, Any] = {"output": output, "run": self._run, "printed": self._printed}
        if done and self._failed is not None:
            error = failure(self._failed, "ViewError")
            return shown | {"status": "error", "error": error, "traceback": _told(self._failed, self._fn)}
        if self._output is None:
            return self._blank() | {"status": "loading"}
        shown |= {"traceback": "", "status": "ready" if output or self._printed else "empty"}
        return shown if done else shown | {"refreshing": True}

    def _blank(self) -> dict[str, Any]:
        return {"output": None, "run": self._run, "printed": "", "traceback": ""}

    def _want(self, inputs: "_Inputs") -> None:
        before = self._wanted
        if before is not None and inputs.same_as(before):
            return
        if before is not None and before.session != inputs.session:
            self._replace(None)  # of another session: not even dimmed
            self._failed, self._printed = None, ""
        self._wanted = inputs
        if not self._running:
            self._running = True
            self._in_background(self._work())

    async def _work(self) -> None:
        """Runs the function until its output is of what is wanted; a thread cannot be cancelled midway."""
        loop = asyncio.get_running_loop()
        while (wanted := self._wanted) is not None and wanted is not self._done:
            outcome, printed = await loop.run_in_executor(self._host.user_executor, self._call, wanted)
            self._done = wanted
            if wanted is not self._wanted or self.comm is None:  # changed meanwhile, or closed
                if isinstance(outcome, Rendered):
                    outcome.release()
                continue
            self._printed = printed
            if isinstance(outcome, Rendered):
                if self._output is None or self._output.payload != outcome.payload:
                    self._run += 1
                self._replace(outcome)
                self._failed = None
            else:
                self._failed = outcome
        self._running = False
        self._paint()
        self._release()

    def _replace(self, output: Rendered | None) -> None:
        if self._output is not None and self._output.kept is not (output and output.kept):
            self._replaced.append(self._output)
        self._output = output

    def _release(self) -> None:
        """Lets go of what is not shown any more, after the page was told."""
        replaced, self._replaced = self._replaced, []
        for output in replaced:
            output.release()

    def _let_go(self) -> None:
        super()._let_go()
        self._replace(None)
        self._release()

    def _call(self, inputs: "_Inputs") -> tuple[Rendered | BaseException, str]:
        with captured() as printed:
            try:
                # The frames in the cache have other readers.
                own = {
                    name: value.copy() if name in _FRAMES else value for name, value in inputs.given.items()
                }
                return render(self._fn(**own)), str(printed)
            except BaseException as error:  # not the user's own thread: sys.exit() ends nothing here
                return error, str(printed)

    async def _answer_retry(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        await super()._answer_retry(payload)
        self._attempt += 1
        self._paint()
        return {}


class _Inputs:
    """What one run of the function was given."""

    def __init__(self, session: str, attempt: int, given: dict[str, Any]) -> None:
        self.session = session
        self.attempt = attempt
        self.given = given

    def same_as(self, other: "_Inputs") -> bool:
        """By identity of the data: frames refuse to be compared, and the cache keeps what is equal."""
        return (self.session, self.attempt) == (other.session, other.attempt) and all(
            value is other.given[name] for name, value in self.given.items()
        )


def _parameters(fn: Callable[..., Any]) -> tuple[str, ...]:
    if inspect.iscoroutinefunction(fn):
        raise TypeError(
            "a view's function runs on a thread of its own: write def, not async def, and await nothing"
        )
    parameters = inspect.signature(fn).parameters.values()
    names = tuple(parameter.name for parameter in parameters if parameter.default is parameter.empty)
    unknown = [name for name in names if name not in _ARGUMENTS]
    if unknown:
        hint = did_you_mean(near_names(unknown[0], _ARGUMENTS)) or "give it a default to leave it alone"
        known = ", ".join(_ARGUMENTS)
        raise TypeError(f"a view can ask for {known}; there is no {unknown[0]!r}; {hint}")
    return names


def _told(error: BaseException, fn: Callable[..., Any]) -> str:
    """The traceback from the user's function on; ours above it would only puzzle."""
    if isinstance(error, MooringError):
        return ""
    code = getattr(fn, "__code__", None)
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code is not code:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames or error.__traceback__))
