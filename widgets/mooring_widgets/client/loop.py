"""The library's own event loop: one asyncio loop in one daemon thread, where all gRPC lives.

Notebook code runs on the main thread, on subshell threads or on somebody else's loop; none of them is ours to
block or to borrow. Whoever needs an answer waits for a future here.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any, TypeVar

from mooring_widgets.errors import MooringError

T = TypeVar("T")


class Loop:
    """An asyncio loop that runs in a daemon thread until the process ends."""

    def __init__(self, name: str = "mooring") -> None:
        self.asyncio = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.asyncio.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Starts a coroutine on the loop, from any thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.asyncio)

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on the loop and waits for its result; an interrupt cancels it.

        Raises:
            RuntimeError: When called on the loop itself, which would wait for itself for ever.
        """
        if self.is_current():
            coroutine.close()
            raise RuntimeError(
                "this blocking call would stop the library's own event loop; use its twin in ws.aio here"
            )
        future = self.run(coroutine)
        try:
            return future.result()
        except MooringError as error:
            # The way through this library's loop explains nothing to who called; the message does.
            raise error.with_traceback(None) from None
        except BaseException:
            future.cancel()
            raise

    def is_current(self) -> bool:
        """Whether the caller runs on this loop's thread."""
        return threading.current_thread() is self._thread


@lru_cache(maxsize=1)
def library_loop() -> Loop:
    """The one loop of this process, started at the first use."""
    return Loop()
