"""What the tests of workspace and client share: names and recorded states."""

from mooring_widgets.context import ContextState
from mooring_widgets.workspace import Workspace

CONTOSO = "engagements/contoso"
BASELINE = f"{CONTOSO}/sessions/baseline"
WAVE_1 = f"{CONTOSO}/sessions/wave-1"
WAVE_2 = f"{CONTOSO}/sessions/wave-2"


def recorded(ws: Workspace) -> list[ContextState]:
    """Every later state of the current context, in order; the list grows."""
    states: list[ContextState] = []
    ws.current.subscribe(states.append)
    return states
