"""One subscriber's view of one query at a time."""

from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from typing import TYPE_CHECKING, Any, Generic

from mooring_widgets.query.futures import resolve
from mooring_widgets.query.notifier import Listeners
from mooring_widgets.query.options import QueryOptions, QueryResult, R, T
from mooring_widgets.query.query import Query, Waiter
from mooring_widgets.query.runtime import Cancellable
from mooring_widgets.query.sharing import share

if TYPE_CHECKING:
    from mooring_widgets.query.client import QueryClient

# The stale timer comes a little late, or it could find the data fresh by a rounding error.
_TIMER_SLACK_S = 0.001


class QueryObserver(Generic[T, R]):
    """Shows a query through `select` and placeholders, and keeps it fetched while subscribed.

    Without a listener an observer is known to nobody: it fetches nothing and can be dropped. With one, it is
    held by its query until the listener unsubscribes. It never shows the data of another key than its options
    name, but for a placeholder, which is marked. Methods may be called from any thread.
    """

    def __init__(self, client: "QueryClient", options: QueryOptions[T, R]) -> None:
        self._cache = client.query_cache
        self._notifier = self._cache.notifier
        self._listeners: Listeners[QueryResult[R]] = Listeners(self._notifier, lambda: self._result)
        self._stale_timer: Cancellable | None = None
        self._stale_at = inf
        self._last_with_data: Query[T] | None = None
        self._last_shown: R | None = None
        with self._notifier.batch():
            self._options = options
            self._policy = self._cache.defaults.overridden_by(options)
            self._query = self._cache.build(options)
            self._forget()
            self._result = self._compute()

    @property
    def enabled(self) -> bool:
        """Whether it fetches on its own."""
        return self._options.enabled

    @property
    def stale_time(self) -> float:
        """Seconds for which data counts as fresh here."""
        return self._policy.stale_time

    def subscribe(self, listener: Callable[[QueryResult[R]], None]) -> Callable[[], None]:
        """Call a listener with every new result from now on; the first one makes the observer fetch.

        Listeners are called by the runtime, in order, each with the newest result: several changes in a row
        may be told as one. An exception goes to the client's `on_listener_error`.

        Returns:
            A function that ends it; calling it again does nothing.
        """
        with self._notifier.batch():
            self._rebind()
            token = self._listeners.add(listener)
            if len(self._listeners) == 1:
                self._query.add_watcher(self)
                self._fetch_if_stale()
                self.on_query_update()

        def unsubscribe() -> None:
            with self._notifier.batch():
                if self._listeners.remove(token) and not self._listeners:
                    self._stop_stale_timer()
                    self._query.remove_watcher(self)

        return unsubscribe

    def set_options(self, options: QueryOptions[T, R]) -> None:
        """Observe with other options: another key, stale time, select. Their result shows at once."""
        with self._notifier.batch():
            was_enabled = self._options.enabled
            before = self._query
            query = self._cache.build(options)
            self._options = options
            self._policy = self._cache.defaults.overridden_by(options)
            self._query = query
            if query is not before:
                self._forget()
            if self._listeners:
                if query is not before:
                    query.add_watcher(self)
                    before.remove_watcher(self)
                if query is not before or not was_enabled:
                    self._fetch_if_stale()
            self.on_query_update()

    def get_current_result(self) -> QueryResult[R]:
        """Return what there is to show now."""
        with self._notifier.batch():
            self._rebind()
            self.on_query_update()
            return self._result

    def refetch(self, *, cancel_refetch: bool = True) -> Future[QueryResult[R]]:
        """Fetch, stale or not, enabled or not.

        Args:
            cancel_refetch: Replace a fetch under way; False joins it.

        Returns:
            A future of the result afterwards. It does not fail: an error is in the result.
        """
        done: Future[QueryResult[R]] = Future()
        fetched: Future[T] = Future()
        fetched.add_done_callback(lambda _: resolve(done, self.get_current_result()))
        with self._notifier.batch():
            self._rebind()
            self._query.fetch(cancel_refetch=cancel_refetch, waiter=Waiter(fetched, holds=True))
        return done

    def on_query_update(self) -> None:
        """Take over the query's state. For the query, which calls it under the lock."""
        result = self._compute()
        self._arm_stale_timer()
        if result.same_as(self._result):
            return
        self._result = result
        self._listeners.changed()

    def _rebind(self) -> None:
        # While nobody listens the query may be collected, and another one made for the key.
        if not self._listeners:
            self._query = self._cache.build(self._options)

    def _fetch_if_stale(self) -> None:
        if self.enabled and self._query.is_stale(self.stale_time):
            self._query.fetch()

    def _compute(self) -> QueryResult[R]:
        state = self._query.state
        if state.has_data:
            self._last_with_data = self._query
        else:
            self._last_shown = None
        data: R | None = None
        status, error, placeholder = state.status, state.error, False
        try:
            if state.has_data:
                data = self._last_shown = self._select(state.data)
            elif state.status == "pending" and (stand_in := self._placeholder()) is not None:
                data = self._select(stand_in)
                status, placeholder = "success", True
        except Exception as failure:  # of the options' functions
            data, status, error = self._last_shown, "error", failure
        return QueryResult(
            status=status,
            fetch_status=state.fetch_status,
            data=data,
            error=error,
            data_updated_at=state.data_updated_at,
            is_stale=self.enabled and self._query.is_stale(self.stale_time),
            failure_count=state.failure_count,
            failure_reason=state.failure_reason,
            is_placeholder_data=placeholder,
        )

    def _select(self, data: Any) -> Any:
        select = self._options.select
        return data if select is None else self._selected.call(select, data)

    def _placeholder(self) -> Any:
        given = self._options.placeholder_data
        if not callable(given):
            return given
        return self._placed.call(given, self._last_with_data.state.data if self._last_with_data else None)

    def _forget(self) -> None:
        """Begin with another query: nothing that was made from the last one's data stays."""
        self._selected, self._placed = _Memo(), _Memo()
        self._last_shown = None

    def _arm_stale_timer(self) -> None:
        stale_at = self._query.stale_at(self.stale_time) if self._listeners and self.enabled else inf
        if stale_at == self._stale_at:
            return
        self._stop_stale_timer()
        delay = stale_at - self._cache.runtime.now()
        if 0 < delay < inf:
            self._stale_at = stale_at
            self._stale_timer = self._cache.runtime.call_later(delay + _TIMER_SLACK_S, self._on_stale)

    def _stop_stale_timer(self) -> None:
        self._stale_at = inf
        if self._stale_timer is not None:
            self._stale_timer.cancel()
            self._stale_timer = None

    def _on_stale(self) -> None:
        with self._notifier.batch():
            if self._listeners:
                self.on_query_update()


class _Memo:
    """Calls a function again only when it or its argument is another one; a failure is remembered too."""

    def __init__(self) -> None:
        self._made_by: tuple[Any, Any] | None = None
        self._value: Any = None
        self._error: Exception | None = None

    def call(self, fn: Callable[[Any], Any], argument: Any) -> Any:
        if self._made_by is None or self._made_by[0] is not fn or self._made_by[1] is not argument:
            self._made_by, self._error = (fn, argument), None
            try:
                self._value = share(self._value, fn(argument))
            except Exception as error:
                self._error = error
        if self._error is not None:
            raise self._error
        return self._value
