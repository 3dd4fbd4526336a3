from collections.abc import Iterator

import pytest
from mooring_widgets.testing import FakeClient, demo_service, workspace
from mooring_widgets.workspace import Workspace


@pytest.fixture
def client() -> FakeClient:
    """A client of a fake service."""
    return FakeClient(demo_service())


@pytest.fixture
def ws(client: FakeClient) -> Iterator[Workspace]:
    """A workspace over that client, at Contoso's Baseline."""
    opened = workspace(client)
    yield opened
    opened.close()
