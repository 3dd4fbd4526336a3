"""Migrations, on every database."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from mooring_server.errors import Unavailable
from mooring_server.settings import Settings
from mooring_server.store import migrate, open_store, pending_migrations
from mooring_server.store.lists.search import create_search
from mooring_server.store.migrating import connection, is_sqlite
from mooring_server.store.tables import TABLES
from support_store import Database

_SETTINGS = Settings()


def test_migrating_again_does_nothing(database_url: str):
    """What is applied is applied once, and said once."""
    pending = pending_migrations(database_url, _SETTINGS)
    assert pending[0] == "0001_initial"
    assert migrate(database_url, _SETTINGS) == pending
    assert migrate(database_url, _SETTINGS) == []
    assert pending_migrations(database_url, _SETTINGS) == []


def test_a_store_refuses_an_old_schema(database_url: str):
    """Opening never migrates, and says which command does."""
    with pytest.raises(Unavailable, match="mooring migrate"):
        open_store(database_url, settings=_SETTINGS)


def test_a_store_refuses_a_newer_schema(database_url: str):
    """An older program never touches what a newer one has migrated."""
    migrate(database_url, _SETTINGS)
    with connection(database_url) as database:
        database.execute_sql(
            "INSERT INTO schema_migrations (id, name, applied) VALUES (99, '9999_later', '2026-01-01')"
        )
    with pytest.raises(Unavailable, match="newer"):
        open_store(database_url, settings=_SETTINGS)
    with pytest.raises(Unavailable, match="newer"):
        migrate(database_url, _SETTINGS)


def test_several_processes_may_migrate_at_once(database_url: str):
    """One of them does the work, the others wait and find nothing to do."""
    program = (
        "import sys; from mooring_server.settings import Settings; from mooring_server.store import migrate;"
        "print(len(migrate(sys.argv[1], Settings())))"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, database_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    outcomes = [(child.communicate(timeout=90), child.returncode) for child in children]
    assert [code for _, code in outcomes] == [0] * 4, outcomes
    counts = sorted(int(out) for (out, _), _ in outcomes)
    assert counts[:3] == [0, 0, 0]
    assert counts[3] > 0


def test_several_threads_may_migrate_at_once(database_url: str):
    """The lock holds within a process too."""
    with ThreadPoolExecutor(6) as threads:
        applied = list(threads.map(lambda _: migrate(database_url, _SETTINGS), range(6)))
    assert sorted(map(len, applied))[:5] == [0] * 5
    with Database(database_url) as database:
        assert database.store.check() == []


def test_a_database_has_an_id_and_a_key_of_its_own(database_url: str, tmp_path):
    """Both are made once and differ from any other database's."""
    migrate(database_url, _SETTINGS)
    other_url = f"sqlite:///{tmp_path}/other.db"
    migrate(other_url, _SETTINGS)
    with Database(database_url) as opened, Database(database_url) as reopened, Database(other_url) as another:
        first, again, other = opened.store, reopened.store, another.store
    assert (first.incarnation, first.signing_key) == (again.incarnation, again.signing_key)
    assert first.incarnation != other.incarnation
    assert first.signing_key != other.signing_key
    assert len(first.signing_key) == 32


def _schema(url: str) -> set[tuple]:
    """Everything that the database says about our tables."""
    with connection(url) as database:
        if is_sqlite(url):
            # Not a table's own text: a column that was added later stands elsewhere in it.
            queries = [
                "SELECT name, tbl_name, sql FROM sqlite_master WHERE type <> 'table'",
                'SELECT t.name, c.name, c.type, c."notnull", c.pk'
                " FROM sqlite_master t, pragma_table_xinfo(t.name) c WHERE t.type = 'table'",
                'SELECT t.name, f."table", f."from", f."to"'
                " FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'",
                "SELECT name, substr(sql, instr(sql, 'CHECK')), ''"
                " FROM sqlite_master WHERE sql LIKE '%CHECK%'",
            ]
        else:
            queries = [
                "SELECT table_name, column_name, data_type, is_nullable, collation_name"
                " FROM information_schema.columns WHERE table_schema = current_schema()",
                "SELECT tablename, replace(indexdef, current_schema(), ''), '' FROM pg_indexes"
                " WHERE schemaname = current_schema()",
                "SELECT conrelid::regclass::text, pg_get_constraintdef(oid), '' FROM pg_constraint"
                " WHERE connamespace = current_schema()::regnamespace",
            ]
        rows = {tuple(row) for query in queries for row in database.execute_sql(query).fetchall()}
        return {row for row in rows if not any("schema_migrations" in str(value) for value in row)}


def test_the_migrations_arrive_at_the_tables(new_database: Callable[[], str]):
    """The schema that the migrations make is the one that `tables.py` says."""
    migrated, direct = new_database(), new_database()
    migrate(migrated, _SETTINGS)
    with connection(direct) as database:
        for table in TABLES:
            table.bind(database)
            try:
                table.create_table()
            finally:
                table.bind(None)
        create_search(database)
    assert _schema(migrated) == _schema(direct)


def test_the_file_is_its_owners_alone(tmp_path):
    """Whatever the umask, others of the machine read neither the database nor its log."""
    before = os.umask(0)
    try:
        with Database(f"sqlite:///{tmp_path}/folder/store.db") as database:
            database.write(lambda tx: tx.users.insert("ann", "ann", "Ann", ""))
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "folder").iterdir()}
    finally:
        os.umask(before)
    assert modes.keys() >= {"store.db", "store.db-wal"}
    assert set(modes.values()) == {0o600}


def test_a_folder_that_cannot_be_made_is_a_plain_failure(tmp_path):
    """No path and no system's text leaves."""
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable) as refused:
        migrate(f"sqlite:///{tmp_path}/file/folder/store.db", _SETTINGS)
    assert str(tmp_path) not in refused.value.message
