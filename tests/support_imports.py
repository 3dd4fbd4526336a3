"""Imports that tests run: inventories whose rows come when they are let, and how their operations end."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mooring_server.background import Operations, imports
from mooring_server.background.parsing import Batch, Header
from mooring_server.core import operations as rules
from mooring_server.core.staging import stage
from mooring_server.ingest import AssetRow, RejectedRow
from mooring_server.store import Order, new_id
from mooring_server.store.lists.paging import Window
from support_store import ENGAGEMENT, USER

DEADLINE_S = 30
SESSION = "baseline"
STREAM = f"engagements/{ENGAGEMENT}"


def row(number: int, **values: Any) -> AssetRow:
    """A row about the asset `name:{number}`."""
    name = f"Asset {number:06}"
    return AssetRow("", number + 2, f"name:{number:06}", "server", {"display_name": name, **values}, {})


class Gate:
    """An inventory that gives its first rows, then waits until it is opened, then gives the others."""

    def __init__(self, before: Sequence[Any], after: Sequence[Any] = (), *, chunk: int = 5) -> None:
        self._before, self._after = before, after
        self._chunk = chunk
        self._reached = threading.Event()
        self._opened = threading.Event()

    def install(self, patch: Callable[..., None]) -> "Gate":
        """Makes every import read this inventory; `patch` is `monkeypatch.setattr`."""
        patch(imports, "parse", self._parse)
        return self

    def reached(self) -> None:
        """Returns once the import waits at the gate. Not for the event loop."""
        assert self._reached.wait(DEADLINE_S), "the import never came this far"

    def open(self) -> None:
        """Lets the import go on."""
        self._opened.set()

    @asynccontextmanager
    async def _parse(self, path: Any, file_name: str, options: Any, settings: Any, now: Any) -> Any:
        yield _Parsed(self._batches(file_name, now))

    async def _batches(self, file_name: str, now: Any) -> Any:
        seen: set[str] = set()
        for rows in (self._before, self._after):
            if rows is self._after:
                self._reached.set()
                assert await asyncio.to_thread(self._opened.wait, DEADLINE_S), "nobody opened the gate"
            for start in range(0, len(rows), self._chunk):
                yield _batch(rows[start : start + self._chunk], seen, file_name, now)


class _Parsed:
    """What `parse` gives, without another process."""

    header = Header("table", "table", "", (), None)
    addresses: frozenset[str] = frozenset()

    def __init__(self, batches: Any) -> None:
        self.notes: list[str] = []
        self._batches = batches

    def batches(self) -> Any:
        return self._batches


def _batch(rows: Sequence[Any], seen: set[str], file_name: str, now: Any) -> Batch:
    staged = []
    for each in rows:
        if isinstance(each, AssetRow):
            staged.append(stage(each, file_name, "table", now, repeated=each.identity in seen))
            seen.add(each.identity)
    rejected = [each for each in rows if isinstance(each, RejectedRow)]
    return Batch(staged, rejected, [])


@asynccontextmanager
async def running(database):
    works = Operations(database.store, database.settings)
    works.start()
    try:
        yield works
    finally:
        await works.close()


def queue(database):
    """A queued import of a small upload."""

    def insert(tx):
        upload = tx.uploads.insert(new_id(), ENGAGEMENT, SESSION, USER, "estate.csv")
        tx.uploads.add_chunk(upload.id, 0, b"name\nweb\n")
        tx.uploads.complete(upload.id, new_id(), 9, 1)  # each of another content, or it were replayed
        arguments = {"upload_id": upload.id, "file_name": "estate.csv"}
        return tx.operations.insert(new_id(), ENGAGEMENT, SESSION, USER, "import", arguments)

    return database.write(insert)


def find(database, operation):
    return database.store.read(lambda tx: tx.operations.get(ENGAGEMENT, SESSION, operation.id))


async def ended(database, operation, works):
    """The operation once it has ended."""
    async with asyncio.timeout(DEADLINE_S):
        with works.ending(operation.id) as event:
            while (found := await find(database, operation)).state not in rules.ENDED:
                await event.wait()
                event.clear()
    return found


def run(database, operation):
    """Runs what is queued, and answers how the operation ended."""

    async def main():
        async with running(database) as works:
            return await ended(database, operation, works)

    return database.run(main())


def shown(database):
    """What the session shows: its assets by identity, its data version, its kept count."""

    def look(tx):
        session = tx.sessions.get(ENGAGEMENT, SESSION)
        version = session.data_version_id
        found = tx.assets.page(version, Order.DISPLAY_NAME, Window(1_000, 0, None)).items if version else ()
        return {each.identity: each for each in found}, version, session.asset_count

    return database.read(look)
