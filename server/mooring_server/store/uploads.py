"""Uploads: files that wait for their import, kept in pieces."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mooring_server.errors import NotFound
from mooring_server.store import tables
from mooring_server.store.records import Upload
from mooring_server.store.statements import Statement, param
from mooring_server.store.values import from_us, to_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_U = tables.Uploads
_C = tables.UploadChunks

# Freeing the pages of 100 MiB at once would hold SQLite's writer for most of a second.
_PIECES_MAX = 16

_GET = Statement(_U.select().where((_U.id == param("id")) & (_U.create_time > 0)))
_INSERT = Statement(
    _U.insert(
        {
            _U.id: param("id"),
            _U.engagement_id: param("engagement_id"),
            _U.session_id: param("session_id"),
            _U.user_id: param("user_id"),
            _U.file_name: param("file_name"),
            _U.sha256: "",
            _U.size_bytes: 0,
            _U.chunk_count: 0,
            _U.complete: False,
            _U.create_time: param("now"),
        }
    ).returning(_U)
)
_COMPLETE = Statement(
    _U.update(
        {
            _U.sha256: param("sha256"),
            _U.size_bytes: param("size_bytes"),
            _U.chunk_count: param("chunk_count"),
            _U.complete: True,
        }
    )
    .where(_U.id == param("id"))
    .returning(_U)
)
_ADD_CHUNK = Statement(_C.insert({field: param(field.name) for field in _C._meta.sorted_fields}))
_CHUNK = Statement(
    _C.select(_C.data).where((_C.upload_id == param("id")) & (_C.position == param("position")))
)
_RETIRE = Statement(_U.update({_U.create_time: 0}).where(_U.id == param("id")))
_SOME = _C.select(_C.position).where(_C.upload_id == param("id")).order_by(_C.position).limit(_PIECES_MAX)
_DELETE_CHUNKS = Statement(_C.delete().where((_C.upload_id == param("id")) & _C.position.in_(_SOME)))
_DELETE = Statement(_U.delete().where(_U.id == param("id")))
_EXPIRED = Statement(
    _U.select(_U.id).where(_U.create_time < param("before")).order_by(_U.create_time).limit(param("limit"))
)


class Uploads:
    """Uploads. Nothing here is a change that others see."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, id: str) -> Upload | None:
        """The upload, complete or not."""
        row = self._tx.row(_GET, id=id)
        return None if row is None else _record(row)

    def insert(self, id: str, engagement_id: str, session_id: str, user_id: str, file_name: str) -> Upload:
        """A new upload without bytes."""
        row = self._tx.row(
            _INSERT,
            id=id,
            engagement_id=engagement_id,
            session_id=session_id,
            user_id=user_id,
            file_name=file_name,
            now=self._tx.now_us,
        )
        return _record(row)

    def add_chunk(self, upload_id: str, index: int, data: bytes) -> None:
        """The next piece; `index` counts from 0."""
        self._tx.run(_ADD_CHUNK, upload_id=upload_id, position=index, data=data)

    def complete(self, upload_id: str, sha256: str, size_bytes: int, chunk_count: int) -> Upload:
        """Says that all has arrived; NotFound (UPLOAD_NOT_FOUND) where it was cleaned away."""
        row = self._tx.row(
            _COMPLETE, id=upload_id, sha256=sha256, size_bytes=size_bytes, chunk_count=chunk_count
        )
        if row is None:
            raise NotFound("there is no such upload", reason="UPLOAD_NOT_FOUND")
        return _record(row)

    def chunk(self, upload_id: str, index: int) -> bytes:
        """A piece of an upload; NotFound (UPLOAD_NOT_FOUND) where it has none of that index."""
        row = self._tx.row(_CHUNK, id=upload_id, position=index)
        if row is None:
            raise NotFound("there is no such upload", reason="UPLOAD_NOT_FOUND")
        return bytes(row[0])

    def delete(self, id: str) -> bool:
        """Deletes the upload, if it is there, and some of its bytes; whether nothing of it is left.

        It is gone for all others at once. What is left of it counts as expired, for the cleanup to find.
        """
        if self._tx.run(_DELETE_CHUNKS, id=id) < _PIECES_MAX:
            self._tx.run(_DELETE, id=id)
            return True
        self._tx.run(_RETIRE, id=id)
        return False

    def expired(self, before: datetime, limit: int) -> list[str]:
        """At most `limit` uploads that began before then, and those that are half deleted."""
        return [row[0] for row in self._tx.rows(_EXPIRED, before=to_us(before), limit=limit)]


def _record(row: Any) -> Upload:
    id, engagement_id, session_id, user_id, file_name, sha256, size, chunks, complete, created = row
    return Upload(
        id=id,
        engagement_id=engagement_id,
        session_id=session_id,
        user_id=user_id,
        file_name=file_name,
        sha256=sha256,
        size_bytes=size,
        chunk_count=chunks,
        complete=bool(complete),
        create_time=from_us(created),
    )
