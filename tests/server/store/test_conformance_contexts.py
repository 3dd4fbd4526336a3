"""Users and contexts, on every database."""

import pytest
from mooring_server.errors import Aborted, AlreadyExists, NotFound
from mooring_server.store import ChangeKind, Tx
from support_store import ENGAGEMENT, USER, Database, begin, session


@pytest.fixture
def placed(database: Database) -> Database:
    """With two sessions and the context `default` at the first."""

    def make(tx: Tx):
        begin(tx)
        session("wave-1")(tx)
        tx.contexts.insert(USER, "default", ENGAGEMENT, "baseline", kernel_key="kernel-1")

    database.write(make)
    return database


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


def test_a_switch_is_compare_and_set(placed: Database):
    """Only a switch that knows the newest revision moves the context, unless it asks for no comparison."""
    moved = placed.write(lambda tx: tx.contexts.switch(USER, "default", ENGAGEMENT, "wave-1", 1))
    assert (moved.session_id, moved.revision) == ("wave-1", 2)
    with pytest.raises(Aborted) as refused:
        placed.write(lambda tx: tx.contexts.switch(USER, "default", ENGAGEMENT, "baseline", 1))
    assert refused.value.reason == "CONTEXT_MOVED"
    forced = placed.write(lambda tx: tx.contexts.switch(USER, "default", ENGAGEMENT, "baseline", None))
    assert forced.revision == 3
    with pytest.raises(NotFound) as absent:
        placed.write(lambda tx: tx.contexts.switch(USER, "nowhere", ENGAGEMENT, "baseline", None))
    assert absent.value.reason == "CONTEXT_NOT_FOUND"


def test_of_racing_switches_one_wins(placed: Database):
    """Two notebooks that share a context cannot both believe that they moved it from the same place."""
    outcomes = placed.together(
        *(lambda tx: tx.contexts.switch(USER, "default", ENGAGEMENT, "wave-1", 1) for _ in range(8))
    )
    assert sum(isinstance(each, Aborted) for each in outcomes) == 7


def test_bindings_move_and_are_never_shared(placed: Database):
    """A kernel or notebook belongs to the context that was bound last, and to no other user's."""

    def make(tx: Tx):
        return tx.contexts.insert(USER, "other", ENGAGEMENT, "wave-1", "kernel-1", "notebook-1")

    other = placed.write(make)
    assert placed.read(lambda tx: tx.contexts.by_kernel(USER, "kernel-1")) == other
    assert placed.read(lambda tx: tx.contexts.by_notebook(USER, "notebook-1")) == other
    placed.write(lambda tx: tx.contexts.bind(USER, "default", notebook_key="notebook-1"))
    assert placed.read(lambda tx: tx.contexts.by_notebook(USER, "notebook-1")).id == "default"
    assert placed.read(lambda tx: tx.contexts.by_kernel(USER, "kernel-1")).id == "other"
    assert placed.read(lambda tx: tx.contexts.by_kernel("user-2", "kernel-1")) is None
    assert placed.read(lambda tx: tx.contexts.by_kernel(USER, "")) is None


def test_binding_is_no_change_but_switching_is(placed: Database):
    """Watchers hear of switches with the context's name, and of bindings nothing."""
    head = placed.read(lambda tx: tx.changes.head(f"users/{USER}"))
    placed.write(lambda tx: tx.contexts.bind(USER, "default", kernel_key="kernel-2"))
    assert placed.read(lambda tx: tx.changes.head(f"users/{USER}")) == head
    placed.write(lambda tx: tx.contexts.switch(USER, "default", ENGAGEMENT, "wave-1", None))
    change = placed.read(lambda tx: tx.changes.after(f"users/{USER}", head, 10))[0]
    assert (change.kind, change.resource) == (ChangeKind.SWITCHED, f"users/{USER}/contexts/default")


def test_context_ids_are_unique_to_their_user(placed: Database):
    """A second context of the same id is refused."""
    with pytest.raises(AlreadyExists):
        placed.write(lambda tx: tx.contexts.insert(USER, "default", ENGAGEMENT, "baseline"))
    assert placed.read(lambda tx: tx.contexts.get(USER, "default")).session_id == "baseline"
