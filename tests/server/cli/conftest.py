import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import Result
from support_cli import Server, runner, serving


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Commands set the process's logging up; a test that runs one in this process undoes that."""
    root = logging.getLogger()
    level, handlers, structured = root.level, root.handlers[:], structlog.get_config()
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    structlog.configure(**structured)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder as a user has it: for them alone."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all that run commands against it; each test has sessions of its own."""
    path = tmp_path_factory.mktemp("shared")
    path.chmod(0o700)
    with serving("--port", 0, "--database", f"sqlite:///{path / 'a.db'}", data_folder=path) as server:
        yield server


@pytest.fixture
def run(shared_server: Server, tmp_path: Path) -> Callable[..., Result]:
    """Runs a command against it, in this process: `run("assets", "list", "Wave 1")`."""
    return runner(shared_server, tmp_path)
