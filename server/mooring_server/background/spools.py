"""Files that a process fills with Arrow (`store/arrow_process.py`), and those who read them as they grow.

What the database answers waits in a file for its caller. So a caller who takes their time holds up no
transaction and no connection, and no more than a few batches are in memory, however many there are.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from mooring_server.background.jobs import in_thread
from mooring_server.errors import Aborted, MooringError, Unavailable
from mooring_server.store.reading import ARROW_PROCESS

_log = structlog.stdlib.get_logger(__name__)

PIECE_BYTES = 2**20
# A trace may come in one line.
_LINE_MAX_BYTES = 2**20


class Spool:
    """A file that is being filled, from when it is made until `close`.

    `make` makes the file, which `order` is about; `taken` are open descriptors that the order speaks of.
    `keep` gets the full file, its revision, row count and checksum, and may rename it. `slots` bounds how
    many processes run. `revision` and `row_count` are those of the version that is read, after `began`.
    """

    def __init__(
        self,
        make: Callable[[], tuple[int, Path]],
        order: Mapping[str, Any],
        slots: asyncio.Semaphore,
        *,
        taken: Sequence[int] = (),
        keep: Callable[[Path, int, int, int], None] | None = None,
    ) -> None:
        self.users = 0
        self.descriptor = -1
        self.revision = self.row_count = 0
        self.failure: MooringError | None = None
        self._make, self._order, self._taken, self._keep = make, order, taken, keep
        self._path = Path()
        self._size = self._crc32 = 0
        self._is_begun = self._is_full = False
        self._news = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(slots), name="spool")

    async def began(self) -> None:
        """Waits until it is known what is read.

        Raises:
            Unavailable: it cannot be.
            Aborted: DATA_VERSION_MOVED, where the version is gone.
        """
        await self._until(lambda: self._is_begun)

    async def full(self) -> None:
        """Waits until all of it is there. Raises as `began` does."""
        await self._until(lambda: self._is_full)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Its bytes in pieces of PIECE_BYTES, as they come. Raises as `began` does."""
        offset = 0
        while True:
            await self._until(partial(self._has, offset + PIECE_BYTES))
            piece = os.pread(self.descriptor, PIECE_BYTES, offset)
            if not piece:
                return
            offset += len(piece)
            yield piece

    async def close(self) -> None:
        """Ends the process, if it runs still, and lets go of the file."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if self.descriptor >= 0:
            await asyncio.to_thread(self._drop)

    def _has(self, size: int) -> bool:
        return self._is_full or self._size >= size

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self.failure is not None:
                raise self.failure
            await self._news.wait()

    def _tell(self) -> None:
        told, self._news = self._news, asyncio.Event()
        told.set()

    async def _run(self, slots: asyncio.Semaphore) -> None:
        try:
            await in_thread(self._open)
            async with slots:
                await self._fill()
            if self._keep is not None:
                await in_thread(self._keep, self._path, self.revision, self.row_count, self._crc32)
            self._is_full = True
        except MooringError as failure:
            self.failure = failure
        except Exception:
            _log.exception("a read failed")
            self.failure = _failed()
        finally:
            self.failure = self.failure or Unavailable("the server is stopping; try again")
            self._tell()

    def _open(self) -> None:
        self.descriptor, self._path = self._make()

    def _drop(self) -> None:
        # Where it was kept, it has another name now.
        self._path.unlink(missing_ok=True)
        os.close(self.descriptor)

    async def _fill(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(ARROW_PROCESS)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_MAX_BYTES,
            pass_fds=self._taken,
            start_new_session=True,
        )
        try:
            if process.stdin is None or process.stdout is None:
                raise OSError("no pipe")
            process.stdin.write(json.dumps({**self._order, "path": str(self._path)}).encode() + b"\n")
            word = ""
            async for line in process.stdout:
                word, *rest = json.loads(line)
                self._hear(word, *rest)
                self._tell()
            if word != "done":
                _log.error("a reading process died", status=await process.wait())
                raise _failed()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())

    def _hear(self, word: str, *rest: Any) -> None:
        match word:
            case "began":
                self.revision, self.row_count = rest
                self._is_begun = True
            case "grew":
                (self._size,) = rest
            case "done":
                (self._crc32,) = rest
            case "gone":
                raise Aborted(
                    "the session's data changed meanwhile; start again", reason="DATA_VERSION_MOVED"
                )
            case "failed":
                _log.error("a read failed", trace=rest[0])
                raise _failed()


def _failed() -> Unavailable:
    return Unavailable("the data cannot be read just now; try again")
