import json

import pytest
from mooring_server.cli.console import ExitCode

HEADER = "Name,Type,Environment,vCPUs,RAM,Site\n"
SERVERS = HEADER + "harbour-01,Server,Production,16,65536,North\nharbour-02,Server,Test,4,8192,North\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "servers.csv"
    path.write_text(SERVERS)
    return path


def account(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_preview_changes_nothing(run, file):
    """It shows the kind, where columns go in which unit, and the first rows; no session is made."""
    result = run("import", file, "--session", "Not yet", "--preview")
    listed = run("assets", "list", "Not yet")

    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    for expected in ("(table)", "RAM memory_bytes MiB ? 65536, 8192", "Site location North", "64 GiB"):
        assert expected in shown
    assert "nothing was changed" in shown
    assert listed.exit_code == ExitCode.FAILED
    assert "there is no session 'Not yet'" in listed.stderr


def test_a_preview_needs_no_session(run, file):
    """Before there is any session, a file can be looked at."""
    assert run("import", file, "--preview").exit_code == 0


def test_a_preview_is_json_too(run, file):
    """With --json all of it is one object, with the API's own names."""
    preview = account(run("import", file, "--preview", "--json", "--map", "RAM=memory_bytes:GiB"))

    assert (preview["file"], preview["kind"], preview["row_total"]) == ("servers.csv", "table", 2)
    column = next(one for one in preview["columns"] if one["column"] == "RAM")
    assert (column["field"], column["unit"], column["unit_assumed"]) == ("memory_bytes", "GiB", False)
    assert preview["assets"][0]["memory_bytes"] == 65536 * 2**30


def test_columns_go_where_they_are_sent(run, file):
    """--map sends a column to a field in a unit, or keeps it as an attribute; the account tells it."""
    told = account(
        run(
            "import", file, "--session", "Mapped", "--map", "RAM=memory_bytes:GiB", "--map", "Site=", "--json"
        )
    )
    asset = account(run("assets", "show", "Mapped", "harbour-02", "--json"))

    assert told["mapping"]["RAM"] == "memory_bytes"
    assert {"column": "RAM", "field": "memory_bytes", "unit": "GiB"} in told["columns"]
    assert (asset["memory_bytes"], asset["location"]) == (8192 * 2**30, "")
    assert asset["attributes"]["Site"] == "North"


def test_rows_get_the_type_that_is_said(run, tmp_path):
    """--type is what rows are that do not say; people may write it in words."""
    path = tmp_path / "names.csv"
    path.write_text("Name,Owner\nledger,Finance\n")
    told = account(run("import", path, "--session", "Typed", "--type", "Load balancer", "--json"))

    assert told["created_by_type"] == {"load_balancer": 1}


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--map", "RAM"), "'RAM=memory_bytes:GiB'"),
        (("--map", "=memory_bytes"), "'RAM=memory_bytes:GiB'"),
        (("--type", "sever"), "did you mean server?"),
        (("--type", "qqq"), "virtual_machine"),
    ],
)
def test_wrong_options_are_wrong_use(run, file, arguments, hint):
    """What is written wrongly is said before anything is sent."""
    result = run("import", file, "--session", "Wrong", *arguments)

    assert result.exit_code == ExitCode.USAGE
    assert hint in result.stderr
    assert run("imports", "list", "Wrong").exit_code == ExitCode.FAILED


def test_options_that_do_not_fit_make_nothing(run, file):
    """A field that there is not is refused with the nearest one, and no session stays behind."""
    result = run("import", file, "--session", "Unfit", "--map", "RAM=memory_byte")

    assert result.exit_code == ExitCode.FAILED
    assert "memory_bytes" in result.stderr
    assert run("imports", "list", "Unfit").exit_code == ExitCode.FAILED


def test_several_files_have_a_report_each(run, file, tmp_path):
    """Files are imported one after the other; with --json each has its line."""
    other = tmp_path / "more.csv"
    other.write_text(HEADER + "pilot-01,Server,Test,2,4096,South\n")
    result = run("import", file, other, "--session", "Several", "--json")

    assert result.exit_code == 0, result.output
    accounts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["file"], one["created"]) for one in accounts] == [("servers.csv", 2), ("more.csv", 1)]
    assert accounts[0]["session"] == accounts[1]["session"]


def test_a_failure_says_which_file_and_keeps_those_before(run, file, tmp_path):
    """The first of two files stays where the second is no inventory, and its report was printed."""
    bad = tmp_path / "bad.csv"
    bad.write_bytes(bytes(1000))
    result = run("import", file, bad, "--session", "Half", "--json")

    assert result.exit_code == ExitCode.FAILED
    assert json.loads(result.stdout)["file"] == "servers.csv"
    assert result.stderr.startswith("mooring: bad.csv")
    assert "the file before it is in the session" in result.stderr
    assert account(run("assets", "list", "Half", "--json"))["total_size"] == 2


def test_a_file_that_cannot_be_read_stops_all(run, file, tmp_path):
    """All files are looked at before the first is sent."""
    result = run("import", file, tmp_path / "none.csv", "--session", "None at all")

    assert result.exit_code == ExitCode.USAGE
    assert run("imports", "list", "None at all").exit_code == ExitCode.FAILED


def test_the_same_content_is_replayed_and_said_so(run, file):
    """People read that nothing was to do, since when, and the first report; programs find `replayed`."""
    first = account(run("import", file, "--session", "Replayed", "--json"))
    again = account(run("import", file, "--session", "Replayed", "--json"))
    said = run("import", file, "--session", "Replayed").stdout

    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["import"] == first["import"]
    assert "Nothing to do for servers.csv in Replayed" in said
    assert "UTC and nothing has changed since" in said


def test_missing_assets_are_named(run, file):
    """What an earlier file of the inventory named is counted, and the first twenty are named."""
    file.write_text(HEADER + "".join(f"asset-{number:02},Server,Test,1,1,X\n" for number in range(30)))
    run("import", file, "--session", "Missing")
    file.write_text(HEADER + "asset-29,Server,Test,1,1,X\n")
    said = run("import", file, "--session", "Missing").stdout
    told = account(run("import", file, "--session", "Missing", "--json"))

    assert "29 assets of earlier files are not in this one" in said
    assert "asset-19 (last in servers.csv, row 21)" in said
    assert "asset-20 " not in said
    assert "… and 9 more; --json names them all" in said
    assert told["missing_count"] == len(told["missing"]) == 29


def test_dependencies_and_mentions_are_accounted_for(run, tmp_path):
    """An export of flows makes dependencies and assets that are only mentioned; the rows still add up."""
    path = tmp_path / "flows.csv"
    path.write_text(
        "Source server name,Source process,Destination server name,Destination process,Destination port\n"
        "web-01,nginx,db-01,postgres,5432\nweb-02,nginx,db-01,postgres,5432\nweb-01,nginx,db-01,postgres,5432\n"
    )
    told = account(run("import", path, "--session", "Flows", "--json"))
    path.write_text(path.read_text() + "web-03,nginx,db-01,postgres,5432\n")
    said = " ".join(run("import", path, "--session", "Flows").stdout.split())

    rows = sum(told[name] for name in ("created", "updated", "unchanged", "joined")) + len(told["rejected"])
    assert told["source_rows"] == rows == 3
    assert told["dependencies"] == {"created": 2, "updated": 0, "unchanged": 0}
    assert told["implied"] == sum(told["implied_by_type"].values()) == 3
    assert "dependencies: new │ 1 " in said
    assert "dependencies: known already │ 2 " in said
