"""The landscape of a fake service's assets and dependencies."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from mooring_widgets.client import (
    ASSET_FIELDS,
    Application,
    Asset,
    AssetReference,
    Bucket,
    Degree,
    Dependencies,
    Dependency,
    Group,
    Landscape,
    Totals,
)

_GROUP_FIELDS = (
    "type",
    "environment",
    "criticality",
    "operating_system",
    "technology",
    "location",
    "status",
)
_SERVER_TYPES = ("server", "virtual_machine")
_SERVERS_MAX = 5


def landscape_of(
    session: str, version: str, assets: Sequence[Asset], dependencies: Sequence[Dependency]
) -> Landscape:
    """What they add up to."""
    applications = _applications([asset for asset in assets if asset.application])
    return Landscape(
        f"{session}/landscape",
        version,
        _totals(assets),
        tuple(_group(field, assets) for field in _GROUP_FIELDS),
        applications,
        len(applications),
        {field: sum(getattr(a, field) not in ("", (), None, {}) for a in assets) for field in ASSET_FIELDS},
        _dependencies(assets, dependencies),
    )


def _totals(assets: Sequence[Asset]) -> Totals:
    return Totals(
        len(assets),
        sum(asset.cpu_cores or 0 for asset in assets),
        sum(asset.memory_bytes or 0 for asset in assets),
        sum(asset.storage_bytes or 0 for asset in assets),
        sum(asset.cpu_cores is not None for asset in assets),
        sum(asset.memory_bytes is not None for asset in assets),
        sum(asset.storage_bytes is not None for asset in assets),
    )


def _group(field: str, assets: Sequence[Asset]) -> Group:
    by_value: dict[str, list[Asset]] = defaultdict(list)
    for asset in assets:
        by_value[getattr(asset, field)].append(asset)
    buckets = [Bucket(value, _totals(members)) for value, members in by_value.items()]
    buckets.sort(key=lambda bucket: (-bucket.totals.asset_count, bucket.value))
    return Group(field, tuple(buckets), len([value for value in by_value if value]))


def _applications(assets: Sequence[Asset]) -> tuple[Application, ...]:
    by_name: dict[str, list[Asset]] = defaultdict(list)
    for asset in assets:
        by_name[asset.application].append(asset)
    found = []
    for name, members in sorted(by_name.items(), key=lambda item: (-len(item[1]), item[0])):
        servers = [AssetReference(a.name, a.display_name) for a in members if a.type in _SERVER_TYPES]
        by_type = dict(Counter(asset.type for asset in members))
        found.append(
            Application(name, _totals(members), by_type, tuple(servers[:_SERVERS_MAX]), len(servers))
        )
    return tuple(found)


def _dependencies(assets: Sequence[Asset], dependencies: Sequence[Dependency]) -> Dependencies:
    needed_by: dict[str, set[str]] = defaultdict(set)
    needs: dict[str, set[str]] = defaultdict(set)
    for each in dependencies:
        if each.source != each.target:
            needs[each.source].add(each.target)
            needed_by[each.target].add(each.source)
    degrees = [
        Degree(AssetReference(a.name, a.display_name), len(needed_by[a.name]), len(needs[a.name]))
        for a in assets
        if needed_by[a.name] or needs[a.name]
    ]
    degrees.sort(key=lambda d: (-(d.in_degree + d.out_degree), d.asset.display_name))
    return Dependencies(
        len(dependencies),
        dict(Counter(each.kind for each in dependencies)),
        sum(each.source == each.target for each in dependencies),
        len(assets) - len(degrees),
        tuple(degrees),
    )
