"""Evidence: what Mooring promises, shown at a size that can be believed.

Each module here is a test of one promise. It takes its sizes from the fixture `size` (the short form,
seconds, for CI; or the full one) and ends with one call of `figure`, which names what was done and what came
out:

    def test_writers_race(database_url, size, figure):
        '''There is never none and never a second default session.'''
        writes = race(database_url, writers=32, seconds=size(2, 60))
        figure(f"32 writers, {writes} writes on {kind(database_url)}", "0 moments with 0 or 2 defaults")

`make evidence` runs the full size and prints every figure in a table at the end; so does a single one with
`make evidence ARGS=tests/evidence/test_races.py`. A promise that does not hold fails its test.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from support_process import Process

T = TypeVar("T")
Figure = Callable[[str, str], None]

_FULL = os.environ.get("MOORING_EVIDENCE") == "full"
_FULL_TIMEOUT_S = 3_600
# An interrupted operation is told by its lease: here it is short, so that the next start ends it soon.
_KILLED = {
    "operation_lease_s": 1.0,
    "bulk_rate": "",
    "read_rate": "",
    "write_rate": "",
    "import_chunk_rows": 100,
}
_figures: list[tuple[str, str]] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The full size takes longer than a test may."""
    if _FULL:
        for item in items:
            item.add_marker(pytest.mark.timeout(_FULL_TIMEOUT_S))


@pytest.fixture
def size() -> Callable[[T, T], T]:
    """Chooses between the short form's size and the full one's."""
    return lambda short, full: full if _FULL else short


@pytest.fixture
def figure() -> Figure:
    """Takes what was done, and what came out."""
    return lambda done, outcome: _figures.append((done, outcome))


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    """Makes the process of a server, to be killed; it is ended with the test."""
    processes: list[Process] = []

    def start(database_url: str) -> Process:
        processes.append(Process(database_url, f"unix:{tmp_path}/s", **_KILLED))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the figures."""
    if _figures:
        terminalreporter.section("evidence, full size" if _FULL else "evidence, short form")
        for done, outcome in _figures:
            terminalreporter.line(f"{done}: {outcome}")
