"""Waiting for what happens in another thread or process."""

import time
from collections.abc import Callable

DEADLINE_S = 30.0


def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Returns as soon as the condition holds; fails when it does not in time."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.005)  # other threads and processes give nothing to wait on
