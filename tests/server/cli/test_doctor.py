"""`mooring doctor --repair`, as its users run it."""

import json

import pytest
from mooring_server.cli.console import ExitCode
from mooring_server.store.migrating import connection
from support_cli import mooring, serving
from support_store import ENGAGEMENT, Database, begin


@pytest.fixture
def folder(tmp_path):
    """A data folder whose database has two faults that can be repaired, and one that cannot."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    url = f"sqlite:///{path}/mooring.db"
    with Database(url) as database:
        database.write(begin)
    with connection(url) as opened:
        opened.execute_sql("UPDATE engagements SET session_count = 9, sort_name = 'x'")
        opened.execute_sql("UPDATE sessions SET data_version_id = 'gone'")
    return path


def test_repairs_are_told_and_the_rest_explained(folder):
    """Without --repair nothing changes; with it, what was done and what is left are told apart."""
    looked = mooring("doctor", data_folder=folder)
    repaired = mooring("doctor", "--repair", "--json", data_folder=folder)
    again = json.loads(mooring("doctor", "--json", data_folder=folder).stdout)

    assert looked.returncode == repaired.returncode == ExitCode.FAILED
    assert "says that it has 9 sessions and has 1." in looked.stdout
    assert "`mooring doctor --repair` repairs 2 of these." in looked.stdout
    account = json.loads(repaired.stdout)
    assert len(account["repairs"]) == 2
    assert account["repairable"] == 0
    assert account["sound"] is False
    assert "Import its inventory again" in account["faults"][0]
    assert again["faults"] == account["faults"]
    assert again["repairs"] == []


def test_what_no_session_shows_is_counted(folder):
    """It is no fault; how much it is and when it goes is told."""
    with Database(f"sqlite:///{folder}/mooring.db") as database:
        database.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", None))
    looked = mooring("doctor", data_folder=folder)
    account = json.loads(mooring("doctor", "--json", data_folder=folder).stdout)

    assert "no session shows 1 data version, with 0 assets" in looked.stdout
    assert "MOORING_VERSION_KEEP_S" in looked.stdout
    assert account["spare"] == {"data_versions": 1, "assets": 0, "dependencies": 0, "due": 1}


def test_a_served_database_is_repaired(folder):
    """The doctor works beside a server."""
    with serving("--port", 0, "--database", f"sqlite:///{folder}/mooring.db", data_folder=folder) as server:
        result = mooring("doctor", "--repair", data_folder=folder)
        assert server.stop() == 0

    assert "- repaired: Engagement engagement-1 says that it has 9 sessions" in result.stdout
