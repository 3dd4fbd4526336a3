"""What every widget here has in common: bundle, shown state, requests, plain fallback."""

import asyncio
import concurrent.futures
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, ClassVar, Protocol

import anywidget
import traitlets

from mooring_widgets.bridge import Handler, Outbox, Requests, failure
from mooring_widgets.client import MooringClient, Progress, Session
from mooring_widgets.context import CurrentContext
from mooring_widgets.query import QueryClient, QueryKey

_log = logging.getLogger(__name__)

_STATIC = Path(__file__).parent / "static"
_PROGRESS_INTERVAL_S = 0.1


class Presence(Protocol):
    """Whether anybody looks."""

    def heard(self, page: str, *, visible: bool) -> None:
        """Takes in what the heartbeat of a page says."""


class Feed(Protocol):
    """Whether changes arrive just now."""

    @property
    def live(self) -> bool:
        """True while the watch is connected."""

    def as_of(self, *keys: QueryKey) -> float | None:
        """How old the data of some queries is, in seconds since the epoch; None while it is kept true."""

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Calls `listener` on the library's loop with every change; the answer unsubscribes."""


class Sessions(Protocol):
    """Finds, makes and changes sessions: lists show a change at once, and take it back where refused."""

    async def find(self, wanted: str | Session) -> Session:
        """A session of the current engagement by its name or id, or any by its full name; NotFound with names
        like it where there is none."""

    async def create(
        self,
        display_name: str,
        *,
        source: str | Session | None = None,
        description: str | None = None,
        type_: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Session:
        """A new session of the current engagement."""

    async def update(
        self,
        wanted: str | Session,
        *,
        display_name: str | None = None,
        description: str | None = None,
        type_: str | None = None,
        labels: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Session:
        """The session with other fields; Conflict where `etag` is given and not its own."""

    async def unarchive(self, wanted: str | Session) -> Session:
        """Takes a session up again."""

    async def undelete(self, wanted: str | Session) -> Session:
        """Brings a deleted session back."""

    async def pin(self, wanted: str | Session) -> Session:
        """Pins a session for the caller."""

    async def unpin(self, wanted: str | Session) -> Session:
        """Takes a pin away."""


class Host(Protocol):
    """What widgets need of a workspace."""

    @property
    def id(self) -> str:
        """Tells it from the others whose widgets are on the same page."""

    @property
    def client(self) -> MooringClient:
        """Asks the service."""

    @property
    def queries(self) -> QueryClient:
        """What was asked."""

    @property
    def current(self) -> CurrentContext:
        """What is current."""

    @property
    def work(self) -> Sessions:
        """What changes sessions."""

    @property
    def feed(self) -> Feed:
        """Whether changes arrive."""

    @property
    def presence(self) -> Presence:
        """Whether anybody looks."""

    @property
    def user_executor(self) -> concurrent.futures.Executor:
        """Where users' own code runs."""

    def run(self, coroutine: Coroutine[Any, Any, Any], /) -> "concurrent.futures.Future[Any]":
        """Starts a coroutine on the library's loop."""


class Surface(anywidget.AnyWidget):
    """A widget that shows `_state` and answers its front end.

    `_state` is for the front end alone; it goes through the outbox, so it may trail the truth by 33 ms. Each
    kind names the `view` that it is in the front end: script and styles travel with every widget, so each has
    its own.
    """

    _state = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, *, view: str = "", **kwargs: Any) -> None:
        if view:
            cls._esm = _STATIC / f"{view}.js"
            cls._css = _STATIC / f"{view}.css"
        super().__init_subclass__(**kwargs)

    def __init__(
        self, host: Host, handlers: Mapping[str, Handler], state: dict[str, Any], **traits: Any
    ) -> None:
        self._host = host
        self._ended: list[Callable[[], None]] = []
        self._outbox = Outbox(self._write, call_later=self._call_later)
        self._requests = Requests({"ping": self._answer_ping, **handlers}, run=host.run, send=self.send)
        # A view that follows switches names its workspace.
        common = {"rev": 0, "epoch": 0, "workspace": "", "status": "loading", "error": None}
        super().__init__(_state=common | state, **traits)
        self.on_msg(self._on_message)

    def close(self) -> None:
        """Takes the widget from the page and lets go of what it follows."""
        made = self.comm is not None  # else it was closed before, or failed to be made
        super().close()
        if made:
            self._let_go()
            self._requests.close()

    def _start(self, begin: Callable[[], None]) -> None:
        """Runs `begin` on the loop, where all news arrives, so that what follows it needs no lock."""

        async def started() -> None:
            if self.comm is not None:  # not closed before it began
                begin()
            if self.comm is None:  # closed while it began
                self._let_go()

        self._in_background(started())

    def _let_go(self) -> None:
        ended, self._ended = self._ended, []
        for end in ended:
            end()

    def _in_background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Starts what nobody waits for; its exception is logged, which a notebook shows."""
        self._host.run(coroutine).add_done_callback(_log_failure)

    def _show(self, **changes: Any) -> None:
        self._outbox.put(**changes)

    def _write(self, changes: dict[str, Any]) -> None:
        self._state = self._state | changes

    def _call_later(self, delay_s: float, fn: Callable[[], None]) -> None:
        async def later() -> None:
            await asyncio.sleep(delay_s)
            fn()

        self._in_background(later())

    def _on_message(self, _: Any, content: Any, buffers: Any) -> None:
        if isinstance(content, dict):
            self._requests.handle(content)

    async def _answer_ping(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._host.presence.heard(str(payload.get("page", "")), visible=payload.get("visible", True) is True)
        return {}

    def _plain(self) -> str:
        """One line for where no widget can be drawn: a saved notebook, a mail, a diff."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._plain()}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        shown = f"{self._plain()}, on {datetime.now(UTC):%d %b %Y at %H:%M} UTC"
        html = f"<p><strong>Mooring</strong>: {escape(shown)}. <em>Run the notebook to use it.</em></p>"
        return data | {"text/html": html}, metadata


class Job:
    """The one thing at a time that a widget does for whoever asked, and how far it is.

    It belongs to the widget, not to the page that asked: a page that is loaded again shows it, and can cancel
    it. What it shows are `doing`, `progress`, and, of what went wrong, `error` and `failed`.
    """

    BLANK: ClassVar[dict[str, Any]] = {"doing": "", "failed": "", "progress": None}

    def __init__(self, show: Callable[..., None]) -> None:
        """`show` shows its state."""
        self._show = show
        self._task: asyncio.Task[dict[str, Any]] | None = None
        self._told = ("", 0.0)

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return self._task is not None

    async def run(self, doing: str, work: Coroutine[Any, Any, dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Does it, and shows what comes of it; whoever asks for another one meanwhile sees what is under way.

        Args:
            doing: What it is called.
            work: Answers what is to be shown in the end.
            more: What is to be shown from now on.
        """
        if self._task is not None:
            work.close()
            return {}
        self._show(doing=doing, error=None, failed="", progress=None, **more)
        self._task = asyncio.get_running_loop().create_task(work)
        shown: dict[str, Any] = {}
        try:
            shown = await self._task
        except Exception as error:
            shown = {"error": failure(error), "failed": doing}
            raise
        finally:
            self._task = None
            # At once: nobody sees what came of it beside a bar that still runs.
            self._show(doing="", progress=None, **shown)
        return {}

    def cancel(self) -> None:
        """Cancels what is under way."""
        if self._task is not None:
            self._task.cancel()

    def tell(self, step: Progress) -> None:
        """Shows how far it is, now and then."""
        phase, at = self._told
        now = time.monotonic()
        if step.phase != phase or now - at >= _PROGRESS_INTERVAL_S:
            self._told = (step.phase, now)
            self._show(progress={"phase": step.phase, "done": step.done, "total": step.total})


def _log_failure(future: "concurrent.futures.Future[None]") -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        _log.error("a widget failed in the background", exc_info=error)
