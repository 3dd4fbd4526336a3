"""Readers that come as plug-ins."""

import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pytest
import structlog
from mooring_server.ingest import Reader, RejectedRow, readers
from mooring_server.ingest.readers import GROUP
from support_ingest import names, read_bytes

Install = Callable[[str, object], None]
_DOCS = Path(__file__).parents[3] / "docs" / "import-readers.md"


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes an object a plug-in of a name; an exception is one that its module raises."""
    found = list(entry_points(group=GROUP))
    monkeypatch.setattr(readers, "entry_points", lambda **_: found)

    def add(name: str, plug_in: object) -> None:
        module = f"plug_in_{len(found):03}"
        if not isinstance(plug_in, Exception):
            made = ModuleType(module)
            made.__dict__["READER"] = plug_in
            monkeypatch.setitem(sys.modules, module, made)
        found.append(EntryPoint(name, f"{module}:READER", GROUP))
        readers.readers.cache_clear()

    readers.readers.cache_clear()
    yield add
    readers.readers.cache_clear()


def kinds() -> list[str]:
    return [reader.kind for reader in readers.readers()]


def never(_: object) -> float:
    return 0.0


def unused(*_: object) -> object:
    raise AssertionError


def test_ours_are_plug_ins_too() -> None:
    """Our readers are found as anybody's are, the particular ones before that of any table."""
    assert kinds() == [
        "rvtools",
        "azure_migrate",
        "azure_dependencies",
        "aws_migration_factory",
        "netbox_devices",
        "netbox_virtual_machines",
        "netbox_cables",
        "table",
    ]


def test_the_example_of_the_docs(tmp_path: Path, install: Install) -> None:
    """The reader that the page shows reads its files, and accounts for each row."""
    (code,) = re.findall(r"```python\n(.*?)```", _DOCS.read_text(), re.DOTALL)
    module: dict[str, object] = {}
    exec(code, module)  # noqa: S102 - our own page
    install("rack_list", module["READER"])
    text = "Rack,Unit,Machine,Watts\nR1,3,big,400\nR1,4,big,400\nR2,1,,0\nR2,2,small,9\n"
    inventory, rows = read_bytes(tmp_path, text)
    assert (inventory.kind, inventory.row_total) == ("rack_list", 4)
    assert isinstance(rows[0], RejectedRow)
    assert [(row.row, row.joined) for row in rows[1:]] == [(2, 1), (5, 0)]
    assert names(rows) == ["big", "small"]


def test_plug_ins_that_fail(tmp_path: Path, install: Install) -> None:
    """A plug-in that cannot be loaded, is no reader, or fails does not keep others from reading."""

    def fail(_: object) -> float:
        raise RuntimeError("no")

    install("lost", ImportError())
    install("text", "no reader")
    install("other_name", Reader("name", "", never, unused))
    install("failing", Reader("failing", "", fail, unused))
    with structlog.testing.capture_logs() as logs:
        _, rows = read_bytes(tmp_path, "name\na\n")
    assert names(rows) == ["a"]
    assert kinds()[-2:] == ["table", "failing"]
    assert [(log["log_level"], log["reader"]) for log in logs] == [
        ("warning", "lost"),
        ("warning", "other_name"),
        ("warning", "text"),
        ("warning", "failing"),
    ]


def test_kinds_that_are_taken(install: Install) -> None:
    """Nobody takes the name of one of our readers, and of others the first keeps it."""
    mine = Reader("mine", "first", never, unused)
    install("rvtools", Reader("rvtools", "Not ours", never, unused))
    install("mine", mine)
    install("mine", Reader("mine", "second", never, unused))
    with structlog.testing.capture_logs() as logs:
        assert kinds().count("rvtools") == 1
    assert readers.readers()[0].title == "RVTools export"
    assert readers.readers()[-1] is mine
    assert [log["reader"] for log in logs] == ["mine", "rvtools"]


def test_the_surest_reads(tmp_path: Path, install: Install) -> None:
    """Of equally sure readers ours reads; a surer one goes first, and none is surer than certain."""
    ours = next(reader for reader in readers.readers() if reader.kind == "table")
    install("same", Reader("same", "", lambda _: 0.5, unused))
    assert read_bytes(tmp_path, "name\na\n")[0].kind == "table"
    install("surer", Reader("surer", "", lambda _: 7.0, ours.open))
    assert read_bytes(tmp_path, "name\na\n")[0].kind == "table"
    install("sure", Reader("sure", "", lambda _: 9.0, unused))
    with pytest.raises(AssertionError):
        read_bytes(tmp_path, "name\na\n")
