"""Between a widget and its front end: requests and their answers, and trait writes that do not flood.

The front end sends `{type: "request", id, kind, payload}` and `{type: "cancel", id}`. It hears
`{type: "answer", id, ok: true, payload}` or
`{type: "answer", id, ok: false, error: {kind, reason, message, fields}}`.
"""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from math import inf
from typing import Any

_log = logging.getLogger(__name__)

FLUSH_INTERVAL_S = 0.033
FLUSHES_AT_ONCE = (
    3  # loading, then the answer, then that it is confirmed: none need wait for a switch to be quick
)

# What a person can do about a failure of a kind. In the front end every bundle would carry it.
HINTS = {
    "Unavailable": "The service cannot be reached. It is tried again by itself; see that it runs and that "
    "connect() names its address.",
    "DeadlineExceeded": "The service took too long. Try again; if it stays slow, look at the service's log.",
    "Unauthenticated": "Run connect() again with a valid token.",
    "PermissionDenied": "Ask a manager of the engagement for access, or choose another engagement.",
    "NotFound": "It may have been deleted by someone else. Choose another one.",
    "Conflict": "Somebody else changed it meanwhile. Load the newest version and decide again.",
    "ResourceExhausted": "A limit is reached. Wait a moment and try again.",
    "Internal": "This is a fault of the service; its log has the details.",
    "ObserverError": "The exception comes from a function that observes the selector. Correct it and run its "
    "cell again.",
    "ViewError": "The exception comes from the view's own function. Correct it and run its cell again.",
}

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Answers one kind of request, on the library's loop."""
Run = Callable[[Coroutine[Any, Any, Any]], "concurrent.futures.Future[Any]"]
"""Starts a coroutine on the library's loop, from any thread."""


def failure(error: BaseException, kind: str = "") -> dict[str, Any]:
    """An exception as the front end shows it, with what to do about one of its kind, by default its class.

    A refusal comes with its reason and its fields.
    """
    kind = kind or type(error).__name__
    violations = getattr(error, "violations", ())
    known = hasattr(error, "reason")
    return {
        "kind": kind,
        "hint": HINTS.get(kind, ""),
        "reason": getattr(error, "reason", ""),
        "message": str(error) if known else f"{type(error).__name__}: {error}",
        "fields": [{"field": wrong.field, "message": wrong.description} for wrong in violations],
    }


class Requests:
    """Answers the front end's requests. Usable from any thread.

    Every request gets exactly one answer, an error too, unless the front end cancelled it.
    """

    def __init__(
        self, handlers: Mapping[str, Handler], *, run: Run, send: Callable[[dict[str, Any]], None]
    ) -> None:
        self._handlers = handlers
        self._run = run
        self._send = send
        self._lock = threading.Lock()
        self._running: dict[str, concurrent.futures.Future[Any]] = {}

    def handle(self, message: Mapping[str, Any]) -> None:
        """Takes one message of the front end; what is not of this protocol is ignored."""
        match message:
            case {"type": "request", "id": str(id_), "kind": str(kind), "payload": dict(payload)}:
                with self._lock:
                    self._running[id_] = self._run(self._answer(id_, kind, payload))
            case {"type": "cancel", "id": str(id_)}:
                with self._lock:
                    running = self._running.pop(id_, None)
                if running is not None:
                    running.cancel()

    def close(self) -> None:
        """Cancels what is still running."""
        with self._lock:
            running, self._running = list(self._running.values()), {}
        for future in running:
            future.cancel()

    async def _answer(self, id_: str, kind: str, payload: Mapping[str, Any]) -> None:
        answer: dict[str, Any] = {"type": "answer", "id": id_}
        try:
            handler = self._handlers.get(kind)
            if handler is None:
                raise LookupError(f"this widget answers no {kind!r}")
            answer |= {"ok": True, "payload": await handler(payload)}
        except asyncio.CancelledError:
            return  # whoever asked has gone on
        except Exception as error:
            if not hasattr(error, "reason"):
                _log.exception("the request %r of a widget failed", kind)
            answer |= {"ok": False, "error": failure(error)}
        finally:
            with self._lock:
                self._running.pop(id_, None)
        self._send(answer)


class Outbox:
    """Merges trait writes: some go out at once where it was idle, later ones together, one every 33 ms.

    Thousands of single writes trip Jupyter's message limit. What says nothing new is not written. Each flush
    carries a higher `rev`, and none overtakes another. Usable from any thread.
    """

    def __init__(
        self,
        write: Callable[[dict[str, Any]], None],
        *,
        call_later: Callable[[float, Callable[[], None]], object],
        now: Callable[[], float] = time.monotonic,
        interval_s: float = FLUSH_INTERVAL_S,
    ) -> None:
        self._write = write
        self._call_later = call_later
        self._now = now
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._waiting: dict[str, Any] = {}
        self._said: dict[str, Any] = {}
        self._busy = False
        self._due_at = -inf  # when all that went out at once would have gone out at the steady pace
        self._rev = 0

    def put(self, **changes: Any) -> None:
        """Writes some keys, now or with the next flush; the last value of a key wins."""
        with self._lock:
            news = {
                key: value
                for key, value in changes.items()
                if key not in self._said or self._said[key] != value
            }
            self._said |= news
            self._waiting |= news
            if self._busy or not news:
                return
            self._busy = True
            wait = self._wait()
        if wait > 0:
            self._call_later(wait, self._flush)
        else:
            self._flush()

    def _wait(self) -> float:
        """Seconds until the next write may go out."""
        return self._due_at - (FLUSHES_AT_ONCE - 1) * self._interval_s - self._now()

    def _flush(self) -> None:
        with self._lock:
            changes, self._waiting = self._waiting, {}
            self._rev += 1
            self._due_at = max(self._due_at, self._now()) + self._interval_s
            rev = self._rev
        try:
            # Not under the lock: whoever observes the trait may write again.
            self._write(changes | {"rev": rev})
        except BaseException:
            with self._lock:
                for key in changes:
                    self._said.pop(key, None)
            raise
        finally:
            with self._lock:
                self._busy = bool(self._waiting)
                wait = self._wait()
            if self._busy:
                self._call_later(max(0.0, wait), self._flush)
