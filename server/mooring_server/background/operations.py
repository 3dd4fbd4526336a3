"""Long-running operations: who runs them, and what becomes of them when their process dies.

An operation is a row. While it is queued it belongs to nobody: it survives a restart, and any server process
may take it. Running, it belongs to the process whose id stands in its `host`. One rule serves one process as
well as many on one database: **a running operation that its host has not refreshed for `operation_lease_s`
was interrupted**. Whoever notices fails it and discards what it had built; the host itself, should it come
back, finds that the operation is no longer its own (see `jobs`). Success is recorded by the very commit that
publishes, so a process may be killed at any moment: either all of an operation happened, or none of it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import timedelta
from typing import Any

import structlog

from mooring_server.background.cleanup import discard_drops, discard_version
from mooring_server.background.imports import run_import
from mooring_server.background.jobs import Job, interrupted, is_running_on
from mooring_server.background.merges import run_merge
from mooring_server.background.session_imports import run_session_import
from mooring_server.core.imports import IMPORT
from mooring_server.core.merges import MERGE
from mooring_server.core.operations import failure_to_json
from mooring_server.core.transfers import IMPORT_SESSION
from mooring_server.errors import Cancelled, MooringError
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx, new_id
from mooring_server.store.records import Operation, OperationState

_log = structlog.stdlib.get_logger(__name__)

Runner = Callable[[Job], Coroutine[Any, Any, None]]
RUNNERS: Mapping[str, Runner] = {IMPORT: run_import, MERGE: run_merge, IMPORT_SESSION: run_session_import}


class Operations:
    """Runs queued operations, `imports_at_once_max` at a time, and ends those that were interrupted."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._host = new_id()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dispatcher: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self.closed = False
        self._jobs: dict[Job, asyncio.Task[None]] = {}
        self._waiters: dict[str, set[asyncio.Event]] = {}

    def start(self) -> None:
        """Begins to take queued operations. Called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._dispatcher = self._loop.create_task(self._dispatch(), name="operations")

    def wake(self) -> None:
        """Hints that something was queued or cancelled. Allowed from every thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed under us: a restart finds it
                loop.call_soon_threadsafe(self._wake.set)

    @contextlib.contextmanager
    def ending(self, operation_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when an operation ends here, or this is `closed`.

        Another process may end it too: look again.
        """
        ended = asyncio.Event()
        waiters = self._waiters.setdefault(operation_id, set())
        waiters.add(ended)
        try:
            yield ended
        finally:
            waiters.discard(ended)
            if not waiters:
                self._waiters.pop(operation_id, None)

    async def close(self) -> None:
        """Interrupts what is running, discards what it had built, and stops. What is queued stays queued."""
        self._loop = None
        if self._dispatcher is not None:
            self._dispatcher.cancel()
            await asyncio.wait([self._dispatcher])
        for job in self._jobs:
            job.stop(interrupted(job.operation))
        if self._jobs:
            await asyncio.wait(list(self._jobs.values()))
        # What is queued ends elsewhere, or after a restart: nobody here should wait for it.
        self.closed = True
        for waiters in self._waiters.values():
            for ended in waiters:
                ended.set()

    async def _dispatch(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._end_interrupted()
                for operation in await self._take():
                    job = Job(operation, self._store, self._settings)
                    self._jobs[job] = asyncio.create_task(self._run(job))
            except MooringError as failure:
                _log.warning("operations are looked at again later", error=failure.message)
            except Exception:
                _log.exception("operations are looked at again later")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.operation_lease_s / 4):
                    await self._wake.wait()

    async def _take(self) -> list[Operation]:
        """Makes queued operations ours, the oldest first, as many as there is room for."""
        room = self._settings.imports_at_once_max - len(self._jobs)
        if room <= 0:
            return []
        queued = await self._store.read(lambda tx: tx.operations.queued(room))

        def take(tx: Tx) -> list[Operation]:
            claimed = (tx.operations.claim(operation.id, self._host) for operation in queued)
            return [operation for operation in claimed if operation is not None]

        return await self._store.write(take) if queued else []

    async def _run(self, job: Job) -> None:
        operation = job.operation
        try:
            failure = await job.attend(RUNNERS[operation.kind](job))
            if failure is not None:
                await self._fail(operation, failure, job.progress.get("version_id"))
        finally:
            del self._jobs[job]
            self._announce(operation)
            self._wake.set()

    def _announce(self, operation: Operation) -> None:
        for ended in self._waiters.get(operation.id, ()):
            ended.set()

    async def _end_interrupted(self) -> None:
        lease = timedelta(seconds=self._settings.operation_lease_s)
        unattended = await self._store.read(lambda tx: tx.operations.unattended(tx.now - lease))
        # Ours may only be slow. But one of ours that has no job any more could not be ended when it failed.
        attended = {job.operation.id for job in self._jobs}
        for operation in unattended:
            if operation.id in attended:
                continue
            await self._fail(operation, interrupted(operation), operation.progress.get("version_id"))
            self._announce(operation)

    async def _fail(self, operation: Operation, failure: MooringError, version_id: str | None) -> None:
        """Ends an operation, unless it has ended or changed hands, and discards what it had built."""
        state = OperationState.CANCELLED if isinstance(failure, Cancelled) else OperationState.FAILED

        def fail(tx: Tx) -> None:
            # Written before it is looked at: that locks the row.
            if not is_running_on(tx.operations.update(operation.id), operation.host):
                raise interrupted(operation)
            tx.operations.update(operation.id, state=state, error=failure_to_json(failure))

        try:
            await self._store.write(fail)
            if version_id is not None:
                await discard_version(self._store, version_id)
            if operation.kind == MERGE:
                await discard_drops(self._store, operation.id)
        except MooringError as error:
            _log.warning("operation not ended here", operation=operation.id, error=error.message)
