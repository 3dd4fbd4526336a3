"""One subscriber's view of the mutations it starts."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

from mooring_widgets.query.mutation_options import MutationOptions, MutationResult
from mooring_widgets.query.notifier import Listeners

if TYPE_CHECKING:
    from mooring_widgets.query.client import QueryClient

V = TypeVar("V")
D = TypeVar("D")


class MutationObserver(Generic[V, D]):
    """Starts mutations and shows the last one: for a button or a form. Any thread may call it."""

    def __init__(self, client: "QueryClient", options: MutationOptions[V, D]) -> None:
        self._cache = client.mutation_cache
        self._notifier = self._cache.environment.notifier
        self._options = options
        self._result = MutationResult[V, D]()
        self._turn = object()
        self._listeners: Listeners[MutationResult[V, D]] = Listeners(self._notifier, lambda: self._result)

    def mutate(self, variables: V) -> Future[D]:
        """Start a mutation; this observer lets go of an earlier one, which goes on by itself."""
        turn = self._turn = object()

        def on_update(result: MutationResult[V, D]) -> None:
            if self._turn is turn:
                self._show(result)

        return self._cache.start(self._options, variables, on_update).future

    def set_options(self, options: MutationOptions[V, D]) -> None:
        """Start later mutations with other options."""
        self._options = options

    def reset(self) -> None:
        """Show `idle` again; a mutation under way goes on by itself."""
        with self._notifier.batch():
            self._turn = object()
            self._show(MutationResult[V, D]())

    def get_current_result(self) -> MutationResult[V, D]:
        """Return what there is to show now."""
        return self._result

    def subscribe(self, listener: Callable[[MutationResult[V, D]], None]) -> Callable[[], None]:
        """Call a listener with every new result; return a function that ends it."""
        with self._notifier.batch():
            token = self._listeners.add(listener)

        def unsubscribe() -> None:
            with self._notifier.batch():
                self._listeners.remove(token)

        return unsubscribe

    def _show(self, result: MutationResult[V, D]) -> None:
        self._result = result
        self._listeners.changed()
