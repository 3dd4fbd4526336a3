"""Callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mooring_server.errors import AlreadyExists, Unauthenticated
from mooring_server.store import tables
from mooring_server.store.records import ChangeKind, User
from mooring_server.store.statements import Statement, param
from mooring_server.store.values import from_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_U = tables.Users

_GET = Statement(_U.select().where(_U.id == param("id")))
_LOCK = Statement(_U.select(_U.id).where(_U.id == param("id")).for_update())
_BY_SUBJECT = Statement(_U.select().where(_U.subject == param("subject")))
_INSERT = Statement(
    _U.insert(
        {
            _U.id: param("id"),
            _U.subject: param("subject"),
            _U.display_name: param("display_name"),
            _U.email: param("email"),
            _U.revision: 0,
            _U.etag: 1,
            _U.create_time: param("now"),
            _U.update_time: param("now"),
        }
    )
    .on_conflict(action="nothing")
    .returning(_U)
)
_SET_DEFAULT_ENGAGEMENT = Statement(
    _U.update(
        {
            _U.default_engagement_id: param("engagement_id"),
            _U.etag: _U.etag + 1,
            _U.update_time: param("now"),
        }
    )
    .where(_U.id == param("id"))
    .returning(_U)
)


class Users:
    """Callers. A mutation is a change of the stream `users/{u}`."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, user_id: str) -> User | None:
        """The user of that id."""
        row = self._tx.row(_GET, id=user_id)
        return None if row is None else self._record(row)

    def by_subject(self, subject: str) -> User | None:
        """The user whom the identity provider calls so."""
        row = self._tx.row(_BY_SUBJECT, subject=subject)
        return None if row is None else self._record(row)

    def lock(self, user_id: str) -> None:
        """Makes other transactions that lock this user wait until this one ends: look, then make."""
        if not self._tx.is_sqlite:
            self._tx.rows(_LOCK, id=user_id)

    def insert(self, id: str, subject: str, display_name: str, email: str) -> User:
        """A new user; AlreadyExists (ID_TAKEN) where id or subject is taken, as by a racing call."""
        row = self._tx.row(
            _INSERT, id=id, subject=subject, display_name=display_name, email=email, now=self._tx.now_us
        )
        if row is None:
            raise AlreadyExists("this user exists already", reason="ID_TAKEN")
        return self._changed(row, ChangeKind.CREATED)

    def set_default_engagement(self, user_id: str, engagement_id: str) -> User:
        """Chooses where the user's new contexts start. Raises Unauthenticated where there is no such user."""
        row = self._tx.row(
            _SET_DEFAULT_ENGAGEMENT, id=user_id, engagement_id=engagement_id, now=self._tx.now_us
        )
        if row is None:
            raise Unauthenticated("your user is no longer here")
        return self._changed(row, ChangeKind.UPDATED)

    def _changed(self, row: Any, kind: ChangeKind) -> User:
        stream = f"users/{row[0]}"
        self._tx.changes.note(stream, kind, stream)
        return self._record(row)

    def _record(self, row: Any) -> User:
        user_id, subject, display_name, email, engagement_id, revision, etag, created, updated = row
        return User(
            id=user_id,
            subject=subject,
            display_name=display_name,
            email=email,
            default_engagement_id=engagement_id,
            revision=revision + self._tx.changes.pending(f"users/{user_id}"),
            etag=etag,
            create_time=from_us(created),
            update_time=from_us(updated),
        )
