"""Filtered and searched pages, on every database."""

from importlib import import_module
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mooring_server.core.lists import ASSETS, ENGAGEMENTS, SESSIONS
from mooring_server.store import Order, Tx
from mooring_server.store.lists.paging import Total, Window
from mooring_server.store.migrating import connection, is_sqlite
from mooring_server.store.values import sort_key
from support_filters import condition, walked
from support_store import ENGAGEMENT, USER, Database, asset, begin, publish, session

_ALL = Window(1_000, 0, None)


@pytest.fixture
def begun(database: Database) -> Database:
    database.write(begin)
    return database


def sessions(database: Database, text: str, **shown) -> list[str]:
    """The display names of the sessions that a filter takes."""
    wanted = condition(text, SESSIONS)
    page = database.read(lambda tx: tx.sessions.page(ENGAGEMENT, Order.DISPLAY_NAME, _ALL, wanted, **shown))
    return [each.display_name for each in page.items]


def assets(database: Database, version: str, text: str) -> list[str]:
    """The ids of the assets that a filter takes, without what they begin with."""
    wanted = condition(text, ASSETS)
    page = database.read(lambda tx: tx.assets.page(version, Order.DISPLAY_NAME, _ALL, wanted))
    return [each.id.removeprefix("asset-00000") for each in page.items]


def test_what_is_unknown_answers_no_comparison(begun: Database):
    """An unknown number is neither less, equal nor more; `!=` is true of it. An empty text is a text."""
    version = begun.write(
        lambda tx: publish(
            tx, asset(1, cpu_cores=4.0, hostname="h"), asset(2), asset(3, cpu_cores=0.0, hostname="H")
        )
    )
    for text, found in {
        "cpu_cores = 4": "1",
        "cpu_cores != 4": "23",
        "cpu_cores < 4": "3",
        "NOT cpu_cores < 4": "12",
        "cpu_cores >= 0": "13",
        "cpu_cores:*": "13",
        "NOT cpu_cores:*": "2",
        "hostname = h": "1",
        "hostname != h": "23",
        "hostname = ''": "2",
        "hostname != *": "2",
        "cpu_cores < 4 OR NOT cpu_cores < 4": "123",
    }.items():
        assert "".join(assets(begun, version, text)) == found, text


def test_labels_are_found_by_key_and_value(begun: Database):
    """A key that a session lacks is no value; a label that was taken off is found no more."""

    def make(tx: Tx):
        for id, labels in (("a", {"team": "x", "env": ""}), ("b", {"team": "y"}), ("c", {})):
            tx.sessions.insert(ENGAGEMENT, id, id, "", "data_import", USER, labels=labels)

    begun.write(make)
    for text, found in {
        "labels:team": ["a", "b"],
        "labels.team = x": ["a"],
        "labels.team != x": ["b", "Baseline", "c"],
        "labels.env = ''": ["a"],
        "labels:*": ["a", "b"],
        "NOT labels:*": ["Baseline", "c"],
    }.items():
        assert sessions(begun, text) == found, text
    begun.write(lambda tx: tx.sessions.update(ENGAGEMENT, "a", None, labels={"env": "p"}))
    assert sessions(begun, "labels:team") == ["b"]
    assert sessions(begun, "labels.env = p") == ["a"]


def test_search_follows_every_change_of_a_session(begun: Database):
    """What it is called and described by now is found, and nothing of before; within its engagement."""

    def make(tx: Tx):
        begin(tx, "engagement-10")
        session("a", "Wave 1", "engagement-10")(tx)
        tx.sessions.insert(ENGAGEMENT, "a", "Wave 1", "of the ÄRGER", "data_import", USER)
        session("b", "Second wave")(tx)

    begun.write(make)
    assert sessions(begun, "wav") == ["Second wave", "Wave 1"]
    assert sessions(begun, "arg wave") == sessions(begun, "description:ärger") == ["Wave 1"]
    assert sessions(begun, "display_name:arger") == sessions(begun, "ave") == []
    begun.write(lambda tx: tx.sessions.update(ENGAGEMENT, "a", None, display_name="First"))
    assert sessions(begun, "wave") == ["Second wave"]
    assert sessions(begun, "first arger") == ["First"]
    begun.write(lambda tx: tx.sessions.update(ENGAGEMENT, "a", None, description="calm"))
    assert sessions(begun, "arger") == []
    assert sessions(begun, "cal fir") == ["First"]
    begun.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "b", None))
    assert sessions(begun, "wave") == []
    assert sessions(begun, "wave", deleted=True) == ["Second wave"]


def test_search_follows_a_data_version_through_its_life(begun: Database):
    """Inserted, updated, copied and deleted assets are found as they are, each in its own version."""
    first = begun.write(lambda tx: publish(tx, *(asset(i, hostname=f"web-{i}.corp") for i in range(6))))

    def build(tx: Tx) -> str:
        version = tx.versions.begin(ENGAGEMENT, "baseline", first)
        tx.assets.insert_many(version.id, [asset(1, hostname="db-1.corp"), asset(3, hostname="db-3")])
        tx.assets.update_many(version.id, [asset(3, hostname="cache-3")])
        after = ""
        while after is not None:
            _, after = tx.assets.copy_missing(first, version.id, after or None, 2)
        tx.versions.publish(version.id, expected_base_id=first, asset_count=6)
        return version.id

    second = begun.write(build)
    assert assets(begun, first, "web") == list("012345")
    assert assets(begun, second, "web") == list("0245")
    assert assets(begun, second, "hostname:db") == ["1"]
    assert assets(begun, second, "cac 3") == ["3"]
    assert assets(begun, second, "db-3") == []
    while begun.write(lambda tx: tx.versions.delete_some(first, 4)) == 4:
        pass
    assert assets(begun, second, "web") == list("0245")
    assert assets(begun, first, "web") == []


def undo_search(url: str) -> None:
    """Takes from a database what the migration 0003_search added."""
    migration = import_module("mooring_server.store.migrations.0003_search")
    with connection(url) as old:
        for name, *_ in migration._INDEXES:
            old.execute_sql(f"DROP INDEX {name}")
        for index in ("session", "asset"):
            if is_sqlite(url):
                for made in ("inserted", "changed", "deleted") if index == "session" else ():
                    old.execute_sql(f"DROP TRIGGER {index}_{made}")
                for made in ("words", "search", "rows"):
                    old.execute_sql(f"DROP TABLE {index}_{made}")
            else:
                old.execute_sql(f"DROP INDEX {index}_search")
        for table in ("engagements", "sessions", "assets"):
            old.execute_sql(f"ALTER TABLE {table} DROP COLUMN words")
        old.execute_sql("DELETE FROM schema_migrations WHERE name = '0003_search'")


def test_what_is_there_already_can_be_searched(database_url: str):
    """The migration fills the words of rows from before it, and their index."""

    def furnish(tx: Tx) -> str:
        begin(tx)
        for number in range(1_100):
            tx.sessions.insert(ENGAGEMENT, f"s-{number}", f"Wave {number}", "Größe", "data_import", USER)
        return publish(tx, *(asset(i, hostname=f"web-{i}") for i in range(3)))

    with Database(database_url) as database:
        version = database.write(furnish)
    undo_search(database_url)
    with Database(database_url) as database:
        assert sessions(database, "grosse 1099") == ["Wave 1099"]
        assert assets(database, version, "web 2") == ["2"]
        wanted = condition("eng", ENGAGEMENTS)
        page = database.read(lambda tx: tx.engagements.page(USER, Order.DISPLAY_NAME, _ALL, wanted))
        assert [each.id for each in page.items] == [ENGAGEMENT]
        database.write(lambda tx: tx.sessions.update(ENGAGEMENT, "s-7", None, display_name="Seven"))
        assert sessions(database, "sev gro") == ["Seven"]
        assert sessions(database, "display_name = 'Wave 7'") == []


def test_an_index_of_words_outlives_vacuum(tmp_path):
    """SQLite may number a table's rows anew: what is found stays the same."""
    with Database(f"sqlite:///{tmp_path}/store.db") as database:
        database.write(begin)
        first = database.write(lambda tx: publish(tx, *map(asset, range(50))))
        version = database.write(
            lambda tx: publish(
                tx, *(asset(i, hostname=f"web-{i}") for i in reversed(range(9))), base_id=first
            )
        )
        while database.write(lambda tx: tx.versions.delete_some(first, 10)) == 10:
            pass
        for id in ("x", "y"):
            database.write(session(id, f"Session {id}"))
    with connection(database.url) as opened:
        opened.execute_sql("VACUUM")
        # Nothing of the deleted version is left in the index.
        assert opened.execute_sql("SELECT COUNT(*) FROM asset_rows").fetchone() == (9,)
        assert opened.execute_sql("SELECT COUNT(DISTINCT doc) FROM asset_words").fetchone() == (9,)
        opened.execute_sql("INSERT INTO asset_search (asset_search) VALUES ('integrity-check')")
    with Database(database.url) as reopened:
        assert assets(reopened, version, "web-7") == ["7"]
        assert sorted(assets(reopened, version, "web")) == list("012345678")
        reopened.write(lambda tx: tx.assets.update_many(version, [asset(7, hostname="db")]))
        assert assets(reopened, version, "web-7") == []
        assert sessions(reopened, "session") == ["Session x", "Session y"]


@pytest.mark.parametrize(
    "text", ["", "NOT prod", "type = SERVER", "prod", "environment = prod", "cpu_cores > 2"]
)
def test_walks_neither_repeat_nor_skip(begun: Database, text: str):
    """Whatever leads, whatever a page may look at, either way round: every match comes once, in order."""
    version = begun.write(
        lambda tx: publish(
            tx,
            *(
                asset(
                    i,
                    display_name=f"{'Ää aA'[i % 5]}{i % 7}",
                    environment=("prod", "test", "")[i % 3],
                    location=("Prod A", "x")[i % 2],
                    cpu_cores=(None, 1.0, 4.0)[i % 3],
                )
                for i in range(90)
            ),
        )
    )
    wanted = condition(text, ASSETS)
    whole = begun.read(lambda tx: tx.assets.page(version, Order.DISPLAY_NAME, _ALL, wanted)).items
    assert list(whole) == sorted(whole, key=lambda each: (sort_key(each.display_name).encode(), each.id))
    for order, examined in product((Order.DISPLAY_NAME, Order.DISPLAY_NAME_DESC), (8, 41, 90, 91, 20_000)):
        found = walked(
            begun,
            lambda tx, window, order=order: tx.assets.page(version, order, window, wanted),
            Window(7, 0, None, examined),
        )
        assert list(found) == list(whole[::-1] if order.descends else whole), (order, examined)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    skip=st.integers(0, 70),
    limit=st.integers(1, 20),
    examined=st.sampled_from((5, 16, 64, 500)),
    passed=st.sampled_from((1, 7, 500)),
    order=st.sampled_from(list(SESSIONS.orders)),
    shown=st.fixed_dictionaries({"archived": st.booleans(), "deleted": st.booleans()}),
    data=st.data(),
)
def test_skips_are_kept_through_short_pages(
    begun: Database, skip, limit, examined, passed, order, shown, data
):
    """What a page did not pass over before it had to stop is passed over by the next; what is not listed is
    no row of it.
    """
    if begun.read(lambda tx: tx.sessions.get(ENGAGEMENT, "s-1")) is None:
        for number in range(60):
            begun.write(session(f"s-{number}", f"{'even' if number % 2 else 'odd'} {number:02}"))
        for number in range(0, 60, 5):
            begun.write(lambda tx, id=f"s-{number}": tx.sessions.archive(ENGAGEMENT, id, None))
        for number in range(0, 60, 7):
            begun.write(lambda tx, id=f"s-{number}": tx.sessions.delete(ENGAGEMENT, id, None))
    texts = ("", "even", "NOT even", "display_name:odd OR even", "create_time > 2020-01-01")
    wanted = condition(data.draw(st.sampled_from(texts)), SESSIONS)
    whole = begun.read(lambda tx: tx.sessions.page(ENGAGEMENT, order, _ALL, wanted, **shown)).items
    found = walked(
        begun,
        lambda tx, window: tx.sessions.page(ENGAGEMENT, order, window, wanted, **shown),
        Window(limit, skip, None, examined, passed_max=passed),
    )
    assert list(found) == list(whole[skip:])


def test_rows_of_many_words_that_begin_alike_are_all_found(begun: Database):
    """A search loses no row, however many words of a row begin as it does."""
    names = [" ".join(f"a{number:02}{letter}" for letter in "abcde") for number in range(60)]
    version = begun.write(
        lambda tx: publish(tx, *(asset(number, display_name=name) for number, name in enumerate(names)))
    )
    wanted = condition("a", ASSETS)
    for examined in (80, 20_000):
        found = walked(
            begun,
            lambda tx, window: tx.assets.page(version, Order.DISPLAY_NAME, window, wanted),
            Window(10, 0, None, examined),
        )
        assert [each.display_name for each in found] == names, examined


def test_totals_say_when_they_stopped_counting(begun: Database):
    """They are exact up to what may be counted and looked at; then at least so many."""

    def make(tx: Tx):
        for number in range(40):
            tx.sessions.insert(
                ENGAGEMENT,
                f"s-{number}",
                f"Wave {number}",
                "",
                "validation_run" if number < 9 else "data_import",
                USER,
            )

    begun.write(make)

    def total(text: str, examined: int, counted: int, **fields) -> Total:
        window = Window(1, 0, None, examined, counted)
        return begun.read(
            lambda tx: tx.sessions.total(ENGAGEMENT, window, condition(text, SESSIONS), **fields)
        )

    assert total("", 1_000, 5) == (41, False)  # a counter that is kept
    assert total("type = VALIDATION_RUN", 1_000, 100) == (9, False)
    assert total("NOT type = VALIDATION_RUN", 1_000, 100) == (32, False)
    assert total("NOT type = VALIDATION_RUN", 1_000, 31) == (31, True)
    assert total("wave", 1_000, 10) == (10, True)
    seen = total("NOT type = VALIDATION_RUN", 20, 100)
    assert seen.at_least
    assert seen.rows <= 20
    begun.write(lambda tx: [tx.sessions.archive(ENGAGEMENT, f"s-{n}", None) for n in range(3)])
    begun.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "s-20", None))
    assert total("", 1_000, 100) == (37, False)
    assert total("", 1_000, 100, archived=True) == (40, False)
    assert total("", 1_000, 100, archived=True, deleted=True) == (41, False)
    assert total("", 1_000, 100, deleted=True) == (38, False)
    assert total("type = VALIDATION_RUN", 1_000, 100) == (6, False)
    begun.write(lambda tx: [tx.sessions.archive(ENGAGEMENT, f"s-{n}", None) for n in range(3, 19)])
    assert total("", 12, 5) == (21, False)  # however many are archived


def test_engagements_are_led_by_their_members_or_their_order(database: Database):
    """A user of few engagements, and one of more than are sorted at once, find and count the same."""

    def make(tx: Tx):
        begin(tx, "foreign", "user-2")
        for number in range(30):
            begin(tx, f"e-{number}")
            tx.engagements.update(f"e-{number}", None, display_name=f"{'äA'[number % 2]} {number % 5} client")

    database.write(make)
    texts = ("", "clien", "display_name = 'ä*'", "NOT display_name:a", "create_time > 2030-01-01")
    for text, order in product(texts, ENGAGEMENTS.orders):
        wanted = condition(text, ENGAGEMENTS)
        few, many = (
            walked(
                database,
                lambda tx, window, order=order, wanted=wanted: tx.engagements.page(
                    USER, order, window, wanted
                ),
                Window(4, 0, None, examined),
            )
            for examined in (20, 1_000)
        )
        found = list(few)
        assert found == list(many)
        assert all(each.id != "foreign" for each in found)
        counted = database.read(lambda tx, wanted=wanted: tx.engagements.total(USER, _ALL, wanted))
        assert counted == (len(found), False)
    assert len(database.read(lambda tx: tx.engagements.page(USER, Order.DISPLAY_NAME, _ALL)).items) == 30
