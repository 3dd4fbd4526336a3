"""One fetch: a coroutine function, tried until it succeeds or its retries are used up."""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from mooring_widgets.query.options import Retry, RetryDelay
from mooring_widgets.query.runtime import Cancellable, Runtime

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Outcome(Protocol[T_contra]):
    """Who wants to know. Called without a lock held; exactly one of the last three ends it."""

    def on_failure(self, failure_count: int, error: Exception) -> None:
        """An attempt failed; another follows."""

    def on_success(self, data: T_contra) -> None:
        """An attempt succeeded."""

    def on_error(self, error: Exception) -> None:
        """The last attempt failed."""

    def on_cancelled(self) -> None:
        """The work was cancelled from within, or with its loop."""


class Retryer(Generic[T]):
    """Runs `try_until_done` on a runtime, and tells how it ended."""

    def __init__(
        self,
        runtime: Runtime,
        attempt: Callable[[], Awaitable[T]],
        outcome: Outcome[T],
        *,
        retry: Retry,
        retry_delay: RetryDelay,
    ) -> None:
        self._runtime = runtime
        self._attempt = attempt
        self._outcome = outcome
        self._retry = retry
        self._retry_delay = retry_delay
        self._job: Cancellable | None = None

    def start(self) -> None:
        """Begin. Raises RuntimeError when the runtime has ended."""
        self._job = self._runtime.start(self._run)

    def cancel(self) -> None:
        """Stop. `outcome` may still hear an end that was already on its way, and has to ignore it."""
        if self._job is not None:
            self._job.cancel()

    async def _run(self) -> None:
        try:
            data = await try_until_done(
                self._runtime,
                self._attempt,
                self._outcome.on_failure,
                retry=self._retry,
                retry_delay=self._retry_delay,
            )
        except Exception as error:
            self._outcome.on_error(error)
        except BaseException:
            self._outcome.on_cancelled()
            raise
        else:
            self._outcome.on_success(data)


async def try_until_done(
    runtime: Runtime,
    attempt: Callable[[], Awaitable[T]],
    on_failure: Callable[[int, Exception], None],
    *,
    retry: Retry,
    retry_delay: RetryDelay,
) -> T:
    """Run attempts until one succeeds; raise the failure that is not tried again.

    `on_failure` hears of each failed attempt that another one follows. A client that pauses offline would
    wait before an attempt, here.
    """
    failure_count = 0
    while True:
        try:
            return await attempt()
        except Exception as error:
            if not _tries_again(retry, failure_count, error):
                raise
            delay = retry_delay(failure_count, error) if callable(retry_delay) else retry_delay
            failure_count += 1
            on_failure(failure_count, error)
        await runtime.sleep(delay)


def _tries_again(retry: Retry, failure_count: int, error: Exception) -> bool:
    if callable(retry):
        return retry(failure_count, error)
    return retry if isinstance(retry, bool) else failure_count < retry
