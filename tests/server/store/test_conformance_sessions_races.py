"""Whatever races, an engagement has one default session, on every database."""

import random

import pytest
from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.store import Order, Tx
from mooring_server.store.lists.paging import Window
from support_store import ENGAGEMENT, Database, begin, session

REFUSALS = (Aborted, AlreadyExists, FailedPrecondition, NotFound)
VERBS = ("set_default", "delete", "undelete", "archive", "unarchive")


@pytest.fixture
def database(database: Database):
    database.write(begin)
    for number in range(4):
        database.write(session(f"wave-{number}"))
    return database


def step(verb: str, id: str):
    return lambda tx: getattr(tx.sessions, verb)(ENGAGEMENT, id, None)


def get(database: Database, id: str):
    return database.read(lambda tx: tx.sessions.get(ENGAGEMENT, id, include_deleted=True))


def check(database: Database) -> None:
    """One default, in use, known to the engagement; and nothing else is wrong."""

    def look(tx: Tx):
        living = tx.sessions.page(ENGAGEMENT, Order.CREATE_TIME_DESC, Window(100, 0, None)).items
        return [each for each in living if each.is_default], tx.engagements.get(ENGAGEMENT)

    defaults, engagement = database.read(look)
    assert [each.id for each in defaults] == [engagement.default_session_id]
    assert defaults[0].archive_time is None
    assert database.store.check() == []


@pytest.mark.parametrize("verb", ["archive", "delete"])
def test_what_becomes_the_default_cannot_go_in_the_same_moment(database: Database, verb: str):
    """Of making a session the default and putting it away, whichever comes second is refused."""
    for id in ("wave-0", "wave-1", "wave-2", "wave-3"):
        made, gone = database.together(step("set_default", id), step(verb, id))
        assert isinstance(made, REFUSALS) != isinstance(gone, REFUSALS)
        check(database)


def test_of_racing_undeletes_and_creates_one_has_the_name(database: Database):
    """A deleted session and new ones want one display name: one gets it."""
    database.write(step("delete", "wave-0"))
    outcomes = database.together(
        step("undelete", "wave-0"), *(session(f"new-{number}", "wave-0") for number in range(5))
    )
    assert sum(isinstance(each, AlreadyExists) for each in outcomes) == 5
    check(database)


def test_racing_undeletes_count_once(database: Database):
    """Many undelete the same session: it is back once, and counted once."""
    database.write(step("delete", "wave-0"))
    outcomes = database.together(*(step("undelete", "wave-0") for _ in range(6)))
    assert [each.reason for each in outcomes if isinstance(each, AlreadyExists)] == [
        "SESSION_NOT_DELETED"
    ] * 5
    assert database.read(lambda tx: tx.engagements.get(ENGAGEMENT)).session_count == 5
    check(database)


def test_racing_single_labels_lose_none(database: Database):
    """Who holds a session before reading its labels writes on what is there then."""

    def add(number: int):
        def write(tx: Tx):
            labels = tx.sessions.hold(ENGAGEMENT, "wave-0").labels
            tx.sessions.update(ENGAGEMENT, "wave-0", None, labels={**labels, f"k{number}": ""})

        return write

    database.together(*(add(number) for number in range(8)))
    assert get(database, "wave-0").labels == {f"k{number}": "" for number in range(8)}


def test_any_steps_at_once_leave_one_default(database: Database):
    """Create, delete, undelete, archive, unarchive and set default, drawn at random, eight at a time."""
    chance = random.Random(7)
    for turn in range(12):
        steps = [
            step(chance.choice(VERBS), chance.choice(("baseline", *(f"wave-{i}" for i in range(4)))))
            for _ in range(7)
        ]
        outcomes = database.together(*steps, session(f"new-{turn}"))
        unforeseen = [
            each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, REFUSALS)
        ]
        assert unforeseen == []
        check(database)
