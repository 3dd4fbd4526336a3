"""Databases of the old shape: the first prototype's schema, as docs/migration.md defines it, and rows."""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mooring_server.store.care.old_shape import OLD_TABLES
from mooring_server.store.migrating import connection, is_sqlite

Rows = Mapping[str, Iterable[Sequence[Any]]]

_START = datetime(2024, 1, 1, tzinfo=UTC)
_SCHEMA = """
CREATE TABLE users (id {id} PRIMARY KEY, username VARCHAR(150), email TEXT, created_at {time});
CREATE TABLE engagements (id {id} PRIMARY KEY, name TEXT, description TEXT, default_session_id {id},
    created_by {id}, created_at {time});
CREATE TABLE engagement_members (engagement_id {id}, user_id {id}, role TEXT);
CREATE TABLE sessions (id {id} PRIMARY KEY, engagement_id {id}, name TEXT, session_type TEXT,
    is_default BOOLEAN, status TEXT, created_by {id}, created_at {time}, updated_at {time});
CREATE INDEX sessions_by_id ON sessions (engagement_id);
CREATE TABLE user_current (user_id {id}, engagement_id {id}, session_id {id})
"""


def make_old(url: str, rows: Rows, *, ids: str = "INTEGER", times: str = "TEXT") -> None:
    """Makes the old tables, with ids and times of these types, and fills them."""
    if times != "TEXT" and not is_sqlite(url):
        times = "TIMESTAMPTZ"
    with connection(url) as database, database.atomic():
        for statement in _SCHEMA.format(id=ids, time=times).split(";"):
            database.execute_sql(statement)
        for table, columns in OLD_TABLES.items():
            places = ", ".join([database.param] * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - ours
            if values := [tuple(row) for row in rows.get(table, ())]:
                database.cursor().executemany(statement, values)


def dump(url: str, tables: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of some tables, in an order of their own."""
    with connection(url) as database:
        return {
            table: sorted(map(tuple, database.execute_sql(f"SELECT * FROM {table}").fetchall()), key=repr)  # noqa: S608 - ours
            for table in tables
        }


def filled(users: int, engagements: int, sessions: int, seed: int = 1) -> Rows:
    """Many rows with everything that can be wrong with them, the same for the same seed."""
    chance = random.Random(seed)

    def time(day: int) -> str | None:
        moment = _START + timedelta(days=day, minutes=chance.randrange(1440))
        return chance.choice([moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S}", None, moment.isoformat()])

    def one_of(count: int) -> int | None:
        return chance.choice([None, count + 7, *([chance.randint(1, count)] * 18)])

    names = [
        "Baseline",
        "baseline",
        "Wave 1",
        "Wave 1 ",
        "Wave\t1",
        "",
        None,
        "Wave 1 (2)",
        "x" * 300,
        "Größe",
    ]
    return {
        "users": [
            (number, chance.choice([f"user{number}"] * 8 + ["twin", None, " odd\nname "]),
             f"u{number}@example.com", time(number % 300))
            for number in range(1, users + 1)
        ],
        "engagements": [
            (number, chance.choice([f"Client {number}"] * 5 + ["Client", "", None]),
             chance.choice([None, "", "Text"]), one_of(sessions), one_of(users), time(number % 300))
            for number in range(1, engagements + 1)
        ],
        "engagement_members": [
            (one_of(engagements), one_of(users),
             chance.choice(["owner", "Analyst", "viewer", "member", None, "wizard", "ADMIN"]))
            for _ in range(users * 2)
        ],
        "sessions": [
            (number, one_of(engagements), chance.choice([*names, *(f"Session {number}",) * 8]),
             chance.choice(["DATA_IMPORT", "Validation Run", "cleanup", "mystery", None]),
             chance.choice([True, False, False, False, None]),
             chance.choice(["active"] * 6 + ["archived", "deleted", "Completed", None, "lost"]),
             one_of(users), time(number % 400), time(400 + number % 300))
            for number in range(1, sessions + 1)
        ],
        "user_current": [
            (number, one_of(engagements), one_of(sessions))
            for number in range(1, users + 1) if chance.random() < 0.6
        ],
    }  # fmt: skip
