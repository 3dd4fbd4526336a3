"""A change on the server, shown at once and taken back if it is refused."""

import inspect
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any, Generic, Protocol, TypeVar

from mooring_widgets.query.futures import reject, resolve
from mooring_widgets.query.managers import Alarm, Environment
from mooring_widgets.query.mutation_options import (
    MutationCancelled,
    MutationDefaults,
    MutationOptions,
    MutationResult,
    missing_mutation_fn,
)
from mooring_widgets.query.retryer import Retryer

V = TypeVar("V")
D = TypeVar("D")


class Queue(Protocol):
    """The mutation cache, as its mutations see it. Its methods are called under the lock."""

    @property
    def environment(self) -> Environment:
        """Where mutations run."""

    def policy(self, options: MutationOptions[Any, Any]) -> MutationDefaults:
        """Return what holds for a mutation."""

    def is_next(self, mutation: "Mutation[Any, Any]") -> bool:
        """Whether nothing in its scope comes before it."""

    def on_end(self, mutation: "Mutation[Any, Any]") -> None:
        """It has ended: the next of its scope may go on."""

    def remove(self, mutation: "Mutation[Any, Any]") -> None:
        """Forget it."""


class Mutation(Generic[V, D]):
    """One run. Its future ends after all callbacks; who cancels the future does not stop the change.

    Args:
        queue: Where it waits its turn.
        options: How to make the change.
        variables: What to.
        on_update: Hears of every change of `result`, under the lock.
        restored: What was known of it when it was kept; `on_mutate` was called then, and is not again.
    """

    def __init__(
        self,
        queue: Queue,
        options: MutationOptions[V, D],
        variables: V,
        *,
        on_update: Callable[[MutationResult[V, D]], None] = lambda _: None,
        restored: MutationResult[V, D] | None = None,
    ) -> None:
        self.future: Future[D] = Future()
        self.options = options
        self.result = restored or MutationResult[V, D](
            status="pending", variables=variables, submitted_at=queue.environment.runtime.wall()
        )
        self._queue = queue
        self._environment = queue.environment
        self._policy = queue.policy(options)
        self._variables = variables
        self._on_update = on_update
        self._restored = restored is not None
        self._ready = self._restored
        self._retryer: Retryer[D] | None = None
        self._gc = Alarm(self._environment, lambda: queue.remove(self))

    @property
    def scope(self) -> str | None:
        """Which others it waits for."""
        return self._policy.scope

    def start(self) -> None:
        """Call `on_mutate` here, the rest on the runtime. Raises RuntimeError when the runtime has ended."""
        with self._environment.notifier.batch():
            self._update(is_paused=not self._may_start())
        refused: Exception | None = None
        context: Any = None
        if self._policy.on_mutate is not None:
            try:
                context = self._policy.on_mutate(self._variables)
            except Exception as error:
                refused = error
        with self._environment.notifier.batch():
            if not self.result.is_pending:
                return  # abandoned meanwhile
            if context is not None:
                self._update(context=context)
            try:
                if refused is not None:
                    self._environment.runtime.start(partial(self.on_error, refused))
                else:
                    self._ready = True
                    self.go_on()
            except RuntimeError:
                self._queue.remove(self)
                raise

    def go_on(self) -> None:
        """Begin, or end a pause, if nothing stands in the way. Call it under the lock."""
        if self._retryer is not None:
            self._retryer.go_on()
        elif self._ready:
            self._policy = self._queue.policy(self.options)
            # One that was kept waits for a program that knows how; it must not be lost.
            if not self._restored or self._policy.mutation_fn is not missing_mutation_fn:
                self._begin()

    def abandon(self) -> None:
        """End it without another attempt, if it waits for one. Call it under the lock."""
        if self.result.is_paused:
            error = MutationCancelled("the client was cleared before the change could be made")
            self._end(partial(reject, self.future, error), status="error", error=error)

    def forget_later(self) -> None:
        """Count the gc time from now."""
        if self._policy.gc_time != inf:
            self._gc.set(self._policy.gc_time)

    def retire(self) -> None:
        """Stop the clock: the cache has let go."""
        self._gc.stop()

    def on_failure(self, failure_count: int, error: Exception) -> None:
        """See `Outcome`."""
        with self._environment.notifier.batch():
            self._update(failure_count=failure_count, failure_reason=error)

    def on_pause(self) -> None:
        """See `Outcome`."""
        self._update(is_paused=True)

    def on_continue(self) -> None:
        """See `Outcome`."""
        self._update(is_paused=False)

    async def on_success(self, data: D) -> None:
        """See `Outcome`."""
        policy, variables, context = self._policy, self.result.variables, self.result.context
        try:
            if policy.on_success is not None:
                await _finish(policy.on_success(data, variables, context))
            if policy.on_settled is not None:
                await _finish(policy.on_settled(data, None, variables, context))
        except Exception as error:
            await self.on_error(error)
        except BaseException:
            await self.on_cancelled()
            raise
        else:
            self._end(partial(resolve, self.future, data), status="success", data=data, error=None)

    async def on_error(self, error: Exception) -> None:
        """See `Outcome`."""
        policy, variables, context = self._policy, self.result.variables, self.result.context
        try:
            if policy.on_error is not None:
                await _finish(policy.on_error(error, variables, context))
            if policy.on_settled is not None:
                await _finish(policy.on_settled(None, error, variables, context))
        except Exception as broken:
            self._environment.notifier.report(broken)  # the caller is to learn why the change failed
        finally:
            self._end(partial(reject, self.future, error), status="error", error=error)

    async def on_cancelled(self) -> None:
        """See `Outcome`."""
        await self.on_error(MutationCancelled("the change was cut off; it may have been made"))

    def _begin(self) -> None:
        policy = self._policy
        self._retryer = Retryer(
            self._environment,
            lambda: policy.mutation_fn(self._variables),
            self,
            retry=0 if policy.mutation_fn is missing_mutation_fn else policy.retry,
            retry_delay=policy.retry_delay,
            may_start=self._may_start,
            may_retry=lambda: self._environment.may_retry(policy.network_mode),
        )
        self._retryer.start()
        if self._retryer.paused != self.result.is_paused:
            self._update(is_paused=self._retryer.paused)

    def _may_start(self) -> bool:
        return self._environment.may_start(self._policy.network_mode) and self._queue.is_next(self)

    def _end(self, settle: Callable[[], None], **changes: Any) -> None:
        with self._environment.notifier.batch():
            if self.result.is_pending:
                self._update(is_paused=False, **changes)
                self._environment.notifier.post(settle)
                self._queue.on_end(self)

    def _update(self, **changes: Any) -> None:
        self.result = replace(self.result, **changes)
        self._on_update(self.result)


async def _finish(outcome: Awaitable[None] | None) -> None:
    if inspect.isawaitable(outcome):
        await outcome
