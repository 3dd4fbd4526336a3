import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from mooring import local
from mooring_server.cli import demo
from mooring_server.cli.client import connected
from mooring_server.cli.console import Failure
from mooring_server.cli.lab import HOST, free_port
from support_cli import COMMAND, DEADLINE_S, environment, serving
from support_waiting import until


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


@pytest.fixture
def ships(tmp_path, monkeypatch):
    """Lets the installation ship another tour."""

    def ship(text):
        source = tmp_path / "shipped" / demo.TOUR
        source.parent.mkdir(exist_ok=True)
        source.write_text(text)
        monkeypatch.setattr(demo, "shipped_notebooks", lambda: [source])

    return ship


def test_a_newer_tour_replaces_an_untouched_copy(tmp_path, ships):
    """Who changed nothing gets the newer tour with the newer Mooring."""
    work = tmp_path / "work"
    demo.working_copy(work)
    for shipped in demo.shipped_notebooks():
        assert (work / shipped.name).read_bytes() == shipped.read_bytes()
    copy = work / demo.TOUR

    for version in ("newer", "newest"):
        ships(version)
        demo.working_copy(work)
        assert copy.read_text() == version


def test_the_users_own_tour_is_kept(tmp_path, ships):
    """What a user wrote into the copy stays, however often the shipped tour changes."""
    work = tmp_path / "work"
    copy = demo.working_copy(work) / demo.TOUR
    copy.write_text("mine")
    for version in ("newer", "newest"):
        ships(version)
        demo.working_copy(work)
        assert copy.read_text() == "mine"


def test_a_copy_of_unknown_origin_is_kept(tmp_path, ships):
    """Without the note of what was shipped, only a copy that equals the tour counts as untouched."""
    work = tmp_path / "work"
    work.mkdir()
    copy = work / demo.TOUR
    copy.write_text("whose?")
    ships("newer")
    demo.working_copy(work)
    assert copy.read_text() == "whose?"

    copy.write_text("newer")
    demo.working_copy(work)
    ships("newest")
    demo.working_copy(work)
    assert copy.read_text() == "newest"


def test_without_jupyterlab_one_sentence_names_the_extra(folder, monkeypatch):
    """The demo needs more than the server: what is missing is said before anything is started."""
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "jupyterlab" else object())
    with pytest.raises(Failure, match=r'\(jupyterlab is missing\).*pip install "mooring\[demo\]"'):
        demo.demo(port=None, open_browser=False)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("notebook", demo.shipped_notebooks(), ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(notebook):
    """A committed notebook holds no outputs and no counts, so that its changes are readable."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]

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


@contextmanager
def demonstrating(folder, tmp_path):
    """`mooring demo` from the moment that it prints its address; ended by the test."""
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
        yield process, port
    finally:
        process.kill()
        process.communicate()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_starts_and_ends_with_all_it_started(folder, tmp_path, number):
    """The printed address answers; Ctrl-C and SIGTERM end it with status 0 and leave nothing running."""
    with demonstrating(folder, tmp_path) as (process, port):
        service = local.ServerFile.read(folder)
        assert local.find(folder) == service.address

        process.send_signal(number)
        _, errors = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, errors
        assert errors == ""

    assert local.ServerFile.read(folder) is None
    with pytest.raises(ProcessLookupError):
        os.kill(service.pid, 0)
    assert not listens(port)


def test_a_killed_demo_takes_its_jupyterlab_along(folder, tmp_path):
    """SIGKILL leaves no JupyterLab behind that nobody can stop; the service ends itself when unused."""
    with demonstrating(folder, tmp_path) as (process, port):
        service = local.ServerFile.read(folder)
        try:
            process.kill()
            until(lambda: not listens(port), "JupyterLab ends")
        finally:
            os.kill(service.pid, signal.SIGTERM)
            until(lambda: local.ServerFile.read(folder) is None, "the service ends")
