"""Hot statements are answered from an index, whatever the size of a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mooring_server.store import Order, Tx
from mooring_server.store.lists.paging import Window
from support_store import ENGAGEMENT, START, USER, Database, asset, begin, publish


@pytest.fixture
def database(tmp_path: Path):
    with Database(f"sqlite:///{tmp_path}/store.db") as opened:
        opened.write(begin)
        yield opened


def _edit(tx: Tx, edit: Callable[[Any], Any]) -> None:
    publish(tx, asset(0))
    edit(tx.edits.begin(ENGAGEMENT, "baseline"))


_KEY = ["name", "id"]
_MOMENT = [1, "engagements/e", 1, 0]
_HOT: dict[str, Callable[[Tx], Any]] = {
    "session": lambda tx: tx.sessions.get(ENGAGEMENT, "baseline"),
    "labels": lambda tx: tx.sessions.update(ENGAGEMENT, "baseline", None, labels={"env": "prod"}),
    "default": lambda tx: tx.sessions.set_default(ENGAGEMENT, "baseline", None),
    "bare id": lambda tx: tx.sessions.find("baseline", USER),
    "role": lambda tx: tx.members.role(ENGAGEMENT, USER),
    "sessions": lambda tx: tx.sessions.page(ENGAGEMENT, Order.DISPLAY_NAME, Window(50, 0, _KEY)),
    "newest sessions": lambda tx: tx.sessions.page(
        ENGAGEMENT, Order.CREATE_TIME_DESC, Window(50, 0, [1, "id"])
    ),
    "engagement": lambda tx: tx.engagements.get(ENGAGEMENT),
    "engagements": lambda tx: tx.engagements.page(USER, Order.DISPLAY_NAME, Window(50, 0, _KEY)),
    "context by kernel": lambda tx: tx.contexts.by_kernel(USER, "kernel"),
    "context by notebook": lambda tx: tx.contexts.by_notebook(USER, "notebook"),
    "contexts": lambda tx: tx.contexts.page(USER, [1, "id"], 0, 50),
    "idle contexts": lambda tx: tx.contexts.delete_idle(START, 10),
    "visit": lambda tx: tx.shortcuts.visit(USER, ENGAGEMENT, "baseline"),
    "recent sessions": lambda tx: tx.shortcuts.recent(USER, ENGAGEMENT, 8),
    "pinned sessions": lambda tx: tx.shortcuts.pinned(USER, ENGAGEMENT, 20),
    "old visits": lambda tx: tx.shortcuts.trim(USER, ENGAGEMENT, 50, 10),
    "members": lambda tx: tx.members.page(ENGAGEMENT, ["id"], 0, 50),
    "acquainted": lambda tx: tx.members.share_engagement(USER, "another"),
    "assets": lambda tx: tx.assets.page("version", Order.DISPLAY_NAME, Window(50, 0, _KEY)),
    "assets by identity": lambda tx: tx.assets.by_identity("version", ["a", "b"]),
    "assets by name": lambda tx: tx.assets.by_names("version", ["a"]),
    "assets by host name": lambda tx: tx.assets.by_hostnames("version", ["a"]),
    "assets by host names": lambda tx: tx.assets.by_hostnames("version", ["a", "b", "c"]),
    "asset": lambda tx: (tx.assets.get("version", "id"), tx.assets.display_names("version", ["a", "b"])),
    "dependency": lambda tx: tx.dependencies.get("version", "id"),
    "dependencies": lambda tx: tx.dependencies.page("version", Order.CREATE_TIME, Window(50, 0, [1, "id"])),
    "dependencies by identity": lambda tx: tx.dependencies.by_identity("version", ["a", "b"]),
    "dependencies of an asset": lambda tx: (
        tx.dependencies.count_of_asset("version", "id"),
        tx.dependencies.delete_of_asset("version", "id"),
    ),
    "missing dependencies": lambda tx: tx.dependencies.copy_missing("version", "another", "id", 10),
    "edit of an asset": lambda tx: _edit(tx, lambda version: tx.edits.change_asset(version, asset(0))),
    "new asset": lambda tx: _edit(tx, lambda version: tx.edits.create_asset(version, asset(1))),
    "end of an asset": lambda tx: _edit(tx, lambda version: tx.edits.delete_asset(version, "asset-000000")),
    "publish": lambda tx: publish(tx, asset(0)),
    "abandoned": lambda tx: tx.versions.abandoned(START, 10),
    "changes": lambda tx: tx.changes.after("engagements/e", 1, 10),
    "heads": lambda tx: tx.changes.heads(["engagements/e", "users/u", "users/v", "users/w"]),
    "activity": lambda tx: tx.activity.page(ENGAGEMENT, None, Order.TIME_DESC, Window(50, 0, _MOMENT)),
    "a session's": lambda tx: tx.activity.page(ENGAGEMENT, "s", Order.TIME, Window(50, 0, _MOMENT)),
    "usage": lambda tx: (tx.activity.days(ENGAGEMENT, START, START), tx.activity.start(ENGAGEMENT)),
    "earliest": lambda tx: tx.changes.earliest("engagements/e"),
    "requests": lambda tx: (tx.requests.get(USER, "rpc", "id"), tx.requests.delete_before(START, 10)),
    "uploads": lambda tx: tx.uploads.expired(START, 10),
    "operations": lambda tx: tx.operations.page(ENGAGEMENT, "baseline", ["id"], 0, 10),
    "queue": lambda tx: tx.operations.queued(10),
    "unattended": lambda tx: tx.operations.unattended(START),
    "ended operations": lambda tx: tx.operations.delete_ended(START, 10),
    "given up": lambda tx: tx.versions.delete_some("version", 10),
}
# What is sorted here is few, and in no one index.
_SORTED = {"engagements", "bare id", "usage", "sessions", "newest sessions", "pinned sessions"}
# Not tables: rows that a LIMIT has cut off, and the ids of an argument.
_FEW = ("SCAN part", "SCAN led", "SCAN json_each")


@pytest.mark.parametrize("name", _HOT)
def test_no_hot_statement_reads_a_whole_table(database: Database, name: str):
    """Every step of the plan is a search by an index, and no order is made by sorting."""
    plans: list[tuple[str, str]] = []

    def explain(tx: Tx) -> None:
        execute = tx._database.execute_sql

        def explained(sql: str, arguments: Any = None) -> Any:
            if sql.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
                steps = execute(f"EXPLAIN QUERY PLAN {sql}", arguments).fetchall()
                plans.extend((sql, step[3]) for step in steps)
            return execute(sql, arguments)

        tx._database.execute_sql = explained
        try:
            _HOT[name](tx)
        finally:
            del tx._database.execute_sql

    database.write(explain)
    for sql, step in plans:
        assert not step.startswith("SCAN") or step.startswith(_FEW), (sql, step)
        assert "TEMP B-TREE" not in step or name in _SORTED, (sql, step)
