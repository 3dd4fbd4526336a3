"""Every row of every inventory goes somewhere, once, and a file that is none is refused.

Generated tables of each kind and format (`support_tables.py`) are imported as the service imports them: read,
made ready, settled and published over a real database. The generator knows the fate of each row, so the
account is compared with what must be, not with itself.
"""

import io
from collections import Counter
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mooring_server.background import frames, parser_process, parsing
from mooring_server.background.imports import run_import
from mooring_server.background.jobs import Job
from mooring_server.settings import Settings
from mooring_server.store import Order, Tx, new_id
from mooring_server.store.lists.paging import Window
from support_evidence import kind
from support_store import ENGAGEMENT, USER, Database, begin, session
from support_tables import Table, table

Size = Callable[[Any, Any], Any]
Figure = Callable[[str, str], None]
Report = dict[str, Any]


@asynccontextmanager
async def _process_here(order: dict[str, Any], *limits: Any) -> Any:
    """What the parser's process says, said in this one: to start a process takes longer than to read."""
    told = io.BytesIO()
    parser_process._carry_out(order, Path(order["path"]), told, parser_process._sender(told))

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

    def take(self, session_id: str, content: bytes, **settings: Any) -> Report:
        """Imports a file; its report. Raises as `run_import` does."""

        def queue(tx: Tx) -> Any:
            upload = tx.uploads.insert(new_id(), ENGAGEMENT, session_id, USER, "estate")
            chunks = [content[start : start + 2**20] for start in range(0, len(content), 2**20)]
            for index, chunk in enumerate(chunks):
                tx.uploads.add_chunk(upload.id, index, chunk)
            # Each of another hash, or the second import of a file were the report of the first.
            tx.uploads.complete(upload.id, new_id(), len(content), len(chunks))
            arguments = {"upload_id": upload.id, "file_name": "estate"}
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


def _check(ground: Ground, each: Table) -> None:
    """Imports a table, imports it again, and imports it in small steps elsewhere."""
    session_id = ground.session()
    first = ground.take(session_id, each.content)
    shown = ground.shown(session_id)
    _check_account(each, first, shown)
    again = ground.take(session_id, each.content)
    assert ground.shown(session_id) == shown, "the same rows again changed something"
    outcomes = ("created", "updated", "dependencies_created", "dependencies_updated", "implied")
    assert not any(again[outcome] for outcome in outcomes), again
    assert again["unchanged"] == each.created
    same = ("kind", "source_rows", "joined", "rejected", "columns")
    assert {name: again[name] for name in same} == {name: first[name] for name in same}
    slow_id = ground.session()
    slow = ground.take(slow_id, each.content, import_chunk_rows=3)
    told = first.keys() - {"data_version", "import"}
    assert {name: slow[name] for name in told} == {name: first[name] for name in told}
    assert ground.shown(slow_id).assets == shown.assets, "what it did depends on its pace"


def _check_account(each: Table, report: Report, shown: Shown) -> None:
    rejected = {(row["sheet"], row["row"]) for row in report["rejected"]}
    assert (report["kind"], report["source_rows"]) == (each.kind, each.rows)
    assert (report["created"], report["updated"], report["unchanged"]) == (each.created, 0, 0)
    assert (report["joined"], report["implied"]) == (each.joined, each.implied)
    assert rejected == each.rejected
    assert len(report["rejected"]) == len(rejected)
    assert all(row["reason"] for row in report["rejected"])
    assert each.rows == each.created + each.joined + len(rejected), "the generator lost a row"
    made = sum(report["created_by_type"].values()), sum(report["implied_by_type"].values())
    assert (shown.asset_count, shown.dependency_count) == (sum(made), report["dependencies_created"])
    assert shown.assets.total() == shown.asset_count


def test_every_row_is_accounted_for(database: Database, monkeypatch: Any, size: Size, figure: Figure) -> None:
    """Each row is created, joined or rejected as it must be; a second import and small steps do nothing."""
    monkeypatch.setattr(parsing, "_process", _process_here)
    ground = Ground(database)
    tables = size(150, 2_000)
    rows: Counter[str] = Counter()
    for seed in range(tables):
        each = table(seed)
        try:
            _check(ground, each)
        except Exception as failure:
            failure.add_note(f"seed {seed}: {each.kind} in {each.format!r}")
            raise
        rows += Counter(created=each.created, joined=each.joined, rejected=len(each.rejected))
    figure(
        f"{tables:,} tables, {rows.total():,} rows, imported twice and in steps, on {kind(database.url)}",
        f"0 rows lost ({', '.join(f'{count:,} {name}' for name, count in rows.items())})",
    )
