"""The authenticator of API tokens by itself, on both databases, with a clock of the test's own."""

from datetime import timedelta

import pytest
from mooring_server.api.authentication import TokenAuth
from mooring_server.core import identities, tokens
from mooring_server.errors import Unauthenticated
from mooring_server.store.records import TokenScope
from support_store import START, USER, begin

HOUR = timedelta(hours=1)


@pytest.fixture
def secret(database):
    """The secret of a token that lives for an hour."""
    made = tokens.new_secret()

    def write(tx):
        begin(tx)
        tx.tokens.insert(USER, "laptop", tokens.hash_of(made), "Laptop", TokenScope.READ, tx.now + HOUR)

    database.write(write)
    return made


@pytest.fixture
def uses():
    return []


@pytest.fixture
def identify(database, uses):
    """The identity behind an `authorization`."""
    auth = TokenAuth(lambda token, now: uses.append((token.id, now)))
    return lambda sent: database.read(
        lambda tx: auth.identify(tx, {"authorization": sent}, "ipv4:127.0.0.1:1")
    )


def test_a_token_brings_its_user_and_its_scope(database, identify, secret):
    """The caller is the token's user, whoever made that user, with the token's scope and the token itself."""
    identity = identify(f"Bearer {secret}")
    caller = database.read(lambda tx: identities.find(tx, identity))

    assert (caller.user_id, caller.scope, caller.token.id) == (USER, TokenScope.READ, "laptop")


def test_a_token_ends_on_time(database, identify, secret):
    """Until the microsecond before its end it is good, and from its end on it is not."""
    database.clock.now = START + HOUR - timedelta(microseconds=1)
    assert identify(f"Bearer {secret}")
    database.clock.now = START + HOUR
    with pytest.raises(Unauthenticated):
        identify(f"Bearer {secret}")


def test_only_who_gets_in_counts_as_a_use(database, identify, secret, uses):
    """A refused call leaves no trace of use."""
    identify(f"Bearer {secret}")
    database.write(lambda tx: tx.tokens.revoke(USER, "laptop"))
    for sent in (f"Bearer {secret}", f"Bearer {tokens.new_secret()}", "Bearer x", ""):
        with pytest.raises(Unauthenticated):
            identify(sent)
    assert uses == [("laptop", START)]
