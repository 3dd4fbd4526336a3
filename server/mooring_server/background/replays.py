"""The same content into data that nothing has touched since its import: that import's report again."""

from typing import Any

from mooring_server.background.jobs import Job
from mooring_server.background.phases import Phase
from mooring_server.core import imports, sessions
from mooring_server.errors import Aborted
from mooring_server.store import Tx
from mooring_server.store.records import Import, Upload


async def replayed(job: Job, upload: Upload) -> bool:
    """Ends the operation with the report of an earlier import, where that is of the same and still stands."""
    operation = job.operation
    plain = operation.arguments.get("options", {})

    def find(tx: Tx) -> Import | None:
        session = sessions.in_use(tx, operation.engagement_id, operation.session_id)
        return imports.replayable(tx, session, upload.sha256, plain)

    if await job.store.read(find, long=True) is None:
        return False

    def replay(tx: Tx) -> dict[str, Any]:
        found = find(tx)
        if found is None:
            raise data_moved()
        tx.sessions.visit(operation.engagement_id, operation.session_id)
        rows = found.report["source_rows"]
        job.progress |= {"phase": Phase.DONE, "rows_done": rows, "rows_total": rows}
        return {**found.report, "replayed": True}

    await job.finish(replay)
    return True


def data_moved() -> Aborted:
    """How an import is refused that compared its file with data of the past."""
    return Aborted(
        "the session's data changed while the import compared it with the file; run it again",
        reason="DATA_VERSION_MOVED",
    )
