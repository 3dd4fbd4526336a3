"""Data versions, assets and what they add up to, on every database."""

from datetime import timedelta

import pytest
from mooring_server.errors import Aborted, NotFound
from mooring_server.store import AssetType, ChangeKind, Order
from mooring_server.store.lists.paging import Window
from mooring_server.store.records import SpareVersions
from mooring_server.store.values import sort_key
from support_store import ENGAGEMENT, Database, asset, begin, publish, session


@pytest.fixture
def begun(database: Database) -> Database:
    database.write(begin)
    return database


def _assets(database: Database, version: str):
    return database.read(
        lambda tx: tx.assets.page(version, Order.DISPLAY_NAME, Window(10_000, 0, None))
    ).items


def test_assets_come_back_as_they_went_in(begun: Database):
    """Every field survives, the unknown ones included."""
    full = asset(
        1,
        type=AssetType.VIRTUAL_MACHINE,
        ip_addresses=("10.0.0.1", "fe80::1"),
        hostname="höst",
        cpu_cores=2.5,
        memory_bytes=2**40,
        storage_bytes=2**62,
        attributes={"Größe": "x\ny", "": "\U0001f40d"},
    )
    version = begun.write(lambda tx: publish(tx, asset(0), full))
    assert _assets(begun, version) == (asset(0), full)


def test_nobody_sees_a_version_before_it_is_published(begun: Database):
    """Building changes nothing that others read; publishing moves pointer, count and etag at once."""
    head = begun.read(lambda tx: tx.changes.head(f"engagements/{ENGAGEMENT}"))
    version = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", None))
    begun.write(lambda tx: tx.assets.insert_many(version.id, [asset(i) for i in range(3)]))
    shown = begun.read(lambda tx: tx.sessions.get(ENGAGEMENT, "baseline"))
    assert (shown.data_version_id, shown.asset_count) == (None, 0)
    assert begun.read(lambda tx: tx.changes.head(f"engagements/{ENGAGEMENT}")) == head
    published = begun.write(lambda tx: tx.versions.publish(version.id, expected_base_id=None, asset_count=3))
    assert (published.data_version_id, published.asset_count, published.etag) == (version.id, 3, 2)
    changes = begun.read(lambda tx: tx.changes.after(f"engagements/{ENGAGEMENT}", head, 10))
    assert [(each.kind, each.resource) for each in changes] == [
        (ChangeKind.IMPORTED, f"engagements/{ENGAGEMENT}/sessions/baseline")
    ]
    assert begun.store.check() == []


def test_publishing_refuses_a_base_that_has_moved(begun: Database):
    """Of versions built on the same state the first is shown, the others start again."""
    built = [begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", None)) for _ in range(4)]
    outcomes = begun.together(
        *(
            lambda tx, id=each.id: tx.versions.publish(id, expected_base_id=None, asset_count=0)
            for each in built
        )
    )
    refused = [each for each in outcomes if isinstance(each, Aborted)]
    assert [each.reason for each in refused] == ["DATA_VERSION_MOVED"] * 3
    shown = next(each for each in outcomes if not isinstance(each, Exception)).data_version_id
    last = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", shown))
    with pytest.raises(Aborted):
        begun.write(lambda tx: tx.versions.publish(last.id, expected_base_id="older", asset_count=0))
    begun.write(lambda tx: tx.versions.publish(last.id, expected_base_id=shown, asset_count=0))
    with pytest.raises(Aborted):
        begun.write(lambda tx: tx.versions.publish(last.id, expected_base_id=shown, asset_count=0))


def test_publishing_into_a_deleted_session_is_refused(begun: Database):
    """An import whose session is gone says so."""
    begun.write(session("wave-1"))
    version = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "wave-1", None))
    begun.write(lambda tx: tx.sessions.delete(ENGAGEMENT, "wave-1", None))
    with pytest.raises(NotFound):
        begun.write(lambda tx: tx.versions.publish(version.id, expected_base_id=None, asset_count=0))


def test_versions_that_nothing_shows_are_swept_in_parts(begun: Database):
    """Unpublished and replaced ones after their time, half-deleted ones at once, the shown one never."""
    replaced = begun.write(lambda tx: publish(tx, *(asset(i) for i in range(5))))
    begun.clock.advance(100)
    shown = begun.write(lambda tx: publish(tx, asset(0), base_id=replaced))
    unpublished = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", shown)).id
    given_up = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", shown)).id
    begun.write(lambda tx: tx.assets.insert_many(given_up, [asset(i) for i in range(3)]))
    assert begun.write(lambda tx: tx.versions.delete_some(given_up, 2)) == 2
    now = begun.clock.now

    def abandoned(before, limit: int = 10):
        return begun.read(lambda tx: tx.versions.abandoned(before, limit))

    # Five replaced, none counted of those that are still being built.
    assert begun.read(lambda tx: tx.versions.spare(now)) == SpareVersions(3, 5, 0, due=1)
    assert begun.read(lambda tx: tx.versions.spare(now + timedelta(seconds=1))).due == 3
    assert abandoned(now) == [given_up]
    assert set(abandoned(now + timedelta(seconds=1))) == {given_up, unpublished, replaced}
    assert len(abandoned(now + timedelta(seconds=1), 2)) == 2
    begun.write(lambda tx: tx.landscapes.put(replaced, 0, "{}"))
    assert [begun.write(lambda tx: tx.versions.delete_some(replaced, 2)) for _ in range(3)] == [2, 2, 1]
    assert begun.read(lambda tx: tx.versions.get(replaced)) is None
    assert begun.read(lambda tx: tx.landscapes.get(replaced, 0)) is None
    assert begun.write(lambda tx: tx.versions.delete_some(shown, 10)) == 0
    assert len(_assets(begun, shown)) == 1
    assert begun.store.check() == []


def test_a_version_that_is_being_deleted_is_gone_for_everybody(begun: Database):
    """It is neither found nor published, so that nobody ever sees a part of one."""
    version = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", None)).id
    begun.write(lambda tx: tx.assets.insert_many(version, [asset(i) for i in range(5)]))
    assert begun.write(lambda tx: tx.versions.delete_some(version, 2)) == 2
    assert begun.read(lambda tx: tx.versions.get(version)) is None
    with pytest.raises(Aborted) as refused:
        begun.write(lambda tx: tx.versions.publish(version, expected_base_id=None, asset_count=5))
    assert refused.value.reason == "DATA_VERSION_MOVED"
    assert begun.read(lambda tx: tx.sessions.get(ENGAGEMENT, "baseline")).data_version_id is None
    assert begun.write(lambda tx: tx.versions.delete_some(version, 10)) == 3


def test_copy_missing_brings_what_an_import_did_not_touch(begun: Database):
    """All identities of both versions end in the new one, once each, its own rows first, in any part size."""
    base = begun.write(lambda tx: publish(tx, *(asset(i) for i in range(10))))
    changed = [asset(3, status="off"), asset(7, status="off"), asset(20)]
    for size in (1, 3, 10, 100):
        version = begun.write(lambda tx: tx.versions.begin(ENGAGEMENT, "baseline", base)).id
        begun.write(lambda tx, v=version: tx.assets.insert_many(v, changed))
        copied, after, rounds = 0, None, 0
        while True:
            part, after = begun.write(
                lambda tx, v=version, a=after, n=size: tx.assets.copy_missing(base, v, a, n)
            )
            copied, rounds = copied + part, rounds + 1
            if after is None:
                break
        assert copied == 8
        assert rounds <= 10 // size + 1
        expected = {each.identity: each for each in [*(asset(i) for i in range(10)), *changed]}
        assert {each.identity: each for each in _assets(begun, version)} == expected


def test_assets_are_found_and_replaced_by_what_identifies_them(begun: Database):
    """Look-ups by identity cross the size of one statement; replacing keeps the id."""
    version = begun.write(lambda tx: publish(tx, *(asset(i) for i in range(1_200))))
    wanted = [f"name:{i:06}" for i in range(100, 1_300)]
    found = begun.read(lambda tx: tx.assets.by_identity(version, wanted))
    assert found == {f"name:{i:06}": asset(i) for i in range(100, 1_200)}
    begun.write(lambda tx: tx.assets.update_many(version, [asset(1, owner="ops"), asset(2, owner="ops")]))
    begun.write(lambda tx: tx.assets.insert_many(version, []))
    assert [each.owner for each in _assets(begun, version)[:4]] == ["", "ops", "ops", ""]
    assert len(_assets(begun, version)) == 1_200


def test_asset_pages_are_in_the_same_order_everywhere(begun: Database):
    """By folded display name, then id, with keys that survive JSON and skips from them."""
    names = ["b", "B", "ä", "a", "Z", "\U0001f40d", "\uffee", "a", "_", "~"]
    version = begun.write(
        lambda tx: publish(tx, *(asset(i, display_name=name) for i, name in enumerate(names)))
    )
    whole = _assets(begun, version)
    assert [each.display_name for each in whole] == sorted(names, key=lambda name: sort_key(name).encode())
    first = begun.read(lambda tx: tx.assets.page(version, Order.DISPLAY_NAME, Window(4, 0, None)))
    rest = begun.read(
        lambda tx: tx.assets.page(version, Order.DISPLAY_NAME, Window(10, 2, list(first.next_key)))
    )
    assert (first.items + whole[4:6] + rest.items, rest.next_key) == (whole, None)
