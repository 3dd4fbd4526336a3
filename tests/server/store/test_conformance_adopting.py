"""Databases of the old shape are adopted, on every database."""

import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mooring_server.core.fields import Violations
from mooring_server.core.names import is_id
from mooring_server.core.sessions import SessionType
from mooring_server.settings import Settings
from mooring_server.store import Role, migrate, migrating, pending_migrations
from mooring_server.store.care.old_shape import OLD_TABLES
from mooring_server.store.migrating import ADOPTION, adoption_report, connection, drop_old_tables
from mooring_server.store.tables import TABLES
from support_old_shape import dump, filled, make_old
from support_store import START, Database

_SETTINGS = Settings()
_KEPT = [f"old_{table}" for table in OLD_TABLES]
_DAYS = [f"2024-01-{day:02}T08:00:00" for day in range(1, 31)]
_NEW = [f'"{table._meta.table_name}"' for table in TABLES if table._meta.table_name != "meta"]


def adopted(url: str, ids: str = "INTEGER", **rows: Any) -> tuple[dict[str, list[tuple]], list[str]]:
    """Adopts these old rows and answers our tables and the decisions."""
    make_old(url, rows, ids=ids)
    assert migrate(url, _SETTINGS)[0] == ADOPTION
    with Database(url) as database:
        assert database.store.check() == []
    return {name.strip('"'): rows for name, rows in dump(url, _NEW).items()}, adoption_report(url).decisions


def defaults(url: str) -> dict[str, str]:
    """The display name of each engagement's default session."""
    with connection(url) as database:
        query = "SELECT engagement_id, display_name FROM sessions WHERE is_default"
        return dict(database.execute_sql(query).fetchall())


def session(number: int, name: str, flag: bool = False, status: str = "active", engagement: int = 1) -> tuple:
    """An old session; the number is also its age."""
    return (number, engagement, name, "data_import", flag, status, 1, _DAYS[number], _DAYS[number])


def engagement(pointer: int | None) -> tuple:
    """The old engagement 1, of user 1."""
    return (1, "Client", "", pointer, 1, _DAYS[0])


_ANN = (1, "ann", "ann@example.com", _DAYS[0])


@pytest.mark.parametrize(("ids", "times"), [("INTEGER", "TIMESTAMP"), ("TEXT", "TEXT")])
def test_a_filled_database_is_adopted_whole(database_url: str, ids: str, times: str):
    """Thousands of rows with every oddity: each is adopted or reported as left behind, and all is sound."""
    rows = filled(400, 300, 2_000)
    if ids == "TEXT":
        rows = {
            table: [tuple(str(v) if type(v) is int else v for v in row) for row in of_table]
            for table, of_table in rows.items()
        }
    make_old(database_url, rows, ids=ids, times=times)
    before = dump(database_url, OLD_TABLES)
    assert pending_migrations(database_url, _SETTINGS) == migrate(database_url, _SETTINGS)
    assert dump(database_url, _KEPT) == {f"old_{table}": kept for table, kept in before.items()}

    report = adoption_report(database_url)
    with Database(database_url) as database:
        assert database.store.check() == []
    left = [line for line in report.decisions if line.startswith("Session ") and "left behind" in line]
    made = [line for line in report.decisions if "it was made" in line or "was made for them" in line]
    assert report.old_rows["sessions"] == 2_000
    assert report.new_rows["sessions"] == 2_000 - len(left) + len(made)
    assert report.new_rows["users"] == 401  # with the one who stands for unknown ones
    assert report.new_rows["contexts"] == 400
    with connection(database_url) as opened:
        query = "SELECT COUNT(*) FROM users WHERE default_engagement_id IS NULL AND id <> 'old-database'"
        assert opened.execute_sql(query).fetchone()[0] == 0


def test_adopting_again_does_nothing(database_url: str):
    """A database that was adopted is one of ours."""
    make_old(database_url, filled(20, 10, 50))
    migrate(database_url, _SETTINGS)
    before = dump(database_url, [*_NEW, *_KEPT])
    assert migrate(database_url, _SETTINGS) == []
    assert dump(database_url, [*_NEW, *_KEPT]) == before


def test_a_failure_leaves_the_old_database_as_it_was(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
):
    """Whatever fails on the way, nothing was done; the next attempt makes what a first one makes."""
    failing, plain = new_database(), new_database()
    for url in (failing, plain):
        make_old(url, filled(20, 10, 50))
    before = dump(failing, OLD_TABLES)
    real = migrating.adopt

    def fail(database: Any, now_us: int) -> None:
        real(database, now_us)
        raise OSError("the power is gone")

    monkeypatch.setattr(migrating, "adopt", fail)
    with pytest.raises(OSError, match="power"):
        migrate(failing, _SETTINGS)
    assert dump(failing, OLD_TABLES) == before
    monkeypatch.undo()

    monkeypatch.setattr(migrating, "utc_now", lambda: START)
    for url in (failing, plain):
        migrate(url, _SETTINGS)
    assert dump(failing, _NEW) == dump(plain, _NEW)


def test_a_killed_adoption_leaves_the_old_database_as_it_was(database_url: str):
    """The process may die at its last step."""
    make_old(database_url, filled(20, 10, 50))
    before = dump(database_url, OLD_TABLES)
    program = (
        "import os, sys; from mooring_server.settings import Settings;"
        "from mooring_server.store import migrating;"
        "real = migrating.adopt;"
        "migrating.adopt = lambda database, now: (real(database, now), os._exit(9));"
        "migrating.migrate(sys.argv[1], Settings())"
    )
    assert subprocess.run([sys.executable, "-c", program, database_url], timeout=60).returncode == 9
    assert dump(database_url, OLD_TABLES) == before
    assert migrate(database_url, _SETTINGS)[0] == ADOPTION


def test_the_schema_is_that_of_a_fresh_database(new_database: Callable[[], str]):
    """Old names of indexes and constraints are in nobody's way, now and in later migrations."""
    old, fresh = new_database(), new_database()
    make_old(old, {})
    names = []
    for url in (old, fresh):
        migrate(url, _SETTINGS)
        with connection(url) as database:
            names.append(
                {index.name for table in TABLES for index in database.get_indexes(table._meta.table_name)}
            )
    assert names[0] == names[1]


def test_the_old_tables_can_be_dropped(database_url: str):
    """What was put aside goes when it is asked for, once, and the rest stays."""
    make_old(database_url, filled(5, 5, 5))
    migrate(database_url, _SETTINGS)
    before = dump(database_url, _NEW)
    assert drop_old_tables(database_url) == sorted([*_KEPT, "old_report"])
    assert drop_old_tables(database_url) == []
    assert adoption_report(database_url) is None
    assert dump(database_url, _NEW) == before


def test_tables_of_others_are_left_alone(database_url: str):
    """A table called `users` alone makes no database of the old shape."""
    with connection(database_url) as database:
        database.execute_sql("CREATE TABLE users (id INTEGER, username TEXT)")
    assert ADOPTION not in pending_migrations(database_url, _SETTINGS)


@pytest.mark.parametrize(
    ("pointer", "sessions", "chosen"),
    [
        (1, [session(1, "Old"), session(2, "New", flag=True)], "Old"),
        (9, [session(1, "Old"), session(2, "A", flag=True), session(3, "B", flag=True)], "B"),
        (2, [session(1, "Old"), session(2, "Gone", status="deleted")], "Old"),
        (2, [session(1, "Away", True, "archived"), session(2, "There", engagement=2)], "Baseline"),
        (None, [session(1, "First"), session(2, "Second")], "First"),
        (None, [session(1, "Baseline", flag=True, status="archived")], "Baseline (2)"),
        (None, [], "Baseline"),
    ],
)  # fmt: skip
def test_the_default_session(database_url: str, pointer: int | None, sessions: list[tuple], chosen: str):
    """The pointer wins if it can, then the newest flag, then the oldest session, then a new one."""
    others = [(2, "Other", "", None, 1, _DAYS[0])]
    adopted(database_url, users=[_ANN], engagements=[engagement(pointer), *others], sessions=sessions)
    assert defaults(database_url)["engagement-1"] == chosen


def test_names_are_distinct_and_clean(database_url: str):
    """The oldest keeps a name, deleted ones do not count, and each new name is reported."""
    sessions = [
        session(1, "Wave"), session(2, "Wave"), session(3, "Wave (2)"), session(4, " Wave\n"),
        session(5, "Wave", status="deleted"), session(6, ""),
    ]  # fmt: skip
    found, decisions = adopted(database_url, users=[_ANN], engagements=[engagement(1)], sessions=sessions)
    names = {row[1]: row[2] for row in found["sessions"]}
    assert names == {
        "session-1": "Wave", "session-2": "Wave (3)", "session-3": "Wave (2)", "session-4": "Wave (4)",
        "session-5": "Wave", "session-6": "Session 6",
    }  # fmt: skip
    assert "Session 2, called 'Wave', is called 'Wave (3)'." in decisions


def test_every_engagement_has_a_manager_and_nobody_new_gets_in(database_url: str):
    """Whoever made it, else an analyst of it, else a user whom nobody can be; roles are never guessed up."""
    found, decisions = adopted(
        database_url,
        users=[_ANN, (2, "ben", None, None), (3, "cat", "", None)],
        engagements=[
            (1, "Ann's", "", None, 1, None),
            (2, "Analysts'", "", None, None, None),
            (3, "Viewers'", "", None, 99, None),
        ],
        engagement_members=[
            (1, 1, "viewer"), (1, 2, "wizard"), (2, 3, "viewer"), (2, 2, "analyst"), (3, 3, "viewer"),
            (3, 77, "owner"),
        ],
    )  # fmt: skip
    roles = {(row[0], row[1]): Role(row[2]).name for row in found["members"]}
    assert roles == {
        ("engagement-1", "user-1"): "VIEWER",
        ("engagement-1", "user-2"): "VIEWER",
        ("engagement-1", "old-database"): "MANAGER",
        ("engagement-2", "user-2"): "MANAGER",
        ("engagement-2", "user-3"): "VIEWER",
        ("engagement-3", "user-3"): "VIEWER",
        ("engagement-3", "old-database"): "MANAGER",
    }
    assert any("wizard" in line for line in decisions)
    assert any("user 77 in engagement 3 was left behind" in line for line in decisions)


def test_users_are_where_they_were_if_they_may(database_url: str):
    """`user_current` becomes default engagement and context; without membership it counts nothing."""
    found, decisions = adopted(
        database_url,
        users=[_ANN, (2, "ben", None, None), (3, "cat", None, None)],
        engagements=[engagement(1), (2, "Other", "", None, 3, None)],
        engagement_members=[(2, 1, "viewer")],
        sessions=[session(1, "One"), session(2, "Two")],
        user_current=[(1, 1, 2), (2, 1, 1), (3, 2, 1)],
    )
    homes = {row[0]: row[4] for row in found["users"]}
    places = {row[0]: (row[2], row[3]) for row in found["contexts"]}
    assert homes["user-1"] == "engagement-1"
    assert places["user-1"] == ("engagement-1", "session-2")
    assert homes["user-2"] not in ("engagement-1", "engagement-2")  # one of their own
    assert homes["user-3"] == "engagement-2"
    assert places["user-3"][0] == "engagement-2"
    assert any("user-2 is a member of nothing" in line for line in decisions)


def test_ids_and_times_are_kept_where_they_fit(database_url: str):
    """An id of our form stays, one with a meaning of its own does not, and times are exact."""
    old = {
        "users": [("ann", "ann", "", "2024-05-06T07:08:09.123456+02:00"), ("me", "moe", "", "soon")],
        "engagements": [("Bad Id", "Client", "", None, "ann", None), ("demo", "Demo", "", None, "me", None)],
    }
    make_old(database_url, old, ids="TEXT")
    migrate(database_url, _SETTINGS)
    rows = dump(database_url, ["users", "engagements"])
    users = {row[1]: row for row in rows["users"]}
    assert users["ann"][0] == "ann"
    assert users["ann"][7] == 1714972089123456
    assert users["moe"][0] != "me"
    assert {row[0] for row in rows["engagements"]}.isdisjoint({"Bad Id", "demo"})
    assert all(is_id(row[0]) for of_table in rows.values() for row in of_table)


_numbers = count()
_text = st.one_of(
    st.none(), st.text(max_size=6), st.sampled_from(["Baseline", "a" * 250, "Wave", "Wave (2)", "\0"])
)
_id = st.one_of(st.none(), st.integers(0, 4), st.sampled_from(["1", "me", "x y", "user-1", "demo"]))
_time = st.one_of(st.none(), st.sampled_from([*_DAYS, "never", "9999-12-31", "0001-01-01T00:00+14:00", 5]))
_flag = st.sampled_from([None, True, False, "yes", "f", 0])
_state = st.sampled_from([None, "active", "archived", "deleted", "?"])
_columns = {
    "users": (_id, _text, _text, _time),
    "engagements": (_id, _text, _text, _id, _id, _time),
    "engagement_members": (_id, _id, st.sampled_from([None, "owner", "analyst", "viewer", "?"])),
    "sessions": (_id, _id, _text, _text, _flag, _state, _id, _time, _time),
    "user_current": (_id, _id, _id),
}


def _unique(rows: list[tuple]) -> bool:
    known = [str(row[0]) for row in rows if row[0] is not None]
    return len(known) == len(set(known))


_olds = st.fixed_dictionaries(
    {
        table: st.lists(st.tuples(*columns), max_size=6).filter(
            lambda rows, table=table: table in ("engagement_members", "user_current") or _unique(rows)
        )
        for table, columns in _columns.items()
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=_olds)
def test_any_old_database_is_adopted(tmp_path: Path, old: dict[str, list[tuple]]):
    """Whatever the values, it ends sound, and our own rules accept every name, id and type."""
    url = f"sqlite:///{tmp_path}/{next(_numbers)}.db"
    found, _ = adopted(url, "BLOB", **old)  # which keeps numbers and texts apart
    violations = Violations()
    for table in ("users", "engagements", "sessions"):
        for row in found[table]:
            id, name = (
                (row[1], row[2]) if table == "sessions" else (row[0], row[2 if table == "users" else 1])
            )
            assert is_id(id)
            violations.display_name(table, name)
    violations.refuse()
    assert {row[4] for row in found["sessions"]} <= set(SessionType)
    assert len({row[1] for row in found["users"]}) == len(found["users"])
