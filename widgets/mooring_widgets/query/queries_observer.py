"""One subscriber's view of several queries side by side."""

from collections.abc import Callable, Sequence
from operator import is_not
from typing import TYPE_CHECKING, Any, Generic, cast

from typing_extensions import TypeVar

from mooring_widgets.query.keys import KeyHash, hash_key
from mooring_widgets.query.notifier import Listeners
from mooring_widgets.query.observer import QueryObserver
from mooring_widgets.query.options import QueryOptions
from mooring_widgets.query.result import QueryResult
from mooring_widgets.query.sharing import share

if TYPE_CHECKING:
    from mooring_widgets.query.client import QueryClient

Results = tuple[QueryResult[Any], ...]
C = TypeVar("C", default=Results)


class QueriesObserver(Generic[C]):
    """Shows any number of queries as one value: the tuple of their results, or what is made of it.

    It is a `QueryObserver` for each, and behaves as they do. Methods may be called from any thread.

    Args:
        client: The client.
        queries: Options, one for each result, in their order.
        combine: Makes what is shown from the results, under the lock: quick and pure. Called again only for
            other results; parts of its value that are equal stay the same. Whoever asks for the result gets
            its exception; listeners are not called then, and `on_listener_error` hears of it.
    """

    def __init__(
        self,
        client: "QueryClient",
        queries: Sequence[QueryOptions[Any, Any]],
        *,
        combine: Callable[[Results], C] | None = None,
    ) -> None:
        self._client = client
        self._notifier = client.query_cache.notifier
        self._combine = combine
        self._results: Results = ()
        self._made_from: Results | None = None
        self._made: Any = None
        self._told: Any = None
        self._observers: list[QueryObserver[Any, Any]] = []
        self._ends: dict[QueryObserver[Any, Any], Callable[[], None]] = {}
        self._listeners: Listeners[C] = Listeners(self._notifier, self.get_current_result)
        self.set_queries(queries)

    def set_queries(self, queries: Sequence[QueryOptions[Any, Any]]) -> None:
        """Observe these: an observer of a key that was there before goes on, what is missing ends."""
        with self._notifier.batch():
            before: dict[KeyHash, list[QueryObserver[Any, Any]]] = {}
            for observer in self._observers:
                before.setdefault(hash_key(observer.options.query_key), []).append(observer)
            self._observers = []
            for options in queries:
                found = before.get(hash_key(options.query_key))
                if found:
                    found[0].set_options(options)
                    self._observers.append(found.pop(0))
                else:
                    self._observers.append(QueryObserver(self._client, options))
            self._follow()
            self._notifier.post(self._hear)

    def get_current_result(self) -> C:
        """Return what there is to show now."""
        with self._notifier.batch():
            results = tuple(observer.get_current_result() for observer in self._observers)
            if len(results) != len(self._results) or any(map(is_not, results, self._results)):
                self._results = results
            if self._combine is None:
                return cast(C, self._results)
            if self._made_from is not self._results:
                self._made = share(self._made, self._combine(results))
                self._made_from = self._results
            return cast(C, self._made)

    def subscribe(self, listener: Callable[[C], None]) -> Callable[[], None]:
        """Call a listener with every new result from now on; the first one makes the observer fetch.

        Returns:
            A function that ends it; calling it again does nothing.
        """
        with self._notifier.batch():
            token = self._listeners.add(listener)
            self._follow()

        def unsubscribe() -> None:
            with self._notifier.batch():
                if self._listeners.remove(token):
                    self._follow()

        return unsubscribe

    def _follow(self) -> None:
        """Subscribe to the observers there are, if anybody listens, before letting go of others."""
        wanted = self._observers if self._listeners else []
        ends = {one: self._ends.get(one) or one.subscribe(lambda _: self._hear()) for one in wanted}
        for observer, end in self._ends.items():
            if observer not in ends:
                end()
        self._ends = ends

    def _hear(self) -> None:
        with self._notifier.batch():
            if self._listeners and (shown := self.get_current_result()) is not self._told:
                self._told = shown
                self._listeners.changed()
