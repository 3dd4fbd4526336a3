from collections.abc import Iterator

import pytest
from mooring_widgets.testing import workspace
from mooring_widgets.workspace import Workspace


@pytest.fixture
def ws() -> Iterator[Workspace]:
    """A workspace over a fake service, at Contoso's Baseline."""
    opened = workspace()
    yield opened
    opened.close()
