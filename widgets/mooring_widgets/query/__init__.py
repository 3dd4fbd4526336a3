"""A query client for Python: TanStack Query's meaning and names, free of any widget or transport library."""

from mooring_widgets.query.cache import QueryCache, QuerySnapshot
from mooring_widgets.query.client import QueryClient
from mooring_widgets.query.hydration import (
    DehydratedMutation,
    DehydratedQuery,
    DehydratedState,
    PersistedClient,
    dehydrate,
    hydrate,
    persist,
    restore,
)
from mooring_widgets.query.infinite import InfiniteData, InfiniteQueryOptions
from mooring_widgets.query.infinite_observer import InfiniteQueryObserver, InfiniteQueryResult
from mooring_widgets.query.keys import QueryKey, hash_key
from mooring_widgets.query.managers import FocusManager, NetworkMode, OnlineManager
from mooring_widgets.query.mutation_cache import MutationCache, MutationSnapshot
from mooring_widgets.query.mutation_observer import MutationObserver
from mooring_widgets.query.mutation_options import (
    MutationCancelled,
    MutationDefaults,
    MutationOptions,
    MutationResult,
)
from mooring_widgets.query.observer import QueryObserver
from mooring_widgets.query.options import (
    UNSET,
    MissingFunction,
    QueryDefaults,
    QueryFunctionContext,
    QueryOptions,
    exponential_backoff,
    keep_previous_data,
    skip_token,
)
from mooring_widgets.query.queries_observer import QueriesObserver
from mooring_widgets.query.result import QueryResult
from mooring_widgets.query.runtime import AsyncioRuntime, Cancellable, ManualRuntime, Runtime
from mooring_widgets.query.sharing import share
from mooring_widgets.query.state import QueryCancelled, QueryState

__all__ = [
    "UNSET",
    "AsyncioRuntime",
    "Cancellable",
    "DehydratedMutation",
    "DehydratedQuery",
    "DehydratedState",
    "FocusManager",
    "InfiniteData",
    "InfiniteQueryObserver",
    "InfiniteQueryOptions",
    "InfiniteQueryResult",
    "ManualRuntime",
    "MissingFunction",
    "MutationCache",
    "MutationCancelled",
    "MutationDefaults",
    "MutationObserver",
    "MutationOptions",
    "MutationResult",
    "MutationSnapshot",
    "NetworkMode",
    "OnlineManager",
    "PersistedClient",
    "QueriesObserver",
    "QueryCache",
    "QueryCancelled",
    "QueryClient",
    "QueryDefaults",
    "QueryFunctionContext",
    "QueryKey",
    "QueryObserver",
    "QueryOptions",
    "QueryResult",
    "QuerySnapshot",
    "QueryState",
    "Runtime",
    "dehydrate",
    "exponential_backoff",
    "hash_key",
    "hydrate",
    "keep_previous_data",
    "persist",
    "restore",
    "share",
    "skip_token",
]
