"""Rows of two data versions that are about the same thing.

Assets pair by their identity. Dependencies pair by the identities of their ends, whose ids differ from
session to session, and by kind, port, protocol and processes. A row has one counterpart at most. Both are
equal where their digests are.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from peewee import Node, fn

from mooring_server.store import tables

_SAME = ("kind", "protocol", "source_process", "target_process")
_NO_PORT = -1


class Pair(NamedTuple):
    """Aliases of both rows, and a query for columns of them (none: all of the other's)."""

    own: Any
    other: Any
    select: Callable[..., Any]


Pairs = Callable[[Any], Pair]
"""The pairs of a table's rows with those of the version that the argument says."""


def asset_pairs(version: Any) -> Pair:
    """Assets of the same identity."""
    own, other = tables.Assets.alias("own"), tables.Assets.alias("other")
    same = (other.version_id == version) & (other.identity == own.identity)
    return Pair(own, other, lambda *columns: own.select(*columns).join_from(own, other, on=same))


def dependency_pairs(version: Any) -> Pair:
    """Dependencies of the same kind between the same assets."""
    own, other = tables.Dependencies.alias("own"), tables.Dependencies.alias("other")

    def select(*columns: Node) -> Any:
        query = own.select(*columns)
        same = other.version_id == version
        for end in ("source_id", "target_id"):
            mine, theirs = (tables.Assets.alias(f"{whose}_{end}") for whose in ("own", "other"))
            is_end = (mine.version_id == own.version_id) & (mine.id == getattr(own, end))
            query = query.join_from(own, mine, on=is_end)
            is_same = (theirs.version_id == version) & (theirs.identity == mine.identity)
            query = query.join_from(mine, theirs, on=is_same)
            same &= getattr(other, end) == theirs.id
        for name in _SAME:
            same &= getattr(other, name) == getattr(own, name)
        same &= fn.COALESCE(other.port, _NO_PORT) == fn.COALESCE(own.port, _NO_PORT)
        return query.join_from(own, other, on=same)

    return Pair(own, other, select)
