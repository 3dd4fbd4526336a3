"""Processes of our own, each of which carries out one order: starting and ending one, hearing what it says.

A process gets its order as one line of JSON on its standard input, which stays open as long as the server
lives: at its end the process goes too. It answers in frames (`frames.py`) on its standard output. What it
says on its standard error is logged. `child.py` is the other side.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

_log = structlog.stdlib.get_logger(__name__)

# The longest row is a MiB of text, which JSON makes longer. Twice as much of what came waits to be taken.
_FRAME_MAX_BYTES = 8 * 2**20
_STDERR_MAX_BYTES = 16 * 2**10
_END_WAIT_S = 5.0


class Process:
    """A process that carries out an order."""

    def __init__(self, process: asyncio.subprocess.Process, said: asyncio.Task[bytes]) -> None:
        self._process = process
        self._said = said

    async def line(self, timeout_s: float | None = None) -> bytes:
        """The next line; without its end where the process has ended within it, or before.

        Raises:
            TimeoutError: it did not come in that time.
            ValueError: it is longer than 8 MiB.
        """
        if self._process.stdout is None:
            raise OSError("no pipe")
        return await asyncio.wait_for(self._process.stdout.readline(), timeout_s)

    async def status(self) -> int | None:
        """The status of a process that is ending. Who has its pipes still, and left its group, is let go."""
        ending = asyncio.ensure_future(self._process.wait())
        await asyncio.wait([ending], timeout=_END_WAIT_S)
        if not ending.done():
            ending.cancel()
            self._process._transport.close()  # type: ignore[attr-defined]  # nothing else closes its pipes
        return self._process.returncode

    async def words(self) -> bytes:
        """What an ended process has said on its standard error."""
        await asyncio.wait([self._said], timeout=_END_WAIT_S)
        if self._said.done():
            return self._said.result()
        self._said.cancel()
        return b""

    def kill(self) -> None:
        """Ends it, and what it may have started, which is in its group."""
        process = self._process
        with suppress(ProcessLookupError, PermissionError):  # it has just ended
            if process.returncode is None and sys.platform != "win32":
                os.killpg(process.pid, signal.SIGKILL)
            elif process.returncode is None:
                process.kill()


@asynccontextmanager
async def running(
    module: str,
    *arguments: str,
    order: Mapping[str, Any],
    about: str,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Process]:
    """Runs `main` of a module as long as the context lasts; `about` is for the log."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        f"from {module} import main; main()",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_FRAME_MAX_BYTES,
        env=environment,
        start_new_session=True,
    )
    started = Process(process, asyncio.create_task(_read_some(process.stderr)))
    try:
        if process.stdin is None:
            raise OSError("no pipe")
        process.stdin.write(json.dumps(order).encode() + b"\n")
        yield started
    finally:
        started.kill()
        status = await started.status()
        if words := await started.words():
            _log.warning(
                "a process said",
                process=module.rpartition(".")[2],
                about=about,
                status=status,
                words=words.decode(errors="replace"),
            )


async def _read_some(stream: asyncio.StreamReader | None) -> bytes:
    """The first of what a stream says; the rest is read and dropped."""
    kept = b""
    while stream is not None and (piece := await stream.read(_STDERR_MAX_BYTES)):
        kept += piece[: _STDERR_MAX_BYTES - len(kept)]
    return kept
