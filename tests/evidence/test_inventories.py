"""Every row of every inventory goes somewhere, once, and a file that is none is refused.

Generated tables of each kind and format (`support_tables.py`) are imported as the service imports them: read,
made ready, settled and published over a real database. The generator knows the fate of each row, so the
account is compared with what must be, not with itself.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mooring_server.background import child, frames, parser_process, parsing
from mooring_server.background.imports import run_import
from mooring_server.background.jobs import Job
from mooring_server.core.imports import options_to_json
from mooring_server.errors import InvalidArgument, ResourceExhausted
from mooring_server.ingest import ReadOptions
from mooring_server.settings import Settings
from mooring_server.store import Order, Tx, new_id
from mooring_server.store.lists.paging import Window
from support_cells import FORMATS
from support_estates import estate_files
from support_evidence import kind
from support_hostile import EXHAUSTED, EXPANDED_MAX_BYTES, HOSTILE, UNREADABLE, damaged
from support_parsing import KIND, install
from support_store import ENGAGEMENT, USER, Database, begin, session
from support_tables import KINDS, Table, table

Size = Callable[[Any, Any], Any]
Figure = Callable[[str, str], None]
Report = dict[str, Any]


@asynccontextmanager
async def _process_here(path: Path, order: dict[str, Any], *limits: Any) -> Any:
    """What the parser's process says, said in this one: to start a process takes longer than to read."""
    told = io.BytesIO()
    parser_process._carry_out(order, path, told, child.sender(told))

    async def lines() -> Any:
        for line in told.getvalue().splitlines(keepends=True):
            yield frames.from_line(line)

    yield lines()


@dataclass(frozen=True)
class Shown:
    """What a session shows: its data version, how often each asset with what it says, and its counts."""

    data_version: str
    assets: Counter[tuple[str, str]]
    asset_count: int
    dependency_count: int


class Ground:
    """A database with a session for each inventory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.write(begin)

    def session(self) -> str:
        """A session without data."""
        id = new_id()
        self._database.write(session(id))
        return id

    def take(self, session_id: str, content: bytes, kind: str = "", **settings: Any) -> Report:
        """Imports a file; its report. Raises as `run_import` does."""
        options = options_to_json(ReadOptions(kind=kind))

        def queue(tx: Tx) -> Any:
            upload = tx.uploads.insert(new_id(), ENGAGEMENT, session_id, USER, "estate")
            chunks = [content[start : start + 2**20] for start in range(0, len(content), 2**20)]
            for index, chunk in enumerate(chunks):
                tx.uploads.add_chunk(upload.id, index, chunk)
            # Each of another hash, or the second import of a file were the report of the first.
            tx.uploads.complete(upload.id, new_id(), len(content), len(chunks))
            arguments = {"upload_id": upload.id, "file_name": "estate", "options": options}
            operation = tx.operations.insert(new_id(), ENGAGEMENT, session_id, USER, "import", arguments)
            return tx.operations.claim(operation.id, "here")

        operation = self._database.write(queue)
        self._database.run(run_import(Job(operation, self._database.store, Settings(**settings))))
        ended = self._database.read(lambda tx: tx.operations.get(ENGAGEMENT, session_id, operation.id))
        return ended.result

    def shown(self, session_id: str) -> Shown:
        """What a session shows."""

        def look(tx: Tx) -> Shown:
            found = tx.sessions.get(ENGAGEMENT, session_id)
            version = found.data_version_id
            if version is None:
                return Shown("", Counter(), 0, 0)
            assets = tx.assets.page(version, Order.DISPLAY_NAME, Window(10_000, 0, None)).items
            told = Counter((each.identity, each.digest) for each in assets)
            return Shown(version, told, found.asset_count, found.dependency_count)

        return self._database.read(look)


def _check(ground: Ground, each: Table, *, is_slow: bool) -> None:
    """Imports a table, and once more; where `is_slow`, elsewhere in small steps too."""
    session_id = ground.session()
    first = ground.take(session_id, each.content)
    shown = ground.shown(session_id)
    _check_account(each, first, shown)
    _check_again(ground, session_id, each.content, first)
    if is_slow:
        _check_pace(ground, ground.session(), each.content, first, shown)


def _check_account(each: Table, report: Report, shown: Shown) -> None:
    rejected = {(row["sheet"], row["row"]) for row in report["rejected"]}
    assert (report["kind"], report["source_rows"]) == (each.kind, each.rows)
    assert (report["created"], report["updated"], report["unchanged"]) == (each.created, 0, 0)
    assert (report["joined"], report["implied"]) == (each.joined, each.implied)
    assert rejected == each.rejected
    assert all(row["reason"] for row in report["rejected"])
    assert each.rows == each.created + each.joined + len(report["rejected"])
    made = sum(report["created_by_type"].values()) + sum(report["implied_by_type"].values())
    assert (shown.asset_count, shown.dependency_count) == (made, report["dependencies_created"])
    assert shown.assets.total() == shown.asset_count


def _check_again(ground: Ground, session_id: str, content: bytes, first: Report) -> None:
    """The same rows again change nothing."""
    before = ground.shown(session_id)
    again = ground.take(session_id, content)
    assert ground.shown(session_id) == before
    changes = ("created", "updated", "dependencies_created", "dependencies_updated", "implied")
    assert {name: again[name] for name in changes} == dict.fromkeys(changes, 0)
    same = ("kind", "source_rows", "joined", "rejected", "columns", "data_version")
    assert {name: again[name] for name in same} == {name: first[name] for name in same}


def _check_pace(ground: Ground, session_id: str, content: bytes, report: Report, shown: Shown) -> None:
    """In how many steps the rows are written makes no difference."""
    slow = ground.take(session_id, content, import_chunk_rows=3)
    told = report.keys() - {"data_version", "import", "missing"}
    assert {name: slow[name] for name in told} == {name: report[name] for name in told}
    assert ground.shown(session_id).assets == shown.assets


@contextmanager
def _of(what: str) -> Iterator[None]:
    """Names what failed, so that it can be made again."""
    try:
        yield
    except Exception as failure:
        failure.add_note(what)
        raise


def test_every_row_is_accounted_for(database: Database, monkeypatch: Any, size: Size, figure: Figure) -> None:
    """Each row is created, joined or rejected as it must be; a second import of the file changes nothing."""
    monkeypatch.setattr(parsing, "_process", _process_here)
    ground = Ground(database)
    tables = size(150, 2_000)
    rows: Counter[str] = Counter()
    for seed in range(tables):
        each = table(seed)
        with _of(f"seed {seed}: {each.kind} in {each.format!r}"):
            _check(ground, each, is_slow=seed % 5 == 0)
        rows += Counter(created=each.created, joined=each.joined, rejected=len(each.rejected))
    figure(
        f"{tables:,} tables of {len(KINDS)} kinds in {len(FORMATS)} formats, {rows.total():,} rows, "
        f"imported twice on {kind(database.url)}",
        f"all accounted for ({', '.join(f'{count:,} {name}' for name, count in rows.items())})",
    )


def test_a_process_reads_the_same(database: Database, size: Size, figure: Figure) -> None:
    """Read in a process of its own, as the service does it, a table is what it is in this one."""
    ground = Ground(database)
    tables = size(8, 200)
    for seed in range(tables):
        each = table(seed)
        with _of(f"seed {seed}: {each.kind} in {each.format!r}"):
            _check(ground, each, is_slow=False)
    figure(f"{tables:,} of them in processes of their own on {kind(database.url)}", "the same")


def test_files_about_one_estate(database: Database, monkeypatch: Any, size: Size, figure: Figure) -> None:
    """Accounts balance whatever was there, the pace is no matter, and the same again changes nothing."""
    monkeypatch.setattr(parsing, "_process", _process_here)
    ground = Ground(database)
    sessions, files = size(10, 300), 5
    for seed in range(sessions):
        session_id, slow_id = ground.session(), ground.session()
        for number, content in enumerate(estate_files(seed, files), 1):
            with _of(f"seed {seed}, file {number}"):
                report = ground.take(session_id, content)
                shown = ground.shown(session_id)
                _check_pace(ground, slow_id, content, report, shown)
                _check_again(ground, session_id, content, report)
    assert database.store.check() == []
    figure(
        f"{sessions:,} sessions, {files} files of several tools about the same machines into each, "
        f"on {kind(database.url)}",
        "0 accounts out of balance",
    )


def _outcome(ground: Ground, session_id: str, content: bytes, **options: Any) -> str:
    """The reason why a file is refused; empty where it is taken, to the last row."""
    try:
        report = ground.take(session_id, content, **options)
    except (InvalidArgument, ResourceExhausted) as refusal:
        return refusal.reason
    settled = sum(report[name] for name in ("created", "updated", "unchanged", "joined"))
    assert report["source_rows"] == settled + len(report["rejected"])
    return ""


def test_hostile_files_are_refused(new_database: Any, size: Size, figure: Figure) -> None:
    """Damaged or meant so, each ends in one of the two refusals or is read whole; other data stays."""
    limits = {"parser_memory_max_bytes": 2**30, "expanded_size_max_bytes": EXPANDED_MAX_BYTES}
    with Database(new_database()) as database:
        ground = Ground(database)
        session_id = ground.session()
        ground.take(session_id, b"name\nweb\n")
        before = ground.shown(session_id)
        for name, (reason, make) in HOSTILE.items():
            with _of(name):
                assert _outcome(ground, session_id, make(), **limits) == reason
                assert ground.shown(session_id) == before
        outcomes = Counter[str]()
        for seed in range(size(24, 500)):
            with _of(f"seed {seed}"):
                outcomes[_outcome(ground, ground.session(), damaged(seed), **limits)] += 1
        assert outcomes.keys() <= {UNREADABLE, EXHAUSTED, ""}
        assert database.store.check() == []
    figure(
        f"{len(HOSTILE)} hostile and {outcomes.total():,} damaged files",
        f"0 other failures ({outcomes['']:,} could be read whole)",
    )


def test_files_that_end_their_process(
    database: Database, monkeypatch: Any, tmp_path: Path, figure: Figure
) -> None:
    """What kills, starves or hangs the process that reads it is refused like any other file."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    install(plugins, monkeypatch.setenv)
    ground = Ground(database)
    session_id = ground.session()
    acts = {
        EXHAUSTED: ("allocate", "fail_of_memory", "native_without_memory", "kill", "hang"),
        UNREADABLE: ("crash", "leave", "fail"),
    }
    for reason, names in acts.items():
        for name in names:
            # A file for it begins like this.
            content, limits = (
                f"{name}\nx\n".encode(),
                {"parser_memory_max_bytes": 2**30, "parser_time_max_s": 2},
            )
            with _of(name):
                assert _outcome(ground, session_id, content, kind=KIND, **limits) == reason
    assert ground.shown(session_id).asset_count == 0
    figure(
        f"{sum(map(len, acts.values()))} ways to end the process that reads on {kind(database.url)}",
        "refused, nothing left",
    )
