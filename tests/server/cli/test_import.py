import json
import os
import re

import pytest
from mooring.v1 import imports_pb2
from mooring_server.cli.client import connected
from mooring_server.cli.console import ExitCode, Failure
from mooring_server.cli.reports import check
from support_cli import mooring, serving

SERVERS = (
    "Name,Type,Environment,vCPUs,Memory (GB),Rack\n"
    "harbour-01,Server,Production,16,64,A1\n"
    "\n"
    "harbour-02,Server,Production,16,64\n"
    "pilot-01,Virtual machine,Test,4,8,\n"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for the module; each test has sessions of its own."""
    folder = tmp_path_factory.mktemp("data")
    folder.chmod(0o700)
    with serving("--port", 0, "--database", f"sqlite:///{folder / 'a.db'}", data_folder=folder) as server:
        yield server


@pytest.fixture
def run(server, tmp_path):
    """`mooring import` against that server."""

    def run(*arguments, **settings):
        return mooring(
            "import", *arguments, data_folder=tmp_path, **({"MOORING_SERVER": server.address} | settings)
        )

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "servers.csv"
    path.write_text(SERVERS)
    return path


def sessions(server, engagement="engagements/demo"):
    with connected(server.address) as client:
        return {one.display_name: one for one in client.sessions(engagement)}


def test_json_is_one_object_that_adds_up(run, server, file):
    """Every row of the file is in exactly one of the numbers, and the session is made on the way."""
    result = run(file, "--session", "Adds up", "--json")

    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    account = json.loads(result.stdout)
    numbers = [account[name] for name in ("created", "updated", "unchanged", "joined")]
    assert all(type(number) is int for number in [*numbers, account["source_rows"], account["implied"]])
    assert account["source_rows"] == 3 == sum(numbers) + len(account["rejected"])
    assert account["created_by_type"] == {"server": 2, "virtual_machine": 1}
    assert account["session"] == sessions(server)["Adds up"].name


def test_the_same_file_again_creates_nothing(run, file):
    """An import may be repeated: rows in another order are found unchanged, the same content is replayed."""
    first = json.loads(run(file, "--session", "Again", "--json").stdout)
    replayed = json.loads(run(file, "--session", "Again", "--json").stdout)
    header, *rows = SERVERS.splitlines()
    file.write_text("\n".join([header, *reversed(rows)]))
    account = json.loads(run(file, "--session", "Again", "--json").stdout)

    assert replayed == {**first, "replayed": True}
    assert (account["created"], account["unchanged"], account["replayed"]) == (0, 3, False)


def test_people_get_a_table(run, file):
    """Without --json there is a table with session and numbers; off a terminal no progress is drawn."""
    result = run(file, "--session", "For people")

    assert result.returncode == 0, result.stderr
    assert "Imported servers.csv into For people" in result.stdout
    assert re.search(r"made an asset\W+3\b", result.stdout)
    assert result.stderr == ""


def test_session_and_engagement_go_by_name_or_id(run, server, file):
    """The same session is found by its display name, its id and its full name."""
    account = json.loads(run(file, "--session", "By name", "--json").stdout)
    session_id = account["session"].rpartition("/")[2]
    for session, engagement in (
        ("By name", "Demo engagement"),
        (session_id, "demo"),
        (account["session"], "engagements/demo"),
    ):
        result = run(file, "--session", session, "--engagement", engagement, "--json")

        assert json.loads(result.stdout)["session"] == account["session"], result.stderr
        assert json.loads(result.stdout)["replayed"] is True


def test_an_unknown_engagement_changes_nothing(run, server, file):
    """An engagement is never made on the way; the sentence names what is near."""
    before = sessions(server).keys()
    result = run(file, "--session", "Lost", "--engagement", "Demo engagment")

    assert result.returncode == ExitCode.FAILED
    assert "'Demo engagement'" in result.stderr
    assert sessions(server).keys() == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
        ("empty.csv", b""),
        ("zeros.csv", bytes(2**20)),
    ],
)
def test_what_is_no_inventory_changes_nothing(run, server, tmp_path, name, content):
    """A file that is no inventory ends in one typed sentence; a session made for it is gone again."""
    path = tmp_path / name
    path.write_bytes(content)
    result = run(path, "--session", f"For {name}", "--json")

    assert result.returncode == ExitCode.FAILED
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "[UNREADABLE_INVENTORY]" in result.stderr
    assert f"For {name}" not in sessions(server)


def test_a_file_that_is_not_there(run, server, tmp_path):
    """A missing file is wrong use, and is seen before any session is made."""
    result = run(tmp_path / "none.csv", "--session", "Nothing")

    assert result.returncode == ExitCode.USAGE
    assert "none.csv" in result.stderr
    assert "Nothing" not in sessions(server)


def test_what_is_no_file_is_wrong_use(run, tmp_path):
    """A folder and a pipe are refused at once: neither can be uploaded."""
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv"):
        result = run(path, "--session", "Nothing", "--json")

        assert result.returncode == ExitCode.USAGE
        assert str(path) in result.stderr
        assert result.stdout == ""


def test_a_full_name_finds_its_engagement_and_makes_nothing(run, server, file):
    """A session's full name needs no engagement beside it, and is no name for a new session."""
    found = json.loads(run(file, "--session", "Full name", "--json").stdout)["session"]
    again = run(file, "--session", found, "--json")
    absent = run(file, "--session", "engagements/demo/sessions/none")

    assert json.loads(again.stdout)["session"] == found
    assert absent.returncode == ExitCode.FAILED
    assert "engagements/demo/sessions/none" in absent.stderr
    assert not [name for name in sessions(server) if name.startswith("engagements/")]


@pytest.mark.parametrize("name", ["[bold]Wave[/bold]", ":cat: ☃ “quoted”", "../../etc", "-", "a/b"])
def test_odd_names_are_names(run, server, file, name):
    """A session's name is taken as it is: no markup, no path, no option."""
    result = run(file, f"--session={name}")

    assert result.returncode == 0, result.stderr
    assert f"Imported servers.csv into {name}\n" in result.stdout
    assert name in sessions(server)


@pytest.mark.parametrize("name", [b"bad\xff", "two\nlines", "", " x"])
def test_impossible_names_are_one_sentence(run, server, file, name):
    """A name that no session can have makes nothing, and the sentence says why."""
    before = sessions(server).keys()
    result = run(file, "--session", os.fsdecode(name))

    assert result.returncode in (ExitCode.FAILED, ExitCode.USAGE)
    assert result.stderr.startswith("mooring: ")
    assert result.stderr.count("\n") == 1
    assert "fault" not in result.stderr
    assert sessions(server).keys() == before


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost:", "unix:"])
def test_an_address_without_its_port_is_wrong_use(run, file, address):
    """What cannot be an address is said at once instead of after a wait for it."""
    result = run(file, "--session", "x", "--server", address)

    assert result.returncode == ExitCode.USAGE
    assert "HOST:PORT" in result.stderr


def test_a_plain_terminal_still_gets_its_results(run, file):
    """Where a name cannot be shown in the terminal's encoding the rest is printed all the same."""
    run(file, "--session", "Schnee ☃", "--json")
    result = run(file, "--session", "Schnee ☃", PYTHONIOENCODING="ascii")

    assert result.returncode == 0, result.stderr
    assert "servers.csv in Schnee ?" in result.stdout


def test_a_server_that_is_not_there(run, file):
    """No server at the named address is status 3, and says what to do."""
    result = run(file, "--session", "x", "--server", "127.0.0.1:9")

    assert result.returncode == ExitCode.UNREACHABLE
    assert "mooring serve" in result.stderr


def test_without_a_server_the_embedded_one_is_used(tmp_path, file):
    """`mooring import` alone starts the user's own service, which ends itself when unused."""
    folder = tmp_path / "own"
    result = mooring(
        "import", file, "--session", "Baseline", "--json", data_folder=folder, MOORING_IDLE_EXIT_S="0.5"
    )

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["created"] == 3


def test_a_report_that_does_not_add_up_is_a_failure():
    """Exit status 0 is a promise: rows that nobody accounts for are not passed over."""
    report = imports_pb2.ImportReport(source_rows=3, created=1, unchanged=1)
    with pytest.raises(Failure, match="accounts for 2 of 3 rows"):
        check(report)

    report.rejected.add(row=3, reason="it is bad")
    check(report)
