"""The import of an inventory: a file's rows become the session's next data version.

The next version is built invisibly, in chunks, beside the one that the session shows; what the file does not
name is copied over at the end. Publishing it is one small write, refused if the session's data has moved
meanwhile. An import that changes nothing leaves the session's data version as it is.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from mooring_server.background.cleanup import discard_version
from mooring_server.background.jobs import Job, in_thread
from mooring_server.core import sessions
from mooring_server.core.discovery import Account, settle
from mooring_server.errors import Aborted, NotFound, ResourceExhausted
from mooring_server.ingest import AssetRow, Inventory, Limits, RejectedRow, open_inventory
from mooring_server.store import Tx
from mooring_server.store.records import Asset, DataVersion, Upload

# Of the texts written in one transaction: rows may be few and long.
_CHUNK_CHARACTERS = 2 * 2**20


class Phase(StrEnum):
    """What an import is doing; the values are those of `mooring.v1.ImportPhase` in lower case."""

    READING = "reading"
    WRITING = "writing"
    PUBLISHING = "publishing"
    DONE = "done"


async def run_import(job: Job) -> None:
    """Imports an upload into its session, all or nothing.

    Raises:
        InvalidArgument: UNREADABLE_INVENTORY.
        ResourceExhausted: the file passes a limit.
        Aborted: DATA_VERSION_MOVED.
        NotFound: the session was deleted, or the upload has expired.
        FailedPrecondition: SESSION_ARCHIVED, ENGAGEMENT_ARCHIVED.
    """
    upload_id: str = job.operation.arguments["upload_id"]
    job.progress["phase"] = Phase.READING
    with tempfile.TemporaryDirectory(prefix="mooring-") as folder:
        path = Path(folder) / "inventory"
        upload = await job.store.read(lambda tx: _spill(tx, upload_id, path), long=True)
        limits = Limits.of(job.settings)
        inventory = await in_thread(open_inventory, path, upload.file_name, limits)
        version, base_count = await job.begin_version()
        await _Build(job, upload, inventory, limits, version, base_count).run()
    await job.store.write(lambda tx: tx.uploads.delete(upload_id))


class _Build:
    """One data version under construction."""

    def __init__(
        self,
        job: Job,
        upload: Upload,
        inventory: Inventory,
        limits: Limits,
        version: DataVersion,
        base_count: int,
    ) -> None:
        self._job = job
        self._file_name = upload.file_name
        self._inventory = inventory
        self._limits = limits
        self._version = version
        self._base_count = base_count
        self._account = Account()
        self._asset_count = 0

    async def run(self) -> None:
        """Builds, verifies and publishes it."""
        job, account = self._job, self._account
        job.progress |= {"phase": Phase.WRITING, "rows_total": self._inventory.row_total or 0}
        rows = self._inventory.rows()
        size = 0
        while True:
            chunk, chunk_size = await in_thread(_take, rows, job.settings.import_chunk_rows)
            if not chunk:
                break
            size += chunk_size
            self._limits.check_expanded_size(size)
            await self._write(chunk)
            job.progress["rows_done"] = account.source_rows
        if account.changed:
            await self._copy_unnamed()
        self._verify()
        job.progress |= {"phase": Phase.PUBLISHING, "rows_total": account.source_rows}
        await job.finish(self._publish if account.changed else self._keep)
        for outcome in ("created", "updated", "unchanged", "joined"):
            job.store.metrics.imported(outcome, getattr(account, outcome))
        job.store.metrics.imported("rejected", len(account.rejected))
        if not account.changed:
            await discard_version(job.store, self._version.id, job.settings.import_chunk_rows)

    async def _write(self, rows: list[AssetRow | RejectedRow]) -> None:
        account, version_id, base_id = self._account, self._version.id, self._version.base_id
        account.source_rows += len(rows)
        identities = list({row.identity for row in rows if isinstance(row, AssetRow)})

        def look_up(tx: Tx) -> tuple[dict[str, Asset], dict[str, Asset]]:
            # Neither version can change under us: one is ours alone, the other is finished.
            built = tx.assets.by_identity(version_id, identities)
            return built, tx.assets.by_identity(base_id, identities) if base_id else {}

        built, base = await self._job.store.read(look_up, long=True)
        inserts, updates = await in_thread(
            settle, rows, built, base, account, self._file_name, self._version.create_time
        )
        if len(account.rejected) > self._job.settings.rejected_rows_max:
            raise ResourceExhausted(
                f"more than {self._job.settings.rejected_rows_max:,} rows cannot be taken (setting "
                f"`rejected_rows_max`), the first of them: {account.rejected[0].reason}"
            )

        def write(tx: Tx) -> None:
            tx.assets.insert_many(version_id, inserts)
            tx.assets.update_many(version_id, updates)

        if inserts or updates:
            await self._job.write(write)
        self._asset_count += len(inserts)

    async def _copy_unnamed(self) -> None:
        base_id, version_id = self._version.base_id, self._version.id
        batch_max = self._job.settings.import_chunk_rows
        after: str | None = None
        while base_id is not None:
            copy = partial(_copy_missing, base_id, version_id, after, batch_max)
            copied, after = await self._job.write(copy)
            self._asset_count += copied
            if after is None:
                return

    def _verify(self) -> None:
        """Refuses to publish what does not add up: a fault of ours, which must not become data."""
        account = self._account
        expected = self._base_count + account.created
        if not account.is_balanced() or (account.changed and self._asset_count != expected):
            raise RuntimeError(f"{account.counts()}, {self._asset_count} assets instead of {expected}")

    def _publish(self, tx: Tx) -> dict[str, Any]:
        version = self._version
        tx.versions.publish(version.id, expected_base_id=version.base_id, asset_count=self._asset_count)
        return self._report(version.id)

    def _keep(self, tx: Tx) -> dict[str, Any]:
        version = self._version
        session = sessions.in_use(tx, version.engagement_id, version.session_id)
        if session.data_version_id != version.base_id:
            raise Aborted(
                "the session's data changed while the import compared it with the file; run it again",
                reason="DATA_VERSION_MOVED",
            )
        tx.sessions.visit(version.engagement_id, version.session_id)
        return self._report(version.base_id or "")

    def _report(self, version_id: str) -> dict[str, Any]:
        """`ImportReport` as JSON values, under the same names."""
        self._job.progress["phase"] = Phase.DONE
        return {
            "kind": self._inventory.kind,
            **self._account.counts(),
            "rejected": [asdict(row) for row in self._account.rejected],
            "created_by_type": dict(+self._account.created_by_type),
            "mapping": self._inventory.mapping,
            "data_version": version_id,
            "notes": self._inventory.notes,
        }


def _take(rows: Iterator[AssetRow | RejectedRow], count: int) -> tuple[list[AssetRow | RejectedRow], int]:
    """The next rows, at most `count` and hardly more than _CHUNK_CHARACTERS, and how many characters."""
    taken: list[AssetRow | RejectedRow] = []
    size = 0
    for row in islice(rows, count):
        taken.append(row)
        if isinstance(row, AssetRow):
            size += len(str(row.fields)) + len(str(row.attributes))
        if size >= _CHUNK_CHARACTERS:
            break
    return taken, size


def _copy_missing(
    base_id: str, version_id: str, after: str | None, limit: int, tx: Tx
) -> tuple[int, str | None]:
    return tx.assets.copy_missing(base_id, version_id, after, limit)


def _spill(tx: Tx, upload_id: str, path: Path) -> Upload:
    """Writes an upload's bytes to a file."""
    upload = tx.uploads.get(upload_id)
    if upload is None:
        raise NotFound("the upload has expired; upload the file again", reason="UPLOAD_NOT_FOUND")
    with path.open("wb") as file:
        for index in range(upload.chunk_count):
            file.write(tx.uploads.chunk(upload_id, index))
    return upload
