"""Two sessions that say something else of the same things, in a notebook."""

from typing import Any

import pandas as pd
from mooring_widgets.client import Session
from mooring_widgets.workspace import Workspace

Sides = tuple[Workspace, Session, Session]
HERE = {"display_name": ["alpha", "beta", "gamma"], "owner": ["Ann", "Bob", ""], "Rack": ["R1", "R1", "R2"]}
THERE = {"display_name": ["alpha", "beta", "gamma", "delta"], "owner": ["ANN ", "Eve", "Cid", "Dan"]}


def filled(ws: Workspace) -> Sides:
    here, there = ws.create("Here"), ws.create("There")
    ws.import_inventory(pd.DataFrame(HERE), session=here, name="here")
    ws.import_inventory(pd.DataFrame(THERE), session=there, name="there")
    return ws, here, there


def owners(ws: Workspace, session: Session) -> dict[str, str]:
    frame: Any = ws.at(session).to_pandas(fields=["display_name", "owner"])
    return dict(zip(frame.display_name, frame.owner, strict=True))
