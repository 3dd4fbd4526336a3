"""Labels, archive, undelete and visits, on every database."""

from datetime import timedelta

import pytest
from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.store import ChangeKind, Order, Tx
from mooring_server.store.lists.paging import Window
from mooring_server.store.tables import Engagements, SessionLabels
from support_store import ENGAGEMENT, USER, Database, asset, begin, publish, session

STREAM = f"engagements/{ENGAGEMENT}"


@pytest.fixture
def database(database: Database):
    database.write(begin)
    database.write(session("wave-1"))
    return database


def change(database: Database, verb: str, id: str = "wave-1", etag: int | None = None, **fields):
    return database.write(lambda tx: getattr(tx.sessions, verb)(ENGAGEMENT, id, etag, **fields))


def get(database: Database, id: str = "wave-1"):
    return database.read(lambda tx: tx.sessions.get(ENGAGEMENT, id))


def label_rows(database: Database, id: str = "wave-1") -> dict[str, str]:
    """What a filter by labels would look at."""

    def look(tx: Tx):
        rows = SessionLabels.select(SessionLabels.key, SessionLabels.value).where(
            (SessionLabels.engagement_id == ENGAGEMENT) & (SessionLabels.session_id == id)
        )
        return dict(rows.tuples().execute(tx._database))

    return database.read(look)


def kinds(database: Database, after: int) -> list[ChangeKind]:
    return [each.kind for each in database.read(lambda tx: tx.changes.after(STREAM, after, 100))]


def head(database: Database) -> int:
    return database.read(lambda tx: tx.changes.head(STREAM))


def test_labels_and_their_rows_are_in_step(database: Database):
    """Whatever is written, the rows that filters read say the same as the session; other fields keep them."""
    made = database.write(
        lambda tx: tx.sessions.insert(
            ENGAGEMENT, "wave-2", "Wave 2", "", "data_import", USER, labels={"b": "2", "a": ""}
        )
    )
    assert made.labels == label_rows(database, "wave-2") == {"a": "", "b": "2"}
    assert get(database).labels == label_rows(database) == {}
    for labels in ({"env": "prod", "team": "a"}, {"env": "test"}, {}, {"x": "é\u4e16"}):
        changed = change(database, "update", labels=labels)
        assert changed == get(database)
        assert changed.labels == label_rows(database) == labels
    assert change(database, "update", display_name="B").labels == label_rows(database) == {"x": "é\u4e16"}
    assert label_rows(database, "wave-2") == made.labels
    change(database, "delete")
    assert change(database, "undelete").labels == label_rows(database) == {"x": "é\u4e16"}


def test_a_refused_update_leaves_the_labels(database: Database):
    """A stale etag and a taken name change no row of them, even where the refusal is caught."""
    change(database, "update", labels={"env": "prod"})

    def attempt(tx: Tx):
        with pytest.raises(Aborted):
            tx.sessions.update(ENGAGEMENT, "wave-1", 99, labels={})
        with pytest.raises(AlreadyExists):
            tx.sessions.update(ENGAGEMENT, "wave-1", None, display_name="Baseline", labels={})

    database.write(attempt)
    assert get(database).labels == label_rows(database) == {"env": "prod"}


def test_each_step_is_one_change_of_its_kind(database: Database):
    """Archive, unarchive, delete and undelete are in the log under their own names."""
    before = head(database)
    for verb in ("archive", "unarchive", "delete", "undelete"):
        change(database, verb)
    assert kinds(database, before) == [
        ChangeKind.ARCHIVED,
        ChangeKind.UNARCHIVED,
        ChangeKind.DELETED,
        ChangeKind.UNDELETED,
    ]
    assert head(database) == before + 4
    assert database.store.check() == []


def test_archiving_twice_is_one_change(database: Database):
    """What is so already is answered as it is, with no new version; a stale etag is still refused."""
    database.clock.advance(1)
    away = change(database, "archive", etag=1)
    assert (away.archive_time, away.update_time, away.etag) == (database.clock.now, database.clock.now, 2)
    before = head(database)
    database.clock.advance(1)
    assert change(database, "archive") == change(database, "archive", etag=2) == away
    back = change(database, "unarchive", etag=2)
    assert (back.archive_time, back.etag) == (None, 3)
    assert change(database, "unarchive") == change(database, "unarchive", etag=3) == back
    assert head(database) == before + 1
    for verb in ("archive", "unarchive"):
        with pytest.raises(Aborted) as refused:
            change(database, verb, etag=2)
        assert refused.value.reason == "ETAG_MISMATCH"


def test_an_archived_session_refuses_changes_and_data(database: Database):
    """Its fields, the default and data that was being built; it can be deleted, and counts until then."""
    version = database.write(lambda tx: tx.versions.begin(ENGAGEMENT, "wave-1", None))
    away = change(database, "archive")
    for write in (
        lambda tx: tx.sessions.update(ENGAGEMENT, "wave-1", None, description="x"),
        lambda tx: tx.sessions.set_default(ENGAGEMENT, "wave-1", None),
        lambda tx: tx.versions.publish(version.id, expected_base_id=None, asset_count=0),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            database.write(write)
        assert refused.value.reason == "SESSION_ARCHIVED"
    assert get(database) == away
    assert database.read(lambda tx: tx.engagements.get(ENGAGEMENT)).session_count == 2
    assert database.store.check() == []
    assert change(database, "delete").delete_time is not None
    assert change(database, "undelete").archive_time == away.archive_time


@pytest.mark.parametrize("when", ["before", "in the same moment"])
def test_nothing_is_published_into_an_archived_engagement(database: Database, when: str):
    """A version that was being built when the engagement was put away stays unseen."""
    version = database.write(lambda tx: tx.versions.begin(ENGAGEMENT, "wave-1", None))
    before = get(database)
    if when == "before":
        database.write(lambda tx: tx.engagements.archive(ENGAGEMENT, None))

    def publish_late(tx: Tx):
        tx.versions.publish(version.id, expected_base_id=None, asset_count=0)
        Engagements.update(archive_time=tx.now_us).execute(tx._database)  # as another's, just committed

    with pytest.raises(FailedPrecondition) as refused:
        database.write(publish_late)
    assert refused.value.reason == "ENGAGEMENT_ARCHIVED"
    assert get(database) == before


def test_the_default_session_is_not_archived(database: Database):
    """An engagement never stays with a default that nobody can work in."""
    with pytest.raises(FailedPrecondition) as refused:
        change(database, "archive", "baseline", 1)
    assert refused.value.reason == "DEFAULT_SESSION"


def test_a_deleted_sessions_data_outlives_every_cleanup(database: Database):
    """What a deleted session points at is no abandoned version, however long ago it was deleted."""
    version_id = database.write(lambda tx: publish(tx, asset(0), asset(1), session_id="wave-1"))
    change(database, "delete")
    database.clock.advance(timedelta(days=400).total_seconds())
    assert database.read(lambda tx: tx.versions.abandoned(database.clock.now, 10)) == []
    assert database.write(lambda tx: tx.versions.delete_some(version_id, 10)) == 0
    back = change(database, "undelete")
    assert (back.data_version_id, back.asset_count) == (version_id, 2)
    assert (
        len(
            database.read(
                lambda tx: tx.assets.page(version_id, Order.DISPLAY_NAME, Window(10, 0, None))
            ).items
        )
        == 2
    )
    assert database.store.check() == []


def test_an_undelete_says_why_not(database: Database):
    """Living, absent, stale, and a name that was taken: each has its reason, and leaves the store usable."""
    with pytest.raises(AlreadyExists) as refused:
        change(database, "undelete", etag=99)
    assert refused.value.reason == "SESSION_NOT_DELETED"
    with pytest.raises(NotFound):
        change(database, "undelete", "nowhere")
    gone = change(database, "delete")
    with pytest.raises(Aborted):
        change(database, "undelete", etag=gone.etag + 1)
    database.write(session("wave-2", "wave-1"))

    def insist(tx: Tx):
        with pytest.raises(AlreadyExists) as refused:
            tx.sessions.undelete(ENGAGEMENT, "wave-1", None)
        assert refused.value.reason == "DISPLAY_NAME_TAKEN"
        tx.sessions.update(ENGAGEMENT, "wave-2", None, display_name="Another")
        return tx.sessions.undelete(ENGAGEMENT, "wave-1", gone.etag)

    assert database.write(insist).delete_time is None
    assert database.read(lambda tx: tx.engagements.get(ENGAGEMENT)).session_count == 3
    assert database.store.check() == []


def test_a_visit_moves_the_last_activity_alone(database: Database):
    """No etag, no update time, no change in the log; every other write moves it too."""
    before, revision = get(database), head(database)
    database.clock.advance(1)
    seen = database.write(lambda tx: tx.sessions.visit(ENGAGEMENT, "wave-1"))
    assert seen == get(database)
    assert seen.last_activity_time == database.clock.now
    assert (seen.etag, seen.update_time, head(database)) == (before.etag, before.update_time, revision)
    for write in (
        lambda tx: tx.sessions.update(ENGAGEMENT, "wave-1", None, description="x"),
        lambda tx: tx.sessions.archive(ENGAGEMENT, "wave-1", None),
        lambda tx: tx.sessions.unarchive(ENGAGEMENT, "wave-1", None),
        lambda tx: tx.sessions.set_default(ENGAGEMENT, "wave-1", None),
        lambda tx: publish(tx, asset(0), session_id="wave-1"),
    ):
        database.clock.advance(1)
        database.write(write)
        assert get(database).last_activity_time == database.clock.now
    with pytest.raises(NotFound):
        database.write(lambda tx: tx.sessions.visit(ENGAGEMENT, "nowhere"))


def test_a_parent_is_kept(database: Database):
    """The parent's id stays with the session, also once the parent is gone."""
    child = database.write(
        lambda tx: tx.sessions.insert(
            ENGAGEMENT, "child", "Child", "", "data_import", USER, parent_id="wave-1"
        )
    )
    change(database, "delete")
    assert get(database, "child") == child
    assert child.parent_id == "wave-1"
