"""Look-ups kept in memory: never staler than promised, bounded, and counted."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mooring_server.metrics import Metrics
from mooring_server.settings import Settings
from mooring_server.store import Role, Store, Tx, open_store
from mooring_server.store.migrating import is_sqlite
from mooring_server.store.postgresql import connect_postgresql
from mooring_server.store.sqlite import connect_sqlite, sqlite_path
from mooring_server.store.tables import Facts
from support_store import ENGAGEMENT, USER, Database, begin

STREAM = f"engagements/{ENGAGEMENT}"


@pytest.fixture
def other(database: Database) -> Iterator[Store]:
    """Another process's store on the same database."""
    database.write(begin)
    store = open_store(database.url, settings=Settings())
    yield store
    database.run(store.close())


def role(tx: Tx) -> Role | None:
    return tx.members.role(ENGAGEMENT, USER)


def give(wanted: Role) -> Callable[[Tx], None]:
    return lambda tx: tx.members.put(ENGAGEMENT, USER, wanted)


def look_ups(tx: Tx) -> list[Any]:
    """All that is kept in memory."""
    return [
        tx.members.role(ENGAGEMENT, USER),
        tx.engagements.get(ENGAGEMENT),
        tx.engagements.is_archived(ENGAGEMENT),
        tx.users.get(USER),
        tx.users.by_subject(f"subject of {USER}"),
    ]


def counted(metrics: Metrics, cache: str, result: str) -> float:
    labels = {"cache": cache, "result": result}
    return metrics.registry.get_sample_value("mooring_cache_requests_total", labels) or 0


def test_what_was_looked_up_is_not_read_again(database: Database):
    """The second look-up of each kind is a hit, and says the same."""
    database.write(begin)
    first, second = database.read(look_ups), database.read(look_ups)
    assert first == second
    for cache in ("role", "engagement", "archived", "user", "subject"):
        metrics = database.store.metrics
        assert (counted(metrics, cache, "miss"), counted(metrics, cache, "hit")) == (1, 1), cache


def test_a_commit_of_ones_own_is_seen_at_once(database: Database):
    """After each write's answer every look-up is what the database holds."""
    database.write(begin)
    for write in (
        give(Role.VIEWER),
        lambda tx: tx.sessions.insert(ENGAGEMENT, "s1", "One", "", "data_import", USER),
        lambda tx: tx.sessions.set_default(ENGAGEMENT, "s1", None),
        lambda tx: tx.users.update(USER, None, display_name="Another"),
    ):
        before = database.read(look_ups)
        database.write(write)
        after = database.read(look_ups)
        assert after != before
        assert after == database.run(database.store.read(look_ups, fresh=True))


def test_an_absent_role_is_kept_until_there_is_one(database: Database):
    """That somebody is no member is kept too, and they are one with the commit that makes them."""
    database.write(begin)
    database.write(lambda tx: tx.users.insert("user-2", "subject-2", "Two", ""))

    def second(tx: Tx) -> Role | None:
        return tx.members.role(ENGAGEMENT, "user-2")

    assert [database.read(second) for _ in range(2)] == [None, None]
    assert counted(database.store.metrics, "role", "hit") == 1
    database.write(lambda tx: tx.members.put(ENGAGEMENT, "user-2", Role.ANALYST))
    assert database.read(second) is Role.ANALYST


def test_what_another_process_commits_is_noticed(database: Database, other: Store):
    """A refresh drops what has moved, tells the listener which, and leaves the rest."""
    assert database.read(role) is Role.MANAGER
    database.read(lambda tx: tx.users.get(USER))
    database.run(other.write(lambda tx: tx.sessions.insert(ENGAGEMENT, "s1", "One", "", "data_import", USER)))
    database.commits.clear()
    assert database.run(database.store.refresh()) is False
    assert database.commits == [frozenset({STREAM})]
    database.read(lambda tx: tx.users.get(USER))
    assert counted(database.store.metrics, "user", "hit") == 1
    assert database.read(role) is Role.MANAGER
    database.run(other.write(give(Role.VIEWER)))
    database.run(database.store.refresh())
    assert database.read(role) is Role.VIEWER


def test_nothing_is_kept_longer_than_it_is_compared(database: Database, other: Store):
    """Where no refresh comes through, the database is asked again after twice its interval."""
    assert database.read(role) is Role.MANAGER
    database.run(other.write(give(Role.VIEWER)))
    database.clock.advance(2 * database.settings.lookup_refresh_s)
    assert database.read(role) is Role.MANAGER
    database.clock.advance(0.001)
    assert database.read(role) is Role.VIEWER


def test_writes_decide_by_the_database_alone(database: Database, other: Store):
    """A write, and a fresh read, see what another process has committed and nobody has noticed yet."""
    assert database.read(role) is Role.MANAGER
    database.run(other.write(give(Role.VIEWER)))
    assert database.write(role) is Role.VIEWER
    assert database.run(database.store.read(role, fresh=True)) is Role.VIEWER


def test_a_read_that_began_before_a_commit_keeps_nothing_old(database: Database):
    """An old state, read beside a commit, is not there for the reads after it."""
    database.write(begin)

    async def race() -> tuple[Role | None, Role | None]:
        loop = asyncio.get_running_loop()

        def late(tx: Tx) -> Role | None:
            tx.changes.head(STREAM)  # from here on it sees this state
            asyncio.run_coroutine_threadsafe(database.store.write(give(Role.VIEWER)), loop).result(30)
            return role(tx)

        return await database.store.read(late, long=True), await database.store.read(role)

    assert database.run(race()) == (Role.MANAGER, Role.VIEWER)


def test_a_read_that_began_before_a_refresh_keeps_nothing_old(database: Database, other: Store):
    """What another process has changed does not come back with a read that is longer than a refresh."""
    assert database.read(role) is Role.MANAGER

    async def race() -> tuple[Role | None, Role | None]:
        loop = asyncio.get_running_loop()

        async def change() -> None:
            await other.write(give(Role.VIEWER))
            await database.store.refresh()

        def late(tx: Tx) -> Role | None:
            tx.changes.head(STREAM)
            asyncio.run_coroutine_threadsafe(change(), loop).result(30)
            return role(tx)

        return await database.store.read(late, long=True), await database.store.read(role)

    assert database.run(race()) == (Role.MANAGER, Role.VIEWER)


def test_a_read_sees_nothing_younger_than_its_state(database: Database):
    """What another read keeps after a commit is not mixed into a read that began before it."""
    database.write(begin)

    async def race() -> list[Role | None]:
        loop = asyncio.get_running_loop()

        async def change() -> Role | None:
            await database.store.write(give(Role.VIEWER))
            return await database.store.read(role)

        def late(tx: Tx) -> list[Role | None]:
            tx.changes.head(STREAM)
            return [asyncio.run_coroutine_threadsafe(change(), loop).result(30), role(tx)]

        return await database.store.read(late, long=True)

    assert database.run(race()) == [Role.VIEWER, Role.MANAGER]


@pytest.mark.parametrize(("size_max", "hits"), [(0, 0), (2, 0), (3, 3)])
def test_memory_is_bounded(database_url: str, size_max: int, hits: int):
    """No more is kept than allowed, what was used last stays, and 0 keeps nothing."""
    with Database(database_url, lookup_cache_max=size_max) as database:
        database.write(begin)
        for _ in range(2):
            for user_id in ("a", "b", "c"):
                database.read(lambda tx, user_id=user_id: tx.users.get(user_id))
        assert counted(database.store.metrics, "user", "hit") == hits


def test_a_restored_database_is_noticed(database: Database, other: Store):
    """Another incarnation makes everything stale; it is told once."""
    assert database.read(role) is Role.MANAGER
    connection = (
        connect_sqlite(sqlite_path(database.url))
        if is_sqlite(database.url)
        else connect_postgresql(database.url)
    )
    with connection:
        query = Facts.update({Facts.value: "another"}).where(Facts.key == "incarnation")
        query.execute(connection)
        # As a restore does it: another state at the same revision.
        connection.execute_sql("UPDATE members SET role = 1")
    assert [database.run(database.store.refresh()) for _ in range(2)] == [True, False]
    assert database.store.incarnation == "another"
    assert database.read(role) is Role.VIEWER
