"""Contexts, on every database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from mooring_server.errors import Aborted, AlreadyExists, NotFound
from mooring_server.store import ChangeKind, Context, Tx
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
    placed.write(lambda tx: tx.contexts.use(USER, "default", notebook_key="notebook-1"))
    assert placed.read(lambda tx: tx.contexts.by_notebook(USER, "notebook-1")).id == "default"
    assert placed.read(lambda tx: tx.contexts.by_kernel(USER, "kernel-1")).id == "other"
    assert placed.read(lambda tx: tx.contexts.by_kernel("user-2", "kernel-1")) is None
    assert placed.read(lambda tx: tx.contexts.by_kernel(USER, "")) is None


def test_binding_is_no_change_but_switching_is(placed: Database):
    """Watchers hear of switches with the context's name, and of bindings nothing."""
    head = placed.read(lambda tx: tx.changes.head(f"users/{USER}"))
    placed.write(lambda tx: tx.contexts.use(USER, "default", kernel_key="kernel-2"))
    assert placed.read(lambda tx: tx.changes.head(f"users/{USER}")) == head
    placed.write(lambda tx: tx.contexts.switch(USER, "default", ENGAGEMENT, "wave-1", None))
    change = placed.read(lambda tx: tx.changes.after(f"users/{USER}", head, 10))[0]
    assert (change.kind, change.resource) == (ChangeKind.SWITCHED, f"users/{USER}/contexts/default")


def test_context_ids_are_unique_to_their_user(placed: Database):
    """A second context of the same id is refused."""
    with pytest.raises(AlreadyExists):
        placed.write(lambda tx: tx.contexts.insert(USER, "default", ENGAGEMENT, "baseline"))
    assert placed.read(lambda tx: tx.contexts.get(USER, "default")).session_id == "baseline"


def test_a_use_moves_its_time_alone(placed: Database):
    """Opening keeps a context from going, and is no change that anybody hears of."""
    before = placed.read(lambda tx: tx.contexts.get(USER, "default"))
    head = placed.read(lambda tx: tx.changes.head(f"users/{USER}"))
    placed.clock.advance(60)
    used = placed.write(lambda tx: tx.contexts.use(USER, "default", "kernel-1"))
    assert used == replace(before, use_time=placed.clock.now)
    assert placed.read(lambda tx: tx.changes.head(f"users/{USER}")) == head
    placed.clock.advance(60)
    switched = placed.write(lambda tx: tx.contexts.switch(USER, "default", ENGAGEMENT, "wave-1", None))
    assert switched.use_time == placed.clock.now
    with pytest.raises(NotFound) as absent:
        placed.write(lambda tx: tx.contexts.use(USER, "nowhere"))
    assert absent.value.reason == "CONTEXT_NOT_FOUND"


def test_contexts_come_newest_first(placed: Database):
    """Whatever their ids are; pages follow each other without a gap, and only the user's own are told."""
    for id in ("a", "z", "m"):
        placed.clock.advance(1)
        placed.write(lambda tx, id=id: tx.contexts.insert(USER, id, ENGAGEMENT, "wave-1"))
    placed.write(lambda tx: tx.contexts.insert(USER, "k", ENGAGEMENT, "wave-1"))
    placed.write(lambda tx: tx.users.insert("user-2", "another subject", "Another", ""))
    placed.write(lambda tx: tx.contexts.insert("user-2", "theirs", ENGAGEMENT, "wave-1"))
    walked, key = [], None
    while page := placed.read(lambda tx, key=key: tx.contexts.page(USER, key, 0, 2), long=True):
        walked += [context.id for context in page.items]
        if (key := page.next_key) is None:
            break
    assert walked == ["m", "k", "z", "a", "default"]
    skipped = placed.read(lambda tx: tx.contexts.page(USER, None, 3, 10))
    assert [context.id for context in skipped.items] == ["a", "default"]


def test_a_deleted_context_is_gone(placed: Database):
    """With its bindings; the user's stream tells it."""
    deleted = placed.write(lambda tx: tx.contexts.delete(USER, "default"))
    assert (deleted.id, deleted.session_id) == ("default", "baseline")
    assert placed.read(lambda tx: tx.contexts.by_kernel(USER, "kernel-1")) is None
    head = placed.read(lambda tx: tx.changes.head(f"users/{USER}"))
    change = placed.read(lambda tx: tx.changes.after(f"users/{USER}", head - 1, 10))[0]
    assert (change.kind, change.resource) == (ChangeKind.DELETED, f"users/{USER}/contexts/default")
    with pytest.raises(NotFound) as absent:
        placed.write(lambda tx: tx.contexts.delete(USER, "default"))
    assert absent.value.reason == "CONTEXT_NOT_FOUND"


def test_idle_contexts_go(placed: Database):
    """Those that nobody has used for long, a limited number at a time; `default` stays however old it is."""
    for id in ("old-1", "old-2", "new"):
        placed.write(lambda tx, id=id: tx.contexts.insert(USER, id, ENGAGEMENT, "wave-1"))
    placed.clock.advance(100)
    placed.write(lambda tx: tx.contexts.use(USER, "new"))
    head = placed.read(lambda tx: tx.changes.head(f"users/{USER}"))

    def sweep(tx: Tx) -> int:
        return tx.contexts.delete_idle(tx.now - timedelta(seconds=10), 1)

    assert [placed.write(sweep) for _ in range(3)] == [1, 1, 0]
    kept = placed.read(lambda tx: tx.contexts.page(USER, None, 0, 10)).items
    assert {context.id for context in kept} == {"default", "new"}
    changes = placed.read(lambda tx: tx.changes.after(f"users/{USER}", head, 10))
    assert [change.kind for change in changes] == [ChangeKind.DELETED] * 2


def test_a_sweep_leaves_what_is_opened_meanwhile(placed: Database):
    """Of many who open their contexts while those are swept, each keeps theirs or is told that it is gone."""
    ids = [f"context-{number}" for number in range(12)]
    for id in ids:
        placed.write(lambda tx, id=id: tx.contexts.insert(USER, id, ENGAGEMENT, "wave-1"))
    placed.clock.advance(100)
    limit = placed.clock.now - timedelta(seconds=10)

    def opened(tx: Tx, id: str):
        tx.users.lock(USER)
        return tx.contexts.use(USER, id)

    outcomes = placed.together(
        *(lambda tx, id=id: opened(tx, id) for id in ids[:6]),
        lambda tx: tx.contexts.delete_idle(limit, 100),
        *(lambda tx, id=id: opened(tx, id) for id in ids[6:]),
    )
    used = {context.id for context in outcomes if isinstance(context, Context)}
    refused = [failure for failure in outcomes if isinstance(failure, NotFound)]
    kept = placed.read(lambda tx: tx.contexts.page(USER, None, 0, 100)).items
    assert {context.id for context in kept} == used | {"default"}
    assert len(used) + len(refused) == len(ids)
