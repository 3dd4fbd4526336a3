"""Activity and usage: the log by what it concerns, the same on every database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from mooring_server.core import activity
from mooring_server.core.filtering import parse
from mooring_server.core.paging import Window
from mooring_server.settings import Settings
from mooring_server.store import Order, Role, Tx
from mooring_server.store.records import Activity, UsageDay
from support_store import ENGAGEMENT, USER, Database, asset, begin, publish, session

STREAM = f"engagements/{ENGAGEMENT}"
ANN, BOB = f"users/{USER}", "users/bob"
DAY_S = 24 * 3_600


@pytest.fixture
def database(database: Database) -> Database:
    """Two engagements and two users; a second passes between two commits."""
    database.write(begin)
    database.write(lambda tx: tx.users.insert("bob", "bob", "Bob", ""), actor=BOB)
    database.write(lambda tx: tx.members.put(ENGAGEMENT, "bob", Role.ANALYST))
    database.write(lambda tx: begin(tx, "other"))
    return database


def do(database: Database, *works, actor: str = ANN) -> None:
    for work in works:
        database.clock.advance(1)
        database.write(work, actor=actor)


def switch_to(session_id: str, user_id: str, engagement_id: str = ENGAGEMENT):
    def work(tx: Tx):
        if tx.contexts.get(user_id, "default") is None:
            tx.contexts.insert(user_id, "default", engagement_id, session_id)
        tx.contexts.switch(user_id, "default", engagement_id, session_id, None)

    return work


def listed(
    database: Database,
    text: str = "",
    session_id: str | None = None,
    order: Order = Order.TIME,
    limit: int = 100,
    examined_max: int = 20_000,
) -> list[Activity]:
    """All pages together."""
    condition = parse(text, activity.ACTIVITY.schema, Settings())
    found, key = [], None
    while True:
        window = Window(limit, 0, key, examined_max)
        page = database.read(
            lambda tx, window=window: tx.activity.page(ENGAGEMENT, session_id, order, window, condition)
        )
        assert len(page.items) <= limit
        found += page.items
        key = page.next_key
        if key is None:
            return found


def resources(found: list[Activity]) -> list[str]:
    return [one.resource.removeprefix(f"{STREAM}/") for one in found]


def test_activity_is_who_did_what_to_what_when(database: Database):
    """Changes of the engagement and switches to its sessions, and nothing of another engagement."""
    before = len(listed(database))
    do(database, session("s1"))
    do(database, session("s1", engagement_id="other"), switch_to("baseline", "bob", "other"), actor=BOB)
    do(database, switch_to("s1", "bob"), actor=BOB)
    found = listed(database)[before:]
    made, switched = found
    assert made == Activity(ANN, "created", f"{STREAM}/sessions/s1", ENGAGEMENT, "s1", made.time)
    assert switched == Activity(
        BOB, "switched", f"{BOB}/contexts/default", ENGAGEMENT, "s1", database.clock.now
    )
    assert made.time < switched.time


def test_a_sessions_activity_is_its_own(database: Database):
    """Everything that concerns that session, and only that."""
    do(database, session("s1"), session("s2"), switch_to("s1", USER))
    do(database, lambda tx: tx.sessions.update(ENGAGEMENT, "s1", None, description="x"))
    do(database, lambda tx: tx.sessions.set_default(ENGAGEMENT, "s2", None))
    found = listed(database, session_id="s1")
    assert [one.kind for one in found] == ["created", "switched", "updated"]
    assert {one.session_id for one in found} == {"s1"}


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("session_id", [None, "s1"])
def test_pages_in_both_orders_are_the_whole(database: Database, session_id: str | None, limit: int):
    """Whatever the size of a page, none repeats or loses one, also where many changed in one moment."""

    def many(tx: Tx):
        for number in range(5):
            tx.sessions.update(ENGAGEMENT, "s1", None, description=str(number))

    do(database, session("s1"), many, many, switch_to("s1", USER))
    whole = listed(database, session_id=session_id)
    assert len(whole) >= 12
    assert listed(database, session_id=session_id, limit=limit) == whole
    turned = listed(database, session_id=session_id, limit=limit, order=Order.TIME_DESC)
    assert turned == whole[::-1]


def test_filters_narrow_it(database: Database):
    """By actor, kind, session, resource and time; a page that may look at little comes short, not wrong."""
    do(database, session("s1"), session("s2"))
    do(database, switch_to("s1", "bob"), session("s3"), actor=BOB)
    noon = database.clock.now
    do(database, lambda tx: tx.sessions.delete(ENGAGEMENT, "s2", None))
    made = [f"sessions/{name}" for name in ("s1", "s2", "s3")]
    for text, wanted in (
        (f'actor = "{BOB}" AND kind = CREATED', ["sessions/s3"]),
        ("kind = CHANGE_KIND_SWITCHED", [f"{BOB}/contexts/default"]),
        (f'session = "{STREAM}/sessions/s2"', ["sessions/s2", "sessions/s2"]),
        ('session = "sessions/s3"', ["sessions/s3"]),
        (f'kind = CREATED AND resource = "{STREAM}/sessions/s*"', made),
        (f'time > "{noon.isoformat()}"', ["sessions/s2"]),
        (f'NOT session:* AND actor = "{BOB}"', []),
    ):
        for examined_max in (20_000, 3):
            assert resources(listed(database, text, examined_max=examined_max)) == wanted, text


def test_usage_counts_each_day_in_utc(database: Database):
    """Days begin at midnight in UTC to the microsecond; the system is no user."""
    database.clock.now = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    do(database, session("early"))  # at midnight of the second
    database.clock.now = datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC)
    database.write(session("late"), actor=BOB)
    database.clock.now += timedelta(microseconds=1)
    database.write(switch_to("late", "bob"), actor=BOB)
    database.write(lambda tx: publish(tx, asset(1)), actor="users/system")
    database.clock.advance(2 * DAY_S)
    database.write(lambda tx: tx.sessions.update(ENGAGEMENT, "late", None, description="x"), actor=BOB)

    asked = activity.period("2026-03-01", "2026-03-05", date(2026, 3, 9))
    usage = database.read(lambda tx: activity.usage(tx, ENGAGEMENT, asked))
    assert usage.days == [
        UsageDay(date(2026, 3, 1)),
        UsageDay(date(2026, 3, 2), sessions_created=2, active_users=2),
        UsageDay(date(2026, 3, 3), switches=1, imports=1, active_users=1),
        UsageDay(date(2026, 3, 4)),
        UsageDay(date(2026, 3, 5), active_users=1),
    ]
    assert (usage.active_users, usage.history_start) == (2, None)


def test_trimmed_history_is_admitted(database: Database):
    """Where old changes are no longer kept, usage says since when it is complete."""
    do(database, session("s1"), session("s2"), session("s3"))
    database.write(lambda tx: tx.changes.trim(STREAM, 2, 100))
    asked = activity.period("", "", database.clock.now.date())
    usage = database.read(lambda tx: activity.usage(tx, ENGAGEMENT, asked))
    assert usage.history_start == database.clock.now - timedelta(seconds=1)
    assert sum(day.sessions_created for day in usage.days) == 2
    assert len(listed(database)) == 2
