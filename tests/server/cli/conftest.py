import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog


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
