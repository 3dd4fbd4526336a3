"""The facade: what a program does with queries as a whole."""

import asyncio
from concurrent.futures import Future
from functools import partial
from typing import Any, Literal, TypeVar

from mooring_widgets.query.cache import QueryCache, QueryType
from mooring_widgets.query.futures import all_settled, resolve
from mooring_widgets.query.infinite import InfiniteData, InfiniteQueryOptions
from mooring_widgets.query.keys import QueryKey
from mooring_widgets.query.managers import Environment
from mooring_widgets.query.mutation_cache import MutationCache
from mooring_widgets.query.mutation_options import MutationDefaults, MutationOptions
from mooring_widgets.query.notifier import ErrorHook
from mooring_widgets.query.options import QueryDefaults, QueryOptions, Trigger
from mooring_widgets.query.query import Query
from mooring_widgets.query.runtime import Runtime
from mooring_widgets.query.state import QueryState, Waiter

T = TypeVar("T")
V = TypeVar("V")
D = TypeVar("D")
P = TypeVar("P")


class QueryClient:
    """A cache of what was fetched, by structured key, kept true by invalidation.

    Every method may be called from any thread, and the coroutine methods awaited on any asyncio loop; query
    functions run on the runtime. A `key` of the methods for many queries is a prefix, `()` that of all,
    unless `exact`. Futures are settled by the runtime: never wait for one in a listener or a query function.

    Args:
        runtime: Time and execution.
        default_options: What holds where the options of a query are silent.
        default_mutation_options: The same for mutations.
        on_listener_error: Hears of exceptions in listeners; logs them when not given.

    Attributes:
        query_cache: Every query; iterate over it for snapshots.
        mutation_cache: Every mutation; the same.
        focus: Whether somebody looks, as it was told.
        online: Whether there is a network, as it was told.
    """

    def __init__(
        self,
        *,
        runtime: Runtime,
        default_options: QueryDefaults | None = None,
        default_mutation_options: MutationDefaults | None = None,
        on_listener_error: ErrorHook | None = None,
    ) -> None:
        environment = Environment(runtime, on_listener_error)
        self.query_cache = QueryCache(environment, default_options or QueryDefaults())
        self.mutation_cache = MutationCache(environment, default_mutation_options or MutationDefaults())
        self.focus = environment.focus
        self.online = environment.online
        self.focus.on_return = partial(self._on_return, "window_focus")
        self.online.on_return = partial(self._on_return, "reconnect")
        self._batch = environment.notifier.batch

    def __repr__(self) -> str:
        snapshots = sorted(self.query_cache, key=lambda snapshot: str(snapshot.key))
        mutations = ["<mutations>", *map(str, self.mutation_cache)] if self.mutation_cache else []
        return "\n".join(["<queries>", *map(str, snapshots), *mutations])

    def set_default_options(
        self, queries: QueryDefaults | None = None, mutations: MutationDefaults | None = None
    ) -> None:
        """Replace what holds where options are silent; observers ask when they are made or given options."""
        with self._batch():
            self.query_cache.defaults = queries or self.query_cache.defaults
            self.mutation_cache.defaults = mutations or self.mutation_cache.defaults

    def set_query_defaults(self, key: QueryKey, **options: Any) -> None:
        """Say what holds for keys that begin so, where their options are silent: fields of `QueryDefaults`.

        It replaces what was said for this prefix; of several prefixes the one set later wins.

        Raises:
            TypeError: there is no such option.
        """
        with self._batch():
            self.query_cache.key_defaults.set(key, options)

    def get_query_defaults(self, key: QueryKey) -> dict[str, Any]:
        """Return what was said for the prefixes of a key."""
        with self._batch():
            return self.query_cache.key_defaults.get(key)

    def set_mutation_defaults(self, key: QueryKey, **options: Any) -> None:
        """As `set_query_defaults`, of mutation keys and `MutationDefaults`: how a kept mutation is made."""
        with self._batch():
            self.mutation_cache.key_defaults.set(key, options)

    def get_mutation_defaults(self, key: QueryKey) -> dict[str, Any]:
        """Return what was said for the prefixes of a mutation key."""
        with self._batch():
            return self.mutation_cache.key_defaults.get(key)

    def fetch(self, options: QueryOptions[T, Any]) -> Future[T]:
        """Return the data: cached if fresh by the options' stale time, else fetched.

        Joins a fetch of the same key under way. Cancelling the future leaves the fetch to others who wait.
        Fails with the query function's exception (no retries unless the options say so) or `QueryCancelled`.
        """
        future: Future[T] = Future()
        with self._batch():
            query = self.query_cache.build(options)
            policy = self.query_cache.policy(options)
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

    async def fetch_infinite_query(self, options: InfiniteQueryOptions[P, Any]) -> InfiniteData[P]:
        """As `fetch_query`, of as many pages as there were; `fetch` and the others take these options too."""
        return await self.fetch_query(options)

    async def ensure_infinite_query_data(self, options: InfiniteQueryOptions[P, Any]) -> InfiniteData[P]:
        """As `ensure_query_data`."""
        return await self.ensure_query_data(options)

    async def prefetch_infinite_query(self, options: InfiniteQueryOptions[Any, Any]) -> None:
        """As `prefetch_query`."""
        await self.prefetch_query(options)

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

        Left out are queries whose observers are all disabled, and those that nothing says how to fetch. A
        fetch that is paused goes on later; the future does not wait for it.
        """
        with self._batch():
            waiting: list[Future[Any]] = []
            for query in self.query_cache.find_all(key, exact=exact, kind=refetch_type):
                if query.can_fetch and (query.is_active or not query.watchers):
                    done: Future[Any] = Future()
                    query.fetch(cancel_refetch=cancel_refetch, waiter=Waiter(done, holds=False))
                    if query.state.fetch_status != "paused":
                        waiting.append(done)
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
        with self._batch():
            self.remove_queries()
            self.mutation_cache.clear()

    def is_fetching(self, key: QueryKey = ()) -> int:
        """Return how many fetches are under way; those that are paused do not count."""
        with self._batch():
            return sum(q.state.fetch_status == "fetching" for q in self.query_cache.find_all(key))

    def is_mutating(self, key: QueryKey = ()) -> int:
        """Return how many mutations have not ended, those that are paused among them."""
        with self._batch():
            return sum(m.result.is_pending for m in self.mutation_cache.find_all(key))

    def mutate(self, options: MutationOptions[V, D], variables: V) -> Future[D]:
        """Make a change. The optimistic update of `on_mutate` is in the cache when this returns."""
        return self.mutation_cache.start(options, variables).future

    def resume_paused_mutations(self) -> Future[None]:
        """Make the changes that were put off, in the order of their calls; happens by itself on reconnect.

        Returns:
            A future that ends with those that can be made now. It does not fail.
        """
        with self._batch():
            return all_settled(self.mutation_cache.resume())

    def _on_return(self, trigger: Trigger) -> None:
        # Changes first: what is fetched before them would not show them.
        self.resume_paused_mutations().add_done_callback(lambda _: self._refetch(trigger))

    def _refetch(self, trigger: Trigger) -> None:
        with self._batch():
            self.query_cache.on_return(trigger)


def _data(query: Query[T]) -> T:
    data: Any = query.state.data
    return data  # type: ignore[no-any-return]  # of T once there is data, and T may include None
