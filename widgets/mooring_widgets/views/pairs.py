"""What can be asked of two sessions.

Their keys name the data of both sides, not the sessions alone: other data is another question, so a change of
either is followed without anything being invalidated, and a change of any other session asks for nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mooring_widgets.client import (
    Counted,
    Difference,
    MergeConflict,
    MergeDrop,
    MergePlan,
    MergePreview,
    MooringClient,
    PageOf,
    Session,
    engagement_of,
)
from mooring_widgets.queries import Table, joined
from mooring_widgets.query import QueryFunctionContext, QueryOptions, keep_previous_data

# As for everything that is read of a session's data.
_STALE_TIME_S = 60.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sessions by their full names, and which data each shows; None while that is not known."""

    own: str
    other: str
    versions: tuple[str, str] | None = None

    @classmethod
    def of(cls, own: str, other: str, known: tuple[Session | None, Session | None]) -> "Pair":
        """The sessions of these names, as snapshots of them say."""
        mine, theirs = known
        versions = (mine.data_version, theirs.data_version) if mine and theirs else None
        return cls(own, other, versions)

    def is_same(self, other: "Pair") -> bool:
        """Whether another one is of the same sessions, whatever their data."""
        return (self.own, self.other) == (other.own, other.other)

    def key(self, *what: Any) -> tuple[Any, ...]:
        """The key of a question about them."""
        return ("pair", engagement_of(self.own), self.own, self.other, self.versions, *what)


def counts(client: MooringClient, pair: Pair, *, keep: bool = False) -> QueryOptions[Counted]:
    """How many assets and dependencies two sessions differ in.

    With `keep` the answer of before stays until this one is there.
    """

    async def fetch(_: QueryFunctionContext) -> Counted:
        return await client.compare_sessions(pair.own, pair.other)

    return _kept(_options(pair, ("counts",), fetch), keep=keep)


def differences(
    client: MooringClient,
    pair: Pair,
    table: Table,
    kinds: Sequence[str],
    filter: str,
    token: str,
    limit: int,
    *,
    keep: bool = False,
) -> QueryOptions[PageOf[Difference]]:
    """A page of what two sessions differ in; `keep` as above."""
    listed = client.list_asset_differences if table == "assets" else client.list_dependency_differences

    async def page(count: int, _: int, token: str) -> PageOf[Difference]:
        return await listed(
            pair.own, pair.other, kinds=kinds, filter=filter, page_size=count, page_token=token
        )

    async def fetch(_: QueryFunctionContext) -> PageOf[Difference]:
        return await joined(page, 0, limit, token)

    return _kept(_options(pair, (table, tuple(kinds), filter, limit, token), fetch), keep=keep)


def merge_preview(
    client: MooringClient, pair: Pair, plan: MergePlan, *, keep: bool = False
) -> QueryOptions[MergePreview]:
    """What a merge into the pair's own session would do; `keep` as above."""

    async def fetch(_: QueryFunctionContext) -> MergePreview:
        return await client.preview_merge(pair.own, plan)

    return _kept(_options(pair, ("merge", *_planned(plan)), fetch), keep=keep)


def merge_conflicts(
    client: MooringClient,
    pair: Pair,
    plan: MergePlan,
    fields: Sequence[str],
    token: str,
    limit: int,
    *,
    keep: bool = False,
) -> QueryOptions[PageOf[MergeConflict]]:
    """A page of the assets with a conflict, in one of some fields where any are named; `keep` as above."""

    async def page(count: int, _: int, token: str) -> PageOf[MergeConflict]:
        return await client.list_merge_conflicts(
            pair.own, plan, fields=fields, page_size=count, page_token=token
        )

    async def fetch(_: QueryFunctionContext) -> PageOf[MergeConflict]:
        return await joined(page, 0, limit, token)

    return _kept(
        _options(pair, ("conflicts", *_planned(plan), tuple(fields), limit, token), fetch), keep=keep
    )


def merge_drops(client: MooringClient, merge: str, token: str, limit: int) -> QueryOptions[PageOf[MergeDrop]]:
    """A page of what a merge left out, which nothing changes any more."""

    async def fetch(_: QueryFunctionContext) -> PageOf[MergeDrop]:
        return await client.list_merge_drops(merge, page_size=limit, page_token=token)

    key = ("merge_drops", merge, limit, token)
    return QueryOptions(query_key=key, query_fn=fetch, stale_time=math.inf)


def _planned(plan: MergePlan) -> tuple[Any, ...]:
    """A plan as a part of a key; its source is one of the pair."""
    by_field, by_asset = sorted(plan.field_choices.items()), sorted(plan.asset_choices.items())
    return (plan.strategy, plan.conflicts, tuple(by_field), tuple(by_asset), plan.keep_source)


def _options(pair: Pair, what: tuple[Any, ...], fetch: Any) -> QueryOptions[Any]:
    return QueryOptions(
        query_key=pair.key(*what),
        query_fn=fetch,
        stale_time=_STALE_TIME_S,
        enabled=None if pair.versions else False,
    )


def _kept(options: QueryOptions[Any], *, keep: bool) -> QueryOptions[Any]:
    return replace(options, placeholder_data=keep_previous_data) if keep else options
