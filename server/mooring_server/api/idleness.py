"""How long the service has been unused, which an embedded one ends itself by."""

import time
from types import TracebackType


class Activity:
    """Counts the calls and streams that are open; enter it for as long as one is. For one thread alone."""

    def __init__(self) -> None:
        self._open = 0
        self._last_end_s = time.monotonic()

    def __enter__(self) -> None:
        self._open += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open -= 1
        self._last_end_s = time.monotonic()

    def idle_s(self) -> float:
        """Seconds since the last call or stream ended; 0 while one is open."""
        return 0.0 if self._open else time.monotonic() - self._last_end_s
