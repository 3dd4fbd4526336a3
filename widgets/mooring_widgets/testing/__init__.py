"""For tests of notebooks and widgets: a workspace over a service that lives in memory.

::

    client = FakeClient(demo_service())
    ws = workspace(client)
    client.fail("get_landscape", Unavailable("the service is away"))
    with client.hold("switch_session"):
        ...  # a switch is pending here

    with standing_in() as ws:  # what `connect()` answers meanwhile
        ran = run_notebook("report.ipynb")
        settled(ran.shown["cores"])
"""

from mooring_widgets.testing.client import FakeClient
from mooring_widgets.testing.notebooks import Ran, run_notebook, settled, standing_in
from mooring_widgets.testing.service import FakeService
from mooring_widgets.testing.workspace import ManualClock, demo_assets, demo_service, workspace

__all__ = [
    "FakeClient",
    "FakeService",
    "ManualClock",
    "Ran",
    "demo_assets",
    "demo_service",
    "run_notebook",
    "settled",
    "standing_in",
    "workspace",
]
