"""A query client for Python: TanStack Query's meaning and names, free of any widget or transport library."""

from mooring_widgets.query.cache import QueryCache, QuerySnapshot
from mooring_widgets.query.client import QueryClient
from mooring_widgets.query.keys import QueryKey
from mooring_widgets.query.mutation import (
    MutationCancelled,
    MutationObserver,
    MutationOptions,
    MutationResult,
)
from mooring_widgets.query.observer import QueryObserver
from mooring_widgets.query.options import (
    UNSET,
    QueryDefaults,
    QueryFunctionContext,
    QueryOptions,
    QueryResult,
    exponential_backoff,
    keep_previous_data,
)
from mooring_widgets.query.query import QueryCancelled, QueryState
from mooring_widgets.query.runtime import AsyncioRuntime, Cancellable, ManualRuntime, Runtime

__all__ = [
    "UNSET",
    "AsyncioRuntime",
    "Cancellable",
    "ManualRuntime",
    "MutationCancelled",
    "MutationObserver",
    "MutationOptions",
    "MutationResult",
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
    "exponential_backoff",
    "keep_previous_data",
]
