"""What every widget here has in common: bundle, shown state, requests, plain fallback."""

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Protocol

import anywidget
import traitlets

from mooring_widgets.bridge import Handler, Outbox, Requests
from mooring_widgets.client import MooringClient, Session
from mooring_widgets.context import CurrentContext
from mooring_widgets.query import QueryClient, QueryKey

_log = logging.getLogger(__name__)

_STATIC = Path(__file__).parent / "static"


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
    """Makes and changes sessions: every list shows it at once, and takes it back where it is refused."""

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


def _log_failure(future: "concurrent.futures.Future[None]") -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        _log.error("a widget failed in the background", exc_info=error)
