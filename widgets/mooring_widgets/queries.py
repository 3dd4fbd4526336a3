"""What can be asked: the key and the fetcher of every query, and which keys a change makes stale.

Keys lead with what is asked and then narrow down: `("sessions", engagement, …)`, `("discovery", engagement,
session, …)`. Names in keys are full resource names, so a prefix names exactly what a change touches.
"""

import asyncio
from bisect import bisect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from mooring_widgets.client import (
    Asset,
    Change,
    Engagement,
    Landscape,
    MooringClient,
    PageOf,
    Session,
    engagement_of,
)
from mooring_widgets.errors import InvalidArgument, MooringError, Unavailable
from mooring_widgets.query import QueryFunctionContext, QueryOptions

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Key = tuple[Any, ...]

# The watch makes stale whatever changes, so age alone only bounds what a lost watch could hide.
_STALE_TIME_S = 60.0
_RETRIES_MAX = 3
_WALK_PAGE_SIZE = 1_000
_WALK_RESTARTS_MAX = 3


def worth_retrying(failure_count: int, error: Exception) -> bool:
    """Whether a query tries again: only an outage passes by itself, a refusal would be the same again."""
    return failure_count < _RETRIES_MAX and (
        isinstance(error, Unavailable) or not isinstance(error, MooringError)
    )


def engagements(client: MooringClient, offset: int = 0, limit: int = 50) -> QueryOptions[PageOf[Engagement]]:
    """Some of the caller's engagements, by display name."""

    async def fetch(_: QueryFunctionContext) -> PageOf[Engagement]:
        return await client.list_engagements(page_size=limit, skip=offset)

    return _options(("engagements", offset, limit), fetch)


def engagement(client: MooringClient, name: str) -> QueryOptions[Engagement]:
    """One engagement."""

    async def fetch(_: QueryFunctionContext) -> Engagement:
        return await client.get_engagement(name)

    return _options(("engagement", name), fetch)


def sessions(
    client: MooringClient, engagement: str, offset: int = 0, limit: int = 50
) -> QueryOptions[PageOf[Session]]:
    """Some of an engagement's sessions, by display name."""

    async def fetch(_: QueryFunctionContext) -> PageOf[Session]:
        return await client.list_sessions(engagement, page_size=limit, skip=offset)

    return _options(("sessions", engagement, offset, limit), fetch)


def with_session(page: PageOf[Session], new: Session) -> PageOf[Session]:
    """A page of sessions as it will be with one more; it is only put in where its place is sure."""
    names = [session.display_name for session in page.items]
    place = bisect(names, new.display_name)
    whole = len(page.items) == page.total
    if not whole and place in (0, len(names)):
        return replace(page, total=page.total + 1)
    items = (*page.items[:place], new, *page.items[place:])
    return replace(page, items=items[: len(items) if whole else len(names)], total=page.total + 1)


def session(client: MooringClient, name: str) -> QueryOptions[Session]:
    """One session."""

    async def fetch(_: QueryFunctionContext) -> Session:
        return await client.get_session(name)

    return _options(("session", engagement_of(name), name), fetch)


def assets(
    client: MooringClient, session: str, offset: int = 0, limit: int = 50
) -> QueryOptions[PageOf[Asset]]:
    """Some of a session's assets, by display name."""

    async def fetch(_: QueryFunctionContext) -> PageOf[Asset]:
        return await client.list_assets(session, page_size=limit, skip=offset)

    return _options((*_discovery(session), "assets", offset, limit), fetch)


def landscape(client: MooringClient, session: str) -> QueryOptions[Landscape]:
    """What a session's assets add up to."""

    async def fetch(_: QueryFunctionContext) -> Landscape:
        return await client.get_landscape(session)

    return _options((*_discovery(session), "landscape"), fetch)


def discovery_frame(client: MooringClient, session: str) -> "QueryOptions[pd.DataFrame]":
    """All assets of a session as a data frame, of one data version; see `to_frame` for its columns."""

    async def fetch(_: QueryFunctionContext) -> "pd.DataFrame":
        # In a thread: a second of pandas would hold up every other call.
        return await asyncio.to_thread(to_frame, await _walk(client, session))

    # Comparing two frames value by value costs more than repainting one.
    return _options((*_discovery(session), "frame"), fetch, structural_sharing=False)


def stale_keys(change: Change) -> Iterator[Key]:
    """The prefixes of the keys that a change makes stale."""
    resource = change.resource
    if resource.startswith("users/"):
        # A switched context is followed by `CurrentContext`; tokens are not shown.
        if resource.count("/") == 1:
            yield ("engagements",)
        return
    engagement = "/".join(resource.split("/")[:2])
    if "/members/" in resource:
        # Who else is a member is not shown; one's own membership is on one's own stream too.
        if change.stream.startswith("users/"):
            yield ("engagement", engagement)
            yield ("engagements",)
        return
    if "/sessions/" not in resource:
        yield ("engagement", engagement)
        yield ("engagements",)
        return
    yield ("sessions", engagement)
    yield ("session", engagement, resource)
    if change.kind in ("created", "deleted", "undeleted"):
        yield ("engagement", engagement)
        yield ("engagements",)
    if change.kind == "imported":
        yield _discovery(resource)


def stream_keys(stream: str) -> Iterator[Key]:
    """The prefixes of everything that a stream's changes can make stale."""
    if stream.startswith("engagements/"):
        yield ("sessions", stream)
        yield ("session", stream)
        yield ("discovery", stream)
        yield ("engagement", stream)
    yield ("engagements",)


_TEXT_COLUMNS = (
    "name",
    "display_name",
    "type",
    "external_id",
    "hostname",
    "environment",
    "location",
    "platform",
    "operating_system",
    "status",
    "owner",
    "application",
    "criticality",
)


def to_frame(assets: Sequence[Asset]) -> "pd.DataFrame":
    """A row an asset, a column a field.

    Texts are strings (empty: not known), `cpu_cores` is Float64, `memory_bytes` and `storage_bytes` are Int64
    (NA: not known), times are in UTC, `ip_addresses` holds tuples and `attributes` dicts of every other
    column of the source.
    """
    import pandas as pd

    columns: dict[str, Any] = {
        name: pd.Series([getattr(asset, name) for asset in assets], dtype="str") for name in _TEXT_COLUMNS
    }
    columns["ip_addresses"] = pd.Series([asset.ip_addresses for asset in assets], dtype="object")
    columns["cpu_cores"] = pd.array([asset.cpu_cores for asset in assets], dtype="Float64")
    columns["memory_bytes"] = pd.array([asset.memory_bytes for asset in assets], dtype="Int64")
    columns["storage_bytes"] = pd.array([asset.storage_bytes for asset in assets], dtype="Int64")
    columns["attributes"] = pd.Series([dict(asset.attributes) for asset in assets], dtype="object")
    for name in ("create_time", "update_time"):
        columns[name] = pd.to_datetime(pd.Series([getattr(asset, name) for asset in assets]), utc=True)
    return pd.DataFrame(columns)


async def _walk(client: MooringClient, session: str) -> list[Asset]:
    """Every asset of one data version: where that goes during the walk, the walk starts again."""
    for _ in range(_WALK_RESTARTS_MAX):
        found: list[Asset] = []
        token, version = "", None
        while True:
            try:
                page = await client.list_assets(session, page_size=_WALK_PAGE_SIZE, page_token=token)
            except InvalidArgument as error:
                if token and error.reason == "INVALID_PAGE_TOKEN":
                    break
                raise
            if version not in (None, page.data_version):
                break
            version, token = page.data_version, page.next_token
            found += page.items
            if not token:
                return found
    raise Unavailable(f"the data of {session} changes faster than it can be read; try again in a moment")


def _discovery(session: str) -> Key:
    return ("discovery", engagement_of(session), session)


def _options(
    key: Key, fetch: Callable[[QueryFunctionContext], Awaitable[T]], **more: Any
) -> QueryOptions[T, T]:
    return QueryOptions(query_key=key, query_fn=fetch, stale_time=_STALE_TIME_S, **more)
