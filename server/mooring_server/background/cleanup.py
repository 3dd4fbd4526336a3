"""What is no longer needed goes, a little at a time: no write holds the others up for long."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from mooring_server.core.shortcuts import VISITS_KEEP
from mooring_server.errors import MooringError
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx

_log = structlog.stdlib.get_logger(__name__)

# Small rows removed, or things found to remove, in one transaction.
_BATCH_MAX = 500
_DISCARDED = 1_000


class Cleanup:
    """Removes, every `cleanup_interval_s`, what has outlived its setting.

    Those are: stored answers (`request_id_keep_s`), operations that have ended (`operation_keep_s`), API
    tokens that have (`token_keep_s`), contexts that nobody uses (`context_keep_s`), uploads that nobody
    imported (`upload_keep_s`), data versions that no session shows or that were never finished
    (`version_keep_s`), changes beyond `changes_keep` of a stream, and visits that are in nobody's shortcuts.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins. Called on the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="cleanup")

    async def close(self) -> None:
        """Stops, between two transactions."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def sweep(self) -> None:
        """Removes all that is due now."""
        settings, store = self._settings, self._store
        await self._drain(
            lambda tx: tx.requests.delete_before(_ago(tx, settings.request_id_keep_s), _BATCH_MAX)
        )
        await self._drain(
            lambda tx: tx.operations.delete_ended(_ago(tx, settings.operation_keep_s), _BATCH_MAX)
        )
        await self._drain(lambda tx: tx.tokens.delete_ended(_ago(tx, settings.token_keep_s), _BATCH_MAX))
        await self._drain(lambda tx: tx.contexts.delete_idle(_ago(tx, settings.context_keep_s), _BATCH_MAX))

        def due(tx: Tx) -> tuple[list[str], list[str], list[str], list[tuple[str, str]]]:
            return (
                tx.uploads.expired(_ago(tx, settings.upload_keep_s), _BATCH_MAX),
                tx.versions.abandoned(_ago(tx, settings.version_keep_s), _BATCH_MAX),
                tx.changes.overlong(settings.changes_keep, _BATCH_MAX),
                tx.shortcuts.overlong(VISITS_KEEP, _BATCH_MAX),
            )

        uploads, versions, streams, visitors = await store.read(due, long=True)
        for upload_id in uploads:
            while not await store.write(partial(_delete_upload, upload_id)):
                pass
        for version_id in versions:
            await discard_version(store, version_id)
        for stream in streams:
            await self._drain(partial(_trim, stream, settings.changes_keep))
        for user_id, engagement_id in visitors:
            await self._drain(partial(_trim_visits, user_id, engagement_id))

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except MooringError as failure:
                _log.warning("the cleanup is tried again later", error=failure.message)
            except Exception:
                _log.exception("the cleanup is tried again later")
            await asyncio.sleep(self._settings.cleanup_interval_s)

    async def _drain(self, remove: Callable[[Tx], int]) -> None:
        while await self._store.write(remove):
            pass


async def discard_version(store: Store, version_id: str) -> None:
    """Removes a data version, some of its rows in a write."""
    while await store.write(lambda tx: tx.versions.delete_some(version_id, _DISCARDED)) == _DISCARDED:
        pass


async def discard_drops(store: Store, merge_id: str) -> None:
    """Removes what a merge that came to nothing has noted, some rows in a write."""
    while await store.write(lambda tx: tx.merges.discard_drops(merge_id, _DISCARDED)) == _DISCARDED:
        pass


def _ago(tx: Tx, seconds: float) -> datetime:
    return tx.now - timedelta(seconds=seconds)


def _delete_upload(upload_id: str, tx: Tx) -> bool:
    return tx.uploads.delete(upload_id)


def _trim(stream: str, keep: int, tx: Tx) -> int:
    return tx.changes.trim(stream, keep, _BATCH_MAX)


def _trim_visits(user_id: str, engagement_id: str, tx: Tx) -> int:
    return tx.shortcuts.trim(user_id, engagement_id, VISITS_KEEP, _BATCH_MAX)
