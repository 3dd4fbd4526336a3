import io
import json
from uuid import uuid4

import pytest
from mooring_server.cli import console
from mooring_server.cli.console import ExitCode, Failure


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self):
        return True


@pytest.fixture
def imported(run, tmp_path):
    """A session into which two files were imported, one after the other."""
    session = f"Session {uuid4()}"
    for number in (1, 2):
        file = tmp_path / f"part-{number}.csv"
        file.write_text(f"Name,Type\nserver-{number},Server\n")
        result = run("import", file, "--session", session)
        assert result.exit_code == 0, result.output
    return session


@pytest.fixture
def asked(run):
    def ask(*arguments):
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return ask


def names(asked, session):
    return [one["display_name"] for one in asked("assets", "list", session)["assets"]]


def test_the_history_is_listed_and_shown(asked, run, imported):
    """The newest comes first; a list has numbers, one import all of its report."""
    listed = asked("imports", "list", imported)
    newest, oldest = listed["imports"]
    shown = asked("imports", "show", imported, oldest["name"].rpartition("/")[2])

    assert [newest["file_name"], oldest["file_name"]] == ["part-2.csv", "part-1.csv"]
    assert (newest["revertible"], oldest["revertible"], listed["more"]) == (True, False, False)
    assert oldest["report"]["rejected_count"] == 0
    assert "rejected" not in oldest["report"]
    assert shown["report"]["rejected"] == []
    assert shown["report"]["source_rows"] == shown["report"]["created"] == 1
    assert asked("imports", "list", imported, "--limit", 1)["more"] is True
    assert "part-2.csv" in run("imports", "show", imported).stdout


def test_an_import_goes_by_the_beginning_of_its_id(asked, run, imported):
    """As much of an id as the list shows is enough; less than that names several."""
    table = run("imports", "list", imported).stdout.splitlines()
    shown = asked("imports", "show", imported, table[3].split()[0])

    assert shown["file_name"] == "part-1.csv"
    for wanted, hint in ((shown["name"].rpartition("/")[2][:4], "2 imports"), ("ffff", "imports list")):
        result = run("imports", "show", imported, wanted)
        assert result.exit_code == ExitCode.FAILED
        assert hint in result.stderr


def test_imports_are_undone_newest_first(asked, run, imported):
    """Each revert takes the newest import back, and says so; then there is nothing left to undo."""
    one = run("imports", "revert", imported)
    assert "This takes back part-2.csv" in one.stderr
    assert names(asked, imported) == ["server-1"]
    assert asked("imports", "revert", imported)["file_name"] == "part-1.csv"
    assert names(asked, imported) == []
    three = run("imports", "revert", imported)

    assert three.exit_code == ExitCode.FAILED
    assert "nothing to undo" in three.stderr
    assert all(one["revert_time"] for one in asked("imports", "list", imported)["imports"])


def test_an_older_import_is_not_undone_first(asked, run, imported):
    """What came after an import goes before it; the service's reason is passed on."""
    oldest = asked("imports", "list", imported)["imports"][1]["name"]
    result = run("imports", "revert", imported, oldest)

    assert result.exit_code == ExitCode.FAILED
    assert "[NOT_REVERTIBLE]" in result.stderr
    assert names(asked, imported) == ["server-1", "server-2"]


def test_edits_are_not_lost_unasked(asked, run, imported):
    """An import with edits after it is undone with --force alone, which says how many are lost."""
    asked("assets", "set", imported, "server-2", "owner=Sales")
    wary = run("imports", "revert", imported)
    assert wary.exit_code == ExitCode.FAILED
    assert "1 edit" in wary.stderr
    assert "--force" in wary.stderr
    assert names(asked, imported) == ["server-1", "server-2"]
    forced = run("imports", "revert", imported, "--force")

    assert forced.exit_code == 0, forced.output
    assert "1 edit" in forced.stderr
    assert names(asked, imported) == ["server-1"]


@pytest.mark.parametrize(("typed", "goes_on"), [("y\n", True), ("YES\n", True), ("n\n", False), ("", False)])
def test_a_terminal_is_asked(monkeypatch, capsys, typed, goes_on):
    """Only a clear yes goes on; --yes and what is no terminal are not asked."""
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    if goes_on:
        console.confirm("Undo it?", yes=False)
    else:
        with pytest.raises(Failure, match="nothing was changed"):
            console.confirm("Undo it?", yes=False)
    assert capsys.readouterr().err == "Undo it? [y/N] "

    console.confirm("Undo it?", yes=True)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    console.confirm("Undo it?", yes=False)
    assert capsys.readouterr().err == ""


def test_operations_tell_how_they_ended(asked, run, imported, tmp_path):
    """A list has what succeeded with its report and what failed with its reason."""
    bad = tmp_path / "bad.csv"
    bad.write_bytes(bytes(1000))
    assert run("import", bad, "--session", imported).exit_code == ExitCode.FAILED
    failed, *done = asked("operations", "list", imported)["operations"]
    said = run("operations", "list", imported).stdout

    assert (failed["done"], failed["file"], failed["report"]) == (True, "bad.csv", None)
    assert failed["error"]["reason"] == "UNREADABLE_INVENTORY"
    assert [(one["report"]["created"], one["error"]) for one in done] == [(1, None), (1, None)]
    assert "part-2.csv" in said
    assert "UNREADABLE" not in said


def test_waiting_ends_as_the_import_did(asked, run, imported, tmp_path):
    """`wait` prints the report of an import that succeeded and fails as one that failed did."""
    waited = asked("operations", "wait", imported)
    shown = asked("imports", "show", imported)["report"]
    bad = tmp_path / "bad.csv"
    bad.write_bytes(bytes(1000))
    run("import", bad, "--session", imported)
    failed = run("operations", "wait", imported)

    assert waited == shown
    assert failed.exit_code == ExitCode.FAILED
    assert "[UNREADABLE_INVENTORY]" in failed.stderr


def test_a_session_without_anything(run):
    """Where nothing was imported, each command says so in one sentence."""
    run("import", "--preview", "none")  # a session is not made by looking
    for arguments in (("imports", "list"), ("imports", "revert"), ("operations", "wait")):
        result = run(*arguments, "engagements/demo/sessions/none")
        assert result.exit_code == ExitCode.FAILED
        assert result.stderr.count("\n") == 1
