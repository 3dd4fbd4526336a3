"""`mooring backup` and `mooring restore`, as their users run them."""

import json
import os

import pytest
from mooring_server.cli.client import connected
from mooring_server.cli.console import ExitCode
from mooring_server.settings import Settings
from mooring_server.store import migrate
from support_cli import mooring, serving
from support_store import Database, begin, session


@pytest.fixture
def url(folder):
    """The user's database, with an engagement and two sessions."""
    url = f"sqlite:///{folder}/mooring.db"
    with Database(url) as database:
        database.write(begin)
        database.write(session("wave-1", "Wave 1"))
    return url


def test_a_backup_is_written_and_restored(folder, url, tmp_path):
    """The file is its owner's alone; restored elsewhere, the database is sound and has the same rows."""
    file, other = tmp_path / "team.backup", f"sqlite:///{tmp_path}/other.db"
    before = os.umask(0)
    try:
        written = mooring("backup", file, "--json", data_folder=folder)
    finally:
        os.umask(before)
    restored = mooring("restore", file, "--database", other, "--json", data_folder=folder)

    assert written.returncode == restored.returncode == 0, written.stderr + restored.stderr
    account, again = json.loads(written.stdout), json.loads(restored.stdout)
    assert account["tables"]["sessions"]["rows"] == 2
    assert account["tables"] == again["tables"]
    assert again["new_incarnation"] != account["incarnation"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_size == account["size_bytes"]
    assert mooring("doctor", "--database", other, data_folder=folder).returncode == 0
    assert [path.name for path in tmp_path.iterdir() if "team" in path.name] == ["team.backup"]


def test_nothing_is_overwritten_unasked(folder, url, tmp_path):
    """A file that is there stays unless --force says otherwise."""
    file = tmp_path / "team.backup"
    file.write_text("precious")
    refused = mooring("backup", file, data_folder=folder)
    kept = file.read_text()
    forced = mooring("backup", file, "--force", data_folder=folder)

    assert refused.returncode == ExitCode.FAILED
    assert "--force" in refused.stderr
    assert kept == "precious"
    assert forced.returncode == 0, forced.stderr
    assert file.read_bytes()[:2] == b"PK"


def test_a_new_database_is_made_quietly(folder, url, tmp_path):
    """A restore into nothing makes the database and says nothing but what it did."""
    file = tmp_path / "team.backup"
    mooring("backup", file, data_folder=folder)
    result = mooring("restore", file, "--database", f"sqlite:///{tmp_path}/new.db", data_folder=folder)

    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


def test_a_database_is_not_replaced_unasked(folder, url, tmp_path):
    """A database that holds something stays unless --replace says otherwise."""
    file = tmp_path / "team.backup"
    mooring("backup", file, data_folder=folder)
    refused = mooring("restore", file, data_folder=folder)
    replaced = mooring("restore", file, "--replace", data_folder=folder)

    assert refused.returncode == ExitCode.FAILED
    assert "--replace" in refused.stderr
    assert replaced.returncode == 0, replaced.stderr
    assert "rows" in replaced.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backup", "{folder}/nowhere/a.backup"), "cannot be written"),
        (("backup", "{folder}"), "is a folder"),
        (("backup", "a.backup", "--database", "sqlite:///{folder}/absent.db"), "there is no database"),
        (("backup", "a.backup", "--database", "postgresql://me:secret@127.0.0.1:9/none"), "does not answer"),
        (("restore", "{folder}/absent.backup"), "cannot be read"),
        (("restore", "{folder}/mooring.db"), "no sound backup"),
    ],
)
def test_failures_are_one_sentence(folder, url, tmp_path, monkeypatch, arguments, said):
    """What cannot be done ends in one line, without a password, and leaves no half file."""
    monkeypatch.chdir(tmp_path)
    result = mooring(*(one.format(folder=folder) for one in arguments), data_folder=folder)

    assert result.returncode != 0
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_both_work_while_a_server_runs(folder, tmp_path):
    """A served database is backed up, and restored under its server, which then shows the old state."""
    url, file = f"sqlite:///{tmp_path}/team.db", tmp_path / "team.backup"
    migrate(url, Settings())
    with serving("--port", 0, "--database", url, data_folder=folder) as server:
        with connected(server.address) as client:
            home = client.engagement(None)
            client.create_session(home.name, "Wave 1")
            written = mooring("backup", file, "--database", url, data_folder=folder)
            client.create_session(home.name, "Wave 2")
            restored = mooring("restore", file, "--database", url, "--replace", data_folder=folder)
            names = {one.display_name for one in client.sessions(home.name)}
            client.create_session(home.name, "Wave 3")
        beside = mooring("doctor", "--database", url, data_folder=folder)
        assert server.stop() == 0

    assert written.returncode == restored.returncode == 0, written.stderr + restored.stderr
    assert names == {"Baseline", "Wave 1"}
    assert beside.returncode == 0, beside.stdout
