"""Bulk reads, driven from plain test functions."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from mooring_server.background import Reads
from mooring_server.background.reading import Reading
from mooring_server.core import reading
from mooring_server.core.reading import Bulk
from mooring_server.store import Tx
from support_store import ENGAGEMENT, Database


class Answer(NamedTuple):
    """What a read answered."""

    label: str
    row_count: int
    table: pa.Table


class Reader:
    """The bulk reads of a store; `folder` has their files."""

    def __init__(self, database: Database, reads: Reads, folder: Path) -> None:
        self.reads = reads
        self.folder = folder
        self._database = database

    def __call__(self, fields: Sequence[str] = (), filter: str = "", **where: Any) -> Answer:
        """All of a read: of assets, unless `bulk` says otherwise."""

        async def settled() -> Answer:
            try:
                return await self.whole(fields, filter, **where)
            finally:
                await self.reads.settled()

        return self._database.run(settled())

    async def whole(self, fields: Sequence[str] = (), filter: str = "", **where: Any) -> Answer:
        async with self.open(fields, filter, **where) as found:
            data = b"".join([piece async for piece in found.pieces])
        return Answer(found.label, found.row_count, pa.ipc.open_stream(data).read_all())

    @asynccontextmanager
    async def open(
        self,
        fields: Sequence[str] = (),
        filter: str = "",
        bulk: Bulk = reading.ASSETS,
        session_id: str = "baseline",
    ) -> AsyncIterator[Reading]:
        settings = self._database.settings

        def plan(tx: Tx) -> reading.Plan:
            return reading.plan(tx, bulk, ENGAGEMENT, session_id, fields, filter, settings)

        async with self.reads.open(await self._database.store.read(plan)) as found:
            yield found

    def files(self) -> list[Path]:
        """What is in the folder."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def settle(self) -> None:
        """Waits for what is cleaned up at the start and after reads."""
        self._database.run(self.reads.settled())

    @property
    def looked(self) -> tuple[int, int]:
        """How many reads of every row found their file, and how many did not."""
        registry = self._database.store.metrics.registry
        hits, misses = (
            registry.get_sample_value("mooring_cache_requests_total", {"cache": "reads", "result": result})
            for result in ("hit", "miss")
        )
        return int(hits or 0), int(misses or 0)


@contextmanager
def reader(database: Database, folder: Path, **settings: Any) -> Iterator[Reader]:
    """The bulk reads of an open store, with their files in a folder."""
    database.settings = database.settings.model_copy(update={"data_dir": folder, **settings})

    async def start() -> Reads:
        reads = Reads(database.store, database.settings)
        reads.start()
        return reads

    reads = database.run(start())
    try:
        yield Reader(database, reads, folder)
    finally:
        database.run(reads.close())
