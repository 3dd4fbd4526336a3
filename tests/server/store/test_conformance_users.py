"""Users, on every database."""

import pytest
from mooring_server.errors import Aborted, AlreadyExists, NotFound
from mooring_server.store import ChangeKind
from support_store import ENGAGEMENT, USER, Database, begin

STREAM = f"users/{USER}"


def test_users_are_unique_by_id_and_subject(database: Database):
    """Of racing first calls of one subject one makes the user; the others hear that it exists."""
    outcomes = database.together(
        *(lambda tx, i=i: tx.users.insert(f"user-{i}", "subject", "A user", "") for i in range(6))
    )
    made = [each for each in outcomes if not isinstance(each, Exception)]
    assert len(made) == 1
    assert {each.reason for each in outcomes if isinstance(each, AlreadyExists)} == {"ID_TAKEN"}
    assert database.read(lambda tx: tx.users.by_subject("subject")) == made[0]
    assert database.read(lambda tx: tx.users.get("nobody")) is None


def test_a_default_engagement_is_a_change_of_the_user(database: Database):
    """Etag, revision and log move together."""
    database.write(begin)
    user = database.write(lambda tx: tx.users.set_default_engagement(USER, ENGAGEMENT))
    assert (user.default_engagement_id, user.etag) == (ENGAGEMENT, 2)
    assert user == database.read(lambda tx: tx.users.get(USER))
    last = database.read(lambda tx: tx.changes.after(f"users/{USER}", user.revision - 1, 10))
    assert [(each.kind, each.resource) for each in last] == [(ChangeKind.UPDATED, f"users/{USER}")]


def test_an_update_is_compare_and_set(database: Database):
    """Fields, etag, revision and log move together, or nothing does."""
    database.write(begin)
    user = database.write(lambda tx: tx.users.update(USER, 1, display_name="Ann", email="ann@example.com"))
    assert (user.display_name, user.email, user.etag) == ("Ann", "ann@example.com", 2)
    assert user == database.read(lambda tx: tx.users.get(USER))
    with pytest.raises(Aborted) as moved:
        database.write(lambda tx: tx.users.update(USER, 1, display_name="Bob"))
    assert moved.value.reason == "ETAG_MISMATCH"
    with pytest.raises(NotFound) as absent:
        database.write(lambda tx: tx.users.update("nobody", None, display_name="Bob"))
    assert absent.value.reason == "USER_NOT_FOUND"
    assert user == database.read(lambda tx: tx.users.get(USER))


def test_an_update_of_nothing_changes_nothing(database: Database):
    """No etag, no revision; a stale etag is still refused."""
    database.write(begin)
    before = database.read(lambda tx: tx.users.get(USER))
    assert database.write(lambda tx: tx.users.update(USER, before.etag)) == before
    assert database.read(lambda tx: tx.users.get(USER)) == before
    with pytest.raises(Aborted):
        database.write(lambda tx: tx.users.update(USER, before.etag + 1))


def test_of_racing_updates_of_one_etag_one_wins(database: Database):
    """The others hear that the user has changed."""
    database.write(begin)
    outcomes = database.together(
        *(lambda tx, i=i: tx.users.update(USER, 1, display_name=f"Name {i}") for i in range(8))
    )
    made = [each for each in outcomes if not isinstance(each, Exception)]
    assert len(made) == 1
    assert {each.reason for each in outcomes if isinstance(each, Aborted)} == {"ETAG_MISMATCH"}
    assert database.read(lambda tx: tx.users.get(USER)) == made[0]


def test_an_engagement_is_forgotten_where_it_is_the_default(database: Database):
    """Another one stays, without a change."""
    database.write(begin)
    chosen = database.write(lambda tx: tx.users.set_default_engagement(USER, ENGAGEMENT))
    database.write(lambda tx: tx.users.forget_engagement(USER, "another"))
    assert database.read(lambda tx: tx.users.get(USER)) == chosen
    database.write(lambda tx: tx.users.forget_engagement(USER, ENGAGEMENT))
    left = database.read(lambda tx: tx.users.get(USER))
    assert (left.default_engagement_id, left.etag, left.revision) == (
        None,
        chosen.etag + 1,
        chosen.revision + 1,
    )
