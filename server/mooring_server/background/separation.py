"""What a clone and its source share is copied for the one of them that is to be edited."""

import asyncio
from functools import partial

from mooring_server.background.cleanup import discard_version
from mooring_server.background.copying import copy_missing
from mooring_server.background.pace import Pace
from mooring_server.core import sessions
from mooring_server.errors import Aborted, DataShared
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx
from mooring_server.store.records import DataVersion


class Separation:
    """Gives sessions data of their own. However many edits wait for one, it is copied once.

    A copy goes on when all who wait for it hang up: the next edit finds it.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def of(self, shared: DataShared, actor: str) -> None:
        """Copies what a session shares, in the name of the user who edits it.

        Returns also where its data moved meanwhile: then it is for the caller to look again.

        Raises:
            NotFound: SESSION_NOT_FOUND.
            FailedPrecondition: SESSION_ARCHIVED, ENGAGEMENT_ARCHIVED.
        """
        key = shared.engagement_id, shared.session_id
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._separate(*key, actor), name="separation")
            task.add_done_callback(lambda task: self._ended(key, task))
        await asyncio.shield(task)

    async def close(self) -> None:
        """Stops, and discards what is not ready."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _separate(self, engagement_id: str, session_id: str, actor: str) -> None:
        def begin(tx: Tx) -> DataVersion | None:
            shown_id = sessions.in_use(tx, engagement_id, session_id).data_version_id
            return None if shown_id is None else tx.versions.begin(engagement_id, session_id, shown_id)

        version = await self._store.write(begin, actor=actor, durable=False)
        if version is None:
            return
        published = False
        try:
            write, pace = partial(self._store.write, durable=False), Pace(self._settings)
            assets = await copy_missing(version.base_id, version, lambda tx: tx.assets, write, pace)
            dependencies = await copy_missing(
                version.base_id, version, lambda tx: tx.dependencies, write, pace
            )
            await self._store.write(
                lambda tx: tx.versions.take_over(
                    version.id, asset_count=assets, dependency_count=dependencies
                ),
                actor=actor,
            )
            published = True
        except Aborted:
            return  # the session shows other data by now
        finally:
            if not published:
                await discard_version(self._store, version.id)

    def _ended(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # looked at: everybody may have hung up
