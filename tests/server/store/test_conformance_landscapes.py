"""What data versions add up to, on every database: the numbers, their bounds, and how they are kept."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mooring.v1 import assets_pb2, landscape_pb2
from mooring_server.core import landscape
from mooring_server.errors import Aborted
from mooring_server.store import Asset, AssetType, Tx
from mooring_server.store.landscapes import KNOWABLE_FIELDS
from mooring_server.store.records import Dependency, DependencyKind
from mooring_server.store.values import sort_key
from support_store import ENGAGEMENT, Database, asset, begin, dependency, publish

GROUPED = ("type", "environment", "criticality", "operating_system", "technology", "location", "status")
INT64_MAX = 2**63 - 1
# What is not told by people or files, and attributes, which are no one field.
NOT_COUNTED = {"name", "attributes", "provenance", "create_time", "update_time", "etag", "implied"}


@pytest.fixture
def begun(database: Database) -> Database:
    database.write(begin)
    return database


def build(tx: Tx, assets: Sequence[Asset], dependencies: Sequence[Dependency] = ()) -> str:
    """A version that nothing shows; its id."""
    if tx.engagements.get(ENGAGEMENT) is None:
        begin(tx)
    version = tx.versions.begin(ENGAGEMENT, "baseline", None)
    tx.assets.insert_many(version.id, assets)
    tx.dependencies.insert_many(version.id, dependencies)
    return version.id


def aggregated(database: Database, version_id: str) -> dict[str, Any]:
    """What the store makes of a version."""
    return database.read(lambda tx: tx.landscapes.aggregate(version_id), long=True)


def totals(assets: Sequence[Asset]) -> dict[str, Any]:
    def known(field: str) -> list[Any]:
        return [value for each in assets if (value := getattr(each, field)) is not None]

    return {
        "asset_count": len(assets),
        "cpu_cores": sum(known("cpu_cores")),
        "memory_bytes": min(sum(known("memory_bytes")), INT64_MAX),
        "storage_bytes": min(sum(known("storage_bytes")), INT64_MAX),
        "cpu_known_count": len(known("cpu_cores")),
        "memory_known_count": len(known("memory_bytes")),
        "storage_known_count": len(known("storage_bytes")),
    }


def by(field: str, assets: Sequence[Asset]) -> dict[str, list[Asset]]:
    """The assets by a field's value, those with most assets first, then by the value's bytes."""
    found: dict[str, list[Asset]] = defaultdict(list)
    for each in assets:
        found[getattr(each, field)].append(each)
    return {
        value: found[value] for value in sorted(found, key=lambda value: (-len(found[value]), value.encode()))
    }


def group(field: str, assets: Sequence[Asset]) -> dict[str, Any]:
    buckets = by(field, assets)
    listed = [{"value": value, "totals": totals(some)} for value, some in buckets.items()]
    return {"field": field, "buckets": listed[:1_000], "value_count": len(buckets.keys() - {""})}


def application(name: str, assets: Sequence[Asset]) -> dict[str, Any]:
    servers = [each for each in assets if each.type in (AssetType.SERVER, AssetType.VIRTUAL_MACHINE)]
    servers.sort(key=lambda each: (sort_key(each.display_name).encode(), each.id))
    return {
        "application": name,
        "totals": totals(assets),
        "asset_count_by_type": Counter(each.type.value for each in assets),
        "servers": [{"asset": each.id, "display_name": each.display_name} for each in servers[:5]],
        "server_count": len(servers),
    }


def dependencies_of(assets: Sequence[Asset], dependencies: Sequence[Dependency]) -> dict[str, Any]:
    needs: dict[str, set[str]] = {each.id: set() for each in assets}
    needed_by: dict[str, set[str]] = {each.id: set() for each in assets}
    for each in dependencies:
        if each.source_id != each.target_id:
            needs[each.source_id].add(each.target_id)
            needed_by[each.target_id].add(each.source_id)
    connected = [each for each in assets if needs[each.id] or needed_by[each.id]]
    connected.sort(key=lambda each: (-len(needs[each.id]) - len(needed_by[each.id]), each.id))
    return {
        "dependency_count": len(dependencies),
        "count_by_kind": Counter(each.kind.value for each in dependencies),
        "self_count": sum(each.source_id == each.target_id for each in dependencies),
        "isolated_count": len(assets) - len(connected),
        "degrees": [
            {
                "asset": {"asset": each.id, "display_name": each.display_name},
                "in_degree": len(needed_by[each.id]),
                "out_degree": len(needs[each.id]),
            }
            for each in connected[:100]
        ],
    }


def expected(assets: Sequence[Asset], dependencies: Sequence[Dependency] = ()) -> dict[str, Any]:
    """The same numbers, the plain way."""
    applications = by("application", [each for each in assets if each.application])
    fields = [field.name for field in assets_pb2.Asset.DESCRIPTOR.fields if field.name not in NOT_COUNTED]
    return {
        "totals": totals(assets),
        "groups": [group(field, assets) for field in GROUPED],
        "applications": [application(name, some) for name, some in list(applications.items())[:200]],
        "application_count": len(applications),
        "completeness": [
            {
                "field": field,
                "known_count": sum(getattr(each, field) not in (None, "", ()) for each in assets),
            }
            for field in fields
        ],
        "dependencies": dependencies_of(assets, dependencies),
    }


_TEXTS = st.sampled_from(["", "prod", "Prod", "test", "ä", "\uffee", "\U0001f40d"])
_LISTS = st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple)
_BYTES = st.none() | st.integers(0, INT64_MAX)
_FIELDS = dict.fromkeys(KNOWABLE_FIELDS, _TEXTS) | {
    "display_name": st.sampled_from(["web", "Web", "db", "ß", "ss", "\uffee", "\U0001f40d"]),
    "type": st.sampled_from(AssetType),
    # Quarters add up without rounding, in any order.
    "cpu_cores": st.none() | st.integers(0, 10**6).map(lambda n: n / 4),
    "memory_bytes": _BYTES,
    "storage_bytes": _BYTES,
    **dict.fromkeys(("ip_addresses", "mac_addresses", "networks"), _LISTS),
    "implied": st.booleans(),
}
_ENDS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(DependencyKind))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries(_FIELDS), max_size=12), st.lists(_ENDS, max_size=30))
def test_every_number_is_that_of_the_data(database: Database, rows, ends):
    """Whatever assets and dependencies there are; 64-bit sums stop at the largest number."""
    assets = [asset(number, **row) for number, row in enumerate(rows)]
    dependencies = [
        dependency(number, source % len(assets), target % len(assets), kind=kind)
        for number, (source, target, kind) in enumerate(ends)
        if assets
    ]
    version = database.write(lambda tx: build(tx, assets, dependencies))
    assert aggregated(database, version) == expected(assets, dependencies)


def test_the_landscape_of_nothing_says_so(begun: Database):
    """A version without assets adds up to what a session without data has, in the shape of the message."""
    version = begun.write(lambda tx: build(tx, []))
    assert aggregated(begun, version) == landscape.empty() == expected([])
    packed = landscape_pb2.Landscape(**landscape.empty())
    assert [each.field for each in packed.groups] == list(GROUPED)
    assert [each.field for each in packed.completeness] == list(KNOWABLE_FIELDS)


def test_a_sum_of_nothing_known_is_told_from_zero(begun: Database):
    """Both are 0; of how many assets it was known tells them apart."""
    assets = [asset(0, environment="unknown"), asset(1, environment="none", cpu_cores=0.0, memory_bytes=0)]
    version = begun.write(lambda tx: build(tx, assets))
    environments = aggregated(begun, version)["groups"][1]["buckets"]
    sums = {
        each["value"]: [
            each["totals"][name] for name in ("cpu_cores", "cpu_known_count", "memory_known_count")
        ]
        for each in environments
    }
    assert sums == {"unknown": [0, 0, 0], "none": [0, 1, 1]}


def test_other_versions_do_not_count(begun: Database):
    """Neither their assets nor their dependencies, though the ids are the same."""
    assets = [asset(number, application="shop") for number in range(3)]
    begun.write(lambda tx: build(tx, assets, [dependency(0, 0, 1), dependency(1, 1, 2)]))
    version = begun.write(lambda tx: build(tx, assets[:2], [dependency(0, 1, 0)]))
    assert aggregated(begun, version) == expected(assets[:2], [dependency(0, 1, 0)])


def test_long_lists_are_cut_and_counted(begun: Database):
    """At most 1,000 buckets, 200 applications, 5 servers and 100 degrees, the largest first; all count."""
    assets = [asset(i, location=f"site {i:05}", application=f"app {i:05}") for i in range(1_100)]
    assets += [asset(2_000 + i, location="site 01099", application="app 01099") for i in range(25)]
    assets += [asset(3_000)]
    dependencies = [dependency(i, i, i + 1) for i in range(150)]
    dependencies += [dependency(1_000 + i, 3_000, i) for i in range(140, 150)]
    version = begun.write(lambda tx: build(tx, assets, dependencies))
    answer = aggregated(begun, version)
    assert answer == expected(assets, dependencies)
    location = answer["groups"][GROUPED.index("location")]
    assert (len(location["buckets"]), location["value_count"]) == (1_000, 1_100)
    assert [bucket["value"] for bucket in location["buckets"][:2]] == ["site 01099", ""]
    assert (len(answer["applications"]), answer["application_count"]) == (200, 1_100)
    largest = answer["applications"][0]
    assert (largest["application"], len(largest["servers"]), largest["server_count"]) == ("app 01099", 5, 26)
    degrees = answer["dependencies"]["degrees"]
    assert (len(degrees), degrees[0]["asset"]["asset"], degrees[0]["out_degree"]) == (100, "asset-003000", 10)


def test_a_landscape_is_of_one_revision(begun: Database):
    """It is kept for the revision that it was made of; an older one never replaces a newer."""
    version_id = begun.write(lambda tx: publish(tx, asset(0)))

    def kept(revision: int) -> dict[str, Any] | None:
        return begun.read(lambda tx: tx.landscapes.get(version_id, revision))

    def put(revision: int, document: str) -> None:
        begun.write(lambda tx: tx.landscapes.put(version_id, revision, document))

    assert kept(0) is None
    put(0, '{"n":0}')
    put(0, '{"n":9}')
    assert kept(0) == {"n": 0}
    put(1, '{"n":1}')  # which the version does not have
    assert (kept(0), kept(1)) == ({"n": 0}, None)
    begun.write(lambda tx: tx.edits.create_asset(tx.edits.begin(ENGAGEMENT, "baseline"), asset(1)))
    assert kept(1) is None
    put(1, '{"n":1}')
    put(0, '{"n":0}')
    assert (kept(0), kept(1)) == (None, {"n": 1})


def test_a_landscape_of_a_version_that_is_gone_is_not_kept(begun: Database):
    """Its version may be swept while it is computed."""
    begun.write(lambda tx: tx.landscapes.put("gone", 0, "{}"))
    assert begun.read(lambda tx: tx.landscapes.get("gone", 0)) is None
    with pytest.raises(Aborted) as refused:
        begun.read(lambda tx: landscape.compute(tx, "gone"), long=True)
    assert refused.value.reason == "DATA_VERSION_MOVED"


def test_what_was_kept_is_not_computed_again(begun: Database, monkeypatch):
    """Until the data is edited; what is answered then names the revision that it is of."""
    begun.write(lambda tx: publish(tx, asset(0)))

    def ask() -> tuple[str, int]:
        version, found = begun.read(lambda tx: landscape.find(tx, ENGAGEMENT, "baseline"))
        if found is None:
            computed = begun.read(lambda tx: landscape.compute(tx, version.id), long=True)
            begun.write(lambda tx: landscape.keep(tx, computed))
            version, found = computed.version, computed.landscape
        return version.label.partition(".")[2], found["totals"]["asset_count"]

    assert ask() == ("", 1)
    with monkeypatch.context() as never:
        never.delattr("mooring_server.store.landscapes.Landscapes.aggregate")
        assert ask() == ("", 1)
    begun.write(lambda tx: tx.edits.create_asset(tx.edits.begin(ENGAGEMENT, "baseline"), asset(1)))
    assert ask() == ("1", 2)
    assert begun.store.check() == []


def test_a_version_goes_with_all_that_is_its(begun: Database):
    """A version with dependencies is deleted in parts of the size asked for, its landscape with the last."""
    assets = [asset(number) for number in range(3)]
    version = begun.write(
        lambda tx: build(tx, assets, [dependency(number, number % 3, 0) for number in range(5)])
    )
    kept = begun.write(lambda tx: publish(tx, *assets))
    begun.write(lambda tx: tx.landscapes.put(version, 0, json.dumps(expected(assets))))
    assert begun.read(lambda tx: tx.versions.abandoned(begun.clock.now + timedelta(1), 9)) == [version]
    deleted = []
    while not deleted or deleted[-1] == 2:
        deleted.append(begun.write(lambda tx: tx.versions.delete_some(version, 2)))
        assert begun.store.check() == []
    assert deleted == [2, 2, 2, 2, 0]
    assert begun.read(lambda tx: tx.versions.get(version)) is None
    assert begun.read(lambda tx: tx.landscapes.get(version, 0)) is None
    assert begun.read(lambda tx: tx.dependencies.get(version, "dependency-000000")) is None
    assert aggregated(begun, kept)["totals"]["asset_count"] == 3
