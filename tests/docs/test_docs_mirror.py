"""The example service, as its copies would run, through what a server and a network do to it."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from mooring.endpoints import Endpoint
from mooring.v1 import sessions_pb2
from mooring_server.settings import Auth, Settings
from support_discovery import import_file
from support_server import Caller, _Says, create, new_engagement, serving
from support_waiting import until

SOURCE = Path(__file__).parents[2] / "docs" / "examples" / "sessions_mirror.py"
ENGAGEMENT = "engagements/contoso"
WAVE = f"{ENGAGEMENT}/sessions/wave-1"


@pytest.fixture(scope="module")
def example():
    """The example is no module of ours: people copy the file."""
    spec = spec_from_file_location("sessions_mirror", SOURCE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.PAUSE_MAX_S = 1.0
    return module


@pytest.fixture
def file(tmp_path):
    """Where the summary is kept."""
    return tmp_path / "summary.json"


@pytest.fixture
def ada(server, bearers):
    """The manager of the engagement that is followed."""
    caller = calling(server, bearers["ada"])
    new_engagement(caller, engagement_id="contoso")
    return caller


def calling(server, secret):
    """Stubs that call with a token."""
    return Caller(grpc.intercept_channel(server.channel, _Says("authorization", f"Bearer {secret}")))


@contextmanager
def mirroring(example, address, secret, file, kind=None):
    """The service in a thread of its own; what ended it is raised at the end."""
    endpoint = Endpoint.of(address, token=secret)
    ended = []
    with example.connect(endpoint) as channel:
        mirror = (kind or example.SessionsMirror)(channel, endpoint, ENGAGEMENT, file)

        def run():
            try:
                mirror.run()
            except grpc.RpcError as error:
                ended.append(error)

        mirror.thread = threading.Thread(target=run)
        mirror.thread.start()
        try:
            yield mirror
        finally:
            mirror.stop()
            mirror.thread.join(30)
    if ended:
        raise ended[0]


def listed(example, caller):
    """What the mirror should hold."""
    request = sessions_pb2.ListSessionsRequest(parent=ENGAGEMENT, page_size=1_000, show_archived=True)
    return {one.name: example.summary(one) for one in caller.sessions.ListSessions(request).sessions}


def kept(file):
    """The sessions in the file."""
    return json.loads(file.read_text("utf-8"))["sessions"] if file.exists() else {}


def up_to_date(example, caller, file):
    """Waits until the file says what the server does."""
    truth = listed(example, caller)
    until(lambda: kept(file) == truth, f"{truth} in the summary")


def test_every_kind_of_change_arrives(example, server, ada, bearers, file):
    """New, renamed, filled, default, archived and deleted sessions: the summary is what the server lists."""
    with mirroring(example, server.address, bearers["ada"], file):
        up_to_date(example, ada, file)
        (first,) = listed(example, ada)
        ada.sessions.CreateSession(create(ENGAGEMENT, "Wave 1", session_id="wave-1"))
        ada.sessions.CreateSession(create(ENGAGEMENT, "Wave 2", session_id="wave-2"))
        import_file(ada, WAVE, b"hostname\nweb-1\nweb-2\n")
        up_to_date(example, ada, file)
        assert kept(file)[WAVE]["asset_count"] == 2

        renamed = sessions_pb2.Session(name=WAVE, display_name="Wave one")
        ada.sessions.UpdateSession(sessions_pb2.UpdateSessionRequest(session=renamed))
        ada.sessions.SetDefaultSession(sessions_pb2.SetDefaultSessionRequest(name=WAVE))
        ada.sessions.ArchiveSession(sessions_pb2.ArchiveSessionRequest(name=f"{ENGAGEMENT}/sessions/wave-2"))
        ada.sessions.DeleteSession(sessions_pb2.DeleteSessionRequest(name=first))
        up_to_date(example, ada, file)
        assert first not in kept(file)


def test_it_goes_on_where_it_stopped(example, server, ada, bearers, file):
    """After a restart only what changed meanwhile is read: a summary that nothing changed is left alone."""
    with mirroring(example, server.address, bearers["ada"], file):
        up_to_date(example, ada, file)
    content = json.loads(file.read_text("utf-8"))
    (first,) = content["sessions"]
    content["sessions"][first]["display_name"] = "as it was kept"
    file.write_text(json.dumps(content), "utf-8")
    ada.sessions.CreateSession(create(ENGAGEMENT, "Wave 1", session_id="wave-1"))
    with mirroring(example, server.address, bearers["ada"], file):
        until(lambda: WAVE in kept(file), "the session of the meantime")
    assert kept(file)[first]["display_name"] == "as it was kept"


@pytest.mark.parametrize("token", ["gone", "altered"])
def test_a_token_that_no_longer_counts_costs_a_new_list(example, server, ada, bearers, file, token):
    """Where the history is gone, or the token is of another database, everything is read again."""
    with mirroring(example, server.address, bearers["ada"], file):
        up_to_date(example, ada, file)
    for number in range(5):
        ada.sessions.CreateSession(create(ENGAGEMENT, f"Wave {number}"))
    if token == "gone":
        server.write(lambda tx: tx.changes.trim(ENGAGEMENT, 1, 100))
    else:
        content = json.loads(file.read_text("utf-8"))
        content["resume_token"] += "x"
        file.write_text(json.dumps(content), "utf-8")
    with mirroring(example, server.address, bearers["ada"], file):
        up_to_date(example, ada, file)


def test_it_outlives_a_restart_of_the_server(example, tmp_path, file, token_for):
    """While the server is away it waits; of what happens afterwards it misses nothing."""
    settings = Settings(database=f"sqlite:///{tmp_path}/m.db", auth=Auth.TOKEN, stop_grace_s=1)
    address = f"unix:{tmp_path}/m.sock"
    with ExitStack() as stack:
        with serving(settings, addresses=(address,)) as server:
            secret = token_for(server, "ada")
            ada = calling(server, secret)
            new_engagement(ada, engagement_id="contoso")
            mirror = stack.enter_context(mirroring(example, address, secret, file))
            up_to_date(example, ada, file)
        assert mirror.thread.is_alive()
        with serving(settings, addresses=(address,)) as server:
            ada = calling(server, secret)
            ada.sessions.CreateSession(create(ENGAGEMENT, "Wave 1", session_id="wave-1"))
            up_to_date(example, ada, file)
            assert WAVE in kept(file)


def test_a_reader_that_is_cut_off_misses_nothing(example, settings, file, token_for, caplog):
    """Told that it reads too slowly, it resumes with its last token and catches up."""
    with serving(settings.model_copy(update={"watch_queue_max": 1, "write_rate": ""})) as server:
        secret = token_for(server, "ada")
        ada = calling(server, secret)
        new_engagement(ada, engagement_id="contoso")

        def burst():
            # Commits that come together are more than one that may wait, however fast they are read.
            made = [ada.sessions.CreateSession.future(create(ENGAGEMENT, uuid4().hex)) for _ in range(20)]
            return all(one.result(30) for one in made)

        with mirroring(example, server.address, secret, file):
            up_to_date(example, ada, file)
            until(lambda: burst() and "RESOURCE_EXHAUSTED SLOW_READER" in caplog.text, "the cut")
            up_to_date(example, ada, file)


def test_it_ends_where_another_try_would_not_help(example, server, ada, bearers, file):
    """Without a role in the engagement it ends with the failure, for whoever runs it to see."""
    with (
        pytest.raises(grpc.RpcError) as failure,
        mirroring(example, server.address, bearers["grace"], file) as mirror,
    ):
        mirror.thread.join(30)
    assert failure.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_signal_ends_the_program(example, server, ada, bearers, file):
    """As a program it takes its settings from the environment, and SIGTERM for an answer."""
    environment = {"MOORING_SERVER": server.address, "MOORING_TOKEN": bearers["ada"]}
    program = subprocess.Popen([sys.executable, SOURCE, ENGAGEMENT, file], env=os.environ | environment)
    try:
        up_to_date(example, ada, file)
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    finally:
        program.kill()
        program.wait()
