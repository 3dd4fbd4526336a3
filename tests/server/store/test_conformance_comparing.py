"""What two data versions have in common, against a comparison of all their rows in Python."""

import random

import pytest
from mooring_server.core import comparisons
from mooring_server.core.comparisons import Counts, DifferenceKind
from mooring_server.core.paging import Query
from mooring_server.store import Order, Tx
from mooring_server.store.lists.paging import Window
from support_store import ENGAGEMENT, Database, asset, begin, dependency, session

IDS = ("baseline", "other")


def _fill(database: Database, session_id: str, chance: random.Random) -> tuple[dict, dict]:
    """A session with random assets and dependencies, whose ids are its own; both by what they pair by."""
    numbers = chance.sample(range(30), chance.randrange(20))
    assets = {
        f"name:{number}": asset(
            number,
            id=f"{session_id}-{number}",
            identity=f"name:{number}",
            digest=f"digest {chance.randrange(3)}",
            owner=chance.choice(("Ann", "Bob")),
        )
        for number in numbers
    }
    dependencies = {}
    for number in range(chance.randrange(40) if assets else 0):
        source, target = (chance.choice(list(assets)) for _ in range(2))
        port = chance.choice((None, 80, 443))
        dependencies[source, target, port] = dependency(
            number,
            0,
            0,
            id=f"{session_id}-{number}",
            identity=f"{source} {target} {port}",
            source_id=assets[source].id,
            target_id=assets[target].id,
            port=port,
            digest=f"digest {chance.randrange(2)}",
        )

    def publish(tx: Tx) -> None:
        shown = tx.sessions.get(ENGAGEMENT, session_id).data_version_id
        version = tx.versions.begin(ENGAGEMENT, session_id, shown)
        tx.assets.insert_many(version.id, list(assets.values()))
        tx.dependencies.insert_many(version.id, list(dependencies.values()))
        tx.versions.publish(
            version.id,
            expected_base_id=shown,
            asset_count=len(assets),
            dependency_count=len(dependencies),
        )

    database.write(publish)
    return assets, dependencies


def _kinds(own: dict, other: dict) -> dict:
    """How each key stands."""
    kinds = {}
    for key in own.keys() | other.keys():
        if key not in own:
            kinds[key] = DifferenceKind.ADDED
        elif key not in other:
            kinds[key] = DifferenceKind.REMOVED
        else:
            same = own[key].digest == other[key].digest
            kinds[key] = DifferenceKind.UNCHANGED if same else DifferenceKind.CHANGED
    return kinds


def _counts(kinds: dict) -> Counts:
    found = list(kinds.values())
    return Counts(*(found.count(kind) for kind in DifferenceKind))


def _walked(database: Database, differences, order: Order, kinds, limit: int) -> list:
    """All differences, from pages of that size, which look at few rows each."""
    found, key = [], None
    while True:
        window = Window(limit, 0, key, examined_max=7)
        page = database.read(
            lambda tx, window=window: differences(tx, ENGAGEMENT, IDS, Query(order), kinds, window)
        )
        assert len(page.items) <= limit
        found += page.items
        key = page.next_key
        if key is None:
            return found


@pytest.mark.parametrize("seed", range(12))
def test_every_row_stands_as_it_does(database: Database, seed: int):
    """Counted, and listed once, by kind: whatever the ids, the sizes of pages and the rows looked at."""
    chance = random.Random(seed)
    database.write(begin)
    database.write(session("other"))
    own, other = (_fill(database, id, chance) for id in IDS)
    expected = [_kinds(mine, theirs) for mine, theirs in zip(own, other, strict=True)]
    compared = database.read(lambda tx: comparisons.compare(tx, ENGAGEMENT, *IDS), long=True)
    assert (compared.assets, compared.dependencies) == tuple(map(_counts, expected))

    names = {each.id: each.identity for assets in (own[0], other[0]) for each in assets.values()}
    wanted = frozenset(chance.sample(list(DifferenceKind), chance.randrange(1, 5)))
    limit = chance.choice((1, 3, 50))
    found = _walked(database, comparisons.assets, Order.DISPLAY_NAME, wanted, limit)
    listed = [((each.own or each.other).identity, each.kind) for each in found]
    assert dict(listed) == {key: kind for key, kind in expected[0].items() if kind in wanted}
    assert len(dict(listed)) == len(listed)

    found = _walked(database, comparisons.dependencies, Order.CREATE_TIME, wanted, limit)
    listed = []
    for each in found:
        row = each.own or each.other
        listed.append(((names[row.source_id], names[row.target_id], row.port), each.kind))
        for end in (each.own, each.other) if each.own and each.other else ():
            assert (names[end.source_id], names[end.target_id], end.port) == listed[-1][0]
    assert dict(listed) == {key: kind for key, kind in expected[1].items() if kind in wanted}
    assert len(dict(listed)) == len(listed)
