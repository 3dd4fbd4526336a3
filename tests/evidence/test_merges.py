"""Merges lose nothing: what either side knew is in the result or in the record, and undoing is exact."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from mooring.v1 import merges_pb2
from mooring_server.core.dependencies import dependency_digest, dependency_identity
from mooring_server.core.merging import ASSET_FIELDS, is_unknown, normalised
from mooring_server.core.staging import digest
from mooring_server.settings import Settings
from mooring_server.store import AssetType, Tx
from mooring_server.store.records import Asset, Dependency, DependencyKind
from support_calls import unique
from support_evidence import kind
from support_merges import (
    COMBINE,
    NEWEST,
    OVERWRITE,
    PRESERVE,
    SOURCE,
    TARGET,
    drops,
    merge,
    plan,
    preview,
    revert,
)
from support_server import Caller, HeaderAuth, Server, new_engagement, serving
from support_sessions import get, make
from support_store import START, asset, dependency

_UNLIMITED = {"read_rate": "", "write_rate": "", "bulk_rate": ""}
_TEXTS = ("", "a", "A", " a ", "b", "\uff22", "c  d", "C D")
_CHOSEN = ("owner", "environment", "cpu_cores", "ip_addresses", "attributes.Rack")


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    with serving(
        Settings(database=database_url, port=0, **_UNLIMITED), authenticator=HeaderAuth()
    ) as running:
        yield running


class Side:
    """A session with random assets and dependencies, and what it shows by what that is known by."""

    def __init__(self, server: Server, session: str, chance: random.Random) -> None:
        self.session = session
        self.ids = session.split("/")[1], session.split("/")[3]
        self._server = server
        prefix = chance.choice(("t", "s"))  # both sides may have made different things of one id
        numbers = chance.sample(range(12), chance.randrange(10))
        assets = [self._asset(number, prefix, chance) for number in numbers]
        dependencies: dict[str, Dependency] = {}
        for number in range(chance.randrange(8) if assets else 0):
            made = self._dependency(number, prefix, assets, chance)
            dependencies[made.identity] = made

        def publish(tx: Tx) -> None:
            shown = tx.sessions.get(*self.ids).data_version_id
            version = tx.versions.begin(*self.ids, shown)
            tx.assets.insert_many(version.id, assets)
            tx.dependencies.insert_many(version.id, list(dependencies.values()))
            tx.versions.publish(
                version.id,
                expected_base_id=shown,
                asset_count=len(assets),
                dependency_count=len(dependencies),
            )

        if chance.random() < 0.95:
            server.write(publish)

    def _asset(self, number: int, prefix: str, chance: random.Random) -> Asset:
        made = asset(
            number,
            id=f"{prefix}-{number if chance.random() < 0.8 else chance.randrange(100, 200)}-{number}",
            identity=f"name:{number}",
            display_name=f"asset {number}",
            type=chance.choice((AssetType.OTHER, AssetType.SERVER, AssetType.DATABASE)),
            owner=chance.choice(_TEXTS),
            environment=chance.choice(_TEXTS),
            cpu_cores=chance.choice((None, 0.0, 1.0, 2.5)),
            memory_bytes=chance.choice((None, 0, 2**60 + 1)),
            ip_addresses=chance.choice(
                ((), ("10.0.0.1",), ("10.0.0.1", "10.0.0.2"), ("10.0.0.2", "10.0.0.1"))
            ),
            attributes={key: value for key in ("Rack", "Row", "rack") if (value := chance.choice(_TEXTS))},
            update_time=START.replace(day=chance.randrange(1, 5)),
        )
        return replace(made, digest=digest(made))

    def _dependency(self, number: int, prefix: str, assets: list[Asset], chance: random.Random) -> Dependency:
        source, target = chance.choice(assets), chance.choice(assets)
        port = chance.choice((None, 80, 443))
        made = dependency(
            number,
            0,
            0,
            id=f"{prefix}-d{number}",
            source_id=source.id,
            target_id=target.id,
            port=port,
            description=chance.choice(_TEXTS),
            attributes={key: value for key in ("a", "b") if (value := chance.choice(_TEXTS))},
        )
        identity = dependency_identity(source.id, target.id, DependencyKind.FLOW, port, "", "", "")
        return replace(made, identity=identity, digest=dependency_digest(made))

    def rows(self) -> tuple[dict[str, Asset], dict[tuple[Any, ...], Dependency]]:
        """All that the session shows, by what it is known by."""

        def read(tx: Tx) -> tuple[list[Asset], list[Dependency]]:
            version = tx.sessions.get(*self.ids).data_version_id
            if version is None:
                return [], []
            identities = [f"name:{number}" for number in range(12)]
            assets = list(tx.assets.by_identity(version, identities).values())
            found = tx.comparing.lone_dependencies(version, "", None, 1_000)
            return assets, found

        assets, dependencies = self._server.read(read)
        names = {each.id: each.identity for each in assets}
        session = self._server.read(lambda tx: tx.sessions.get(*self.ids))
        assert (session.asset_count, session.dependency_count) == (len(assets), len(dependencies))
        keyed = {(names[each.source_id], names[each.target_id], each.port): each for each in dependencies}
        assert len(keyed) == len(dependencies)
        return {each.identity: each for each in assets}, keyed


def _values(row: Asset | Dependency) -> dict[str, Any]:
    """What is known of a row, by field."""
    names = ASSET_FIELDS if isinstance(row, Asset) else ("description",)
    known = {name: value for name in names if not is_unknown(value := getattr(row, name))}
    return {**known, **{f"attributes.{key}": value for key, value in row.attributes.items()}}


def _counted(target: dict[str, Asset], source: dict[str, Asset]) -> tuple[dict[str, int], dict[str, int]]:
    """Fills and conflicts by field, as the definitions have them."""
    fills: dict[str, int] = {}
    conflicts: dict[str, int] = {}
    for identity, theirs in source.items():
        if identity in target:
            mine, others = _values(target[identity]), _values(theirs)
            for name, value in others.items():
                if name not in mine:
                    fills[name] = fills.get(name, 0) + 1
                elif normalised(name, mine[name]) != normalised(name, value):
                    conflicts[name] = conflicts.get(name, 0) + 1
    return fills, conflicts


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{each}"' for each in value) + "]"
    return str(value)


def _nothing_lost(
    before: list[dict[Any, Any]], after: dict[Any, Any], dropped: dict[tuple[str, str], Any]
) -> int:
    """Every value of both sides is in the result or in the record; how many were looked for."""
    looked = 0
    for place, rows in enumerate(before):
        for key, row in rows.items():
            result = _values(after[key])
            for name, value in _values(row).items():
                looked += 1
                if result.get(name) == value:
                    continue
                label = after[key].display_name if isinstance(row, Asset) else ""
                if isinstance(row, Asset):
                    assert dropped[label, name][place] == _text(value), (label, name, value)
                else:
                    assert any(
                        field == name and told[place] == _text(value) for (_, field), told in dropped.items()
                    ), (key, name, value)
    return looked


def _merged_once(server: Server, owner: Caller, engagement: Any, chance: random.Random) -> int:
    target = Side(server, make(owner, engagement.name, f"Target {unique()}").name, chance)
    source = Side(server, make(owner, engagement.name, f"Source {unique()}").name, chance)
    before = target.rows(), source.rows()
    states = get(owner, target.session).data_version, get(owner, source.session).parent_session
    wanted = plan(
        source.session,
        chance.choice((PRESERVE, OVERWRITE, COMBINE, COMBINE)),
        chance.choice((TARGET, SOURCE, NEWEST)),
        field_choices=[
            merges_pb2.FieldChoice(field=name, side=chance.choice((TARGET, SOURCE, NEWEST)))
            for name in chance.sample(_CHOSEN, chance.randrange(3))
        ],
        keep_source=chance.random() < 0.3,
    )
    looked_at = preview(owner, target.session, wanted)
    fills, conflicts = _counted(before[0][0], before[1][0])
    counts = looked_at.counts
    assert dict(counts.conflicts) == conflicts
    assert dict(counts.fills) == ({} if wanted.strategy == PRESERVE else fills)
    done = merge(owner, target.session, wanted, looked_at.digest)
    assert done.counts == counts
    after = target.rows()
    dropped = drops(owner, done.name)
    looked = 0
    for place in (0, 1):
        sides = [before[0][place], before[1][place]]
        assert after[place].keys() == sides[0].keys() | sides[1].keys()
        looked += _nothing_lost(sides, after[place], dropped)
    assert source.rows() == before[1]
    revert(owner, done.name)
    assert (target.rows(), source.rows()) == before
    found = get(owner, source.session)
    assert (get(owner, target.session).data_version, found.parent_session) == states
    assert not found.HasField("archive_time")
    return looked


def test_nothing_is_lost(server, database_url, size, figure):
    """Random sessions and choices: counts as a plain script has them, and every value accounted for."""
    merges, looked = size(100, 5_000), 0
    owner = server.user(f"ann-{unique()}")
    engagement = new_engagement(owner)
    for seed in range(merges):
        try:
            looked += _merged_once(server, owner, engagement, random.Random(seed))
        except AssertionError as failure:
            raise AssertionError(f"merge {seed}: {failure}") from failure
    assert server.app.store.check() == []
    figure(
        f"{merges} merges of random sessions on {kind(database_url)}, {looked:,} values of both sides",
        "0 lost, every preview as counted by a script, every undoing exact",
    )
