"""The state machine of one key."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Any, Generic, TypeVar

from mooring_widgets.query.futures import reject, resolve
from mooring_widgets.query.keys import KeyHash, QueryKey
from mooring_widgets.query.managers import Alarm, Environment
from mooring_widgets.query.options import UNSET, Direction, QueryDefaults, QueryOptions, Retry, Trigger
from mooring_widgets.query.retryer import Retryer
from mooring_widgets.query.sharing import share
from mooring_widgets.query.state import QueryCancelled, QueryState, Waiter, Watcher

T = TypeVar("T")


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

    def on_pause(self) -> None:
        self.query._on_pause(self, True)

    def on_continue(self) -> None:
        self.query._on_pause(self, False)

    async def on_success(self, data: T) -> None:
        self.query._on_success(self, data)

    async def on_error(self, error: Exception) -> None:
        self.query._on_error(self, error)

    async def on_cancelled(self) -> None:
        self.query._on_cancelled(self)

    @property
    def is_held(self) -> bool:
        """Whether a caller waits for it."""
        return any(waiter.holding for waiter in self.waiters + self.late)


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
        environment: Environment,
        policy: QueryDefaults,
        collect: Callable[["Query[Any]"], None],
    ) -> None:
        self.key = tuple(key)
        self.key_hash = key_hash
        self.state: QueryState[T] = QueryState()
        self.watchers: list[Watcher] = []
        self._environment = environment
        self._runtime = environment.runtime
        self._notifier = environment.notifier
        self._remove = collect
        self._options: QueryOptions[T, Any] = QueryOptions(query_key=self.key)
        self._policy = policy
        self._gc_time: float | None = None
        self._gc = Alarm(environment, self._collect)
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
        return self._policy.can_fetch

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
        if not self.state.has_data:
            self._set_initial_data()
        self.schedule_gc()

    def add_watcher(self, watcher: Watcher) -> None:
        """Begin to tell an observer of every change."""
        self.watchers.append(watcher)
        self._gc.stop()

    def remove_watcher(self, watcher: Watcher) -> None:
        """Stop telling it."""
        self.watchers.remove(watcher)
        fetch = self._fetch
        if self.watchers:
            return
        if fetch and not self.state.has_data and not fetch.is_held:
            self.cancel()
        self.schedule_gc()

    def fetch(
        self,
        *,
        cancel_refetch: bool = False,
        waiter: Waiter[T] | None = None,
        retry: Retry | None = None,
        direction: Direction | None = None,
    ) -> None:
        """Fetch, or join the fetch under way.

        A fetch under way that was outdated by an invalidation is not joined: another follows it.

        Args:
            cancel_refetch: Replace the fetch under way; who waits for it waits for the new one.
            waiter: Gets the data, or the failure.
            retry: In place of the options'.
            direction: Add the next or previous page to the data, instead of fetching all of it.
        """
        waiters = [waiter] if waiter else []
        running = self._fetch
        if running is None:
            self._begin(waiters, retry, direction)
        elif cancel_refetch:
            running.retryer.cancel()
            self._begin(running.waiters + running.late + waiters, retry, direction)
        elif running.outdated:
            running.again = True
            running.late += waiters
        else:
            running.waiters += waiters
        self.go_on()

    def on_return(self, trigger: Trigger) -> None:
        """Somebody looks again, or there is a network again: go on, and fetch where an observer wants it."""
        if any(watcher.wants_fetch(trigger) for watcher in self.watchers):
            self.fetch()
        self.go_on()

    def go_on(self) -> None:
        """Go on with a paused fetch, if it may."""
        if self._fetch is not None:
            self._fetch.retryer.go_on()

    def cancel(self) -> None:
        """End the fetch under way, if any: the state is as before it began, waiters get `QueryCancelled`."""
        if self._fetch is not None:
            self._fetch.retryer.cancel()
            self._on_cancelled(self._fetch)

    def invalidate(self) -> None:
        """Mark the data as stale, and the answer of a fetch under way as well."""
        fetch = self._fetch
        if fetch is not None and fetch.retryer.tried:
            fetch.outdated = True
        if not self.state.is_invalidated:
            self._set_state(replace(self.state, is_invalidated=True))

    def set_data(
        self, data: T, *, updated_at: float | None = None, is_invalidated: bool = False, counts: bool = True
    ) -> None:
        """Put data in. A fetch under way goes on, and will have the last word.

        Args:
            data: The data.
            updated_at: Seconds since the epoch from which it is; now, when not given.
            is_invalidated: It is known to be out of date.
            counts: Whether this is an update, and not what there was to begin with.
        """
        state = self._with_data(self.state, self._shared(data), updated_at)
        updates = self.state.data_update_count + counts
        self._set_state(replace(state, is_invalidated=is_invalidated, data_update_count=updates))
        self.schedule_gc()

    def reset(self) -> None:
        """Cancel, and forget all but the initial data."""
        self.cancel()
        self._set_state(QueryState())
        self._set_initial_data()

    def retire(self) -> None:
        """Cancel and stop the clock: the cache has let go."""
        self.cancel()
        self._gc.stop()

    def schedule_gc(self) -> None:
        """Count the gc time from now, unless observed."""
        gc_time = self._policy.gc_time if self._gc_time is None else self._gc_time
        if self.watchers or gc_time == inf:
            self._gc.stop()
        else:
            self._gc.set(gc_time)

    def _collect(self) -> None:
        if self._fetch is None:  # whose end counts anew
            self._remove(self)

    def _set_initial_data(self) -> None:
        given = self._options.initial_data
        if given is not UNSET:
            data: T = given() if callable(given) else given
            self.set_data(data, updated_at=self._options.initial_data_updated_at, counts=False)

    def _begin(
        self, waiters: list[Waiter[T]], retry: Retry | None = None, direction: Direction | None = None
    ) -> None:
        policy, environment = self._policy, self._environment
        fetch = _Fetch(self, self._fetch.before if self._fetch else self.state, waiters)
        if not policy.can_fetch:
            retry = 0  # its function will say why
        fetch.retryer = Retryer(
            environment,
            self._options.attempts(policy.query_fn, self.state.data, direction),
            fetch,
            retry=policy.retry if retry is None else retry,
            retry_delay=policy.retry_delay,
            may_start=lambda: environment.may_start(policy.network_mode),
            # Nobody looks, but a program waits: that is no reason to stop.
            may_retry=lambda: (
                environment.may_retry(policy.network_mode) and (environment.focus.is_focused or fetch.is_held)
            ),
        )
        fetch.retryer.start()
        self._fetch = fetch
        state = replace(
            self.state,
            fetch_status="paused" if fetch.retryer.paused else "fetching",
            fetch_direction=direction,
            failure_count=0,
            failure_reason=None,
        )
        if not state.has_data:
            state = replace(state, status="pending", error=None)
        self._set_state(state)

    def _on_pause(self, fetch: _Fetch[T], paused: bool) -> None:
        if self._fetch is fetch:
            self._set_state(replace(self.state, fetch_status="paused" if paused else "fetching"))

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
                    data_update_count=state.data_update_count + 1,
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
                    error_updated_at=self._runtime.wall(),
                    error_update_count=self.state.error_update_count + 1,
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

    def _with_data(self, state: QueryState[T], data: T, updated_at: float | None = None) -> QueryState[T]:
        wall = self._runtime.wall()
        updated_at = wall if updated_at is None else updated_at
        # Clocks differ, so data may be of tomorrow; that is as fresh as can be.
        self._updated_at = self._runtime.now() - max(wall - updated_at, 0.0)
        return replace(
            state,
            status="success",
            has_data=True,
            data=data,
            data_updated_at=updated_at,
            error=None,
            is_invalidated=False,
        )

    def _set_state(self, state: QueryState[T]) -> None:
        self.state = state
        for watcher in tuple(self.watchers):
            watcher.on_query_update()
