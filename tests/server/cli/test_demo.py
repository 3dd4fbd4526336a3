import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from urllib.parse import urlsplit

import pytest
from mooring import local
from mooring_server.cli import demo
from mooring_server.cli.client import connected
from mooring_server.cli.console import Failure
from mooring_server.cli.lab import HOST, free_port
from support_cli import COMMAND, DEADLINE_S, environment, serving


@pytest.fixture
def folder(tmp_path):
    """A data folder as a user has it: for them alone."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


def test_seeding_twice_brings_everything_once(folder, capsys):
    """The first time makes every example session with data of its own; the second changes nothing."""
    with serving("--port", 0, data_folder=folder) as server, connected(server.address) as client:
        demo.seed(client)
        first = capsys.readouterr().out.count("Imported")
        sessions = {
            (engagement.display_name, session.display_name): session
            for engagement in client.engagements()
            for session in client.sessions(engagement.name)
        }
        demo.seed(client)
        again = capsys.readouterr().out
        after = [
            session for engagement in client.engagements() for session in client.sessions(engagement.name)
        ]

    assert first == len(sessions) == 6
    assert {("Demo engagement", "Baseline"), ("Demo engagement", "Wave 2")} < sessions.keys()
    assert len({session.asset_count for session in sessions.values()}) == 6
    assert again == ""
    assert sorted(session.name for session in after) == sorted(one.name for one in sessions.values())
    assert {one.data_version for one in after} == {one.data_version for one in sessions.values()}


def test_the_users_copy_of_the_tour_is_kept(tmp_path):
    """The demo works on a copy, which is made once: what a user wrote into it stays."""
    work = demo.working_copy(tmp_path / "work")
    copy = work / demo.TOUR
    assert copy.read_bytes() == demo.tour_source().read_bytes()

    copy.write_text("mine")
    demo.working_copy(work)
    assert copy.read_text() == "mine"


def test_the_tour_is_kept_without_outputs():
    """The committed notebook holds no outputs and no counts, so that its changes are readable."""
    cells = json.loads(demo.tour_source().read_text("utf-8"))["cells"]

    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_a_taken_port_is_passed_over_unless_it_was_asked_for():
    """The next free port serves those who named none; a named one is taken or refused."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert free_port(port, only=False) > port
        with pytest.raises(Failure, match=f"port {port} is taken"):
            free_port(port, only=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_starts_and_ends_with_all_it_started(folder, tmp_path, number):
    """The printed address answers; Ctrl-C and SIGTERM end it with status 0 and leave nothing running."""
    home = tmp_path / "home"
    home.mkdir()
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*COMMAND, "demo", "--no-browser", "--port", str(port)],
        env=environment(folder, HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        assert urlsplit(url).port == port
        with urllib.request.urlopen(url, timeout=DEADLINE_S) as answer:  # noqa: S310
            assert answer.status == 200
        service = local.ServerFile.read(folder)
        assert local.find(folder) == service.address

        process.send_signal(number)
        _, errors = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, errors
        assert errors == ""
    finally:
        process.kill()
        process.wait()

    assert local.ServerFile.read(folder) is None
    with pytest.raises(ProcessLookupError):
        os.kill(service.pid, 0)
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, port)) != 0
