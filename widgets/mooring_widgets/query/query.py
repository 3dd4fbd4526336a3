"""The state machine of one key."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Any, Generic, Protocol, TypeVar

from mooring_widgets.query.futures import reject, resolve
from mooring_widgets.query.keys import KeyHash, QueryKey
from mooring_widgets.query.notifier import Notifier
from mooring_widgets.query.options import (
    UNSET,
    FetchStatus,
    QueryDefaults,
    QueryFunctionContext,
    QueryOptions,
    Retry,
    Status,
)
from mooring_widgets.query.retryer import Retryer
from mooring_widgets.query.runtime import Cancellable, Runtime
from mooring_widgets.query.sharing import share

T = TypeVar("T")


class QueryCancelled(Exception):
    """The fetch was cancelled before it had an answer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryState(Generic[T]):
    """What is known of one key; `QueryResult` tells what most of it means.

    Attributes:
        has_data: Whether `data` counts; None may be data.
        is_invalidated: The data was said to be out of date, or the last fetch failed.
    """

    status: Status = "pending"
    fetch_status: FetchStatus = "idle"
    has_data: bool = False
    data: T | None = None
    data_updated_at: float = 0.0
    error: Exception | None = None
    failure_count: int = 0
    failure_reason: Exception | None = None
    is_invalidated: bool = False


class Watcher(Protocol):
    """A subscribed observer, as its query sees it."""

    @property
    def enabled(self) -> bool:
        """Whether it wants data; a query is active while one does."""

    @property
    def stale_time(self) -> float:
        """Seconds for which it takes data as fresh."""

    def on_query_update(self) -> None:
        """The state changed. Called under the lock."""


@dataclass(frozen=True, eq=False)
class Waiter(Generic[T]):
    """Somebody who waits for the end of a fetch; one who `holds` it keeps it going without any observer."""

    future: Future[T]
    holds: bool

    @property
    def holding(self) -> bool:
        """Whether the fetch goes on for this one's sake."""
        return self.holds and not self.future.cancelled()


@dataclass(eq=False)
class _Fetch(Generic[T]):
    """A fetch under way; the query listens to one alone, so that what a cancelled one still says is lost."""

    query: "Query[T]"
    before: QueryState[T]
    waiters: list[Waiter[T]]
    retryer: Retryer[T] = field(init=False)
    outdated: bool = False
    """An invalidation came after it began: its answer is stale on arrival."""
    late: list[Waiter[T]] = field(default_factory=list)
    """Who asked after that, and so waits for the next one."""
    again: bool = False

    def on_failure(self, failure_count: int, error: Exception) -> None:
        self.query._on_failure(self, failure_count, error)

    def on_success(self, data: T) -> None:
        self.query._on_success(self, data)

    def on_error(self, error: Exception) -> None:
        self.query._on_error(self, error)

    def on_cancelled(self) -> None:
        self.query._on_cancelled(self)


class Query(Generic[T]):
    """The data of one key, at most one fetch for it, and the observers that watch it.

    A fetch is cancelled by `cancel`, by a fetch that replaces it, and when the last observer leaves before
    there is any data, unless a caller still waits for it. Call every method within a batch of the notifier.
    """

    def __init__(
        self,
        key: QueryKey,
        key_hash: KeyHash,
        *,
        runtime: Runtime,
        notifier: Notifier,
        defaults: QueryDefaults,
        collect: Callable[["Query[Any]"], None],
    ) -> None:
        self.key = tuple(key)
        self.key_hash = key_hash
        self.state: QueryState[T] = QueryState()
        self.watchers: list[Watcher] = []
        self._runtime = runtime
        self._notifier = notifier
        self._remove = collect
        self._options: QueryOptions[T, Any] | None = None
        self._policy = defaults
        self._gc_time: float | None = None
        self._gc_timer: Cancellable | None = None
        self._gc_token: object = None
        self._fetch: _Fetch[T] | None = None
        self._updated_at = -inf  # on the clock that never goes back; the state's is for people

    @property
    def is_active(self) -> bool:
        """Whether an enabled observer watches."""
        return any(watcher.enabled for watcher in self.watchers)

    @property
    def age_s(self) -> float | None:
        """Seconds since the data was fetched or set; None without data."""
        return self._runtime.now() - self._updated_at if self.state.has_data else None

    @property
    def can_fetch(self) -> bool:
        """Whether it is known how; data put in by hand comes without a query function."""
        return self._options is not None

    def stale_at(self, stale_time: float) -> float:
        """When the data becomes stale, on the runtime's clock: at -inf without data, at inf never."""
        if not self.state.has_data or self.state.is_invalidated:
            return -inf
        return self._updated_at + stale_time

    def is_stale(self, stale_time: float) -> bool:
        """Whether an observer with this stale time should fetch."""
        return self.stale_at(stale_time) <= self._runtime.now()

    def adopt(self, options: QueryOptions[T, Any], policy: QueryDefaults) -> None:
        """Take over the options of whoever came last; the longest gc time stays."""
        self._options = options
        self._policy = policy
        self._gc_time = policy.gc_time if self._gc_time is None else max(self._gc_time, policy.gc_time)
        if not self.state.has_data and options.initial_data is not UNSET:
            self.set_data(options.initial_data)
        self.schedule_gc()

    def add_watcher(self, watcher: Watcher) -> None:
        """Begin to tell an observer of every change."""
        self.watchers.append(watcher)
        self._stop_gc()

    def remove_watcher(self, watcher: Watcher) -> None:
        """Stop telling it."""
        self.watchers.remove(watcher)
        fetch = self._fetch
        if self.watchers:
            return
        if fetch and not self.state.has_data and not any(w.holding for w in fetch.waiters + fetch.late):
            self.cancel()
        self.schedule_gc()

    def fetch(
        self, *, cancel_refetch: bool = False, waiter: Waiter[T] | None = None, retry: Retry | None = None
    ) -> None:
        """Fetch, or join the fetch under way.

        A fetch under way that was outdated by an invalidation is not joined: another follows it.

        Args:
            cancel_refetch: Replace the fetch under way; who waits for it waits for the new one.
            waiter: Gets the data, or the failure.
            retry: In place of the options'.
        """
        waiters = [waiter] if waiter else []
        running = self._fetch
        if running is None:
            self._begin(waiters, retry)
        elif cancel_refetch:
            running.retryer.cancel()
            self._begin(running.waiters + running.late + waiters, retry)
        elif running.outdated:
            running.again = True
            running.late += waiters
        else:
            running.waiters += waiters

    def cancel(self) -> None:
        """End the fetch under way, if any: the state is as before it began, waiters get `QueryCancelled`."""
        if self._fetch is not None:
            self._fetch.retryer.cancel()
            self._on_cancelled(self._fetch)

    def invalidate(self) -> None:
        """Mark the data as stale, and the answer of a fetch under way as well."""
        if self._fetch is not None:
            self._fetch.outdated = True
        if not self.state.is_invalidated:
            self._set_state(replace(self.state, is_invalidated=True))

    def set_data(self, data: T) -> None:
        """Put data in, fresh as of now. A fetch under way goes on, and will have the last word."""
        self._set_state(self._with_data(self.state, self._shared(data)))
        self.schedule_gc()

    def reset(self) -> None:
        """Cancel, and forget all but the initial data."""
        self.cancel()
        self._set_state(QueryState())
        if self._options is not None and self._options.initial_data is not UNSET:
            self.set_data(self._options.initial_data)

    def retire(self) -> None:
        """Cancel and stop the clock: the cache has let go."""
        self.cancel()
        self._stop_gc()

    def schedule_gc(self) -> None:
        """Count the gc time from now, unless observed."""
        self._stop_gc()
        gc_time = self._policy.gc_time if self._gc_time is None else self._gc_time
        if not self.watchers and gc_time != inf:
            token = self._gc_token = object()
            self._gc_timer = self._runtime.call_later(gc_time, lambda: self._collect(token))

    def _stop_gc(self) -> None:
        if self._gc_timer is not None:
            self._gc_timer.cancel()
            self._gc_timer = self._gc_token = None

    def _collect(self, token: object) -> None:
        with self._notifier.batch():
            # A timer that was stopped may have been on its way. The end of a fetch counts anew.
            if self._gc_token is token and self._fetch is None:
                self._remove(self)

    def _begin(self, waiters: list[Waiter[T]], retry: Retry | None = None) -> None:
        options = self._options
        if options is None:
            raise RuntimeError(f"nothing says how to fetch {self.key!r}")
        before = self._fetch.before if self._fetch else self.state
        fetch = _Fetch(self, before, waiters)
        context = QueryFunctionContext(query_key=self.key, meta=options.meta)

        def attempt() -> Awaitable[T]:
            return options.query_fn(context)

        fetch.retryer = Retryer(
            self._runtime,
            attempt,
            fetch,
            retry=self._policy.retry if retry is None else retry,
            retry_delay=self._policy.retry_delay,
        )
        fetch.retryer.start()
        self._fetch = fetch
        state = replace(self.state, fetch_status="fetching", failure_count=0, failure_reason=None)
        if not state.has_data:
            state = replace(state, status="pending", error=None)
        self._set_state(state)

    def _on_failure(self, fetch: _Fetch[T], failure_count: int, error: Exception) -> None:
        with self._notifier.batch():
            if self._fetch is fetch:
                self._set_state(replace(self.state, failure_count=failure_count, failure_reason=error))

    def _on_success(self, fetch: _Fetch[T], data: T) -> None:
        with self._notifier.batch():
            if self._fetch is not fetch:
                return
            try:
                shared = self._shared(data)
            except Exception as error:  # from the options' function
                self._on_error(fetch, error)
                return
            self._fetch = None
            state = self._with_data(self.state, shared)
            self._set_state(
                replace(
                    state,
                    fetch_status="idle",
                    failure_count=0,
                    failure_reason=None,
                    is_invalidated=fetch.outdated,
                )
            )
            for waiter in fetch.waiters:
                self._notifier.post(partial(resolve, waiter.future, shared))
            self._after(fetch)

    def _on_error(self, fetch: _Fetch[T], error: Exception) -> None:
        with self._notifier.batch():
            if self._fetch is not fetch:
                return
            self._fetch = None
            self._set_state(
                replace(
                    self.state,
                    status="error",
                    fetch_status="idle",
                    error=error,
                    failure_count=self.state.failure_count + 1,
                    failure_reason=error,
                    is_invalidated=True,
                )
            )
            for waiter in fetch.waiters:
                self._notifier.post(partial(reject, waiter.future, error))
            self._after(fetch)

    def _on_cancelled(self, fetch: _Fetch[T]) -> None:
        with self._notifier.batch():
            if self._fetch is not fetch:
                return
            self._fetch = None
            before = fetch.before
            state = replace(
                self.state,
                fetch_status="idle",
                failure_count=before.failure_count,
                failure_reason=before.failure_reason,
            )
            if not state.has_data:
                state = replace(state, status=before.status, error=before.error)
            self._set_state(state)
            for waiter in fetch.waiters + fetch.late:
                cancelled = QueryCancelled(f"the fetch of {self.key!r} was cancelled")
                self._notifier.post(partial(reject, waiter.future, cancelled))
            self.schedule_gc()

    def _after(self, fetch: _Fetch[T]) -> None:
        if fetch.late or (fetch.again and self.is_active):
            self._begin(fetch.late)
        else:
            self.schedule_gc()

    def _shared(self, data: T) -> T:
        sharing = self._policy.structural_sharing
        if not self.state.has_data or sharing is False:
            return data
        shared: T = share(self.state.data, data) if sharing is True else sharing(self.state.data, data)
        return shared

    def _with_data(self, state: QueryState[T], data: T) -> QueryState[T]:
        self._updated_at = self._runtime.now()
        return replace(
            state,
            status="success",
            has_data=True,
            data=data,
            data_updated_at=self._runtime.wall(),
            error=None,
            is_invalidated=False,
        )

    def _set_state(self, state: QueryState[T]) -> None:
        self.state = state
        for watcher in tuple(self.watchers):
            watcher.on_query_update()
