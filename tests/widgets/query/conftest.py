from collections.abc import Iterator

import pytest
from mooring_widgets.query import ManualRuntime, QueryClient
from support_query import Source


@pytest.fixture
def runtime() -> Iterator[ManualRuntime]:
    runtime = ManualRuntime()
    yield runtime
    runtime.close()


@pytest.fixture
def problems() -> list[Exception]:
    """What the client reported of listeners."""
    return []


@pytest.fixture
def client(runtime: ManualRuntime, problems: list[Exception]) -> QueryClient:
    return QueryClient(runtime=runtime, on_listener_error=problems.append)


@pytest.fixture
def source(runtime: ManualRuntime) -> Source:
    return Source(runtime)
