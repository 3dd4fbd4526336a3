import json
import signal
import socket
from pathlib import Path

import grpc
import psycopg
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from mooring import local
from mooring_server.cli.client import connected
from mooring_server.cli.config import public_url
from mooring_server.cli.console import ExitCode
from support_cli import mooring, serving


def is_healthy(address):
    with grpc.insecure_channel(address) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        return answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_in_good_order(folder, number):
    """The server answers once it says so, and ends with status 0 on Ctrl-C and SIGTERM."""
    with serving("--port", 0, "--database", f"sqlite:///{folder / 'a.db'}", data_folder=folder) as server:
        assert is_healthy(server.address)
        assert server.stop(number) == 0


def test_flags_win_over_variables(folder):
    """MOORING_PORT counts until --port is given."""
    url = f"sqlite:///{folder / 'a.db'}"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with serving("--port", 0, data_folder=folder, MOORING_PORT=port, MOORING_DATABASE=url) as server:
            assert not server.address.endswith(f":{port}")
            assert (folder / "a.db").exists()


def test_a_taken_port_is_one_sentence(folder):
    """Two servers do not share a port: the second says so in one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = mooring("serve", "--port", port, data_folder=folder)

    assert result.returncode == ExitCode.FAILED
    assert f"127.0.0.1:{port}" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_auth_none_is_refused_on_public_addresses(folder):
    """Nobody becomes the demo user from another machine."""
    result = mooring("serve", "--host", "0.0.0.0", "--port", 0, data_folder=folder)  # noqa: S104

    assert result.returncode == ExitCode.FAILED
    assert "loopback" in result.stderr


@pytest.mark.parametrize(
    ("command", "url"),
    [
        ("serve", "postgresql://nobody:secret@127.0.0.1:9/none"),
        ("serve", "sqlite:////dev/null/all.db"),
        ("serve", "mysql://nobody:secret@127.0.0.1/none"),
        ("migrate", "postgresql://nobody:secret@127.0.0.1:9/none"),
        ("migrate", "sqlite:////dev/null/all.db"),
        ("doctor", "postgresql://nobody:secret@127.0.0.1:9/none"),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence(folder, command, url):
    """A database that is not there ends in one line, with neither a traceback nor its password."""
    result = mooring(command, "--database", url, data_folder=folder)

    assert result.returncode == ExitCode.FAILED, result.stderr
    assert result.stderr.startswith("mooring: ")
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr + result.stdout


def test_a_sqlite_file_has_one_server(folder):
    """A second server on one SQLite file is refused with status 75: it would end the first's imports."""
    url = f"sqlite:///{folder / 'a.db'}"
    with serving("--port", 0, "--database", url, data_folder=folder):
        result = mooring("serve", "--port", 0, "--database", url, data_folder=folder)

    assert result.returncode == ExitCode.LOCKED
    assert "another server" in result.stderr


def test_migrate_may_be_repeated(folder):
    """The first migrate says what it applied, the second that there is nothing to do."""
    first = mooring("migrate", data_folder=folder)
    second = mooring("migrate", data_folder=folder)

    assert first.returncode == second.returncode == 0, first.stderr
    assert "applied 0001_initial" in first.stdout
    assert "applied" not in second.stdout
    assert (folder / "mooring.db").exists()


def test_doctor_tells_sound_from_absent_and_old(folder):
    """The doctor finds a fresh database sound, names a missing one, and names what is pending."""
    absent = mooring("doctor", data_folder=folder)
    (folder / "mooring.db").touch()
    old = mooring("doctor", "--json", data_folder=folder)
    mooring("migrate", data_folder=folder)
    sound = mooring("doctor", "--json", data_folder=folder)

    assert absent.returncode == ExitCode.FAILED
    assert "there is no database" in absent.stderr
    assert old.returncode == ExitCode.FAILED
    assert "0001_initial" in json.loads(old.stdout)["pending_migrations"]
    assert sound.returncode == 0, sound.stderr
    assert json.loads(sound.stdout)["sound"] is True


def test_logs_are_json_off_a_terminal(folder):
    """Where stderr is no terminal, each log line is one JSON object with time, level and event."""
    with serving("--port", 0, data_folder=folder) as server:
        server.stop()
        lines = server.log().splitlines()

    assert lines
    for line in lines:
        assert {"event", "level", "timestamp"} <= json.loads(line).keys()


def test_a_plain_serve_on_the_users_database_is_found(folder, tmp_path):
    """Notebooks and commands without an address join it by its private socket; it does not end by itself."""
    file = tmp_path / "servers.csv"
    file.write_text("Name,Type\nharbour-01,Server\n")
    with serving("--port", 0, data_folder=folder, MOORING_IDLE_EXIT_S="0.01") as server:
        address = local.find_or_start(folder)
        imported = mooring("import", file, "--session", "Joined", "--json", data_folder=folder)

        assert address.startswith("unix:")
        assert server.address.startswith("127.0.0.1:")
        assert imported.returncode == 0, imported.stderr
        with connected(server.address) as client:
            assert client.session("engagements/demo", "Joined").asset_count == 1
        assert server.process.poll() is None
        assert server.stop() == 0
    assert local.ServerFile.read(folder) is None
    assert not Path(address.removeprefix("unix:")).parent.exists()


def test_the_users_database_by_its_name_is_the_same(folder):
    """Who names the data folder's database gets what the default gives."""
    with serving("--port", 0, "--database", f"sqlite:///{folder / 'mooring.db'}", data_folder=folder):
        assert local.find(folder) is not None


def test_other_databases_are_not_announced(folder):
    """A server of another database leaves the data folder to the user's own service."""
    with serving("--port", 0, "--database", f"sqlite:///{folder / 'a.db'}", data_folder=folder):
        assert local.ServerFile.read(folder) is None
        with serving("--embedded", folder, data_folder=folder) as embedded:
            assert local.find(folder) == embedded.address


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@db/x", "postgresql://me:…@db/x"),
        ("postgresql://db/x?user=me&password=secret&a=b", "postgresql://db/x?user=me&password=…&a=b"),
        ("sqlite:////srv/a.db", "sqlite:////srv/a.db"),
    ],
)
def test_passwords_are_never_shown(url, shown):
    """A database's URL is printed and logged without its password, wherever that stands in it."""
    assert public_url(url) == shown


@pytest.mark.postgresql
def test_postgresql_from_nothing_to_a_sound_import(postgresql_server, folder, tmp_path):
    """On PostgreSQL the doctor names what is pending, serve brings it, an import leaves it sound."""
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE command_line")
    url = postgresql_server.replace("/postgres?", "/command_line?")
    file = tmp_path / "servers.csv"
    file.write_text("Name,Type\nharbour-01,Server\n")

    before = mooring("doctor", "--database", url, "--json", data_folder=folder)
    with serving("--port", 0, "--database", url, data_folder=folder) as server:
        imported = mooring(
            *("import", file, "--session", "Wave 1", "--json", "--server", server.address), data_folder=folder
        )
        beside = mooring("doctor", "--database", url, data_folder=folder)
    again = mooring("migrate", "--database", url, data_folder=folder)

    assert "0001_initial" in json.loads(before.stdout)["pending_migrations"]
    assert json.loads(imported.stdout)["created"] == 1
    assert beside.returncode == 0, beside.stdout
    assert "applied" not in again.stdout
    assert list(folder.iterdir()) == []
