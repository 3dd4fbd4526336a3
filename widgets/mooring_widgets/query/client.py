"""The facade: what a program does with queries as a whole."""

import asyncio
from concurrent.futures import Future
from typing import Any, Literal, TypeVar

from mooring_widgets.query.cache import QueryCache, QueryType
from mooring_widgets.query.futures import all_settled, resolve
from mooring_widgets.query.keys import QueryKey
from mooring_widgets.query.mutation import Mutation, MutationOptions
from mooring_widgets.query.notifier import ErrorHook
from mooring_widgets.query.options import QueryDefaults, QueryOptions
from mooring_widgets.query.query import Query, QueryState, Waiter
from mooring_widgets.query.runtime import Runtime

T = TypeVar("T")
V = TypeVar("V")
D = TypeVar("D")


class QueryClient:
    """A cache of what was fetched, by structured key, kept true by invalidation.

    Every method may be called from any thread, and the coroutine methods awaited on any asyncio loop; query
    functions run on the runtime. A `key` of the methods for many queries is a prefix, `()` that of all,
    unless `exact`. Futures are settled by the runtime: never wait for one in a listener or a query function.

    Args:
        runtime: Time and execution.
        default_options: What holds where the options of a query are silent.
        on_listener_error: Hears of exceptions in listeners; logs them when not given.
    """

    def __init__(
        self,
        *,
        runtime: Runtime,
        default_options: QueryDefaults | None = None,
        on_listener_error: ErrorHook | None = None,
    ) -> None:
        self.query_cache = QueryCache(runtime, default_options or QueryDefaults(), on_listener_error)
        self._batch = self.query_cache.notifier.batch

    def __repr__(self) -> str:
        snapshots = sorted(self.query_cache, key=lambda snapshot: str(snapshot.key))
        return "\n".join(["<queries>", *map(str, snapshots)])

    def fetch(self, options: QueryOptions[T, Any]) -> Future[T]:
        """Return the data: cached if fresh by the options' stale time, else fetched.

        Joins a fetch of the same key under way. Cancelling the future leaves the fetch to others who wait.
        Fails with the query function's exception (no retries unless the options say so) or `QueryCancelled`.
        """
        future: Future[T] = Future()
        with self._batch():
            query = self.query_cache.build(options)
            policy = self.query_cache.defaults.overridden_by(options)
            if query.is_stale(policy.stale_time):
                query.fetch(waiter=Waiter(future, holds=True), retry=policy.fetch_retry)
            else:
                resolve(future, _data(query))
        return future

    async def fetch_query(self, options: QueryOptions[T, Any]) -> T:
        """As `fetch`, awaited."""
        return await asyncio.wrap_future(self.fetch(options))

    def ensure(self, options: QueryOptions[T, Any]) -> Future[T]:
        """Return the cached data, however stale; fetch only when there is none."""
        with self._batch():
            query = self.query_cache.build(options)
            if not query.state.has_data:
                return self.fetch(options)
            future: Future[T] = Future()
            resolve(future, _data(query))
            return future

    async def ensure_query_data(self, options: QueryOptions[T, Any]) -> T:
        """As `ensure`, awaited."""
        return await asyncio.wrap_future(self.ensure(options))

    def prefetch(self, options: QueryOptions[Any, Any]) -> Future[None]:
        """As `fetch`, for the cache alone: the future has no data and does not fail."""
        return all_settled([self.fetch(options)])

    async def prefetch_query(self, options: QueryOptions[Any, Any]) -> None:
        """As `prefetch`, awaited."""
        await asyncio.wrap_future(self.prefetch(options))

    def get_query_data(self, key: QueryKey) -> Any:
        """Return the cached data of exactly this key, None if there is none. Nothing is fetched."""
        state = self.get_query_state(key)
        return state.data if state else None

    def get_queries_data(self, key: QueryKey = ()) -> list[tuple[tuple[Any, ...], Any]]:
        """Return keys and data where there is data: what a rollback puts back by `set_query_data`."""
        with self._batch():
            found = self.query_cache.find_all(key)
            return [(query.key, query.state.data) for query in found if query.state.has_data]

    def set_query_data(self, key: QueryKey, updater: Any) -> Any:
        """Put data in the cache, fresh as of now; return it as stored.

        A fetch under way would overwrite it: `cancel_queries` first.

        Args:
            key: Exactly this key.
            updater: The data, or a quick function from the old data (None if there is none) to the new. None,
                given or returned, changes nothing.
        """
        with self._batch():
            query = self.query_cache.get(key)
            data = updater(query.state.data if query else None) if callable(updater) else updater
            if data is None:
                return None
            query = query or self.query_cache.ensure(key)
            query.set_data(data)
            return query.state.data

    def get_query_state(self, key: QueryKey) -> QueryState[Any] | None:
        """Return all that is known of exactly this key, None if the cache has no such query."""
        with self._batch():
            query = self.query_cache.get(key)
            return query.state if query else None

    def invalidate_queries(
        self,
        key: QueryKey = (),
        *,
        refetch_type: QueryType | Literal["none"] = "active",
        exact: bool = False,
        cancel_refetch: bool = True,
    ) -> Future[None]:
        """Say that data is out of date: it is marked stale, and fetched again where somebody looks at it.

        The answer of a fetch that began before is never taken as fresh. By default that fetch is cancelled in
        favour of a new one. Where invalidations come faster than answers that would show nothing at all, so
        pass `cancel_refetch=False` there: the old answer is shown, marked stale, and one more fetch follows
        it.

        Args:
            key: Prefix.
            refetch_type: Which are fetched again.
            exact: Take `key` as a whole key.
            cancel_refetch: Replace fetches under way; False lets them end first.

        Returns:
            A future that ends with these fetches. It does not fail.
        """
        with self._batch():
            for query in self.query_cache.find_all(key, exact=exact):
                query.invalidate()
            if refetch_type == "none":
                return all_settled([])
            return self.refetch_queries(
                key, refetch_type=refetch_type, exact=exact, cancel_refetch=cancel_refetch
            )

    def refetch_queries(
        self,
        key: QueryKey = (),
        *,
        refetch_type: QueryType = "all",
        exact: bool = False,
        cancel_refetch: bool = True,
    ) -> Future[None]:
        """Fetch again, stale or not; see `invalidate_queries` for the arguments.

        Left out are queries whose observers are all disabled, and those that nothing says how to fetch.
        """
        with self._batch():
            waiting: list[Future[Any]] = []
            for query in self.query_cache.find_all(key, exact=exact, kind=refetch_type):
                if query.can_fetch and (query.is_active or not query.watchers):
                    waiting.append(Future())
                    query.fetch(cancel_refetch=cancel_refetch, waiter=Waiter(waiting[-1], holds=False))
            return all_settled(waiting)

    def cancel_queries(self, key: QueryKey = (), *, exact: bool = False) -> None:
        """Cancel fetches under way: their queries are as before, who waits gets `QueryCancelled`."""
        with self._batch():
            for query in self.query_cache.find_all(key, exact=exact):
                query.cancel()

    def reset_queries(self, key: QueryKey = (), *, exact: bool = False) -> Future[None]:
        """Put queries back to their initial data, or none, and fetch the active ones."""
        with self._batch():
            for query in self.query_cache.find_all(key, exact=exact):
                query.reset()
            return self.refetch_queries(key, refetch_type="active", exact=exact)

    def remove_queries(self, key: QueryKey = (), *, exact: bool = False) -> None:
        """Drop queries and their fetches. Observed ones stay, empty, until fetched or invalidated."""
        with self._batch():
            for query in self.query_cache.find_all(key, exact=exact):
                self.query_cache.remove(query)

    def clear(self) -> None:
        """Drop everything: before the runtime ends, so that nobody waits for what will not come."""
        self.remove_queries()

    def is_fetching(self, key: QueryKey = ()) -> int:
        """Return how many fetches are under way."""
        with self._batch():
            return sum(q.state.fetch_status == "fetching" for q in self.query_cache.find_all(key))

    def mutate(self, options: MutationOptions[V, D], variables: V) -> Future[D]:
        """Make a change. The optimistic update of `on_mutate` is in the cache when this returns."""
        mutation = Mutation(self.query_cache, options, variables)
        mutation.start()
        return mutation.future


def _data(query: Query[T]) -> T:
    data: Any = query.state.data
    return data  # type: ignore[no-any-return]  # of T once there is data, and T may include None
