"""A change on the server, shown at once and taken back if it is refused."""

import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from mooring_widgets.query.cache import QueryCache
from mooring_widgets.query.futures import reject, resolve
from mooring_widgets.query.notifier import Listeners
from mooring_widgets.query.options import Retry, RetryDelay, exponential_backoff
from mooring_widgets.query.retryer import try_until_done

if TYPE_CHECKING:
    from mooring_widgets.query.client import QueryClient

V = TypeVar("V")
D = TypeVar("D")

MutationStatus: TypeAlias = Literal["idle", "pending", "error", "success"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MutationOptions(Generic[V, D]):
    """How to make a change, and what to do around it.

    `on_mutate` is a plain function. The other three may be plain or coroutine functions, run on the runtime
    before the mutation ends. When `on_success` or `on_settled` raises after a success, the mutation fails
    with that; when `on_error` or `on_settled` raises after a failure, `on_listener_error` of the client hears
    of it.

    Attributes:
        mutation_fn: Makes the change; a coroutine function of the variables.
        on_mutate: Called in the thread of `mutate` before it returns: the place to cancel fetches and to put
            the expected data in the cache. What it returns is the `context` of the others: what a rollback
            needs.
        on_success: `(data, variables, context)`.
        on_error: `(error, variables, context)`: the place to roll back. `context` is None if `on_mutate`
            failed.
        on_settled: `(data, error, variables, context)`, in both cases: the place to invalidate.
        retry: As for queries, but none by default: a change may not be safe to repeat.
        retry_delay: As for queries.
    """

    mutation_fn: Callable[[V], Awaitable[D]]
    on_mutate: Callable[[V], Any] | None = None
    on_success: Callable[[D, V, Any], Awaitable[None] | None] | None = None
    on_error: Callable[[Exception, V, Any], Awaitable[None] | None] | None = None
    on_settled: Callable[[D | None, Exception | None, V, Any], Awaitable[None] | None] | None = None
    retry: Retry = 0
    retry_delay: RetryDelay = exponential_backoff


@dataclass(frozen=True, kw_only=True, eq=False)
class MutationResult(Generic[V, D]):
    """What is known of the last mutation of an observer; `idle` before the first."""

    status: MutationStatus = "idle"
    variables: V | None = None
    data: D | None = None
    error: Exception | None = None
    failure_count: int = 0


class MutationCancelled(Exception):
    """The mutation was cut off; whether the server made the change is not known."""


class Mutation(Generic[V, D]):
    """One run. Its future ends after all callbacks; who cancels the future does not stop the change."""

    def __init__(
        self,
        cache: QueryCache,
        options: MutationOptions[V, D],
        variables: V,
        on_update: Callable[[MutationResult[V, D]], None] = lambda _: None,
    ) -> None:
        self.future: Future[D] = Future()
        self._cache = cache
        self._options = options
        self._variables = variables
        self._on_update = on_update
        self._context: Any = None
        self._refused: Exception | None = None
        self._result = MutationResult[V, D](status="pending", variables=variables)

    def start(self) -> None:
        """Call `on_mutate` here, the rest on the runtime. Raises RuntimeError when the runtime has ended."""
        self._on_update(self._result)
        if self._options.on_mutate is not None:
            try:
                self._context = self._options.on_mutate(self._variables)
            except Exception as error:
                self._refused = error
        self._cache.runtime.start(self._run)

    async def _run(self) -> None:
        try:
            data = await self._change()
        except Exception as error:
            await self._fail(error)
        except BaseException:
            await self._fail(MutationCancelled("the change was cut off; it may have been made"))
            raise
        else:
            self._end(partial(resolve, self.future, data), status="success", data=data)

    async def _change(self) -> D:
        options, variables = self._options, self._variables
        if self._refused is not None:
            raise self._refused
        data = await try_until_done(
            self._cache.runtime,
            lambda: options.mutation_fn(variables),
            self._on_failure,
            retry=options.retry,
            retry_delay=options.retry_delay,
        )
        if options.on_success is not None:
            await _finish(options.on_success(data, variables, self._context))
        if options.on_settled is not None:
            await _finish(options.on_settled(data, None, variables, self._context))
        return data

    async def _fail(self, error: Exception) -> None:
        options, variables = self._options, self._variables
        try:
            if options.on_error is not None:
                await _finish(options.on_error(error, variables, self._context))
            if options.on_settled is not None:
                await _finish(options.on_settled(None, error, variables, self._context))
        except Exception as broken:
            self._cache.notifier.report(broken)  # the caller is to learn why the change failed
        self._end(partial(reject, self.future, error), status="error", error=error)

    def _on_failure(self, failure_count: int, error: Exception) -> None:
        self._update(failure_count=failure_count)

    def _end(self, settle: Callable[[], None], **changes: Any) -> None:
        with self._cache.notifier.batch():
            self._update(**changes)
            self._cache.notifier.post(settle)

    def _update(self, **changes: Any) -> None:
        self._result = replace(self._result, **changes)
        self._on_update(self._result)


class MutationObserver(Generic[V, D]):
    """Starts mutations and shows the last one: for a button or a form. Any thread may call it."""

    def __init__(self, client: "QueryClient", options: MutationOptions[V, D]) -> None:
        self._cache = client.query_cache
        self._options = options
        self._result = MutationResult[V, D]()
        self._run: Mutation[V, D] | None = None
        self._listeners: Listeners[MutationResult[V, D]] = Listeners(
            self._cache.notifier, lambda: self._result
        )

    def mutate(self, variables: V) -> Future[D]:
        """Start a mutation; this observer lets go of an earlier one, which goes on by itself."""

        def on_update(result: MutationResult[V, D]) -> None:
            with self._cache.notifier.batch():
                if self._run is run:
                    self._show(result)

        run = Mutation(self._cache, self._options, variables, on_update)
        self._run = run
        run.start()
        return run.future

    def reset(self) -> None:
        """Show `idle` again; a mutation under way goes on by itself."""
        with self._cache.notifier.batch():
            self._run = None
            self._show(MutationResult[V, D]())

    def get_current_result(self) -> MutationResult[V, D]:
        """Return what there is to show now."""
        return self._result

    def subscribe(self, listener: Callable[[MutationResult[V, D]], None]) -> Callable[[], None]:
        """Call a listener with every new result; return a function that ends it."""
        with self._cache.notifier.batch():
            token = self._listeners.add(listener)

        def unsubscribe() -> None:
            with self._cache.notifier.batch():
                self._listeners.remove(token)

        return unsubscribe

    def _show(self, result: MutationResult[V, D]) -> None:
        self._result = result
        self._listeners.changed()


async def _finish(outcome: Awaitable[None] | None) -> None:
    if inspect.isawaitable(outcome):
        await outcome
