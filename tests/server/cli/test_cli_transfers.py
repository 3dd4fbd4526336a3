"""`mooring sessions`: listed, exported and imported."""

import json
import re
import signal
import subprocess
from uuid import uuid4

import pytest
from mooring_server.cli.client import connected
from mooring_server.cli.console import ExitCode
from support_cli import COMMAND, DEADLINE_S, environment, serving
from support_waiting import until

ESTATE = "name,type,environment,vCPUs,owner\nweb-01,Server,Production,8,Ann\nweb-02,Server,,4,Bob\n"


@pytest.fixture
def session(run, tmp_path):
    """One with two assets and a dependency, by its name."""
    file = tmp_path / "estate.csv"
    file.write_text(ESTATE)
    name = f"Session {uuid4()}"
    assert run("import", file, "--session", name).exit_code == 0
    assert run("dependencies", "set", name, "web-01", "web-02", "port=5432", "--create").exit_code == 0
    return name


def assets(run, session):
    """Its assets with their ids, without what tells its own session and times."""
    listed = json.loads(run("assets", "list", session, "--json").stdout)["assets"]
    return {
        one["name"].rpartition("/")[2]: (one["display_name"], one["owner"], one["cpu_cores"])
        for one in listed
    }


def refused(result, hint, code=ExitCode.FAILED):
    assert result.exit_code == code, result.output
    assert hint in result.stderr


def test_a_session_moves_as_a_file(run, session, tmp_path, monkeypatch):
    """Exported under its name, it is imported with all it had, new ids, and a number after its name."""
    monkeypatch.chdir(tmp_path)
    exported = run("sessions", "export", session)
    assert exported.exit_code == 0, exported.output
    assert exported.stdout.startswith(f"{session}.mooring.zip: {session} with 2 assets and 1 dependency, ")
    imported = run("sessions", "import", f"{session}.mooring.zip")
    assert imported.stdout.startswith(f"{session} (2): imported with 2 assets and 1 dependency\n")
    before, after = assets(run, session), assets(run, f"{session} (2)")
    assert sorted(before.values()) == sorted(after.values())
    assert not before.keys() & after.keys()
    (needs,) = json.loads(run("dependencies", "list", f"{session} (2)", "--json").stdout)["dependencies"]
    assert {needs["source"].rpartition("/")[2], needs["target"].rpartition("/")[2]} == after.keys()


def test_ids_and_names_can_be_chosen(run, session, tmp_path):
    """With --keep-ids assets are what they were elsewhere; a name or an id that is taken is refused."""
    run("sessions", "export", session, "--to", tmp_path)
    file = tmp_path / f"{session}.mooring.zip"
    id, name = f"a{uuid4().hex}", f"Moved {uuid4()}"
    said = run("sessions", "import", file, "--keep-ids", "--id", id, "--name", name, "--json")
    made = json.loads(said.stdout)
    assert made["session"].endswith(f"/{id}")
    assert (made["display_name"], made["asset_count"]) == (name, 2)
    assert assets(run, name) == assets(run, session)
    refused(run("sessions", "import", file, "--name", name), "[DISPLAY_NAME_TAKEN]")
    refused(run("sessions", "import", file, "--id", id), "[ID_TAKEN]")


def test_exports_of_the_same_say_so(run, session, tmp_path):
    """What --json tells has the digest of the content: equal for equal data, whatever the ids."""
    first = json.loads(run("sessions", "export", session, "--to", tmp_path / "a", "--json").stdout)
    imported = json.loads(run("sessions", "import", tmp_path / "a", "--json").stdout)
    again = run("sessions", "export", imported["session"], "--to", tmp_path / "b", "--json")
    second = json.loads(again.stdout)
    assert first["size_bytes"] == (tmp_path / "a").stat().st_size
    assert first["content_digest"] == second["content_digest"] == imported["content_digest"]


def test_no_file_is_lost_or_half_written(run, session, tmp_path):
    """One that is there stays unless --force says otherwise, and what fails leaves none."""
    taken = tmp_path / "taken.mooring.zip"
    taken.write_text("mine")
    refused(run("sessions", "export", session, "--to", taken), "--force overwrites it")
    assert taken.read_text() == "mine"
    assert run("sessions", "export", session, "--to", taken, "--force").exit_code == 0
    refused(
        run("sessions", "export", "nowhere", "--to", tmp_path / "no.zip"), "there is no session 'nowhere'"
    )
    refused(run("sessions", "export", session, "--to", tmp_path / "no" / "where"), "cannot be written")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["estate.csv", "taken.mooring.zip"]


def test_what_is_no_export_makes_no_session(run, session, tmp_path):
    """Altered, cut off or something else: refused with what to do; no session comes of it."""
    file = tmp_path / "a.mooring.zip"
    run("sessions", "export", session, "--to", file)
    whole = file.read_bytes()
    file.write_bytes(whole[:900] + bytes([whole[900] ^ 1]) + whole[901:])
    refused(run("sessions", "import", file), "was altered since it was exported")
    file.write_bytes(whole[:-100])
    refused(run("sessions", "import", file), "not all of one")
    refused(run("sessions", "import", tmp_path / "estate.csv"), "`mooring import`")
    refused(run("sessions", "import", tmp_path / "none"), "cannot be read", ExitCode.USAGE)
    file.write_bytes(whole)
    refused(run("import", file, "--session", f"X {uuid4()}"), "`mooring sessions import`")
    listed = json.loads(run("sessions", "list", "--limit", 0, "--json").stdout)["sessions"]
    assert [one["display_name"] for one in listed if one["display_name"].startswith(session)] == [session]


def test_sessions_are_listed(run, session):
    """With what they hold, filtered and ordered; archived ones on request, and how many there are besides."""
    shown = run("sessions", "list", "--filter", f'display_name = "{session}"').stdout
    assert re.search(rf"^{session} +\S+ +2 +1 +\d{{4}}-", shown, re.M)
    assert "the first 1 of" in run("sessions", "list", "--limit", 1).stdout
    assert "no such session" in run("sessions", "list", "--filter", 'display_name = "none"').stdout
    other = f"Clone {uuid4()}"
    run("clone", session, other)
    run("merge", other, session)
    found = f'display_name = "{other}"'
    assert "no such session" in run("sessions", "list", "--filter", found).stdout
    assert "archived" in run("sessions", "list", "--archived", "--filter", found).stdout
    refused(run("sessions", "list", "--filter", "colour = red"), "[INVALID_FILTER]")


def test_an_import_is_an_operation_of_the_default_session(run, session, tmp_path):
    """`mooring operations` lists it, waits for it and says what came of it."""
    file = tmp_path / f"{uuid4()}.mooring.zip"
    run("sessions", "export", session, "--to", file)
    run("sessions", "import", file)
    assert file.name in run("operations", "list", "Baseline").stdout
    assert "imported with 2 assets and 1 dependency" in run("operations", "wait", "Baseline").stdout
    (newest, *_) = json.loads(run("operations", "list", "Baseline", "--json").stdout)["operations"]
    assert newest["imported"]["asset_count"] == 2
    assert "was over already: done" in run("operations", "cancel", "Baseline").stdout


def test_ctrl_c_cancels_the_import(folder, tmp_path):
    """Ctrl-C ends it on the server too: no session is made, and the command says so with status 130."""
    rows = "".join(f"machine-{number:06},{number % 64 + 1}\n" for number in range(20_000))
    (tmp_path / "large.csv").write_text(f"Name,vCPUs\n{rows}")
    with serving("--port", 0, data_folder=folder, MOORING_IMPORT_CHUNK_ROWS="200") as server:
        settings = environment(folder, MOORING_SERVER=server.address)

        def mooring(*arguments):
            return [*COMMAND, *map(str, arguments)]

        file = tmp_path / "large.mooring.zip"
        for command in (
            mooring("import", tmp_path / "large.csv", "--session", "Large"),
            mooring("sessions", "export", "Large", "--to", file),
        ):
            subprocess.run(command, env=settings, check=True, capture_output=True, timeout=DEADLINE_S)
        process = subprocess.Popen(
            mooring("sessions", "import", file, "--name", "Cancelled"),
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with connected(server.address) as client:
            home = client.engagement(None).default_session

            def begun():
                assert process.poll() is None, process.communicate()
                return client.operations.list(home, 1).items

            until(begun, "the import has begun")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=DEADLINE_S)

            assert process.returncode == ExitCode.INTERRUPTED, err
            assert out == ""
            assert "the import was cancelled and changed nothing" in err
            assert client.session("engagements/demo", "Cancelled") is None
