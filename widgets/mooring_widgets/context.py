"""What is current: the engagement and session of this notebook, followed and switched.

The truth is the context on the server. `CurrentContext` shows a chosen session at once as pending and then
what the server answered; `Place` is how the server knows the notebook again after a restart.
"""

import concurrent.futures
import hashlib
import logging
import os
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mooring_widgets.client import Context, Loop, MooringClient, Switched, engagement_of
from mooring_widgets.errors import Conflict, MooringError, NotFound, Unavailable

_log = logging.getLogger(__name__)

_MOVED_RETRIES_MAX = 5
_KEY_LENGTH_MAX = 200  # of the service

Listener = Callable[["ContextState"], None]


@dataclass(frozen=True, slots=True)
class ContextState:
    """What is current, in full resource names.

    `epoch` rises with every change of what is shown: a result that was asked for in an earlier one must not
    be painted. `pending` means chosen and not yet confirmed by the server; `error` says why the last choice
    was refused, until the next one.
    """

    engagement_id: str
    session_id: str
    revision: int
    epoch: int = 0
    pending: bool = False
    error: MooringError | None = None


class CurrentContext:
    """One context of the server, seen from one kernel. Usable from any thread.

    Listeners hear every state, in order, on the library's loop; they must not block it.

    Attributes:
        name: The context's full name. It changes only where the service has lost the context and `reopen`
            gave another one.
    """

    def __init__(
        self,
        client: MooringClient,
        loop: Loop,
        context: Context,
        *,
        reopen: Callable[[], Awaitable[Context]] | None = None,
    ) -> None:
        """Follow a context.

        Args:
            client: Asks the service.
            loop: The library's loop.
            context: As it was when it was opened.
            reopen: Finds or makes this notebook's context anew.
        """
        self.name = context.name
        self._reopen = reopen
        self._client = client
        self._loop = loop
        self._lock = threading.Lock()
        self._confirmed = context
        self._state = ContextState(context.engagement, context.session, context.revision)
        self._listeners: dict[object, Listener] = {}
        self._call: concurrent.futures.Future[Switched] | None = None

    @property
    def state(self) -> ContextState:
        """What is current now."""
        return self._state

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every later state; the answer unsubscribes."""
        key = object()
        with self._lock:
            self._listeners[key] = listener

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(key, None)

        return unsubscribe

    def switch(self, session_name: str) -> "concurrent.futures.Future[Switched]":
        """Makes a session current: shown at once, confirmed or rolled back by the server's answer.

        The last switch wins. A switch that is still waiting when the next one comes is cancelled, and so is
        the future that it returned.

        Args:
            session_name: `engagements/{engagement}/sessions/{session}`.
        """
        engagement = engagement_of(session_name)
        with self._lock:
            superseded, self._call = self._call, None
            epoch = self._state.epoch + 1
            self._show(
                replace(
                    self._state,
                    engagement_id=engagement,
                    session_id=session_name,
                    epoch=epoch,
                    pending=True,
                    error=None,
                )
            )
            self._call = call = self._loop.run(self._switch(session_name, epoch))
        if superseded is not None:
            superseded.cancel()
        return call

    def follow(self, context: Context) -> None:
        """Takes over what another kernel or browser made of this context; older news is ignored."""
        with self._lock:
            if context.name != self.name or context.revision <= self._confirmed.revision:
                return
            self._confirmed = context
            if not self._state.pending:  # our own choice is the later one, and its answer is on the way
                self._settle(None)

    async def refresh(self, *, anew: bool = False) -> None:
        """Takes over what the service has; where that lost the context, as after 90 days without use, the
        notebook gets another one.

        Args:
            anew: The service has another database, whose revisions say nothing about those of before.

        Raises:
            NotFound: Where the context is gone and there is no way to another one.
        """
        try:
            context = await self._client.get_context(self.name)
        except NotFound:
            if self._reopen is None:
                raise
            context, anew = await self._reopen(), True
        if not anew:
            self.follow(context)
            return
        with self._lock:
            self.name, self._confirmed = context.name, context
            if not self._state.pending:
                self._settle(None)

    async def _switch(self, session_name: str, epoch: int) -> Switched:
        try:
            switched = await self._compare_and_set(session_name)
        except BaseException as error:  # also where whoever waited gave up: nothing may stay pending
            with self._lock:
                if self._state.epoch == epoch:
                    self._settle(error if isinstance(error, MooringError) else None)
            raise
        with self._lock:
            if switched.context.revision > self._confirmed.revision:
                self._confirmed = switched.context
            if self._state.epoch == epoch:
                self._settle(None)
        return switched

    async def _compare_and_set(self, session_name: str) -> Switched:
        # The compare keeps a superseded call, which may still be on its way, from landing after this one.
        for _ in range(_MOVED_RETRIES_MAX):
            revision = self._confirmed.revision
            try:
                return await self._client.switch_session(session_name, context=self.name, revision=revision)
            except (Conflict, NotFound) as error:
                if error.reason not in ("CONTEXT_MOVED", "CONTEXT_NOT_FOUND"):
                    raise
                await self.refresh()
        return await self._client.switch_session(session_name, context=self.name)

    def _settle(self, error: MooringError | None) -> None:
        """Shows what the server has confirmed; a new epoch where that is another session."""
        truth, shown = self._confirmed, self._state
        moved = truth.session != shown.session_id
        self._show(
            ContextState(
                truth.engagement,
                truth.session,
                truth.revision,
                shown.epoch + moved,
                pending=False,
                error=error,
            )
        )

    def _show(self, state: ContextState) -> None:
        self._state = state
        listeners = tuple(self._listeners.values())
        self._loop.asyncio.call_soon_threadsafe(_tell, listeners, state)


def _tell(listeners: tuple[Listener, ...], state: ContextState) -> None:
    for listener in listeners:
        try:
            listener(state)
        except Exception:
            _log.exception("a listener of the current session failed")


@dataclass(frozen=True, slots=True)
class Place:
    """How the server knows a notebook again; empty where it cannot.

    `kernel_key` lasts through restarts, reloads and renames; `notebook_key` through a new kernel. A script
    has neither, and gets a fresh context.
    """

    kernel_key: str = ""
    notebook_key: str = ""


def find_place(
    install_id: Callable[[], str],
    *,
    environ: Mapping[str, str] = os.environ,
    connection_file: str | None = None,
) -> Place:
    """The place of this process.

    Args:
        install_id: Reads what tells equal paths of two machines apart; only asked for in a notebook.
        environ: Where the Jupyter server leaves the notebook's path.
        connection_file: The kernel's connection file; by default that of the running kernel, if there is one.
    """
    file = _connection_file() if connection_file is None else connection_file
    match = re.fullmatch(r"kernel-(.+)\.json", Path(file).name)
    if not match:
        # A script started from a notebook inherits its environment, and is not that notebook.
        return Place()
    kernel_key, notebook_key = match[1][:_KEY_LENGTH_MAX], ""
    if path := environ.get("JPY_SESSION_NAME"):
        try:
            parts = (install_id(), environ.get("JUPYTERHUB_SERVER_NAME", ""), os.path.realpath(path))
            notebook_key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        except Unavailable as error:  # a home that cannot be written to, say; the kernel's key has to do
            _log.warning("a new kernel of this notebook will start at the defaults: %s", error)
    return Place(kernel_key, notebook_key)


def _connection_file() -> str:
    if "ipykernel" not in sys.modules:
        return ""
    from ipykernel.kernelapp import IPKernelApp

    return str(IPKernelApp.instance().connection_file) if IPKernelApp.initialized() else ""
