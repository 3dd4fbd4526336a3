"""Time and execution, the seam under the query client: tests and hosts bring their own."""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Cancellable(Protocol):
    """Work that was started or planned."""

    def cancel(self) -> None:
        """Stop it, or keep it from starting. Any thread may call this, also after its end."""


class Runtime(Protocol):
    """Where coroutines and listeners run, and what time it is. Every method but `sleep` is for any thread.

    Nothing passed in is ever run before the method has returned: the caller may hold a lock.
    """

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def wall(self) -> float:
        """Seconds since the epoch, to show to people."""

    async def sleep(self, delay_s: float) -> None:
        """Wait, within a coroutine that was started here."""

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> Cancellable:
        """Run a coroutine. Raises RuntimeError when the runtime has ended."""

    def call_later(self, delay_s: float, fn: Callable[[], None]) -> Cancellable:
        """Call a function after a delay; never, when the runtime ends before."""

    def notify(self, fn: Callable[[], None]) -> None:
        """Call a function soon: one at a time, in the order given; never, when the runtime has ended."""


class AsyncioRuntime:
    """Runs everything on one asyncio loop, which runs in whatever thread its owner chose.

    Listeners run on that loop's thread: they must not block, nor wait for a fetch.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        """See `Runtime`."""
        return self._loop.time()

    def wall(self) -> float:
        """See `Runtime`."""
        return time.time()

    async def sleep(self, delay_s: float) -> None:
        """See `Runtime`."""
        await asyncio.sleep(delay_s)

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> Cancellable:
        """See `Runtime`."""
        job = _Task(self._loop, work)
        self._loop.call_soon_threadsafe(job.begin)
        return job

    def call_later(self, delay_s: float, fn: Callable[[], None]) -> Cancellable:
        """See `Runtime`."""
        timer = _Timer(self._loop, self._loop.time() + delay_s, fn)
        _call_soon(self._loop, timer.begin)
        return timer

    def notify(self, fn: Callable[[], None]) -> None:
        """See `Runtime`."""
        _call_soon(self._loop, fn)


class ManualRuntime(AsyncioRuntime):
    """A runtime for tests: nothing happens, and no time passes, but in its methods.

    Coroutines run on an asyncio loop of its own whose clock is the manual one, so that `asyncio.sleep`, locks
    and timeouts work in them and take no real time. Call `close` at the end.
    """

    def __init__(self, wall: float = 1_700_000_000.0) -> None:
        self._virtual = _VirtualLoop()
        self._wall = wall
        super().__init__(self._virtual)

    def wall(self) -> float:
        """See `Runtime`."""
        return self._wall + self._virtual.clock

    def run_until_idle(self) -> None:
        """Run all that is ready, and all that becomes so by it."""
        self._virtual.run_until_idle()

    def advance(self, seconds: float) -> None:
        """Let time pass, running what becomes due at its own moment."""
        end = self._virtual.clock + seconds
        while (wait := self._virtual.run_until_idle()) is not None and self._virtual.clock + wait <= end:
            self._virtual.clock += wait
        self._virtual.clock = end
        self._virtual.run_until_idle()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return its result, without time passing.

        Raises:
            RuntimeError: it waits for something that cannot happen now.
        """
        task = self._virtual.create_task(work)
        self._virtual.run_until_idle()
        if not task.done():
            task.cancel()
            self._virtual.run_until_idle()
            raise RuntimeError("the coroutine still waits; let time pass or resolve what it waits for")
        return task.result()

    def close(self) -> None:
        """Cancel what is left and close the loop; again does nothing."""
        if self._virtual.is_closed():
            return
        for task in asyncio.all_tasks(self._virtual):
            task.cancel()
        self._virtual.run_until_idle()
        self._virtual.close()


def _call_soon(loop: asyncio.AbstractEventLoop, fn: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(fn)
    except RuntimeError:
        if not loop.is_closed():
            raise


class _Task:
    """A coroutine on its way into the loop, or in it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self._loop = loop
        self._work: Callable[[], Coroutine[Any, Any, None]] | None = work
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self._work is not None:
            self._task = self._loop.create_task(self._work())

    def cancel(self) -> None:
        self._work = None
        _call_soon(self._loop, self._end)

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()


class _Timer:
    """A planned call. Cancelling lets go of its function at once, so that a timer keeps nothing alive."""

    def __init__(self, loop: asyncio.AbstractEventLoop, when: float, fn: Callable[[], None]) -> None:
        self._loop = loop
        self._when = when
        self._fn: Callable[[], None] | None = fn
        self._handle: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if self._fn is not None:
            self._handle = self._loop.call_at(self._when, self._fire)

    def cancel(self) -> None:
        self._fn = None
        _call_soon(self._loop, self._end)

    def _fire(self) -> None:
        fn, self._fn = self._fn, None
        if fn is not None:
            fn()

    def _end(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop that stops instead of waiting, and whose clock moves only by hand."""

    def __init__(self) -> None:
        self.clock = 0.0
        self._wait: float | None = None
        super().__init__(_NeverWaits(self._on_idle))

    def time(self) -> float:
        return self.clock

    def run_until_idle(self) -> float | None:
        """Run what is ready; return the seconds until the next timer, None when there is none."""
        self.run_forever()
        return self._wait

    def _on_idle(self, wait: float | None) -> None:
        self._wait = wait
        self.stop()


class _NeverWaits(selectors.DefaultSelector):
    """A loop asks its selector to wait exactly when it has nothing to run: the moment to report."""

    def __init__(self, on_idle: Callable[[float | None], None]) -> None:
        super().__init__()
        self._on_idle = on_idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            self._on_idle(timeout)
        return ready
