"""The lock of the query client and the way out of it."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import RLock
from typing import Generic, TypeAlias, TypeVar

from mooring_widgets.query.runtime import Runtime

ErrorHook: TypeAlias = Callable[[Exception], None]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Notifier:
    """One lock around all state; what is to be told to the world leaves after it, in order.

    Whatever changes state does so in a `batch` and `post`s what follows from it. The runtime then calls these
    one by one, outside the lock. They read the state when they run, so that a thread that falls behind tells
    nothing old.
    """

    def __init__(self, runtime: Runtime, on_listener_error: ErrorHook | None = None) -> None:
        self._runtime = runtime
        self._on_listener_error = on_listener_error or _log_error
        self._lock = RLock()
        self._depth = 0
        self._outbox: deque[Callable[[], None]] = deque()
        self._scheduled = False

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Hold the lock; the outermost batch of a thread sends off what was posted in it."""
        leaving = False
        try:
            with self._lock:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                    leaving = self._depth == 0 and bool(self._outbox) and not self._scheduled
                    self._scheduled |= leaving
        finally:
            if leaving:
                self._runtime.notify(self._deliver)

    def post(self, deliver: Callable[[], None]) -> None:
        """Have something called after this batch. Call within one."""
        self._outbox.append(deliver)

    def guard(self, fn: Callable[[], object]) -> None:
        """Call foreign code; its exception goes to the hook and nowhere else."""
        try:
            fn()
        except Exception as error:
            self.report(error)

    def report(self, error: Exception) -> None:
        """Tell the hook of an exception of foreign code that nobody else would hear of."""
        try:
            self._on_listener_error(error)
        except Exception as broken:
            _log_error(broken)

    def _deliver(self) -> None:
        # What is posted meanwhile waits for the next round, or a listener that writes could hold the thread
        # forever.
        rounds = len(self._outbox)
        try:
            for _ in range(rounds):
                self.guard(self._outbox.popleft())
        finally:
            with self._lock:
                self._scheduled = bool(self._outbox)
                again = self._scheduled
            if again:
                self._runtime.notify(self._deliver)


class Listeners(Generic[T]):
    """Who hears of one changing value. Several changes in a row may be told as one: the newest."""

    def __init__(self, notifier: Notifier, current: Callable[[], T]) -> None:
        self._notifier = notifier
        self._current = current
        self._listeners: dict[object, Callable[[T], None]] = {}
        self._posted = False

    def __len__(self) -> int:
        return len(self._listeners)

    def add(self, listener: Callable[[T], None]) -> object:
        """Add a listener; return what removes it."""
        token = object()
        self._listeners[token] = listener
        return token

    def remove(self, token: object) -> bool:
        """Remove a listener; False if it is gone already."""
        return self._listeners.pop(token, None) is not None

    def changed(self) -> None:
        """Have everybody told after this batch."""
        if self._listeners and not self._posted:
            self._posted = True
            self._notifier.post(self._deliver)

    def _deliver(self) -> None:
        with self._notifier.batch():
            self._posted = False
            value = self._current()
            listeners = list(self._listeners.items())
        for token, listener in listeners:
            if token in self._listeners:
                self._notifier.guard(partial(listener, value))


def _log_error(error: Exception) -> None:
    _log.error("A listener of the query client failed", exc_info=error)
