"""What a client knows as plain data, to keep somewhere and put back. Nothing here reads or writes files."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from mooring_widgets.query.cache import QuerySnapshot
from mooring_widgets.query.mutation_cache import MutationSnapshot
from mooring_widgets.query.mutation_options import MutationOptions, MutationResult

if TYPE_CHECKING:
    from mooring_widgets.query.client import QueryClient

MAX_AGE_S = 24 * 3600.0


class DehydratedQuery(TypedDict):
    """The data of one key, and when it was true: seconds since the epoch."""

    key: tuple[Any, ...]
    data: Any
    data_updated_at: float
    is_invalidated: NotRequired[bool]


class DehydratedMutation(TypedDict):
    """A change that waits to be made; its key says how."""

    key: tuple[Any, ...]
    variables: Any
    context: Any
    scope: str | None
    meta: Mapping[str, Any]
    submitted_at: float


class DehydratedState(TypedDict):
    """Data, and changes in the order of their calls."""

    queries: list[DehydratedQuery]
    mutations: list[DehydratedMutation]


class PersistedClient(TypedDict):
    """A state with what says whether it is still good."""

    timestamp: float
    buster: str
    state: DehydratedState


def is_successful(query: QuerySnapshot) -> bool:
    """Whether a query has data and no failure: what is kept by default."""
    return query.state.status == "success"


def is_paused(mutation: MutationSnapshot) -> bool:
    """Whether a mutation waits to be made: what is kept by default. Without a key nobody could make it."""
    return mutation.state.is_paused and bool(mutation.key)


def dehydrate(
    client: "QueryClient",
    *,
    should_dehydrate_query: Callable[[QuerySnapshot], bool] = is_successful,
    should_dehydrate_mutation: Callable[[MutationSnapshot], bool] = is_paused,
) -> DehydratedState:
    """Return what a client knows: its data as it is, in dicts and lists; to encode it is up to the caller.

    Args:
        client: The client.
        should_dehydrate_query: Which data is wanted; asked of queries that have some.
        should_dehydrate_mutation: Which changes.
    """
    with client.query_cache.notifier.batch():
        return {
            "queries": [
                {
                    "key": query.key,
                    "data": query.state.data,
                    "data_updated_at": query.state.data_updated_at,
                    "is_invalidated": query.state.is_invalidated,
                }
                for query in client.query_cache
                if query.state.has_data and should_dehydrate_query(query)
            ],
            "mutations": [
                {
                    "key": mutation.key,
                    "variables": mutation.state.variables,
                    "context": mutation.state.context,
                    "scope": mutation.scope,
                    "meta": mutation.meta,
                    "submitted_at": mutation.state.submitted_at,
                }
                for mutation in client.mutation_cache
                if should_dehydrate_mutation(mutation)
            ],
        }


def hydrate(client: "QueryClient", state: DehydratedState) -> None:
    """Put back what was kept. Data that the client has and that is as new or newer stays.

    Data is as old as it is: what has grown stale meanwhile is stale. Nothing is fetched. Mutations are
    paused, behind those that the client has; `resume_paused_mutations` makes them once
    `set_mutation_defaults` has said how. Put the same mutations back once only.
    """
    with client.query_cache.notifier.batch():
        for kept in state["queries"]:
            query = client.query_cache.ensure(kept["key"])
            if not query.state.has_data or query.state.data_updated_at < kept["data_updated_at"]:
                query.set_data(
                    kept["data"],
                    updated_at=kept["data_updated_at"],
                    is_invalidated=kept.get("is_invalidated", False),
                )
        for change in state["mutations"]:
            client.mutation_cache.restore(
                MutationOptions(mutation_key=change["key"], scope=change["scope"], meta=change["meta"]),
                MutationResult(
                    status="pending",
                    is_paused=True,
                    variables=change["variables"],
                    context=change["context"],
                    submitted_at=change["submitted_at"],
                ),
            )


def persist(client: "QueryClient", *, buster: str = "") -> PersistedClient:
    """Return what `restore` takes: the state, the time and the `buster` of whoever keeps it."""
    return {
        "timestamp": client.query_cache.runtime.wall(),
        "buster": buster,
        "state": dehydrate(client),
    }


def restore(
    client: "QueryClient", persisted: PersistedClient, *, max_age: float = MAX_AGE_S, buster: str = ""
) -> bool:
    """Put back what was kept, unless it is of no use any more; return whether it was.

    Args:
        client: The client.
        persisted: What `persist` returned.
        max_age: Seconds after which all of it is too old. See that the gc time is as long, or data that
            nobody observes is dropped before.
        buster: Anything that changes when the kept data would be misread: it must be the same as then.
    """
    age = client.query_cache.runtime.wall() - persisted["timestamp"]
    if age > max_age or persisted["buster"] != buster:
        return False
    hydrate(client, persisted["state"])
    return True
