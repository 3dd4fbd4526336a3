"""Dependencies, and how their ends are looked up, on every database."""

from dataclasses import replace

import pytest
from mooring_server.store import Order, Tx
from mooring_server.store.lists.conditions import Compare, Not, Op, Or, Present
from mooring_server.store.lists.paging import Total, Window
from mooring_server.store.records import DependencyKind
from mooring_server.store.values import sort_key
from support_filters import walked
from support_store import ENGAGEMENT, START, Database, asset, begin, dependency

_ALL = Window(1_000, 0, None)


@pytest.fixture
def begun(database: Database) -> Database:
    database.write(begin)
    return database


def _build(database: Database, assets, dependencies=(), base: str | None = None) -> str:
    """A version with those assets and dependencies, shown by nobody."""

    def build(tx: Tx) -> str:
        version = tx.versions.begin(ENGAGEMENT, "baseline", base).id
        tx.assets.insert_many(version, list(assets))
        tx.dependencies.insert_many(version, list(dependencies))
        return version

    return database.write(build)


def _all(database: Database, version: str, condition=None, order: Order = Order.CREATE_TIME):
    return database.read(lambda tx: tx.dependencies.page(version, order, _ALL, condition)).items


def _named(each, source: str, target: str):
    return replace(each, source_display_name=source, target_display_name=target)


def test_dependencies_come_back_as_they_went_in(begun: Database):
    """Every field survives, the unknown ones included, with the names of both ends."""
    full = dependency(
        1,
        0,
        1,
        kind=DependencyKind.RUNS_ON,
        port=65_535,
        protocol="tcp",
        source_process="nginx",
        target_process="pöstgres",
        description="a\nb",
        attributes={"Größe": "x\ny", "": "\U0001f40d"},
    )
    itself = dependency(2, 1, 1)
    version = _build(begun, map(asset, range(2)), [full, itself])
    names = ("Asset 000000", "Asset 000001")
    assert _all(begun, version) == (_named(full, *names), _named(itself, names[1], names[1]))
    assert begun.read(lambda tx: tx.dependencies.get(version, full.id)) == _named(full, *names)
    assert begun.read(lambda tx: tx.dependencies.get(version, "another")) is None
    assert begun.read(lambda tx: tx.dependencies.get("another", full.id)) is None


def test_dependencies_are_found_replaced_and_deleted(begun: Database):
    """By identity across several statements, by id, and all of an asset, those with itself once."""
    pairs = [(i, (i + 1) % 300) for i in range(300)]
    some = [dependency(n, *pair) for n, pair in enumerate(pairs)] + [dependency(300, 7, 7)]
    version = _build(begun, map(asset, range(300)), some)
    wanted = [f"dependency:{i:06}" for i in range(10, 400)]
    found = begun.read(lambda tx: tx.dependencies.by_identity(version, wanted))
    assert found == {each.identity: each for each in some[10:]}
    begun.write(lambda tx: tx.dependencies.update_many(version, [replace(some[3], description="new")]))
    assert begun.read(lambda tx: tx.dependencies.get(version, some[3].id)).description == "new"
    assert begun.read(lambda tx: tx.dependencies.count_of_asset(version, "asset-000007")) == 3
    assert begun.write(lambda tx: tx.dependencies.delete_of_asset(version, "asset-000007")) == 3
    begun.write(lambda tx: tx.dependencies.delete(version, [some[0].id, some[1].id]))
    kept = [each.id for each in some if each not in (some[0], some[1], some[6], some[7], some[300])]
    assert [each.id for each in _all(begun, version)] == kept


def test_pages_of_dependencies_are_walked_in_both_orders(begun: Database):
    """By the time that they were made, then id; each once, whatever the size of the pages."""
    some = [dependency(n, 0, 1, create_time=START.replace(second=n % 3)) for n in range(30)]
    version = _build(begun, map(asset, range(2)), some)
    ordered = [each.id for each in sorted(some, key=lambda each: (each.create_time, each.id))]
    for order, expected in (
        (Order.CREATE_TIME, ordered),
        (Order.CREATE_TIME_DESC, ordered[::-1]),
    ):
        for size in (1, 7, 30):
            pages = walked(
                begun,
                lambda tx, window, o=order: tx.dependencies.page(version, o, window),
                Window(size, 0, None),
            )
            assert [each.id for each in pages] == expected


def test_dependencies_are_filtered_by_what_they_say(begun: Database):
    """By each end, either end, and every field that is told; what is unknown answers no comparison."""
    version = _build(
        begun,
        map(asset, range(4)),
        [
            dependency(0, 0, 1, port=443, protocol="tcp"),
            dependency(1, 1, 2, kind=DependencyKind.USES, source_process="web"),
            dependency(2, 2, 1, port=80, target_process="db"),
            dependency(3, 3, 0, update_time=START.replace(year=2027)),
        ],
    )

    def equal(name, value):
        return Compare(name, Op.EQ, value)

    either = Or((equal("source", ("asset-000001",)), equal("target", ("asset-000001",))))
    for condition, found in (
        (equal("source", ("asset-000001",)), [1]),
        (equal("target", ("asset-000001",)), [0, 2]),
        (either, [0, 1, 2]),
        (Not(either), [3]),
        (Or((*either.parts, equal("port", 80))), [0, 1, 2]),
        (equal("source", ("",)), []),
        (equal("kind", "uses"), [1]),
        (equal("port", 443), [0]),
        (Not(equal("port", 443)), [1, 2, 3]),
        (Present("port"), [0, 2]),
        (Compare("port", Op.LT, 2**40), [0, 2]),
        (equal("protocol", "tcp"), [0]),
        (equal("source_process", "web"), [1]),
        (equal("target_process", "db"), [2]),
        (Compare("update_time", Op.GT, 1_790_000_000_000_000), [3]),
    ):
        items = _all(begun, version, condition)
        assert [int(each.id[-6:]) for each in items] == found, condition
        total = begun.read(lambda tx, c=condition: tx.dependencies.total(version, _ALL, c))
        assert total == Total(len(found), False)


def test_copy_missing_brings_the_dependencies_that_an_import_did_not_touch(begun: Database):
    """All identities of both versions end in the new one, once each, its own first, in any part size."""
    old = [dependency(n, 0, 1) for n in range(10)]
    new = [replace(old[3], description="x"), replace(old[7], description="x"), dependency(20, 0, 1)]
    base = _build(begun, map(asset, range(2)), old)
    for size in (1, 3, 10, 100):
        version = _build(begun, map(asset, range(2)), new, base)
        copied, after = 0, None
        while True:
            part, after = begun.write(
                lambda tx, v=version, a=after, n=size: tx.dependencies.copy_missing(base, v, a, n)
            )
            copied += part
            if after is None:
                break
        assert copied == 8
        found = {each.id: each.description for each in _all(begun, version)}
        assert found == {each.id: each.description for each in [*old, *new]}


def test_ends_are_found_by_name_host_name_and_address(begun: Database):
    """Each look-up finds all that it asks for, in its version alone, to the letter and in lower case."""
    long = "x" * 100
    some = [
        asset(0, display_name="Web-1", hostname="web-1.corp", ip_addresses=("10.0.0.1", "10.0.0.1")),
        asset(1, display_name="\uff37EB-1", hostname="WEB-1.corp", ip_addresses=("fe80::1", "10.0.0.1")),
        asset(2, hostname=f"{long}a"),
        asset(3, hostname=f"{long}b"),
        asset(4, ip_addresses=("10.0.0.4",)),
        *(asset(n, hostname=f"host-{n}") for n in range(5, 600)),
    ]
    version = _build(begun, some)
    _build(begun, [asset(0, display_name="Web-1", hostname="web-1.corp", ip_addresses=("10.0.0.1",))])

    def ids(found):
        return sorted(each.id for each in found)

    def by_names(*names: str):
        return ids(begun.read(lambda tx: tx.assets.by_names(version, [sort_key(each) for each in names])))

    def by_hostnames(*names: str):
        return ids(begun.read(lambda tx: tx.assets.by_hostnames(version, names)))

    def by_addresses(*wanted: str):
        return begun.read(lambda tx: tx.assets.with_addresses(version, set(wanted)))

    assert by_names("web-1", "none") == ["asset-000000", "asset-000001"]
    assert by_names() == by_names("") == []
    assert by_hostnames("web-1.corp") == ["asset-000000"]
    assert by_hostnames("WEB-1.corp", "", "none") == ["asset-000000", "asset-000001"]
    assert by_hostnames(f"{long}a") == ["asset-000002"]
    assert len(by_hostnames(*(f"HOST-{n}" for n in range(1_000)))) == 595
    assert by_addresses("10.0.0.1", "fe80::1", "10.9.9.9") == {
        "10.0.0.1": ["asset-000000", "asset-000001"],
        "fe80::1": ["asset-000001"],
    }
    assert begun.read(lambda tx: tx.assets.display_names(version, ["asset-000004", "none"])) == {
        "asset-000004": "Asset 000004"
    }


def test_the_addresses_of_a_large_version_are_read_in_parts(begun: Database, monkeypatch):
    """Nobody is missed between two of them."""
    monkeypatch.setattr("mooring_server.store.assets._SCAN_MAX", 7)
    version = _build(begun, (asset(n, ip_addresses=(f"10.0.0.{n}",)) for n in range(21)))
    wanted = {f"10.0.0.{n}" for n in range(100)}
    found = begun.read(lambda tx: tx.assets.with_addresses(version, wanted))
    assert found == {f"10.0.0.{n}": [f"asset-{n:06}"] for n in range(21)}
