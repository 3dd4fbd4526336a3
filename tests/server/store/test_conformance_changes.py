"""The log: gapless, ordered, whole revisions, trimmed from the old end."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mooring_server.errors import MooringError
from mooring_server.store import Change, ChangeKind, Role, Tx
from support_store import ENGAGEMENT, USER, Database, begin, session

STREAM = f"engagements/{ENGAGEMENT}"


def _log(database: Database, stream: str = STREAM) -> list[Change]:
    return database.read(lambda tx: tx.changes.after(stream, 0, 10_000))


def test_revisions_have_no_gaps_under_concurrent_writers(database: Database):
    """However many write at once, a stream counts 1, 2, 3, … and ends at its head."""
    database.write(begin)
    database.together(*(session(f"wave-{i}") for i in range(30)))
    revisions = [each.revision for each in _log(database)]
    assert sorted(set(revisions)) == list(range(1, 32))
    assert revisions == sorted(revisions)
    assert database.read(lambda tx: tx.changes.head(STREAM)) == 31


def test_writers_of_two_streams_never_lose_to_each_other(database: Database):
    """Streams touched in any order by racing writers all commit."""

    def make(tx: Tx):
        begin(tx, "left")
        begin(tx, "right")

    database.write(make)

    def both(tx: Tx, number: int):
        for engagement in ("left", "right") if number % 2 else ("right", "left"):
            session(f"wave-{number}", engagement_id=engagement)(tx)

    outcomes = database.together(*(lambda tx, i=i: both(tx, i) for i in range(16)))
    assert not [each for each in outcomes if isinstance(each, Exception)]
    for engagement in ("left", "right"):
        assert database.read(lambda tx, e=engagement: tx.changes.head(f"engagements/{e}")) == 17


def test_a_commit_is_one_revision_and_is_never_cut(database: Database):
    """A reader gets whole revisions: less than the limit rather than a part, more rather than none."""

    def many(tx: Tx):
        for i in range(5):
            session(f"wave-{i}")(tx)

    database.write(begin)
    database.write(many)
    database.write(session("last"))

    def read(revision: int, limit: int) -> list[int]:
        return [each.revision for each in database.read(lambda tx: tx.changes.after(STREAM, revision, limit))]

    assert read(1, 3) == [2] * 5
    assert read(1, 5) == [2] * 5
    assert read(1, 6) == [2] * 5 + [3]
    assert read(0, 4) == [1] * 3
    assert read(3, 10) == []


def test_old_revisions_are_trimmed_a_few_at_a_time(database: Database):
    """Trimming goes from the oldest, keeps what it must, and says what is left."""
    database.write(begin)
    for i in range(9):
        database.write(session(f"wave-{i}"))
    assert database.read(lambda tx: tx.changes.earliest(STREAM)) == 1
    assert database.read(lambda tx: tx.changes.overlong(4, 10)) == [STREAM]
    database.write(lambda tx: tx.changes.trim(STREAM, 4, 2))
    assert database.read(lambda tx: tx.changes.earliest(STREAM)) == 3
    while database.write(lambda tx: tx.changes.trim(STREAM, 4, 2)):
        pass
    assert [each.revision for each in _log(database)] == [7, 8, 9, 10]
    assert database.read(lambda tx: tx.changes.overlong(4, 10)) == []
    assert database.store.check() == []


def test_an_empty_stream_starts_after_its_head(database: Database):
    """`earliest` is one past the head where nothing is kept, and an unknown stream has no head."""
    database.write(begin)
    while database.write(lambda tx: tx.changes.trim(STREAM, 0, 10)):
        pass
    assert database.read(lambda tx: tx.changes.earliest(STREAM)) == 2
    assert database.read(lambda tx: tx.changes.head("engagements/nowhere")) is None
    assert database.read(lambda tx: tx.changes.head("nonsense")) is None


def test_a_member_hears_of_it_on_their_own_stream(database: Database):
    """Who is new in an engagement cannot watch it yet: their own stream says so."""
    database.write(begin)
    database.write(lambda tx: tx.users.insert("user-2", "subject-2", "Two", ""))
    database.write(lambda tx: tx.members.put(ENGAGEMENT, "user-2", Role.VIEWER))
    for stream in (STREAM, "users/user-2"):
        last = _log(database, stream)[-1]
        assert (last.kind, last.resource) == (ChangeKind.CREATED, f"{STREAM}/members/user-2")


_OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["create", "rename", "delete", "default", "fail"]),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=12,
)


_engagements = (f"engagement-{number}" for number in count())


def _apply(tx: Tx, engagement: str, kind: str, which: int, name: int) -> None:
    if kind == "create":
        tx.sessions.insert(engagement, f"s-{which}", f"Name {name}", "", "data_import", USER)
    elif kind == "rename":
        tx.sessions.update(engagement, f"s-{which}", None, display_name=f"Name {name}")
    elif kind == "delete":
        tx.sessions.delete(engagement, f"s-{which}", None)
    elif kind == "default":
        tx.sessions.set_default(engagement, f"s-{which}", None)
    else:
        tx.sessions.update(engagement, "baseline", None, description="undone")
        raise MooringError("refused on purpose")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(_OPERATIONS, max_size=3))
def test_any_sequence_of_writes_keeps_every_invariant(database: Database, batches):
    """Whatever is written, at once or in turn, each success is one revision and all counters are right."""
    engagement = next(_engagements)
    database.write(lambda tx: begin(tx, engagement))
    succeeded = 0
    for batch in batches:
        outcomes = database.together(*(lambda tx, step=step: _apply(tx, engagement, *step) for step in batch))
        assert all(each is None or isinstance(each, MooringError) for each in outcomes)
        succeeded += outcomes.count(None)
    log = _log(database, f"engagements/{engagement}")
    assert sorted({each.revision for each in log}) == list(range(1, succeeded + 2))
    assert database.store.check() == []
