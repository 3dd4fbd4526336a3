"""The doctor finds what is broken, repairs what is safe and says what to do about the rest."""

from pathlib import Path

import pytest
from mooring_server.store import Finding, Tx
from mooring_server.store.migrating import connection
from mooring_server.store.records import ChangeKind
from support_store import ENGAGEMENT, USER, Database, asset, begin, dependency, publish, session

STREAM = f"engagements/{ENGAGEMENT}"
SESSIONS = f"{STREAM}/sessions"

# What a repair of one leaves is where the next one is planted.
REPAIRABLE = (
    ("UPDATE sessions SET is_default = (1 = 0)", "has 0 default sessions"),
    ("UPDATE sessions SET archive_time = 5 WHERE is_default", "is the default and archived"),
    ("UPDATE engagements SET session_count = 9", "says that it has 9 sessions and has 3"),
    ("UPDATE data_versions SET published = (1 = 0)", "is shown and not marked as shown"),
    ("UPDATE data_versions SET idle_time = 1", "is shown and not marked as shown"),
    ("UPDATE sessions SET asset_count = 7 WHERE id = 'baseline'", "says that it has 7 assets"),
    ("UPDATE sessions SET asset_count = 7 WHERE id = 'wave-1'", "has 7 assets and shows 0"),
    ("UPDATE sessions SET dependency_count = 7 WHERE id = 'baseline'", "says that it has 7 dependencies"),
    ("UPDATE sessions SET dependency_count = 7 WHERE id = 'wave-1'", "has 7 dependencies and shows 0"),
    ("UPDATE sessions SET data_revision = 7 WHERE id = 'baseline'", "has 7 edits and shows 1"),
    ("UPDATE data_versions SET dependency_count = 9", "says that it has 9 dependencies and has 1"),
    (
        "INSERT INTO landscapes (version_id, revision, document)"
        " SELECT id, revision + 1, '{}' FROM data_versions",
        "in its revision 2, which is not there",
    ),
    ("UPDATE engagements SET revision = revision - 2", "and its log goes on to"),
    ("UPDATE users SET default_engagement_id = 'elsewhere'", "and is no member there"),
    ("UPDATE sessions SET parent_id = 'nobody' WHERE id = 'wave-1'", "has the parent nobody"),
    ("UPDATE sessions SET parent_id = id WHERE id = 'wave-1'", "has the parent wave-1"),
    ("UPDATE sessions SET sort_name = 'Z' WHERE id = 'wave-1'", "not sorted or found by its name"),
    ("UPDATE engagements SET sort_name = 'Z'", "not sorted or found by its name"),
    ("UPDATE assets SET words = '' WHERE id = 'asset-000001'", "not sorted or found by its name"),
    ("UPDATE session_labels SET value = 'test'", "is found by other labels than it has"),
    (
        "INSERT INTO session_labels (engagement_id, session_id, key, value)"
        " VALUES ('engagement-1', 'wave-2', 'a', 'b')",
        "wave-2 is found by other labels than it has",
    ),
    ("UPDATE sessions SET labels = 'none' WHERE id = 'wave-1'", "is found by other labels than it has"),
    ("UPDATE changes SET session_id = 'wave-9' WHERE session_id = 'wave-1'", "is filed under another"),
    ("UPDATE changes SET engagement_id = NULL WHERE revision = 3", "is filed under another"),
    ("UPDATE operations SET state = 'lost'", "is 'lost' and does not tell its outcome"),
    ("UPDATE operations SET state = 'succeeded', result = NULL", "does not tell its outcome"),
    ("UPDATE operations SET error = NULL", "does not tell its outcome"),
    ("DELETE FROM assets WHERE id = 'asset-000001'", "says that it has 2 assets and has 1"),
    ("DELETE FROM dependencies", "says that it has 1 dependencies and has 0"),
    (
        "UPDATE sessions SET data_version_id = NULL, asset_count = 0",
        "is marked as shown, and nothing shows it",
    ),
    ("UPDATE sessions SET archive_time = 5, is_default = (1 = 0)", "has 0 default sessions"),
    (
        "UPDATE sessions SET is_default = (1 = 0); UPDATE sessions SET delete_time = 5;"
        "UPDATE engagements SET session_count = 0",
        "has 0 default sessions",
    ),
)

UNREPAIRABLE = (
    (
        "UPDATE sessions SET data_version_id = 'gone' WHERE id = 'wave-1'",
        "shows the data version gone, which is not there",
        "Import its inventory again",
    ),
    ("UPDATE dependencies SET kind = 'likes'", "'likes' in dependencies.kind", "newer Mooring"),
    (
        "UPDATE dependencies SET target_id = 'gone'",
        "is between the assets asset-000000 and gone, which are not both there",
        "Delete it",
    ),
    ("UPDATE members SET role = 1", "has no manager", "API token"),
    ("UPDATE members SET role = 9", "9 in members.role", "newer Mooring"),
    (
        "DELETE FROM changes WHERE revision = 2 AND stream LIKE 'engagements/%%'",
        "has gaps between 1 and 4",
        "restore a backup",
    ),
    ("UPDATE engagements SET revision = 5", "is at revision 5 and its log ends at 4", "restore a backup"),
    ("DELETE FROM changes WHERE stream LIKE 'users/%%'", "its log is empty", "restore a backup"),
    (
        "UPDATE changes SET stream = 'users/nobody' WHERE revision = 4",
        "users/nobody, which is not there",
        "restore a backup",
    ),
    (
        "INSERT INTO uploads (id, engagement_id, session_id, user_id, file_name, sha256, size_bytes,"
        " chunk_count, complete, create_time)"
        " VALUES ('up', 'engagement-1', 'wave-1', 'user-1', 'a.csv', '', 9, 3, (1 = 1), 5)",
        "has 0 of its 3 pieces",
        "Upload the file again",
    ),
)


@pytest.fixture
def sound(database: Database) -> Database:
    def make(tx: Tx):
        begin(tx)
        tx.users.set_default_engagement(USER, ENGAGEMENT)
        publish(tx, asset(0), asset(1))
        tx.edits.create_dependency(tx.edits.begin(ENGAGEMENT, "baseline"), dependency(0, 0, 0))

    database.write(make)
    database.write(session("wave-1"))
    database.write(session("wave-2"))
    database.write(lambda tx: tx.sessions.update(ENGAGEMENT, "wave-1", None, labels={"env": "prod"}))
    database.write(lambda tx: tx.operations.insert("op-1", ENGAGEMENT, "wave-1", USER, "import", {}))
    assert database.store.check() == []
    return database


def break_it(database: Database, fault: str) -> list[Finding]:
    """Plants a fault behind the store's back; what the doctor then finds."""
    with connection(database.url) as opened:
        for statement in fault.split(";"):
            opened.execute_sql(statement)
    return database.store.check()


def test_a_label_of_no_session_is_one_fault(tmp_path: Path):
    """A label whose session is gone says nothing about the labels of others."""
    with Database(f"sqlite:///{tmp_path}/store.db") as database:
        database.write(begin)
        database.write(lambda tx: tx.sessions.update(ENGAGEMENT, "baseline", None, labels={"env": "prod"}))
        found = break_it(database, "INSERT INTO session_labels VALUES ('a-gone', 'baseline', 'a', 'b')")
    assert [finding.sentence.partition(".")[0] for finding in found] == [
        "A row of session_labels refers to a row of sessions that is not there"
    ]


def test_a_landscape_of_no_version_goes(tmp_path: Path):
    """It is made of data, so that its loss is none; an import of no session is told, and stays."""
    with Database(f"sqlite:///{tmp_path}/store.db") as database:
        database.write(begin)
        found = break_it(
            database,
            "INSERT INTO landscapes (version_id, revision, document) VALUES ('gone', 0, '{}');"
            "INSERT INTO imports (id, engagement_id, session_id, user_id, file_name, sha256, size_bytes,"
            " options, options_hash, report, details, base_revision, revision, create_time)"
            " VALUES ('i', 'engagement-1', 'gone', 'user-1', 'a.csv', '', 0, '{}', '', '{}', '{}', 0, 0, 5)",
        )
        assert [(one.sentence.partition(".")[0], one.is_repairable) for one in found] == [
            ("A row of imports refers to a row of sessions that is not there", False),
            ("A landscape is kept of data version gone in its revision 0, which is not there", True),
        ]
        assert len(database.run(database.store.repair())) == 1
        assert [one.is_repairable for one in database.store.check()] == [False]


def test_each_fault_is_found_and_repaired(sound: Database):
    """What can be repaired without a loss is told, repaired and told again; then all is sound."""
    for fault, found in REPAIRABLE:
        faults = break_it(sound, fault)
        assert any(found in one.sentence and one.is_repairable for one in faults), (fault, faults)
        repairs = sound.run(sound.store.repair())
        assert any(found in done for done in repairs), (fault, repairs)
        assert sound.store.check() == [], fault
        assert sound.run(sound.store.repair()) == [], fault


def test_what_cannot_be_repaired_is_explained(sound: Database):
    """What a repair would hide or guess stays as it is, with what to do."""
    for fault, found, advice in UNREPAIRABLE:
        faults = break_it(sound, fault)
        told = [one for one in faults if found in one.sentence]
        assert told, (fault, faults)
        assert advice in told[0].sentence
        assert not told[0].is_repairable
    before = sound.store.check()
    assert sound.run(sound.store.repair()) == []
    assert sound.store.check() == before


@pytest.mark.parametrize(
    ("fault", "resource"),
    [
        ("UPDATE engagements SET session_count = 9", STREAM),
        ("UPDATE sessions SET asset_count = 7 WHERE id = 'wave-1'", f"{SESSIONS}/wave-1"),
        ("UPDATE sessions SET dependency_count = 7 WHERE id = 'wave-1'", f"{SESSIONS}/wave-1"),
        ("UPDATE sessions SET parent_id = 'nobody' WHERE id = 'wave-2'", f"{SESSIONS}/wave-2"),
        ("UPDATE sessions SET is_default = (1 = 0)", f"{SESSIONS}/baseline"),
        ("UPDATE users SET default_engagement_id = 'elsewhere'", f"users/{USER}"),
    ],
)
def test_watchers_hear_of_a_repair(sound: Database, fault: str, resource: str):
    """A repair that changes what a resource shows is a change of it, by the system."""
    break_it(sound, fault)
    stream = "/".join(resource.split("/")[:2])
    before = sound.read(lambda tx: tx.changes.head(stream))
    sound.run(sound.store.repair())
    changes = sound.read(lambda tx: tx.changes.after(stream, before, 10))
    assert (resource, ChangeKind.UPDATED, "users/system") in [
        (change.resource, change.kind, change.actor) for change in changes
    ]


def test_a_repaired_stream_takes_changes_again(sound: Database):
    """A stream that was behind its log would refuse every change."""
    break_it(sound, "UPDATE engagements SET revision = 2")
    sound.run(sound.store.repair())
    sound.write(session("wave-3"))
    assert sound.read(lambda tx: tx.changes.head(STREAM)) == 5
    assert sound.store.check() == []


def test_more_faults_than_are_told_are_repaired(sound: Database):
    """The list of findings is bounded, the repair is not."""

    def fill(tx: Tx):
        for number in range(150):
            tx.sessions.insert(ENGAGEMENT, f"more-{number}", f"More {number}", "", "data_import", USER)

    sound.write(fill)
    assert len(break_it(sound, "UPDATE sessions SET sort_name = '-'")) == 100
    assert len(sound.run(sound.store.repair())) == 153
    assert sound.store.check() == []


def test_the_index_of_words_is_made_anew(tmp_path):
    """On SQLite, where the index is a table beside the rows, search finds again what it had lost."""
    with Database(f"sqlite:///{tmp_path}/store.db") as database:
        database.write(begin)
        database.write(session("wave-1", "Harbour"))
        faults = break_it(database, "INSERT INTO session_search (session_search) VALUES ('delete-all')")
        assert [fault.sentence for fault in faults] == [
            "The index of words of sessions is not in step with them."
        ]
        database.run(database.store.repair())
        assert database.store.check() == []
        database.write(session("wave-2", "Harbour two"))
        assert database.store.check() == []


def test_a_log_trimmed_to_nothing_is_sound(sound: Database):
    """Trimming is no damage."""
    while sound.write(lambda tx: tx.changes.trim(STREAM, 1, 10)):
        pass
    assert sound.store.check() == []
