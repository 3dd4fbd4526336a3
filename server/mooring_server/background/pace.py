"""How fast bulk work goes: as fast as leaves the database to others.

Large transactions are cheaper: a page that many rows touch is written once. With 10,000 rows to each, plain
SQL is twice as fast as with 500 (`docs/figures.md`). But whoever else writes waits for the one that runs. So
they grow while nobody else writes, and are small again as soon as somebody had to wait.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TypeVar

from mooring_server.settings import Settings
from mooring_server.store import Tx

T = TypeVar("T")

_ROWS_MIN = 50
_ALONE_S = 0.25
_GROWTH = 1.5


class Pace:
    """How many rows to write at once, so that a write holds the writer for about as long as it may."""

    def __init__(self, settings: Settings) -> None:
        self._target_s = self._hold_s = settings.import_write_target_ms / 1_000
        self._rows_max = settings.import_chunk_rows
        self.rows = min(4 * _ROWS_MIN, self._rows_max)

    def timed(self, rows: int, write: Callable[[Tx], T]) -> Callable[[Tx], T]:
        """The write of so many rows, from which the next size is learned."""

        def work(tx: Tx) -> T:
            begun_s = time.perf_counter()
            result = write(tx)
            self.learn(tx, rows, time.perf_counter() - begun_s)
            return result

        return work

    def learn(self, tx: Tx, rows: int, took_s: float) -> None:
        """Takes note of how long the writer was held for so many rows."""
        held_s = self._hold_s
        self._hold_s = (
            self._target_s if tx.is_awaited() else max(min(held_s * _GROWTH, _ALONE_S), self._target_s)
        )
        fitting = rows * held_s / max(took_s, 1e-6)
        # Half way there at a time: one slow write says little.
        paced = (self.rows + min(fitting, 2 * self.rows)) / 2
        paced *= self._hold_s / held_s
        self.rows = max(min(int(paced), self._rows_max), min(_ROWS_MIN, self._rows_max))


async def ahead(batches: AsyncIterator[T]) -> AsyncGenerator[T]:
    """The batches; the next one is made ready while its taker is busy with one."""
    following = asyncio.ensure_future(anext(batches, None))
    try:
        while (batch := await following) is not None:
            following = asyncio.ensure_future(anext(batches, None))
            yield batch
    finally:
        following.cancel()
        await asyncio.wait([following])
