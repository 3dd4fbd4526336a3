"""The doctor finds what is broken, on every database."""

import pytest
from mooring_server.store import Tx
from mooring_server.store.migrating import connection
from support_store import ENGAGEMENT, Database, asset, begin, publish, session

STREAM = f"engagements/{ENGAGEMENT}"


@pytest.fixture
def sound(database: Database) -> Database:
    def make(tx: Tx):
        begin(tx)
        publish(tx, asset(0), asset(1))

    database.write(make)
    database.write(session("wave-1"))
    database.write(session("wave-2"))
    assert database.store.check() == []
    return database


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("UPDATE sessions SET is_default = (1 = 0)", "has 0 default sessions"),
        ("UPDATE engagements SET session_count = 9", "says that it has 9 sessions and has 3"),
        ("UPDATE sessions SET data_version_id = 'gone' WHERE id = 'wave-1'", "which is not there"),
        ("UPDATE data_versions SET published = (1 = 0)", "not marked as shown"),
        ("UPDATE data_versions SET idle_time = 1", "not marked as shown"),
        ("UPDATE sessions SET asset_count = 7 WHERE id = 'baseline'", "says that it has 7 assets"),
        ("DELETE FROM assets WHERE id = 'asset-000001'", "says that it has 2 assets and has 1"),
        ("UPDATE engagements SET revision = 4", "is at revision 4 and its log ends at 3"),
        (
            "DELETE FROM changes WHERE revision = 2 AND stream LIKE 'engagements/%%'",
            "has gaps between 1 and 3",
        ),
        ("DELETE FROM changes WHERE stream LIKE 'users/%%'", "its log is empty"),
        ("UPDATE changes SET stream = 'users/nobody' WHERE revision = 3", "users/nobody, which is not there"),
    ],
)
def test_a_planted_fault_is_found(sound: Database, fault: str, found: str):
    """Each broken invariant is told in a sentence that names what it is about."""
    with connection(sound.url) as database:
        database.execute_sql(fault)
    assert any(found in sentence for sentence in sound.store.check())


def test_a_log_trimmed_to_nothing_is_sound(sound: Database):
    """Trimming is no damage."""
    while sound.write(lambda tx: tx.changes.trim(STREAM, 1, 10)):
        pass
    assert sound.store.check() == []
