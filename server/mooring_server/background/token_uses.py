"""When API tokens were last used, kept to the hour: one write a token and hour, in nobody's way."""

import asyncio
import threading
from datetime import datetime

import structlog

from mooring_server.errors import MooringError
from mooring_server.store import Store, Tx
from mooring_server.store.records import Token

_log = structlog.stdlib.get_logger(__name__)

_RETRY_S = 5.0


class TokenUses:
    """Takes uses from any thread and writes what is new of them, many together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._hour: datetime | None = None
        self._noted: set[tuple[str, str]] = set()
        self._waiting: dict[tuple[str, str], datetime] = {}
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins. Called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="token uses")

    async def close(self) -> None:
        """Writes what waits, and stops."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
            try:
                await self.flush()
            except MooringError as failure:
                _log.warning("some last uses of tokens are lost", error=failure.message)

    def note(self, token: Token, now: datetime) -> None:
        """Says that a token is used. Returns at once, from any thread."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if token.use_time is not None and token.use_time >= hour:
            return
        key = (token.user_id, token.id)
        with self._lock:
            if hour != self._hour:
                self._hour, self._noted = hour, set()
            if key in self._noted:
                return
            self._noted.add(key)
            self._waiting[key] = hour
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def flush(self) -> None:
        """Writes what waits. Where that fails it waits on."""
        with self._lock:
            uses, self._waiting = self._waiting, {}
        if not uses:
            return

        def write(tx: Tx) -> None:
            # In one order, or two servers on one database could wait for each other.
            for (user_id, token_id), hour in sorted(uses.items()):
                tx.tokens.note_use(user_id, token_id, hour)

        try:
            await self._store.write(write)
        except BaseException:
            with self._lock:
                self._waiting = {**uses, **self._waiting}
            raise

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.flush()
            except Exception as failure:
                _log.warning("the last uses of tokens are written later", error=str(failure))
                self._wake.set()
                await asyncio.sleep(_RETRY_S)
