"""What the tests of workspace and client share: names, recorded states, and waiting for another thread."""

import time
from collections.abc import Callable

from mooring_widgets.context import ContextState
from mooring_widgets.workspace import Workspace

DEADLINE_S = 20.0

CONTOSO = "engagements/contoso"
BASELINE = f"{CONTOSO}/sessions/baseline"
WAVE_1 = f"{CONTOSO}/sessions/wave-1"
WAVE_2 = f"{CONTOSO}/sessions/wave-2"


def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds; fails when it does not in time."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def recorded(ws: Workspace) -> list[ContextState]:
    """Every later state of the current context, in order; the list grows."""
    states: list[ContextState] = []
    ws.current.subscribe(states.append)
    return states
