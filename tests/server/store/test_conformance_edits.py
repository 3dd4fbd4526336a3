"""Edits of what a session shows: counted, noted, and in the way of whatever was built beside them."""

from dataclasses import replace

import pytest
from mooring_server.core.lists import ASSETS
from mooring_server.errors import Aborted, FailedPrecondition, NotFound
from mooring_server.store import ChangeKind, Order, Tx
from mooring_server.store.lists.paging import Window
from support_filters import condition
from support_store import ENGAGEMENT, Database, asset, begin, dependency, publish

STREAM = f"engagements/{ENGAGEMENT}"
SESSION = f"{STREAM}/sessions/baseline"


@pytest.fixture
def begun(database: Database) -> Database:
    database.write(begin)
    return database


def _edit(database: Database, edit):
    """Runs an edit of (edits, version)."""
    return database.write(lambda tx: edit(tx.edits, tx.edits.begin(ENGAGEMENT, "baseline")))


def _session(database: Database):
    return database.read(lambda tx: tx.sessions.get(ENGAGEMENT, "baseline"))


def _found(database: Database, text: str) -> list[str]:
    version, wanted = _session(database).data_version_id, condition(text, ASSETS)
    page = database.read(lambda tx: tx.assets.page(version, Order.DISPLAY_NAME, Window(100, 0, None), wanted))
    return [each.id for each in page.items]


def test_each_edit_is_a_revision_and_a_change(begun: Database):
    """The session's counts and etag move with it, the data version stays, and the log names what changed."""
    version = begun.write(lambda tx: publish(tx, asset(0), asset(1)))
    before = _session(begun)
    head = begun.read(lambda tx: tx.changes.head(STREAM))
    edits = (
        ("assets/asset-000002", ChangeKind.CREATED, 3, 0, lambda e, v: e.create_asset(v, asset(2))),
        (
            "assets/asset-000002",
            ChangeKind.UPDATED,
            3,
            0,
            lambda e, v: e.change_asset(v, asset(2, owner="o")),
        ),
        (
            "dependencies/dependency-000000",
            ChangeKind.CREATED,
            3,
            1,
            lambda e, v: e.create_dependency(v, dependency(0, 0, 1)),
        ),
        (
            "dependencies/dependency-000000",
            ChangeKind.UPDATED,
            3,
            1,
            lambda e, v: e.change_dependency(v, dependency(0, 0, 1, description="d")),
        ),
        (
            "dependencies/dependency-000000",
            ChangeKind.DELETED,
            3,
            0,
            lambda e, v: e.delete_dependency(v, "dependency-000000"),
        ),
        ("assets/asset-000002", ChangeKind.DELETED, 2, 0, lambda e, v: e.delete_asset(v, "asset-000002")),
    )
    for revision, (name, kind, assets, dependencies, edit) in enumerate(edits, 1):
        _edit(begun, edit)
        shown = _session(begun)
        assert (shown.asset_count, shown.dependency_count) == (assets, dependencies)
        assert (shown.data_version_id, shown.etag) == (version, before.etag + revision)
        kept = begun.read(lambda tx: tx.versions.get(version))
        assert (kept.revision, kept.label) == (revision, f"{version}.{revision}")
        (change,) = begun.read(lambda tx, r=revision: tx.changes.after(STREAM, head + r - 1, 10))
        assert (change.kind, change.resource) == (kind, f"{SESSION}/{name}")
    assert begun.store.check() == []
    activity = begun.read(
        lambda tx: tx.activity.page(ENGAGEMENT, "baseline", Order.TIME_DESC, Window(100, 0, None))
    )
    assert {each.session_id for each in activity.items} == {"baseline"}


def test_the_first_edit_begins_a_version(begun: Database):
    """A session without data gets some, and that is no import."""
    head = begun.read(lambda tx: tx.changes.head(STREAM))
    _edit(begun, lambda edits, version: edits.create_asset(version, asset(0)))
    shown = _session(begun)
    assert (shown.asset_count, _found(begun, "asset")) == (1, ["asset-000000"])
    changes = begun.read(lambda tx: tx.changes.after(STREAM, head, 10))
    assert [(each.kind, each.resource) for each in changes] == [
        (ChangeKind.UPDATED, SESSION),
        (ChangeKind.CREATED, f"{SESSION}/assets/asset-000000"),
    ]
    assert begun.store.check() == []


def test_an_asset_takes_its_dependencies_with_it(begun: Database):
    """Those that it is either end of, and no others."""

    def build(tx: Tx) -> None:
        version = tx.versions.begin(ENGAGEMENT, "baseline", None)
        tx.assets.insert_many(version.id, [asset(n) for n in range(3)])
        pairs = ((0, 1), (1, 0), (0, 0), (1, 2))
        tx.dependencies.insert_many(version.id, [dependency(n, *pair) for n, pair in enumerate(pairs)])
        tx.versions.publish(version.id, expected_base_id=None, asset_count=3, dependency_count=4)

    begun.write(build)
    assert _edit(begun, lambda edits, version: edits.delete_asset(version, "asset-000000")) == 3
    shown = _session(begun)
    assert (shown.asset_count, shown.dependency_count) == (2, 1)
    page = begun.read(
        lambda tx: tx.dependencies.page(shown.data_version_id, Order.CREATE_TIME, Window(10, 0, None))
    )
    assert [each.id for each in page.items] == ["dependency-000003"]
    assert begun.store.check() == []


def test_search_follows_every_edit(begun: Database):
    """New words are found and old ones are not, whoever else has them."""
    begun.write(lambda tx: publish(tx, asset(0, hostname="web-0"), asset(1, hostname="web-1")))
    _edit(begun, lambda edits, version: edits.change_asset(version, asset(0, hostname="cache-0")))
    assert (_found(begun, "hostname:web"), _found(begun, "cache")) == (["asset-000001"], ["asset-000000"])
    _edit(begun, lambda edits, version: edits.create_asset(version, asset(2, hostname="web-2")))
    assert _found(begun, "web") == ["asset-000001", "asset-000002"]
    _edit(begun, lambda edits, version: edits.delete_asset(version, "asset-000001"))
    assert _found(begun, "web") == ["asset-000002"]
    assert _found(begun, "asset") == ["asset-000000", "asset-000002"]


def test_what_was_built_on_data_that_was_edited_is_not_published(begun: Database):
    """An import that began before the edit is refused; one that begins after it is not."""
    base = begun.write(lambda tx: publish(tx, asset(0)))
    early = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", base)).id
    _edit(begun, lambda edits, version: edits.change_asset(version, asset(0, owner="ops")))
    late = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", base)).id
    with pytest.raises(Aborted) as refused:
        begun.write(lambda tx: tx.versions.publish(early, expected_base_id=base, asset_count=0))
    assert refused.value.reason == "DATA_VERSION_MOVED"
    assert _session(begun).data_version_id == base
    begun.write(lambda tx: tx.versions.publish(late, expected_base_id=base, asset_count=0))
    assert _session(begun).data_version_id == late


def test_edits_at_once_are_all_counted(begun: Database):
    """Nobody's is lost, not even of the first ones, which find no data."""

    def create(number: int):
        return lambda tx: tx.edits.create_asset(tx.edits.begin(ENGAGEMENT, "baseline"), asset(number))

    assert begun.together(*map(create, range(12))) == [None] * 12
    shown = _session(begun)
    assert shown.asset_count == 12
    assert begun.read(lambda tx: tx.versions.get(shown.data_version_id)).revision == 12
    assert len(_found(begun, "asset")) == 12
    assert begun.store.check() == []


def test_of_edits_at_once_each_sees_the_one_before(begun: Database):
    """What is looked at after `begin` stays so until the edit: nobody writes over what they have not seen."""
    begun.write(lambda tx: publish(tx, asset(0, cpu_cores=0.0)))

    def add(tx: Tx) -> None:
        version = tx.edits.begin(ENGAGEMENT, "baseline")
        seen = tx.assets.get(version.id, "asset-000000")
        tx.edits.change_asset(version, replace(seen, cpu_cores=seen.cpu_cores + 1))

    assert begun.together(*[add] * 20) == [None] * 20
    version = _session(begun).data_version_id
    assert begun.read(lambda tx: tx.assets.get(version, "asset-000000")).cpu_cores == 20


def test_an_edit_and_an_import_at_once_leave_one_of_them(begun: Database):
    """Either the edit comes first and the import is refused, or it lands in what the import shows."""
    base = begun.write(lambda tx: publish(tx, asset(0)))
    built = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", base)).id
    begun.write(lambda tx: tx.assets.insert_many(built, [asset(0)]))

    def edit(tx: Tx) -> None:
        version = tx.edits.begin(ENGAGEMENT, "baseline")
        tx.edits.change_asset(version, asset(0, owner="ops"))

    edited, published = begun.together(
        edit, lambda tx: tx.versions.publish(built, expected_base_id=base, asset_count=1)
    )
    shown = _session(begun).data_version_id
    assert edited is None
    assert begun.read(lambda tx: tx.assets.get(shown, "asset-000000")).owner == "ops"
    assert (shown == base) == isinstance(published, Aborted)


def test_what_is_gone_or_put_away_is_not_edited(begun: Database):
    """NotFound of a session that is not there, FailedPrecondition of an archived one."""
    begun.write(lambda tx: tx.sessions.insert(ENGAGEMENT, "away", "Away", "", "data_import", "user-1"))
    begun.write(lambda tx: tx.sessions.archive(ENGAGEMENT, "away", None))
    for session, failure in (("none", NotFound), ("away", FailedPrecondition)):
        with pytest.raises(failure):
            begun.write(lambda tx, s=session: tx.edits.begin(ENGAGEMENT, s))
