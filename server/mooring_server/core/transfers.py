"""Sessions that move: what goes into the file of one, and what is asked of the import of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from mooring_server.core import sessions
from mooring_server.core.fields import DISPLAY_NAME_MAX, Violations
from mooring_server.core.imports import find_upload
from mooring_server.core.policy import Caller
from mooring_server.settings import Settings
from mooring_server.store import Tx, new_id
from mooring_server.store.reading import EXPORTED_ASSETS, EXPORTED_DEPENDENCIES, BulkQuery, BulkTable, query
from mooring_server.store.records import DataVersion, Operation
from mooring_server.store.session_file import FORMAT, FORMAT_VERSION

# The kind of operation that an import of a session is.
IMPORT_SESSION = "import_session"
TABLES = (EXPORTED_ASSETS, EXPORTED_DEPENDENCIES)


@dataclass(frozen=True, slots=True)
class Export:
    """What an export reads. `manifest` is what the file's begins with.

    Without a `version` no table has a query.
    """

    manifest: Mapping[str, Any]
    version: DataVersion | None
    tables: tuple[tuple[BulkTable, BulkQuery | None], ...]


def export(tx: Tx, engagement_id: str, session_id: str, settings: Settings) -> Export:
    """What a session shows now, for its file. Names of people are not in it.

    Raises:
        NotFound: SESSION_NOT_FOUND.
    """
    session = sessions.get(tx, engagement_id, session_id)
    version = None if session.data_version_id is None else tx.versions.get(session.data_version_id)
    fields = ("id", "display_name", "description", "type", "labels")
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "producer": f"mooring {metadata.version('mooring')}",
        "session": {name: getattr(session, name) for name in fields},
    }
    rows = settings.read_batch_rows
    tables = (
        (table, None if version is None else query(tx, table, version.id, table.columns, None, rows))
        for table in TABLES
    )
    return Export(manifest, version, tuple(tables))


def request(
    tx: Tx,
    caller: Caller,
    engagement_id: str,
    upload_id: str,
    *,
    session_id: str,
    display_name: str,
    keep_ids: bool,
) -> Operation:
    """Queues the import of a session from an upload; empty texts leave it to the file.

    The operation belongs to the engagement's default session, since the new one is not there before it has
    succeeded.

    Raises:
        NotFound: UPLOAD_NOT_FOUND.
        AlreadyExists: ID_TAKEN, DISPLAY_NAME_TAKEN.
        InvalidArgument: no upload is named, or the id or the name cannot be one.
    """
    violations = Violations()
    violations.wanted_id("session_id", session_id)
    if display_name:
        violations.display_name("display_name", display_name)
    violations.refuse()
    upload = find_upload(tx, engagement_id, None, upload_id)
    tx.sessions.require_free(engagement_id, id=session_id, display_name=display_name)
    return tx.operations.insert(
        id=new_id(),
        engagement_id=engagement_id,
        session_id=sessions.default(tx, engagement_id).id,
        user_id=caller.user_id,
        kind=IMPORT_SESSION,
        arguments={
            "upload_id": upload.id,
            "file_name": upload.file_name,
            "session_id": session_id,
            "display_name": display_name,
            "keep_ids": keep_ids,
        },
    )


def free_name(tx: Tx, engagement_id: str, display_name: str) -> str:
    """The name, with a number behind it where a session of the engagement has it: `Wave 1 (2)`."""
    name, number = display_name, 1
    while tx.sessions.is_named(engagement_id, name):
        number += 1
        ending = f" ({number})"
        name = display_name[: DISPLAY_NAME_MAX - len(ending)].rstrip() + ending
    return name
