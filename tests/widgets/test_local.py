import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mooring import local
from mooring_widgets import connect, errors
from mooring_widgets.client import MooringClient, library_loop
from support_waiting import until

FIND = """
import sys
from pathlib import Path
from mooring import local
print(local.find_or_start(Path(sys.argv[1])))
"""


def is_free(folder: Path) -> bool:
    """Whether nobody holds the folder's lock."""
    import fcntl

    descriptor = os.open(folder / local.LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of its own; the service that was started in it ends with the test."""
    for name in [name for name in os.environ if name.startswith("MOORING_")]:
        monkeypatch.delenv(name)
    made = tmp_path / "data"
    monkeypatch.setenv("MOORING_DATA_DIR", str(made))
    yield local.data_dir()
    if not is_free(made):
        until(lambda: local.ServerFile.read(made))
        os.kill(server(made).pid, signal.SIGTERM)
        until(lambda: is_free(made))


def server(folder: Path) -> local.ServerFile:
    found = local.ServerFile.read(folder)
    assert found is not None
    return found


def test_the_server_file_comes_back_as_written(folder: Path) -> None:
    """What a server writes is what a client reads, and only the owner can."""
    file = local.ServerFile.here("unix:/run/x/api.sock", "an-incarnation")
    file.write(folder)
    assert local.ServerFile.read(folder) == file
    assert (folder / "server.json").stat().st_mode & 0o777 == 0o600
    replace(file, pid=1).remove(folder)
    assert local.ServerFile.read(folder) == file
    file.remove(folder)
    assert local.ServerFile.read(folder) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"address": "unix:/x"}', '{"address": 1, "pid": "many"}'])
def test_a_broken_server_file_is_none(folder: Path, text: str) -> None:
    """A file that says nothing sensible is as good as none."""
    (folder / "server.json").write_text(text)
    assert local.ServerFile.read(folder) is None


def test_the_data_folder_is_private(folder: Path) -> None:
    """It is made for its owner alone, and one that others may enter is refused with what to do."""
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(local.LocalServiceError, match="chmod 700"):
        local.data_dir()
    with pytest.raises(errors.Unavailable, match="chmod 700"):
        connect()
    folder.chmod(0o700)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be gives a sentence, not a traceback of the file system."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "file" / "data"))
    with pytest.raises(local.LocalServiceError, match="cannot be made"):
        local.data_dir()


def test_a_home_of_nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A `~user` without a home is a sentence about the variable."""
    monkeypatch.setenv("MOORING_DATA_DIR", "~nobody-of-that-name/data")
    with pytest.raises(local.LocalServiceError, match="MOORING_DATA_DIR=~nobody-of-that-name/data"):
        local.data_dir()


def test_where_the_folder_would_be_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for the place leaves it alone."""
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "none"))
    assert local.data_path() == tmp_path / "none"
    assert not (tmp_path / "none").exists()


def test_a_folder_that_somebody_holds_in_silence_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another process has the lock and serves nothing, the wait ends in a sentence that says so."""
    import fcntl

    children: list[subprocess.Popen[bytes]] = []
    spawn = local._spawn
    monkeypatch.setattr(local, "_spawn", lambda folder: children.append(spawn(folder)) or children[-1])
    with (folder / local.LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(local.LocalServiceError, match=f"another process holds the data folder {folder}"):
            local.find_or_start(folder, timeout_s=5)
        assert {child.wait(30) for child in children} == {local.EXIT_LOCKED}


def test_the_install_id_is_made_once(folder: Path) -> None:
    """A folder keeps its id, and two folders have two."""
    first = local.install_id(folder)
    assert local.install_id(folder) == first
    other = folder / "other"
    other.mkdir()
    assert local.install_id(other) != first
    assert sorted(path.name for path in other.iterdir()) == ["install-id"]


def test_another_hosts_service_is_refused(folder: Path) -> None:
    """A folder shared between machines is not taken over: the sentence names the other one."""
    replace(local.ServerFile.here("unix:/x", "i"), host="elsewhere").write(folder)
    with pytest.raises(local.LocalServiceError, match="elsewhere"):
        local.find_or_start(folder)


def test_without_the_server_extra_the_error_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no service to start, the error says what to install."""
    monkeypatch.setattr(local, "find_spec", lambda name: None)
    with pytest.raises(local.LocalServiceError, match=r'pip install "mooring\[server,widgets\]"'):
        local.find_or_start(folder)


def test_a_service_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of the log comes with the error instead of a silent wait."""
    monkeypatch.setenv("MOORING_LOG_LEVEL", "deafening")
    with pytest.raises(local.LocalServiceError, match="ended with status"):
        local.find_or_start(folder)


def test_five_at_once_find_one_service(folder: Path) -> None:
    """However many start together in an empty folder, one serves and all get its address."""
    seekers = [
        subprocess.Popen([sys.executable, "-c", FIND, str(folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    addresses = {seeker.communicate(timeout=60)[0].strip() for seeker in seekers}
    assert addresses == {server(folder).address}
    assert local.find_or_start(folder) == server(folder).address


def test_another_major_version_is_refused(folder: Path) -> None:
    """A running service of another major version is not talked to; a dead one's file does not matter."""
    local.find_or_start(folder)
    running = server(folder)
    replace(running, version="7.0.0").write(folder)
    with pytest.raises(local.LocalServiceError, match=r"7\.0\.0"):
        local.find_or_start(folder)
    running.write(folder)
    assert local.find(folder) == running.address


def test_a_killed_service_comes_back(folder: Path) -> None:
    """After SIGKILL the next call of the same client finds a new service on the same data."""
    loop = library_loop()
    client = MooringClient()
    try:
        engagement = loop.wait(client.create_engagement("Contoso"))
        before = server(folder)
        os.kill(before.pid, signal.SIGKILL)
        assert loop.wait(client.get_engagement(engagement.name)).display_name == "Contoso"
        after = server(folder)
        assert after.pid != before.pid
        assert after.incarnation == before.incarnation
    finally:
        loop.wait(client.close())


def test_a_workspace_outlives_its_service(folder: Path) -> None:
    """connect() twice is one workspace; when its service is killed, calls and the watch find the next one."""
    ws = connect()
    try:
        assert connect() is ws
        ws.create("Wave 1")
        until(lambda: ws.feed.live)
        lost: list[bool] = []
        ws.feed.subscribe(lost.append)
        os.kill(server(folder).pid, signal.SIGKILL)
        until(lambda: lost[-2:] == [False, True])
        assert ws.switch("Wave 1").display_name == "Wave 1"
    finally:
        ws.close()
    again = connect()
    try:
        assert again is not ws
    finally:
        again.close()
