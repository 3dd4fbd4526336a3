import fcntl
import json
import stat

import pytest
from mooring import local
from mooring_server.cli.console import ExitCode, Failure
from mooring_server.cli.embedded import exclusive, private_socket, sweep
from support_cli import mooring, serving
from support_waiting import until


def test_one_server_a_data_folder(folder):
    """While one serves a folder, a second one ends with status 75 and leaves it alone."""
    with serving("--embedded", folder, data_folder=folder) as server:
        announced = local.ServerFile.read(folder)
        second = mooring("serve", "--embedded", folder, data_folder=folder)

        assert second.returncode == ExitCode.LOCKED == local.EXIT_LOCKED
        assert local.ServerFile.read(folder) == announced
        assert local.find(folder) == server.address


def test_the_address_is_private_and_goes_with_the_server(folder):
    """The socket lies in a private folder; a stopped server leaves neither it nor `server.json`."""
    with serving("--embedded", folder, data_folder=folder) as server:
        socket = local.Path(server.address.removeprefix("unix:"))
        file = folder / "server.json"

        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text())["pid"] == server.process.pid
        assert server.stop() == 0
        assert not socket.parent.exists()
        assert not file.exists()


def test_it_ends_itself_when_unused(folder):
    """Without a call or a stream for the set time the server ends with status 0; health checks are no use."""
    with serving("--embedded", folder, data_folder=folder, MOORING_IDLE_EXIT_S="0.3") as server:
        until(lambda: server.process.poll() is not None, "the server ends itself")

        assert server.process.returncode == 0
        assert local.ServerFile.read(folder) is None


def test_after_sigkill_the_next_server_starts_clean(folder):
    """What a killed server left behind neither stops nor misleads the next one."""
    with serving("--embedded", folder, data_folder=folder) as killed:
        killed.process.kill()
        killed.process.wait()
        left = local.Path(killed.address.removeprefix("unix:")).parent
        with serving("--embedded", folder, data_folder=folder) as server:
            assert local.find(folder) == server.address != killed.address
            assert not left.exists()


def test_a_folder_open_to_others_is_refused(folder):
    """A data folder that others may enter is not served; the sentence says how to mend it."""
    folder.chmod(0o755)
    result = mooring("serve", "--embedded", folder, data_folder=folder)

    assert result.returncode == ExitCode.FAILED
    assert f"chmod 700 '{folder}'" in result.stderr


def test_a_plain_serve_on_the_users_database_keeps_the_embedded_one_out(folder):
    """The data folder's database has one server, whichever way it was started."""
    with serving("--port", 0, data_folder=folder):
        result = mooring("serve", "--embedded", folder, data_folder=folder)

    assert result.returncode == ExitCode.LOCKED


def test_a_held_lock_is_refused(tmp_path):
    """`exclusive` fails at once where another holder has the lock, and works again after it."""
    lock = tmp_path / "a.lock"
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Failure) as caught, exclusive(lock, "it"):
            pass
        assert caught.value.code == ExitCode.LOCKED
    with exclusive(lock, "it"):
        pass


def test_a_long_runtime_folder_does_not_break_the_socket(tmp_path, monkeypatch):
    """A Unix socket's path holds 107 bytes; where the system's folder is too long a short one is taken."""
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with private_socket() as address:
        assert len(address.removeprefix("unix:").encode()) <= 107


def test_sweep_removes_only_sockets_of_ours(folder, tmp_path):
    """A `server.json` that names something else does not make us delete that."""
    precious = tmp_path / "precious"
    precious.mkdir()
    local.ServerFile.here(f"unix:{precious}/api.sock", "x").write(folder)
    sweep(folder)

    assert precious.is_dir()
    assert local.ServerFile.read(folder) is None
