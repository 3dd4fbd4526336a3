"""Callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peewee import Node

from mooring_server.errors import Aborted, AlreadyExists, NotFound
from mooring_server.store import tables
from mooring_server.store.records import ChangeKind, User
from mooring_server.store.statements import Statement, param, statement_family
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
_FIELDS = frozenset({"display_name", "email", "default_engagement_id"})
_TOUCH: dict[Any, Any] = {_U.etag: _U.etag + 1, _U.update_time: param("now")}
_FORGET_ENGAGEMENT = Statement(
    _U.update({_U.default_engagement_id: None, **_TOUCH})
    .where((_U.id == param("id")) & (_U.default_engagement_id == param("engagement_id")))
    .returning(_U)
)


@statement_family
def _update(fields: tuple[str, ...], compared: bool) -> Node:
    this = _U.id == param("id")
    changed = {getattr(_U, field): param(field) for field in fields}
    return (
        _U.update({**changed, **_TOUCH})
        .where(this & (_U.etag == param("etag")) if compared else this)
        .returning(_U)
    )


class Users:
    """Callers. A mutation is a change of the stream `users/{u}`."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, user_id: str) -> User | None:
        """The user of that id."""

        def load() -> User | None:
            row = self._tx.row(_GET, id=user_id)
            return None if row is None else self._record(row)

        return self._tx.cached("user", user_id, load, lambda _: f"users/{user_id}")

    def by_subject(self, subject: str) -> User | None:
        """The user whom the identity provider calls so."""

        def load() -> User | None:
            row = self._tx.row(_BY_SUBJECT, subject=subject)
            return None if row is None else self._record(row)

        return self._tx.cached("subject", subject, load, lambda user: f"users/{user.id}" if user else None)

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

    def update(self, user_id: str, expected_etag: int | None, **fields: Any) -> User:
        """Changes `display_name`, `email` or `default_engagement_id`, nothing where none is given.

        The etag is compared in the UPDATE itself. Raises NotFound (USER_NOT_FOUND) or Aborted
        (ETAG_MISMATCH).
        """
        if unknown := fields.keys() - _FIELDS:
            raise TypeError(f"not fields of a user: {sorted(unknown)}")
        row = None
        if fields:
            statement = _update(tuple(sorted(fields)), expected_etag is not None)
            row = self._tx.row(statement, id=user_id, etag=expected_etag, now=self._tx.now_us, **fields)
        if row is not None:
            return self._changed(row, ChangeKind.UPDATED)
        user = self.get(user_id)
        if user is None:
            raise NotFound("there is no such user", reason="USER_NOT_FOUND")
        if fields or expected_etag not in (None, user.etag):
            raise Aborted("the user has changed since it was read; get it again", reason="ETAG_MISMATCH")
        return user

    def set_default_engagement(self, user_id: str, engagement_id: str) -> User:
        """Chooses where the user's new contexts start. Raises NotFound (USER_NOT_FOUND)."""
        return self.update(user_id, None, default_engagement_id=engagement_id)

    def forget_engagement(self, user_id: str, engagement_id: str) -> None:
        """Leaves the user without a default engagement, where that is it."""
        row = self._tx.row(_FORGET_ENGAGEMENT, id=user_id, engagement_id=engagement_id, now=self._tx.now_us)
        if row is not None:
            self._changed(row, ChangeKind.UPDATED)

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
