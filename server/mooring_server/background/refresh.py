"""What this process keeps in memory, compared with what other processes have done to the database."""

import asyncio
from collections.abc import Callable

import structlog

from mooring_server.errors import MooringError
from mooring_server.settings import Settings
from mooring_server.store import Store

_log = structlog.stdlib.get_logger(__name__)


class Refresh:
    """Refreshes the store every `lookup_refresh_s`; `on_restored` hears that it is another database since."""

    def __init__(self, store: Store, settings: Settings, on_restored: Callable[[], None]) -> None:
        self._store = store
        self._settings = settings
        self._on_restored = on_restored
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins. Called on the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="refresh")

    async def close(self) -> None:
        """Stops."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                if await self._store.refresh():
                    _log.warning("the database was restored; every watch ends")
                    self._on_restored()
            except MooringError as failure:
                # Until it works again, the store reads what it would have remembered.
                _log.warning("the refresh is tried again", error=failure.message)
            except Exception:
                _log.exception("the refresh is tried again")
            await asyncio.sleep(self._settings.lookup_refresh_s)
