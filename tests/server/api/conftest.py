import uuid

import pytest
from mooring_server.settings import Settings
from support_server import HeaderAuth, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a real SQLite file, where callers are whom they say they are."""
    file = tmp_path_factory.mktemp("server") / "mooring.db"
    with serving(
        Settings(database=f"sqlite:///{file}", port=0, stop_grace_s=1), authenticator=HeaderAuth()
    ) as running:
        yield running


@pytest.fixture
def name():
    """A user's name that no other test has: tests share a server, not their data."""
    return f"ann-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def ann(server, name):
    """A user without any engagement."""
    return server.user(name)


@pytest.fixture
def bob(server, name):
    """Another one."""
    return server.user(f"bob-{name}")
