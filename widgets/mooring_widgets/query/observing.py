"""What all observers of a query do."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mooring_widgets.query.futures import resolve
from mooring_widgets.query.managers import Alarm
from mooring_widgets.query.notifier import Listeners
from mooring_widgets.query.options import Direction, QueryOptions, Trigger
from mooring_widgets.query.query import Query
from mooring_widgets.query.result import QueryResult
from mooring_widgets.query.sharing import share
from mooring_widgets.query.state import QueryState, Waiter

if TYPE_CHECKING:
    from mooring_widgets.query.client import QueryClient

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=QueryResult[Any])

# The stale timer comes a little late, or it could find the data fresh by a rounding error.
_TIMER_SLACK_S = 0.001


class BaseObserver(Generic[T, R, S]):
    """A subscriber's view of a query; S is what it shows. See `QueryObserver`."""

    def __init__(self, client: "QueryClient", options: QueryOptions[T, R]) -> None:
        self._cache = client.query_cache
        self._notifier = self._cache.notifier
        self._environment = self._cache.environment
        self._listeners: Listeners[S] = Listeners(self._notifier, lambda: self._result)
        self._stale_alarm = Alarm(self._environment, self.on_query_update)
        self._stale_at = inf
        self._poll_alarm = Alarm(self._environment, self._poll)
        self._interval = 0.0
        self._last_with_data: Query[T] | None = None
        self._last_shown: R | None = None
        with self._notifier.batch():
            self._options = options
            self._policy = self._cache.policy(options)
            self._query = self._cache.build(options)
            self._begin()
            self._result = self._compute()

    @property
    def options(self) -> QueryOptions[T, R]:
        """With which it observes."""
        return self._options

    @property
    def enabled(self) -> bool:
        """Whether it fetches on its own."""
        return self._policy.enabled

    @property
    def stale_time(self) -> float:
        """Seconds for which data counts as fresh here."""
        return self._policy.stale_time

    def subscribe(self, listener: Callable[[S], None]) -> Callable[[], None]:
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
                if self.wants_fetch("mount"):
                    self._query.fetch()
                self.on_query_update()

        def unsubscribe() -> None:
            with self._notifier.batch():
                if self._listeners.remove(token) and not self._listeners:
                    self._stop_alarms()
                    self._query.remove_watcher(self)

        return unsubscribe

    def set_options(self, options: QueryOptions[T, R]) -> None:
        """Observe with other options: another key, stale time, select. Their result shows at once."""
        with self._notifier.batch():
            was_enabled = self.enabled
            before = self._query
            query = self._cache.build(options)
            self._options = options
            self._policy = self._cache.policy(options)
            self._query = query
            if query is not before:
                self._begin()
            if self._listeners:
                if query is not before:
                    query.add_watcher(self)
                    before.remove_watcher(self)
                if (query is not before or not was_enabled) and self.enabled:
                    self._fetch_if_stale()
            self.on_query_update()

    def get_current_result(self) -> S:
        """Return what there is to show now."""
        with self._notifier.batch():
            self._rebind()
            self.on_query_update()
            return self._result

    def refetch(self, *, cancel_refetch: bool = True) -> Future[S]:
        """Fetch, stale or not, enabled or not.

        Args:
            cancel_refetch: Replace a fetch under way; False joins it.

        Returns:
            A future of the result afterwards. It does not fail: an error is in the result.
        """
        return self._fetch(cancel_refetch=cancel_refetch)

    def wants_fetch(self, trigger: Trigger) -> bool:
        """Whether the options ask for a fetch when this happens, as the data now is. For the query."""
        state = self._query.state
        if trigger == "mount" and not state.has_data:
            return self.enabled and (state.status != "error" or self._policy.retry_on_mount)
        return self._policy.wants_fetch(trigger, is_stale=self._query.is_stale(self.stale_time))

    def on_query_update(self) -> None:
        """Take over the query's state. For the query, which calls it under the lock."""
        before, result = self._result, self._compute()
        self._arm_stale_alarm()
        self._arm_poll_alarm(result)
        if result.same_as(before):
            return
        self._result = result
        if not result.same_as(before, self._policy.notify_on_change_props):
            self._listeners.changed()

    def _picture(self, **shown: Any) -> S:
        """Make the result of its fields."""
        raise NotImplementedError

    def _more(self, state: QueryState[T]) -> dict[str, Any]:
        """Return the fields that a kind of observer has besides those of all; may fail as `select` may."""
        return {}

    def _fetch(self, *, cancel_refetch: bool, direction: Direction | None = None) -> Future[S]:
        done: Future[S] = Future()
        fetched: Future[T] = Future()
        fetched.add_done_callback(lambda _: resolve(done, self.get_current_result()))
        with self._notifier.batch():
            self._rebind()
            waiter = Waiter(fetched, holds=True)
            self._query.fetch(cancel_refetch=cancel_refetch, waiter=waiter, direction=direction)
        return done

    def _rebind(self) -> None:
        # While nobody listens the query may be collected, and another one made for the key.
        if not self._listeners:
            before, self._query = self._query, self._cache.build(self._options)
            if self._query is not before:
                self._seen_before = self._updates()

    def _fetch_if_stale(self) -> None:
        if self._query.is_stale(self.stale_time):
            self._query.fetch()

    def _compute(self) -> S:
        state = self._query.state
        if state.has_data:
            self._last_with_data = self._query
        else:
            self._last_shown = None
        data: R | None = None
        more: dict[str, Any] = {}
        status, error, placeholder = state.status, state.error, False
        try:
            if state.has_data:
                data = self._last_shown = self._select(state.data)
            elif state.status == "pending" and (stand_in := self._placeholder()) is not None:
                data = self._select(stand_in)
                status, placeholder = "success", True
            more = self._more(state)
        except Exception as failure:  # of the options' functions
            data, status, error = self._last_shown, "error", failure
        return self._picture(
            status=status,
            fetch_status=state.fetch_status,
            data=data,
            error=error,
            error_updated_at=state.error_updated_at,
            error_update_count=state.error_update_count,
            data_updated_at=state.data_updated_at,
            is_stale=self.enabled and self._query.is_stale(self.stale_time),
            failure_count=state.failure_count,
            failure_reason=state.failure_reason,
            is_placeholder_data=placeholder,
            is_fetched=state.is_fetched,
            is_fetched_after_mount=state.is_fetched and self._updates() != self._seen_before,
            is_enabled=self.enabled,
            **more,
        )

    def _select(self, data: Any) -> Any:
        select = self._options.select
        return data if select is None else self._selected.call(select, data)

    def _placeholder(self) -> Any:
        given = self._options.placeholder_data
        if not callable(given):
            return given
        return self._placed.call(given, self._last_with_data.state.data if self._last_with_data else None)

    def _begin(self) -> None:
        """Begin with another query: nothing that was made from the last one's data stays."""
        self._selected, self._placed = _Memo(), _Memo()
        self._last_shown = None
        self._seen_before = self._updates()
        self._stop_alarms()

    def _updates(self) -> tuple[int, int]:
        return self._query.state.data_update_count, self._query.state.error_update_count

    def _arm_stale_alarm(self) -> None:
        stale_at = self._query.stale_at(self.stale_time) if self._listeners and self.enabled else inf
        if stale_at == self._stale_at:
            return
        self._stale_alarm.stop()
        self._stale_at = inf
        delay = stale_at - self._environment.runtime.now()
        if 0 < delay < inf:
            self._stale_at = stale_at
            self._stale_alarm.set(delay + _TIMER_SLACK_S)

    def _arm_poll_alarm(self, result: S) -> None:
        interval = self._wanted_interval(result) if self._listeners and self.enabled else 0.0
        if interval != self._interval:
            self._interval = interval
            self._set_poll_alarm()

    def _set_poll_alarm(self) -> None:
        if 0 < self._interval < inf:
            self._poll_alarm.set(self._interval)
        else:
            self._poll_alarm.stop()

    def _wanted_interval(self, result: S) -> float:
        given = self._policy.refetch_interval
        try:
            return float((given(result) if callable(given) else given) or 0.0)
        except Exception as error:  # of the options' function
            self._notifier.post(partial(self._notifier.report, error))
            return 0.0

    def _poll(self) -> None:
        self._set_poll_alarm()
        if self._policy.refetch_interval_in_background or self._environment.focus.is_focused:
            self._query.fetch()

    def _stop_alarms(self) -> None:
        self._stale_at, self._interval = inf, 0.0
        self._stale_alarm.stop()
        self._poll_alarm.stop()


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
