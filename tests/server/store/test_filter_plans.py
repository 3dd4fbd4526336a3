"""Filtered pages are led by an index, within their engagement or data version, and look at few rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from mooring_server.core.dependencies import within
from mooring_server.core.lists import ASSETS, DEPENDENCIES, SESSIONS, List
from mooring_server.store import AssetType, Order, Tx
from mooring_server.store.lists.paging import Window
from support_filters import condition
from support_store import ENGAGEMENT, START, USER, Database, asset, begin, dependency, publish

_MANY = 3_000
_EXAMINED = 1_000
_LATER = "2026-02-01T00:00:00Z"
_LONG = "x" * 1_000

# A filter that takes few rows, and the index that is to lead to them.
_SESSION_LEADS = {
    "display_name = 'Session 17'": "sessions_of_display_name",
    "display_name = 'Session 17*'": "sessions_of_display_name",
    "type = CLEANUP_OPERATION": "sessions_of_type",
    "creator = users/user-2": "sessions_of_creator_id",
    "is_default = true": "sessions_one_default",
    f"parent_session = engagements/{ENGAGEMENT}/sessions/baseline": "sessions_of_parent_id",
    "parent_session:*": "sessions_of_parent_id",
    "labels:team": "session_labels_by_value",
    "labels.team = a": "session_labels_by_value",
    "asset_count > 5": "sessions_of_asset_count",
    f"create_time > {_LATER}": "sessions_by_create_time",
    f"update_time >= {_LATER}": "sessions_of_update_time",
    f"last_activity_time > {_LATER}": "sessions_by_activity",
    "17": "session_words",
    "display_name:17": "session_words",
    "description:rare": "session_words",
}
_ASSET_LEADS = {
    "display_name = 'Asset 000017'": "assets_of_display_name",
    "type = DATABASE": "assets_of_type",
    "hostname = rare*": "assets_of_hostname",
    f"location = {_LONG}": "assets_of_location",
    "operating_system = rare": "assets_of_operating_system",
    "application = rare": "assets_of_application",
    "external_id = rare": "assets_of_external_id",
    "environment = rare": "assets_of_environment",
    "environment:*": "assets_of_environment",
    "status = rare": "assets_of_status",
    "cpu_cores >= 8": "assets_of_cpu_cores",
    "memory_bytes:*": "assets_of_memory_bytes",
    "memory_bytes = 1024": "assets_of_memory_bytes",
    "storage_bytes < 10": "assets_of_storage_bytes",
    f"create_time > {_LATER}": "assets_of_create_time",
    f"update_time > {_LATER}": "assets_of_update_time",
    "rare": "asset_words",
    "hostname:rare": "asset_words",
}
_RARE = f"engagements/{ENGAGEMENT}/sessions/baseline/assets/asset-000017"
_DEPENDENCY_LEADS = {
    f"source = {_RARE}": "dependencies_of_source_id",
    f"target = {_RARE}": "dependencies_of_target_id",
    f"create_time > {_LATER}": "dependencies_by_time",
}
# Of either index some, and no other.
_EITHER = {
    f"source = {_RARE} OR target = {_RARE}": (
        DEPENDENCIES,
        "dependencies_of_source_id",
        "dependencies_of_target_id",
    ),
    "type = DATABASE OR hostname = rare*": (ASSETS, "assets_of_type", "assets_of_hostname"),
}
# Nothing selective in them: the order leads.
_WIDE = ("NOT status = rare", "type = SERVER OR cpu_cores = 8", "type = SERVER", "NOT asset", "asset")
_UNINDEXED_ASSETS = (
    "platform = rare",
    "technology = rare",
    "model = rare",
    "serial_number = rare",
    "owner = rare",
    "business_unit = rare",
    "criticality = rare",
    "migration_status = rare*",
    "migration_strategy = rare",
    "migration_wave:*",
    "implied = true",
)
_WIDE_DEPENDENCIES = (
    "kind = USES",
    "port = 443",
    "protocol = tcp",
    "source_process = rare",
    "target_process = rare",
    f"update_time > {_LATER}",
    f"target = {_RARE[:-6]}000000",
    f"source = {_RARE} OR port = 443",
    f"NOT source = {_RARE}",
)
_WIDE_SESSIONS = ("type = DATA_IMPORT", "NOT labels:team", "session", "NOT session")


@dataclass(frozen=True)
class Estate:
    """A database with two engagements and two data versions, all of them larger than a page may look at."""

    database: Database
    version: str


@dataclass(frozen=True)
class Step:
    """How a statement reads one of the tables: the plan's words, and how many rows it read, where known."""

    words: str
    rows: int | None
    sql: str


def _furnish(tx: Tx) -> str:
    begin(tx)
    begin(tx, "other")
    tx.users.insert("user-2", "user-2", "user-2", "")
    for number in range(_MANY):
        rare = number in (17, 1_017)
        for engagement in (ENGAGEMENT, "other"):
            tx.sessions.insert(
                engagement,
                f"s-{number}",
                f"Session {number}",
                "a rare one" if rare else "",
                "cleanup_operation" if rare else "data_import",
                "user-2" if rare else USER,
                labels={"team": "a"} if rare else {},
                parent_id="baseline" if rare else None,
            )
    version = publish(tx, *map(_asset, range(_MANY)))
    tx.dependencies.insert_many(version, [_dependency(number) for number in range(_MANY)])
    return version


def _dependency(number: int) -> Any:
    return dependency(
        number,
        number,
        17 if number == 1_000 else 0,
        create_time=START + timedelta(days=60 if number == 17 else 0, seconds=number),
    )


def _asset(number: int) -> Any:
    if number != 17:
        return asset(number, cpu_cores=1.0, storage_bytes=2**40, status="active")
    rare = dict.fromkeys(("operating_system", "application", "external_id", "environment", "status"), "rare")
    return asset(
        number,
        type=AssetType.DATABASE,
        hostname="rare-17",
        location=_LONG,
        cpu_cores=8.0,
        memory_bytes=1024,
        storage_bytes=1,
        **rare,
    )


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def estate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('plans')}/store.db"
    else:
        import psycopg

        server = request.getfixturevalue("postgresql_server")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA plans")
        url = f"{server}&options=-csearch_path%3Dplans"
    with Database(url) as database:
        version = database.write(_furnish)
        # Another version of the same assets: what leads must not be their number in all.
        other = database.write(lambda tx: publish(tx, *map(_asset, range(_MANY)), base_id=version))
        database.write(lambda tx: tx.dependencies.insert_many(other, map(_dependency, range(_MANY))))
        if request.param == "postgresql":
            tables = "sessions, session_labels, assets, dependencies"
            database.write(lambda tx: tx._database.execute_sql(f"ANALYZE {tables}"))
        yield Estate(database, version)


def _steps(estate: Estate, fn: Callable[[Tx], Any]) -> list[Step]:
    """What every statement of a read does to the tables."""
    found: list[Step] = []

    def explained(tx: Tx) -> None:
        execute = tx._database.execute_sql

        def record(sql: str, arguments: Any = None) -> Any:
            if sql.startswith("SELECT") and tx.is_sqlite:
                plan = execute(f"EXPLAIN QUERY PLAN {sql}", arguments).fetchall()
                found.extend(Step(words, None, sql) for *_, words in plan)
            elif sql.startswith("SELECT"):
                ((plan,),) = execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", arguments).fetchall()
                found.extend(_nodes(plan[0]["Plan"], sql))
            return execute(sql, arguments)

        tx._database.execute_sql = record
        try:
            fn(tx)
        finally:
            del tx._database.execute_sql

    estate.database.read(explained)
    return found


def _nodes(node: dict[str, Any], sql: str) -> Iterator[Step]:
    """PostgreSQL's way of reading tables, as `EXPLAIN` tells it."""
    if "Scan" in node["Node Type"] and node["Node Type"] != "Subquery Scan":
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        words = f"{node['Node Type']} {node.get('Index Name', '')} {node.get('Index Cond', '')}"
        yield Step(words, round(rows * node["Actual Loops"]), sql)
    for inner in node.get("Plans", ()):
        yield from _nodes(inner, sql)


_READING = ("SEARCH ", "SCAN ", "Index ", "Bitmap Index ")
_NO_TABLE = ("SCAN part", "SCAN led", "SCAN w", "SCAN json_each", "SCAN CONSTANT ROW", "Bitmap Heap Scan")
# By number, from the index of words.
_BY_NUMBER = ("SEARCH r USING INTEGER PRIMARY KEY", "SCAN asset_words VIRTUAL", "SCAN session_words VIRTUAL")


def _check_led(steps: list[Step], scope: str) -> None:
    """Every table is read by an index that leads with the scope, and no more of it than allowed."""
    for step in steps:
        if step.words.startswith((*_NO_TABLE, *_BY_NUMBER)):
            assert step.rows is None or step.rows <= _EXAMINED, step
            continue
        if not step.words.startswith(_READING):
            assert "Seq Scan" not in step.words, step
            continue
        searched = "_search" in step.words and "@@" in step.words
        assert searched or f"{scope}=" in step.words or f"({scope} = " in step.words, step
        # A GIN index gathers a word's entries, of the one scope, before the first row is read.
        assert searched or step.rows is None or step.rows <= _EXAMINED, step


def _page(estate: Estate, list_: List, text: str, key: Any = None) -> Callable[[Tx], Any]:
    wanted = condition(text, list_)
    window = Window(50, 0, key, _EXAMINED)
    if list_ is SESSIONS:
        return lambda tx: tx.sessions.page(ENGAGEMENT, Order.DISPLAY_NAME, window, wanted)
    if list_ is DEPENDENCIES:
        wanted = within(wanted, ENGAGEMENT, "baseline")
        return lambda tx: tx.dependencies.page(estate.version, Order.CREATE_TIME, window, wanted)
    return lambda tx: tx.assets.page(estate.version, Order.DISPLAY_NAME, window, wanted)


_CASES = [
    *((SESSIONS, "engagement_id", text, index) for text, index in _SESSION_LEADS.items()),
    *((ASSETS, "version_id", text, index) for text, index in _ASSET_LEADS.items()),
    *((DEPENDENCIES, "version_id", text, index) for text, index in _DEPENDENCY_LEADS.items()),
]


@pytest.mark.parametrize(("list_", "scope", "text", "index"), _CASES, ids=[case[2][:40] for case in _CASES])
def test_each_comparison_has_an_index(estate: Estate, list_: List, scope: str, text: str, index: str):
    """Where few rows answer a comparison, its own index leads to them, within the engagement or version."""
    steps = _steps(estate, _page(estate, list_, text))
    _check_led(steps, scope)
    if not estate.database.url.startswith("sqlite"):
        index = index.replace("_words", "_search")
    # The order's own index is not read at all.
    assert any(index in step.words for step in steps), steps
    own = "_by_name" if list_ is not DEPENDENCIES else "_by_time"
    assert index.endswith(own) or not any(own in step.words for step in steps)


@pytest.mark.parametrize("text", _EITHER, ids=[text[:20] for text in _EITHER])
def test_either_of_two_comparisons_is_led_by_both_indexes(estate: Estate, text: str):
    """Where each of them has few rows, those are read, and the order's index is not."""
    list_, *indexes = _EITHER[text]
    steps = _steps(estate, _page(estate, list_, text))
    _check_led(steps, "version_id")
    for index in indexes:
        assert any(index in step.words for step in steps), steps
    assert not any("_by_name" in step.words or "_by_time" in step.words for step in steps)
    assert estate.database.read(_page(estate, list_, text)).items


def test_every_documented_field_is_tried():
    """No field of these lists is without a plan here."""
    for list_, leads in (
        (SESSIONS, _SESSION_LEADS),
        (ASSETS, (*_ASSET_LEADS, *_UNINDEXED_ASSETS)),
        (DEPENDENCIES, (*_DEPENDENCY_LEADS, *_WIDE_DEPENDENCIES)),
    ):
        named = {text.replace(":", " ").split()[0] for text in leads}
        assert set(list_.schema.fields) <= named


@pytest.mark.parametrize(
    ("list_", "scope", "text"),
    [(ASSETS, "version_id", each) for each in (*_WIDE, *_UNINDEXED_ASSETS)]
    + [(DEPENDENCIES, "version_id", each) for each in _WIDE_DEPENDENCIES]
    + [(SESSIONS, "engagement_id", each) for each in _WIDE_SESSIONS],
)
def test_a_wide_filter_is_led_by_the_order(estate: Estate, list_: List, scope: str, text: str):
    """Where many rows answer, the order's index leads, and both pages look at no more than allowed."""
    key = None
    for _ in range(2):
        steps = _steps(estate, _page(estate, list_, text, key))
        _check_led(steps, scope)
        own = "_by_name" if list_ is not DEPENDENCIES else "_by_time"
        assert any(own in step.words for step in steps), steps
        key = estate.database.read(_page(estate, list_, text, key)).next_key


def _skipping(estate: Estate, list_: List, order: Order, **shown: bool) -> Callable[[Tx], Any]:
    window = Window(5, _EXAMINED, None, _EXAMINED)
    if list_ is SESSIONS:
        return lambda tx: tx.sessions.page(ENGAGEMENT, order, window, **shown)
    of = "assets" if list_ is ASSETS else "dependencies"
    return lambda tx: getattr(tx, of).page(estate.version, order, window)


@pytest.mark.parametrize(
    ("list_", "order", "shown"),
    [
        (list_, order, {})
        for list_ in (SESSIONS, ASSETS, DEPENDENCIES)
        for order in list_.orders
        if list_ is SESSIONS or not order.descends
    ]
    + [(SESSIONS, Order.DISPLAY_NAME, {"archived": True}), (SESSIONS, Order.CREATE_TIME, {"deleted": True})],
)
def test_skipped_rows_are_not_read(estate: Estate, list_: List, order: Order, shown: dict[str, bool]):
    """More than a page may look at are passed over in the order's index alone, and the page is full."""
    work = _skipping(estate, list_, order, **shown)
    passing, *rest = _steps(estate, work)
    assert passing.words.startswith("Index Only Scan") or "USING COVERING INDEX" in passing.words, passing
    assert all(step.rows is None or step.rows < _EXAMINED for step in rest), rest
    assert len(estate.database.read(work).items) == 5


@pytest.mark.parametrize("text", ["NOT status = active", "NOT asset", "cpu_cores != 1 AND NOT active"])
def test_a_page_comes_short_rather_than_look_at_more(estate: Estate, text: str):
    """A page that finds too little has a token, and the walk still finds everything."""
    found, key, pages = [], None, 0
    while True:
        page = estate.database.read(_page(estate, ASSETS, text, key))
        found += [each.display_name for each in page.items]
        pages += 1
        if page.next_key is None:
            break
        assert len(page.items) < 50
        key = list(page.next_key)
    assert found == ([] if text == "NOT asset" else ["Asset 000017"])
    assert pages >= _MANY / _EXAMINED


def test_what_a_page_costs_does_not_grow_with_the_table(tmp_path: Path):
    """SQLite does as much work for a page of a small list as for one of a list ten times as long."""

    def cost(count: int, text: str) -> int:
        with Database(f"sqlite:///{tmp_path}/{count}.db") as database:
            database.write(begin)
            version = database.write(lambda tx: publish(tx, *map(_asset, range(count))))
            spent = 0

            def spend() -> int:
                nonlocal spent
                spent += 1
                return 0

            def read(tx: Tx) -> None:
                tx._database.connection().set_progress_handler(spend, 100)
                window = Window(50, 0, None, 400)
                wanted = condition(text, ASSETS)
                tx.assets.page(version, Order.DISPLAY_NAME, window, wanted)
                tx.assets.total(version, window, wanted)
                tx._database.connection().set_progress_handler(None, 0)

            database.read(read)
            return spent

    for text in ("NOT status = active", "asset", "status = active"):
        assert cost(6_000, text) < 1.1 * cost(600, text), text
        (tmp_path / "600.db").unlink()
        (tmp_path / "6000.db").unlink()
