"""Imports: uploads, what is asked of one, its place in the session's history, and how it is undone."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mooring_server.core import sessions
from mooring_server.core.fields import Violations
from mooring_server.core.names import Kind
from mooring_server.core.paging import Window
from mooring_server.core.policy import Caller
from mooring_server.core.settlement import Account
from mooring_server.errors import FailedPrecondition, InvalidArgument, NotFound
from mooring_server.ingest import ColumnUse, ReadOptions
from mooring_server.store import Tx, new_id
from mooring_server.store.records import DataVersion, Import, Operation, Page, Session, Upload

# The kind of operation that an import is.
IMPORT = "import"
FILE_NAME_MAX = 255

_NOT_PLAIN = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def open_upload(
    tx: Tx, caller: Caller, engagement_id: str, session_id: str, file_name: str, sha256: str
) -> Upload:
    """Begins an upload that is meant for a session.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED.
        InvalidArgument: the file name is not a plain one, or the hash is none.
    """
    session = sessions.in_use(tx, engagement_id, session_id)
    violations = Violations()
    if not 1 <= len(file_name) <= FILE_NAME_MAX:
        violations.add("header.file_name", f"must have 1 to {FILE_NAME_MAX} characters")
    elif file_name in (".", "..") or _NOT_PLAIN.search(file_name):
        violations.add("header.file_name", "must be a plain name: no folders, no control characters")
    if sha256 and not _SHA256.fullmatch(sha256):
        violations.add("header.sha256", "must have 64 hexadecimal digits, or be empty")
    violations.refuse()
    return tx.uploads.insert(new_id(), engagement_id, session.id, caller.user_id, file_name)


def find_upload(tx: Tx, engagement_id: str, session_id: str | None, upload_id: str) -> Upload:
    """An upload that has arrived, of a session, or of any in the engagement.

    Raises:
        NotFound: UPLOAD_NOT_FOUND, also where it is another's, or is there no more.
        InvalidArgument: no upload is named.
    """
    if not upload_id:
        raise InvalidArgument.field("upload_id", "must be one that UploadInventory answered")
    upload = tx.uploads.get(upload_id)
    if (
        upload is None
        or not upload.complete
        or upload.engagement_id != engagement_id
        or session_id not in (None, upload.session_id)
    ):
        raise NotFound(
            "there is no such upload here, or it has expired; upload the file again",
            reason="UPLOAD_NOT_FOUND",
        )
    return upload


def request_import(
    tx: Tx, caller: Caller, engagement_id: str, session_id: str, upload_id: str, options: ReadOptions
) -> Operation:
    """Queues the import of an upload into its session.

    Raises:
        NotFound: SESSION_NOT_FOUND, UPLOAD_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED.
        InvalidArgument: no upload is named.
    """
    session = sessions.in_use(tx, engagement_id, session_id)
    upload = find_upload(tx, engagement_id, session_id, upload_id)
    arguments = {"upload_id": upload.id, "file_name": upload.file_name}
    return tx.operations.insert(
        id=new_id(),
        engagement_id=engagement_id,
        session_id=session.id,
        user_id=caller.user_id,
        kind=IMPORT,
        arguments={**arguments, "options": options_to_json(options)},
    )


def options_to_json(options: ReadOptions) -> dict[str, Any]:
    """Options as JSON values, named as in `mooring.v1.ImportOptions`; what is empty is left out."""
    plain: dict[str, Any] = {
        name: value
        for name in ("kind", "sheet", "asset_type", "encoding")
        if (value := getattr(options, name))
    }
    if options.columns:
        plain["columns"] = [
            {"column": column, "field": use.field, "unit": use.unit}
            for column, use in sorted(options.columns.items())
        ]
    return plain


def options_from_json(plain: Mapping[str, Any]) -> ReadOptions:
    """The options of `options_to_json`."""
    columns = {
        each["column"]: ColumnUse(each["column"], each["field"], each["unit"])
        for each in plain.get("columns", ())
    }
    names = ("kind", "sheet", "asset_type", "encoding")
    return ReadOptions(columns=columns, **{name: plain.get(name, "") for name in names})


def options_hash(plain: Mapping[str, Any]) -> str:
    """Tells apart the ways in which a file is read."""
    return hashlib.blake2b(json.dumps(plain, sort_keys=True).encode(), digest_size=16).hexdigest()


def replayable(tx: Tx, session: Session, sha256: str, plain: Mapping[str, Any]) -> Import | None:
    """The import of the same content, read in the same way, which left the session's data as it is now."""
    found = tx.imports.same_content(session.engagement_id, session.id, sha256, options_hash(plain))
    if found is None or found.version_id != session.data_version_id:
        return None
    version = _shown(tx, session)
    return found if version is None or version.revision == found.revision else None


def report_of(
    account: Account,
    *,
    kind: str,
    columns: Sequence[ColumnUse],
    notes: Sequence[str],
    missing_count: int,
    data_version: str,
    name: str,
) -> dict[str, Any]:
    """`mooring.v1.ImportReport` as JSON values under the same names, without its long lists."""
    return {
        "kind": kind,
        **account.counts(),
        "created_by_type": dict(+account.created_by_type),
        "implied_by_type": dict(+account.implied_by_type),
        **{
            f"dependencies_{outcome}": account.dependencies[outcome]
            for outcome in ("created", "updated", "unchanged")
        },
        "mapping": {use.column: use.field for use in columns if use.field},
        "columns": [{"column": use.column, "field": use.field, "unit": use.unit} for use in columns],
        "data_version": data_version,
        "notes": list(notes),
        "missing_count": missing_count,
        "import": name,
    }


@dataclass(frozen=True, slots=True)
class History:
    """An import, and whether it can be undone now."""

    record: Import
    revertible: bool


def page(
    tx: Tx, engagement_id: str, session_id: str, window: Window
) -> tuple[list[History], tuple[Any, ...] | None]:
    """Some of a session's imports, newest first, without their rejected rows and missing assets.

    Raises:
        NotFound: SESSION_NOT_FOUND.
    """
    session = sessions.get(tx, engagement_id, session_id)
    found: Page[Import] = tx.imports.page(engagement_id, session_id, window)
    return [History(each, _is_revertible(tx, session, each)) for each in found.items], found.next_key


def get(tx: Tx, engagement_id: str, session_id: str, import_id: str) -> History:
    """An import with its whole report.

    Raises:
        NotFound: SESSION_NOT_FOUND, IMPORT_NOT_FOUND.
    """
    session = sessions.get(tx, engagement_id, session_id)
    record = tx.imports.get(engagement_id, session_id, import_id)
    if record is None:
        raise NotFound(f"this session has no import {import_id}", reason="IMPORT_NOT_FOUND")
    return History(record, _is_revertible(tx, session, record))


def revert(
    tx: Tx, caller: Caller, engagement_id: str, session_id: str, import_id: str, *, force: bool
) -> History:
    """Undoes an import: its session shows again what it showed before.

    Raises:
        NotFound: SESSION_NOT_FOUND, IMPORT_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED; NOT_REVERTIBLE; DATA_EDITED where something was edited since,
            unless `force`.
        Aborted: DATA_VERSION_MOVED.
    """
    session = sessions.in_use(tx, engagement_id, session_id)
    record = get(tx, engagement_id, session_id, import_id).record
    if record.revert_time is not None:
        raise _not_revertible("the import was undone before")
    if record.version_id == record.base_id:
        raise _not_revertible("the import changed nothing")
    version = _shown(tx, session)
    if version is None or version.id != record.version_id:
        raise _not_revertible("the session's data has moved on; undo what came after it first")
    if record.base_id is not None and tx.versions.get(record.base_id) is None:
        raise _not_revertible("what was before the import is no longer kept")
    edits = version.revision - record.revision
    if edits and not force:
        raise FailedPrecondition(
            f"{edits} edit{'' if edits == 1 else 's'} of the data since the import would be lost; "
            "set `force` to undo it all the same",
            reason="DATA_EDITED",
        )
    tx.versions.revert(version, record.base_id)
    reverted = tx.imports.revert(engagement_id, session_id, import_id, caller.user_id)
    if reverted is None:
        raise _not_revertible("the import was undone before")
    return History(reverted, revertible=False)


def name_of(record: Import) -> str:
    """The import's resource name."""
    return Kind.IMPORT.of(record.engagement_id, record.session_id, record.id)


def _is_revertible(tx: Tx, session: Session, record: Import) -> bool:
    return (
        record.revert_time is None
        and record.version_id != record.base_id
        and record.version_id == session.data_version_id
        and (record.base_id is None or tx.versions.get(record.base_id) is not None)
    )


def _shown(tx: Tx, session: Session) -> DataVersion | None:
    return None if session.data_version_id is None else tx.versions.get(session.data_version_id)


def _not_revertible(why: str) -> FailedPrecondition:
    return FailedPrecondition(f"this import cannot be undone: {why}", reason="NOT_REVERTIBLE")
