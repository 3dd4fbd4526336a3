"""A running operation, as its work sees it: a lease, a place to show progress, and one way to succeed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from mooring_server.core import sessions
from mooring_server.core.operations import cancelled
from mooring_server.errors import Aborted, Cancelled, MooringError
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx
from mooring_server.store.records import DataVersion, Operation, OperationState, Session

_log = structlog.stdlib.get_logger(__name__)
T = TypeVar("T")

# How often a running operation writes, even if the work has nothing to write.
_BEAT_S = 0.5


class Job:
    """A running operation. `progress` is the work's to fill (JSON values); it is shown now and then.

    Every write shows the progress and refreshes the lease, and checks that the operation is still running,
    still ours and not cancelled; so an owner that was taken for dead does no harm when it comes back.
    """

    def __init__(self, operation: Operation, store: Store, settings: Settings) -> None:
        self.operation = operation
        self.store = store
        self.settings = settings
        self.progress: dict[str, Any] = dict(operation.progress)
        self._work: asyncio.Task[None] | None = None
        self._stopped: MooringError | None = None
        self._committing = False

    async def write(self, fn: Callable[[Tx], T], *, durable: bool = False) -> T:
        """A store write on behalf of the operation and in the name of its user.

        Until `finish`, which is durable, nobody else sees what an operation writes.

        Raises:
            Cancelled: somebody asked for that.
            Aborted: OPERATION_INTERRUPTED; the operation was taken for dead meanwhile.
        """
        actor = f"users/{self.operation.user_id}"
        return await self.store.write(lambda tx: fn(self._own(tx)), actor=actor, durable=durable)

    async def begin_version(self) -> tuple[DataVersion, Session]:
        """Begins the session's next data version, on the one that it shows now.

        Answers it, and the session as it was then. The operation's row names it in the same commit,
        so that whoever fails the operation can discard it.

        Raises:
            NotFound: the session was deleted.
            FailedPrecondition: SESSION_ARCHIVED.
        """
        operation = self.operation

        def begin(tx: Tx) -> tuple[DataVersion, Session]:
            session = sessions.in_use(tx, operation.engagement_id, operation.session_id)
            return self.begin_on(tx, session.data_version_id), session

        return await self.write(begin)

    def begin_on(self, tx: Tx, base_id: str | None) -> DataVersion:
        """The same in a write that has begun, on any version or on none."""
        operation = self.operation
        version = tx.versions.begin(operation.engagement_id, operation.session_id, base_id)
        self.progress["version_id"] = version.id
        tx.operations.update(operation.id, progress=self.progress)
        return version

    async def finish(self, fn: Callable[[Tx], dict[str, Any]]) -> None:
        """The last write: what `fn` does, and success with the result that it answers, are one commit."""

        def finish(tx: Tx) -> None:
            result = fn(tx)
            tx.operations.update(
                self.operation.id, state=OperationState.SUCCEEDED, result=result, progress=self.progress
            )

        self._committing = True
        await self.write(finish, durable=True)

    async def attend(self, work: Coroutine[Any, Any, None]) -> MooringError | None:
        """Does the work, with its lease and its progress kept fresh; answers how it failed, if it did."""
        self._work = asyncio.create_task(work)
        beat = asyncio.create_task(self._beat())
        try:
            await asyncio.wait([self._work])
        finally:
            beat.cancel()
        if self._work.cancelled():
            return self._stopped or interrupted(self.operation)
        failure = self._work.exception()
        if failure is None or isinstance(failure, MooringError):
            return failure
        _log.error("fault", operation=self.operation.id, exc_info=failure)
        return MooringError(f"internal error; the server's log has it under {self.operation.id}")

    def stop(self, reason: MooringError) -> None:
        """Ends the work with that failure, unless it is committing its success already."""
        if self._work is not None and not self._committing:
            self._stopped = self._stopped or reason
            self._work.cancel()

    def _own(self, tx: Tx) -> Tx:
        # Written before it is looked at: that locks the row, so what we see holds until the commit.
        current = tx.operations.update(self.operation.id, progress=self.progress)
        if not is_running_on(current, self.operation.host):
            raise interrupted(self.operation)
        if current.cancel_requested:
            raise cancelled()
        return tx

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_S)
            try:
                await self.write(lambda tx: None)
            except (Cancelled, Aborted) as reason:
                self.stop(reason)
            except MooringError as failure:
                _log.warning(
                    "an operation could not write", operation=self.operation.id, error=failure.message
                )


def is_running_on(operation: Operation, host: str) -> bool:
    """Whether an operation runs, in the process of that id."""
    return operation.state is OperationState.RUNNING and operation.host == host


def interrupted(operation: Operation) -> Aborted:
    """How an operation fails whose process stopped."""
    return Aborted(
        f"the server stopped while the {operation.kind} ran; nothing was changed; run it again",
        reason="OPERATION_INTERRUPTED",
    )


async def in_thread(fn: Callable[..., T], *args: Any) -> T:
    """Runs a function in a thread. A cancelled caller waits for it too, so what it uses stays whole."""
    running = asyncio.ensure_future(asyncio.to_thread(fn, *args))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
