"""What PostgreSQL does to transactions, and how the store takes it."""

import threading

import pytest
from mooring_server.core.policy import Caller, authorise
from mooring_server.errors import PermissionDenied, Unavailable
from mooring_server.settings import Settings
from mooring_server.store import Role, Tx, migrate, open_store
from support_store import ENGAGEMENT, USER, Database, begin, session

pytestmark = pytest.mark.postgresql

CREATE_SESSION = "mooring.v1.SessionService/CreateSession"


@pytest.fixture
def database(request: pytest.FixtureRequest, postgresql_server: str):
    import psycopg

    schema = f"failures_{abs(hash(request.node.name))}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    with Database(f"{postgresql_server}&options=-csearch_path%3D{schema}") as opened:
        opened.write(begin)
        yield opened


def _terminate_others(database: Database) -> None:
    import psycopg

    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'mooring'"
        )


def test_a_connection_that_was_cut_is_replaced(database: Database):
    """A restart of the database, or a proxy that forgets idle connections, costs no caller anything."""
    _terminate_others(database)
    assert database.read(lambda tx: tx.sessions.get(ENGAGEMENT, "baseline")) is not None
    _terminate_others(database)
    database.write(session("wave-1"))
    assert database.store.check() == []


def test_a_connection_that_is_cut_during_the_work_runs_it_again(database: Database):
    """What never committed had no effect, so it is safe to run twice."""
    attempts = []

    def work(tx: Tx):
        attempts.append(1)
        made = session("wave-1")(tx)
        if len(attempts) == 1:
            _terminate_others(database)
        tx.sessions.update(ENGAGEMENT, "wave-1", made.etag, description="worked")

    database.write(work)
    assert len(attempts) == 2
    assert database.read(lambda tx: tx.engagements.get(ENGAGEMENT)).session_count == 2
    assert database.store.check() == []


def test_a_deadlock_is_nobodys_failure(database: Database):
    """Of two that wait for each other PostgreSQL gives one up, and the store runs it again."""
    database.write(session("left"))
    database.write(session("right"))
    barrier = threading.Barrier(2, timeout=30)
    met = []

    def cross(tx: Tx, first: str, second: str):
        tx.sessions.update(ENGAGEMENT, first, None, description="first")
        if len(met) < 2:
            met.append(1)
            barrier.wait()
        tx.sessions.update(ENGAGEMENT, second, None, description="second")

    outcomes = database.together(lambda tx: cross(tx, "left", "right"), lambda tx: cross(tx, "right", "left"))
    assert outcomes == [None, None]
    assert database.read(lambda tx: tx.sessions.get(ENGAGEMENT, "left")).etag == 3
    assert database.store.check() == []


def test_a_server_that_is_not_there_is_unavailable():
    """No driver's words about hosts and ports reach a caller."""
    url = "postgresql://nobody@127.0.0.1:1/none"
    for call in (lambda: migrate(url, Settings()), lambda: open_store(url, settings=Settings())):
        with pytest.raises(Unavailable) as refused:
            call()
        assert "127.0.0.1" not in refused.value.message


@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_a_role_that_is_taken_away_takes_effect_at_once(database: Database, role: Role | None):
    """What has not committed when a member is told that they are none commits no more."""

    def take_away(tx: Tx):
        if role is None:
            tx.members.delete(ENGAGEMENT, "bob", None)
        else:
            tx.members.set_role(ENGAGEMENT, "bob", role, None)

    def work(tx: Tx):
        authorise(tx, Caller("bob"), CREATE_SESSION, f"engagements/{ENGAGEMENT}")
        with Database(database.url) as meanwhile:
            meanwhile.write(take_away)
        session("wave-1")(tx)

    database.write(lambda tx: tx.users.insert("bob", "bob", "Bob", ""))
    database.write(lambda tx: tx.members.put(ENGAGEMENT, "bob", Role.ANALYST))
    with pytest.raises(PermissionDenied):
        database.write(work)
    assert database.read(lambda tx: tx.sessions.get(ENGAGEMENT, "wave-1")) is None


def test_a_manager_may_give_up_their_own_role(database: Database):
    """What somebody does to their own role does not keep them from doing it."""

    def step_down(tx: Tx):
        name = f"engagements/{ENGAGEMENT}/members/{USER}"
        authorise(tx, Caller(USER), "mooring.v1.EngagementService/UpdateMember", name)
        return tx.members.set_role(ENGAGEMENT, USER, Role.VIEWER, None)

    database.write(lambda tx: tx.users.insert("bob", "bob", "Bob", ""))
    database.write(lambda tx: tx.members.put(ENGAGEMENT, "bob", Role.MANAGER))
    assert database.write(step_down).role is Role.VIEWER
