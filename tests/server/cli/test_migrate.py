"""`mooring migrate` and `mooring serve` on a database of the old shape, as their users run them."""

import json

import pytest
from mooring_server.cli.client import connected
from mooring_server.cli.console import ExitCode
from support_cli import mooring, serving
from support_old_shape import filled, make_old


@pytest.fixture
def folder(tmp_path):
    """A data folder whose database is of the old shape."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    make_old(f"sqlite:///{path}/mooring.db", filled(30, 20, 60))
    return path


def test_the_old_shape_is_adopted_reported_and_dropped(folder):
    """The doctor names what is pending, migrate does and reports it, once, and drops the rest when asked."""
    before = mooring("doctor", data_folder=folder)
    adopted = mooring("migrate", data_folder=folder)
    again = mooring("migrate", "--json", data_folder=folder)
    after = mooring("doctor", data_folder=folder)
    dropped = mooring("migrate", "--drop-old", data_folder=folder)
    last = json.loads(mooring("migrate", "--json", data_folder=folder).stdout)

    assert before.returncode == ExitCode.FAILED
    assert "adoption of the old shape is pending" in before.stdout
    assert adopted.returncode == 0, adopted.stderr
    assert "applied adoption of the old shape" in adopted.stdout
    assert "old: 60 sessions" in adopted.stdout
    assert "more decisions" in adopted.stdout
    account = json.loads(again.stdout)
    assert account["applied"] == []
    assert account["adoption"]["old_rows"]["sessions"] == 60
    assert len(account["adoption"]["decisions"]) > 20
    assert after.returncode == 0, after.stdout
    assert "dropped old_users" in dropped.stdout
    assert last["adoption"] is None
    assert last["dropped"] == []


def test_serve_adopts_the_old_shape(folder):
    """A server finds the old database, adopts it and serves what was in it."""
    url = f"sqlite:///{folder}/mooring.db"
    with serving("--port", 0, "--database", url, data_folder=folder) as server:
        with connected(server.address) as client:
            assert client.engagement(None).display_name
        assert "adoption of the old shape" in server.log()
        assert server.stop() == 0
    assert mooring("doctor", data_folder=folder).returncode == 0
