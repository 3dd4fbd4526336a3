"""One piece of work: a coroutine function, tried until it succeeds or its retries are used up."""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from mooring_widgets.query.managers import Environment
from mooring_widgets.query.options import Retry, RetryDelay
from mooring_widgets.query.runtime import Cancellable

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Outcome(Protocol[T_contra]):
    """Who wants to know. Exactly one of the coroutines ends it; they are run without a lock held."""

    def on_failure(self, failure_count: int, error: Exception) -> None:
        """An attempt failed; another follows. Called without a lock held."""

    def on_pause(self) -> None:
        """The next attempt has to wait for better times. Called under the lock."""

    def on_continue(self) -> None:
        """They have come. Called under the lock."""

    async def on_success(self, data: T_contra) -> None:
        """An attempt succeeded."""

    async def on_error(self, error: Exception) -> None:
        """The last attempt failed."""

    async def on_cancelled(self) -> None:
        """The work was cancelled from within, or with its loop."""


class Retryer(Generic[T]):
    """Tries, pauses where no attempt may be made, and tells how it ended.

    Nothing runs while it is paused: `go_on` starts it anew, with the failures it had counted.

    Args:
        environment: Where it runs.
        attempt: What is tried.
        outcome: Who wants to know.
        retry: Whether to try again.
        retry_delay: How long to wait before.
        may_start: Whether a first attempt may be made now; called under the lock.
        may_retry: The same for those that follow.
    """

    def __init__(
        self,
        environment: Environment,
        attempt: Callable[[], Awaitable[T]],
        outcome: Outcome[T],
        *,
        retry: Retry,
        retry_delay: RetryDelay,
        may_start: Callable[[], bool],
        may_retry: Callable[[], bool],
    ) -> None:
        self.paused = False
        self._environment = environment
        self._attempt = attempt
        self._outcome = outcome
        self._retry = retry
        self._retry_delay = retry_delay
        self._may_start = may_start
        self._may_retry = may_retry
        self._failure_count = 0
        self._job: Cancellable | None = None

    @property
    def tried(self) -> bool:
        """Whether an attempt was begun."""
        return self._job is not None

    def start(self) -> None:
        """Begin, or pause. Call it under the lock. Raises RuntimeError when the runtime has ended."""
        if self._may_start():
            self._job = self._environment.runtime.start(self._run)
        else:
            self.paused = True

    def go_on(self) -> None:
        """End a pause if nothing stands in the way any more. Call it under the lock."""
        if self.paused and (self._may_retry() if self.tried else self._may_start()):
            self._job = self._environment.runtime.start(self._run)
            self.paused = False
            self._outcome.on_continue()

    def cancel(self) -> None:
        """Stop. `outcome` may still hear an end that was already on its way, and has to ignore it."""
        if self._job is not None:
            self._job.cancel()

    async def _run(self) -> None:
        try:
            while True:
                try:
                    data = await self._attempt()
                    break
                except Exception as error:
                    if not self._tries_again(error):
                        raise
                    delay = self._delay(error)
                    self._failure_count += 1
                    self._outcome.on_failure(self._failure_count, error)
                await self._environment.runtime.sleep(delay)
                if self._pauses():
                    return
        except Exception as error:
            await self._outcome.on_error(error)
        except BaseException:
            await self._outcome.on_cancelled()
            raise
        else:
            await self._outcome.on_success(data)

    def _pauses(self) -> bool:
        # Under the lock, or the good news could come between the question and the pause.
        with self._environment.notifier.batch():
            self.paused = not self._may_retry()
            if self.paused:
                self._outcome.on_pause()
            return self.paused

    def _delay(self, error: Exception) -> float:
        given = self._retry_delay
        return given(self._failure_count, error) if callable(given) else given

    def _tries_again(self, error: Exception) -> bool:
        retry = self._retry
        if callable(retry):
            return retry(self._failure_count, error)
        return retry if isinstance(retry, bool) else self._failure_count < retry
