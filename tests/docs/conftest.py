import sys
from pathlib import Path

import pytest
from mooring_server.core import tokens
from mooring_server.core.policy import Caller
from mooring_server.settings import Auth, Settings
from mooring_server.store.records import TokenScope
from support_server import serving

# `docs/` is no package: its scripts find each other there, as they do when one is run.
sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

OPERATOR = Caller("system", TokenScope.ADMIN)


@pytest.fixture(scope="session")
def token_for():
    """Makes a token as the command on the server's machine does: (server, user) to its secret."""

    def make(server, user):
        def work(tx):
            tokens.bearer(tx, user, user.title())
            return tokens.create(tx, OPERATOR, user, tokens.Draft("laptop", "Laptop"), Settings())[1]

        return server.write(work)

    return make


@pytest.fixture
def settings(tmp_path):
    """A server of its own that asks for tokens, whose watches say nothing unasked."""
    return Settings(
        database=f"sqlite:///{tmp_path}/m.db", port=0, auth=Auth.TOKEN, heartbeat_s=60, stop_grace_s=1
    )


@pytest.fixture
def server(settings):
    """A server that nobody has called."""
    with serving(settings) as running:
        yield running


@pytest.fixture
def bearers(server, token_for):
    """The tokens of the users in the examples."""
    return {user: token_for(server, user) for user in ("ada", "grace")}
