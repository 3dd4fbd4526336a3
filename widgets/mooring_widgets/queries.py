"""What can be asked: the key and the fetcher of every query; `staleness.py` has what a change makes stale.

Keys lead with what is asked and then narrow down: `("sessions", engagement, …)`, `("discovery", engagement,
session, …)`. Names in keys are full resource names, so a prefix names exactly what a change touches.
"""

import asyncio
import json
from bisect import bisect
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

from mooring_widgets.client import (
    Activity,
    Asset,
    Dependency,
    Engagement,
    Imports,
    Landscape,
    MooringClient,
    PageOf,
    Session,
    Shortcuts,
    engagement_of,
    to_table,
)
from mooring_widgets.errors import MooringError, Unavailable
from mooring_widgets.query import QueryFunctionContext, QueryOptions

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

T = TypeVar("T")
Key = tuple[Any, ...]
Table: TypeAlias = Literal["assets", "dependencies"]
"""What can be read in bulk."""

# The watch makes stale whatever changes, so age alone only bounds what a lost watch could hide.
_STALE_TIME_S = 60.0
_RETRIES_MAX = 3


def worth_retrying(failure_count: int, error: Exception) -> bool:
    """Whether a query tries again: only an outage passes by itself, a refusal would be the same again."""
    return failure_count < _RETRIES_MAX and (
        isinstance(error, Unavailable) or not isinstance(error, MooringError)
    )


def searched(text: str) -> str:
    """The filter that finds what has words beginning like those of a text that a person typed."""
    return quoted(text) if text.strip() else ""


def quoted(text: str) -> str:
    """A text as a value in a filter, whatever is in it."""
    return json.dumps(text, ensure_ascii=False).replace("*", "\\*")


def all_of(*filters: str) -> str:
    """The filter that lets through what every one of some filters does; empty ones do not count."""
    given = [filter for filter in filters if filter.strip()]
    return given[0] if len(given) == 1 else " AND ".join(f"({filter})" for filter in given)


def engagements(
    client: MooringClient, offset: int = 0, limit: int = 50, *, filter: str = "", show_archived: bool = False
) -> QueryOptions[PageOf[Engagement]]:
    """Some of the caller's engagements, by display name; `searched` makes a filter of words."""

    async def fetch(_: QueryFunctionContext) -> PageOf[Engagement]:
        return await client.list_engagements(
            page_size=limit, skip=offset, filter=filter, show_archived=show_archived
        )

    return _options(("engagements", filter, show_archived, offset, limit), fetch)


def engagement(client: MooringClient, name: str) -> QueryOptions[Engagement]:
    """One engagement."""

    async def fetch(_: QueryFunctionContext) -> Engagement:
        return await client.get_engagement(name)

    return _options(("engagement", name), fetch)


# A page of few matches among many rows comes in parts, each of which the service bounds. So many are joined.
_SHORT_PAGES_MAX = 60


def sessions(
    client: MooringClient,
    engagement: str,
    offset: int = 0,
    limit: int = 50,
    *,
    filter: str = "",
    order_by: str = "",
    show_archived: bool = False,
    show_deleted: bool = False,
) -> QueryOptions[PageOf[Session]]:
    """Some of an engagement's sessions, by display name unless `order_by` says otherwise; `searched` makes a
    filter of words."""
    shown = (show_archived, show_deleted)

    async def page(count: int, skip: int, token: str) -> PageOf[Session]:
        return await client.list_sessions(
            engagement,
            page_size=count,
            page_token=token,
            skip=skip,
            filter=filter,
            order_by=order_by,
            show_archived=show_archived,
            show_deleted=show_deleted,
        )

    async def fetch(_: QueryFunctionContext) -> PageOf[Session]:
        return await joined(page, offset, limit)

    return _options(("sessions", engagement, filter, order_by, shown, offset, limit), fetch)


def plain_sessions(engagement: str) -> Key:
    """The prefix of the lists of an engagement's sessions that nothing narrows, in their usual order."""
    return ("sessions", engagement, "", "")


def with_session(page: PageOf[Session], new: Session) -> PageOf[Session]:
    """A page of sessions as it will be with one more; it is only put in where its place is sure."""
    names = [session.display_name.casefold() for session in page.items]
    place = bisect(names, new.display_name.casefold())
    whole = len(page.items) == page.total
    if not whole and place in (0, len(names)):
        return replace(page, total=page.total + 1)
    items = (*page.items[:place], new, *page.items[place:])
    return replace(page, items=items[: len(items) if whole else len(names)], total=page.total + 1)


def with_changes(key: Key, page: PageOf[Session], change: Callable[[Session], Session]) -> PageOf[Session]:
    """A page of sessions, known by its key, with each of them changed, in its old place; what is archived or
    deleted by that is gone from a page that does not show such."""
    archived, deleted = key[4]
    changed = tuple(map(change, page.items))
    items = tuple(
        session
        for session in changed
        if (archived or session.archive_time is None) and (deleted or session.delete_time is None)
    )
    return replace(page, items=items, total=page.total - (len(page.items) - len(items)))


def session(client: MooringClient, name: str) -> QueryOptions[Session]:
    """One session."""

    async def fetch(_: QueryFunctionContext) -> Session:
        return await client.get_session(name)

    return _options(("session", engagement_of(name), name), fetch)


def shortcuts(client: MooringClient, engagement: str) -> QueryOptions[Shortcuts]:
    """The user's own way to some sessions of an engagement."""

    async def fetch(_: QueryFunctionContext) -> Shortcuts:
        return await client.list_shortcuts(engagement)

    return _options(("shortcuts", engagement), fetch)


def activity(
    client: MooringClient, parent: str, offset: int = 0, limit: int = 50, filter: str = ""
) -> QueryOptions[PageOf[Activity]]:
    """Some of what happened in an engagement, or to a session; the newest first."""

    async def fetch(_: QueryFunctionContext) -> PageOf[Activity]:
        return await client.list_activity(parent, page_size=limit, skip=offset, filter=filter)

    engagement = "/".join(parent.split("/")[:2])
    return _options(("activity", engagement, parent, filter, offset, limit), fetch)


def assets(
    client: MooringClient,
    session: str,
    offset: int = 0,
    limit: int = 50,
    filter: str = "",
    *,
    order_by: str = "",
) -> QueryOptions[PageOf[Asset]]:
    """Some of a session's assets, by display name."""

    async def page(count: int, skip: int, token: str) -> PageOf[Asset]:
        return await client.list_assets(
            session, page_size=count, page_token=token, skip=skip, filter=filter, order_by=order_by
        )

    async def fetch(_: QueryFunctionContext) -> PageOf[Asset]:
        return await joined(page, offset, limit)

    return _options((*discovery_key(session), "assets", filter, order_by, offset, limit), fetch)


def asset(client: MooringClient, name: str) -> QueryOptions[Asset]:
    """One asset."""

    async def fetch(_: QueryFunctionContext) -> Asset:
        return await client.get_asset(name)

    return _options((*discovery_key(name.partition("/assets/")[0]), "asset", name), fetch)


def dependencies(
    client: MooringClient,
    session: str,
    offset: int = 0,
    limit: int = 50,
    filter: str = "",
    *,
    order_by: str = "",
) -> QueryOptions[PageOf[Dependency]]:
    """Some of a session's dependencies, the oldest first."""

    async def page(count: int, skip: int, token: str) -> PageOf[Dependency]:
        return await client.list_dependencies(
            session, page_size=count, page_token=token, skip=skip, filter=filter, order_by=order_by
        )

    async def fetch(_: QueryFunctionContext) -> PageOf[Dependency]:
        return await joined(page, offset, limit)

    return _options((*discovery_key(session), "dependencies", filter, order_by, offset, limit), fetch)


def imports(client: MooringClient, session: str, limit: int = 50) -> QueryOptions[Imports]:
    """The newest imports of a session."""

    async def fetch(_: QueryFunctionContext) -> Imports:
        return Imports((await client.list_imports(session, page_size=limit)).items)

    return _options((*discovery_key(session), "imports", limit), fetch)


def landscape(client: MooringClient, session: str) -> QueryOptions[Landscape]:
    """What a session's assets add up to."""

    async def fetch(_: QueryFunctionContext) -> Landscape:
        return await client.get_landscape(session)

    return _options((*discovery_key(session), "landscape"), fetch)


def table(client: MooringClient, session: str, kind: Table) -> "QueryOptions[pa.Table]":
    """All assets or dependencies of a session as an Arrow table, of one data version."""

    async def fetch(_: QueryFunctionContext) -> "pa.Table":
        return await read_table(client, session, kind)

    # Comparing two tables value by value costs more than showing one again.
    return _options((*discovery_key(session), "table", kind), fetch, structural_sharing=False)


def discovery_frame(client: MooringClient, session: str) -> "QueryOptions[pd.DataFrame]":
    """All assets of a session as a data frame, of one data version; see `to_frame` for its columns."""
    return _frame(client, session, "assets")


def dependencies_frame(client: MooringClient, session: str) -> "QueryOptions[pd.DataFrame]":
    """All dependencies of a session as a data frame, of one data version."""
    return _frame(client, session, "dependencies")


def _frame(client: MooringClient, session: str, kind: Table) -> "QueryOptions[pd.DataFrame]":
    async def fetch(_: QueryFunctionContext) -> "pd.DataFrame":
        # In a thread: a second of pandas would hold up every other call.
        return await asyncio.to_thread(to_frame, await read_table(client, session, kind), session, kind)

    return _options((*discovery_key(session), "frame", kind), fetch, structural_sharing=False)


def batches(
    client: MooringClient, session: str, kind: Table, fields: Sequence[str] = (), filter: str = ""
) -> "AsyncGenerator[pa.RecordBatch]":
    """The rows of a bulk read as they come; at least one batch, which may be empty.

    Raises:
        ValueError: For a table that there is not.
    """
    if kind not in get_args(Table):
        raise ValueError(f"there is no table {kind!r}; take one of {', '.join(get_args(Table))}")
    read = client.read_assets if kind == "assets" else client.read_dependencies
    return read(session, fields=fields, filter=filter)


async def read_table(
    client: MooringClient, session: str, kind: Table, fields: Sequence[str] = (), filter: str = ""
) -> "pa.Table":
    """All rows of a bulk read."""
    return await to_table(batches(client, session, kind, fields, filter))


def to_frame(table: "pa.Table", session: str, kind: Table) -> "pd.DataFrame":
    """A row an asset or a dependency, a column a field, and its full name first where its id is there.

    Texts are strings (empty: not known), `cpu_cores` is Float64, `memory_bytes`, `storage_bytes` and `port`
    are Int64 (NA: not known), times are in UTC, lists are tuples, and `attributes` holds dicts of every
    other column of the source.
    """
    import pandas as pd
    import pyarrow as pa

    types = {pa.float64(): pd.Float64Dtype(), pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int64Dtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=types.get)
    for column in table.schema:
        if pa.types.is_list(column.type):
            frame[column.name] = pd.Series(map(tuple, frame[column.name]), dtype="object")
    if "attributes" in frame:
        frame["attributes"] = pd.Series(map(json.loads, frame["attributes"]), dtype="object")
    if "id" in frame:
        frame.insert(0, "name", f"{session}/{kind}/" + frame["id"])
    return frame


async def joined(
    page: Callable[[int, int, str], Awaitable[PageOf[T]]], offset: int, limit: int, token: str = ""
) -> PageOf[T]:
    """A whole page of a list, whose parts `page` fetches by their count, skip and token."""
    found = await page(limit, offset, token)
    for _call in range(_SHORT_PAGES_MAX):
        left = limit - len(found.items)
        if not left or not found.next_token:
            break
        more = await page(left, 0, found.next_token)
        found = replace(found, items=(*found.items, *more.items), next_token=more.next_token)
    if found.total_at_least and (found.items or not offset):
        # The count is of the first part alone; by now more is known.
        reached = offset + len(found.items)
        found = replace(
            found,
            total=max(found.total, reached) if found.next_token else reached,
            total_at_least=bool(found.next_token),
        )
    return found


def discovery_key(session: str) -> Key:
    """What leads the keys of all that is asked about a session's data."""
    return ("discovery", engagement_of(session), session)


def _options(
    key: Key, fetch: Callable[[QueryFunctionContext], Awaitable[T]], **more: Any
) -> QueryOptions[T, T]:
    return QueryOptions(query_key=key, query_fn=fetch, stale_time=_STALE_TIME_S, **more)
