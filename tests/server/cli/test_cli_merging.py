"""`mooring merge` and `mooring merges`."""

import json
from uuid import uuid4

import pytest
from mooring_server.cli.console import ExitCode

BEFORE = "name,type,environment,vCPUs,owner\nweb-01,Server,Production,8,Ann\nweb-02,Server,,4,Bob\n"
AFTER = "name,environment,vCPUs,owner\nweb-01,Production,12,Eve\nweb-02,Test,4,Bob\nlb-01,,2,\n"


@pytest.fixture
def sessions(run, tmp_path):
    """A target and a source, by their names."""
    names = []
    for text in (BEFORE, AFTER):
        file = tmp_path / f"{len(names)}.csv"
        file.write_text(text)
        names.append(f"Session {uuid4()}")
        result = run("import", file, "--session", names[-1])
        assert result.exit_code == 0, result.output
    return names


def owners(run, session):
    listed = json.loads(run("assets", "list", session, "--json").stdout)["assets"]
    return {one["display_name"]: one["owner"] for one in listed}


def refused(result, hint, code=ExitCode.FAILED):
    assert result.exit_code == code, result.output
    assert hint in result.stderr


def test_a_preview_changes_nothing(run, sessions):
    """It shows what is new, each field's fills and conflicts, and where those go."""
    target, source = sessions
    shown = run(
        "merge", source, target, "--conflicts", "newest", "--field", "owner=target", "--preview"
    ).stdout
    assert "environment      1          0" in shown
    assert "web-01    owner      Ann     Eve     target" in shown
    assert "web-01    cpu cores  8       12      source" in shown
    counts = json.loads(run("merge", source, target, "--preview", "--json").stdout)["counts"]
    assert (counts["new_asset_count"], counts["conflicts"]) == (1, {"cpu_cores": 1, "owner": 1})
    assert owners(run, target) == {"web-01": "Ann", "web-02": "Bob"}


def test_a_merge_is_done_shown_and_undone(run, sessions):
    """The record has what was left out; undone, all is as before, and the source is in use again."""
    target, source = sessions
    done = run("merge", source, target, "--field", "owner=source")
    assert done.exit_code == 0, done.output
    id = done.stdout.rpartition("merges revert ")[2].partition("`")[0]
    assert owners(run, target) == {"web-01": "Eve", "web-02": "Bob", "lb-01": ""}
    listed = json.loads(run("merges", "list", "--json").stdout)["merges"]
    assert listed[0]["name"].endswith(id)
    assert f"{source}" in run("merges", "list").stdout
    shown = run("merges", "show", id).stdout
    assert "web-01               owner      Ann     Eve     source" in shown
    assert "web-01               cpu cores  8.0     12.0    target" in shown
    assert json.loads(run("merges", "show", id, "--json").stdout)["drops"][0]["display_name"] == "web-01"
    assert "merge of" in run("operations", "list", target).stdout
    assert run("operations", "wait", target).exit_code == 0
    assert "is over already" not in run("operations", "cancel", target).stdout
    run("assets", "set", target, "web-02", "owner=Zoe")
    refused(run("merges", "revert", id), "--force undoes it all the same")
    undone = run("merges", "revert", id, "--force")
    assert f"{target} is as it was before the merge." in undone.stdout
    assert owners(run, target) == {"web-01": "Ann", "web-02": "Bob"}
    refused(run("merges", "revert", id), "[NOT_REVERTIBLE]")
    assert run("assets", "set", source, "web-02", "owner=Zoe").exit_code == 0


def test_nothing_left_out_says_so(run, sessions):
    """Where every value of both sides is in the result."""
    target, _ = sessions
    other = f"Clone {uuid4()}"
    run("clone", target, other)
    run("assets", "set", other, "new", "--create")
    run("merge", other, target)
    assert "Every value of both sides is in the result." in run("merges", "show").stdout


def test_what_cannot_be_meant_is_wrong_use(run, sessions):
    """Strategies, sides and choices are told; so is a session that is not there."""
    target, source = sessions
    for options in (("--strategy", "x"), ("--conflicts", "x"), ("--field", "owner"), ("--field", "owner=x")):
        refused(run("merge", source, target, *options), options[0], ExitCode.USAGE)
    refused(run("merge", "nowhere", target), "there is no session 'nowhere'")
    refused(run("merge", target, target), "another session")
    refused(run("merge", source, target, "--field", "colour=source"), "no field")
