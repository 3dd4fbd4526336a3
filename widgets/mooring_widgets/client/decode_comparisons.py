"""Comparisons of sessions, from messages."""

from collections.abc import Iterable

from mooring.v1 import comparisons_pb2

from mooring_widgets.client import decode_discovery
from mooring_widgets.client.comparisons import Counted, Difference, DifferenceCounts
from mooring_widgets.errors import InvalidArgument

_KIND = "DIFFERENCE_KIND_"
KINDS = ("added", "removed", "changed", "unchanged")
"""How two sessions can differ in something."""


def kind_values(kinds: Iterable[str]) -> list[comparisons_pb2.DifferenceKind.ValueType]:
    """The API's values of `added`, `removed`, `changed` and `unchanged`.

    Raises:
        InvalidArgument: For anything else.
    """
    wanted = list(kinds)
    if wrong := [kind for kind in wanted if kind not in KINDS]:
        raise InvalidArgument(f"there is no difference {wrong[0]!r}; take some of {', '.join(KINDS)}")
    return [comparisons_pb2.DifferenceKind.Value(f"{_KIND}{kind.upper()}") for kind in wanted]


def counted(message: comparisons_pb2.CompareSessionsResponse) -> Counted:
    """The counts of a comparison."""
    return Counted(
        message.data_version,
        message.other_data_version,
        _counts(message.assets),
        _counts(message.dependencies),
    )


def asset_difference(message: comparisons_pb2.AssetDifference) -> Difference:
    """An asset that two sessions differ in."""
    return Difference(
        _kind(message.kind),
        decode_discovery.asset(message.asset) if message.HasField("asset") else None,
        decode_discovery.asset(message.other_asset) if message.HasField("other_asset") else None,
        tuple(message.fields),
    )


def dependency_difference(message: comparisons_pb2.DependencyDifference) -> Difference:
    """A dependency that two sessions differ in."""
    own, other = message.dependency, message.other_dependency
    return Difference(
        _kind(message.kind),
        decode_discovery.dependency(own) if message.HasField("dependency") else None,
        decode_discovery.dependency(other) if message.HasField("other_dependency") else None,
        tuple(message.fields),
    )


def _kind(value: comparisons_pb2.DifferenceKind.ValueType) -> str:
    return comparisons_pb2.DifferenceKind.Name(value).removeprefix(_KIND).lower()


def _counts(message: comparisons_pb2.DifferenceCounts) -> DifferenceCounts:
    return DifferenceCounts(
        message.added_count, message.removed_count, message.changed_count, message.unchanged_count
    )
