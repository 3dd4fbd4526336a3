"""The import of an exported session: a version that nobody shows, and at the end the session that shows it.

Another process checks the file and makes its rows ready. They are written in chunks that hold the database's
writer for a moment each, into a version of the engagement's default session, since there is no other yet. One
small write makes the session and gives it the version.
"""

import time
from contextlib import aclosing
from functools import partial
from typing import Any

from mooring_server.background.copying import insert_some
from mooring_server.background.jobs import Job
from mooring_server.background.pace import Pace, ahead
from mooring_server.background.parsing import Arrival, arrive, spilled
from mooring_server.background.phases import Phase
from mooring_server.core import transfers
from mooring_server.store import Tx, new_id
from mooring_server.store.records import DataVersion


async def run_session_import(job: Job) -> None:
    """Makes a session of an upload, all or nothing.

    Raises:
        InvalidArgument: UNREADABLE_SESSION.
        ResourceExhausted: the file passes a limit.
        AlreadyExists: ID_TAKEN, DISPLAY_NAME_TAKEN.
        NotFound: the upload has expired.
        FailedPrecondition: ENGAGEMENT_ARCHIVED.
    """
    operation = job.operation
    upload_id: str = operation.arguments["upload_id"]
    job.progress["phase"] = Phase.READING
    async with spilled(job.store, upload_id) as (upload, path):
        seed = "" if operation.arguments["keep_ids"] else operation.id
        async with arrive(path, upload.file_name, seed, job.settings) as arrival:
            await _Build(job, arrival).run()
    await job.store.write(lambda tx: tx.uploads.delete(upload_id))


class _Build:
    """One data version under construction, and the session that is to show it."""

    def __init__(self, job: Job, arrival: Arrival) -> None:
        self._job = job
        self._arrival = arrival
        self._pace = Pace(job.settings)
        self._counts = {"assets": 0, "dependencies": 0}
        manifest, arguments = arrival.manifest, job.operation.arguments
        own_id = manifest.draft.id if arguments["keep_ids"] else ""
        self._session_id: str = arguments["session_id"] or own_id
        self._display_name: str = arguments["display_name"]

    async def run(self) -> None:
        """Builds, verifies and publishes it."""
        job, manifest = self._job, self._arrival.manifest
        total = manifest.asset_count + manifest.dependency_count
        job.progress |= {"phase": Phase.WRITING, "rows_total": total}
        version = await job.write(self._begin)
        await self._fill(version)
        if self._counts != {"assets": manifest.asset_count, "dependencies": manifest.dependency_count}:
            raise RuntimeError(f"{self._counts} instead of {manifest}")  # a fault of ours
        job.progress["phase"] = Phase.PUBLISHING
        await job.finish(partial(self._publish, version))

    def _begin(self, tx: Tx) -> DataVersion:
        # Told before millions of rows were written.
        engagement_id = self._job.operation.engagement_id
        tx.sessions.require_free(engagement_id, id=self._session_id, display_name=self._display_name)
        return self._job.begin_on(tx, None)

    async def _fill(self, version: DataVersion) -> None:
        kind, waiting = "assets", list[tuple[Any, ...]]()

        async def write(least: int) -> None:
            while len(waiting) >= least:
                insert = partial(self._insert, kind, version.id, waiting[: self._pace.rows])
                count = await self._job.write(insert)
                del waiting[:count]
                self._counts[kind] += count
                self._job.progress["rows_done"] = sum(self._counts.values())

        async with aclosing(ahead(self._arrival.rows())) as parts:
            async for tag, rows in parts:
                if tag != kind:
                    await write(1)
                    kind = tag
                waiting += rows
                await write(self._pace.rows)
        await write(1)

    def _insert(self, kind: str, version_id: str, rows: list[tuple[Any, ...]], tx: Tx) -> int:
        begun_s = time.perf_counter()
        count = insert_some(tx, tx.assets if kind == "assets" else tx.dependencies, version_id, rows)
        self._pace.learn(tx, count, time.perf_counter() - begun_s)
        return count

    def _publish(self, version: DataVersion, tx: Tx) -> dict[str, Any]:
        """Makes the session; answers `ImportSessionResponse` as JSON values, but the session by its id."""
        operation, manifest = self._job.operation, self._arrival.manifest
        draft = manifest.draft
        name = self._display_name or transfers.free_name(tx, operation.engagement_id, draft.display_name)
        session = tx.versions.publish_new(
            version.id,
            self._session_id or new_id(),
            asset_count=manifest.asset_count,
            dependency_count=manifest.dependency_count,
            display_name=name,
            description=draft.description,
            type=draft.type,
            creator_id=operation.user_id,
            labels=draft.labels,
        )
        self._job.progress["phase"] = Phase.DONE
        return {
            "session_id": session.id,
            "display_name": session.display_name,
            "data_version": session.data_label,
            "asset_count": session.asset_count,
            "dependency_count": session.dependency_count,
            "content_digest": manifest.content_digest,
        }
