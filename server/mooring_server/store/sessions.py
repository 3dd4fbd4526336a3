"""Sessions: the rows behind `engagements/{e}/sessions/{s}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from peewee import IntegrityError, Node

from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.store import tables
from mooring_server.store.paging import ordered, page_arguments, page_of
from mooring_server.store.records import ChangeKind, Order, Page, Session
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_json, from_us, from_us_or_none, sort_key

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_S = tables.Sessions
_THIS = (_S.engagement_id == param("engagement_id")) & (_S.id == param("id"))
_LIVING = _S.delete_time.is_null()
_TOUCH: dict[Any, Any] = {
    _S.etag: _S.etag + 1,
    _S.update_time: param("now"),
    _S.last_activity_time: param("now"),
}

_GET = Statement(_S.select().where(_THIS))
_GET_LIVING = Statement(_S.select().where(_THIS & _LIVING))
_OF_USER = (
    _S.select()
    .join(tables.Members, on=(tables.Members.engagement_id == _S.engagement_id))
    .where((_S.id == param("id")) & (tables.Members.user_id == param("user_id")))
)
_FIND = Statement(_OF_USER.where(_LIVING).limit(2))
_FIND_DELETED = Statement(_OF_USER.where(~_LIVING).order_by(_S.delete_time.desc()).limit(1))
_HAS_NAME = Statement(
    _S.select(_S.id).where(
        (_S.engagement_id == param("engagement_id")) & (_S.display_name == param("display_name")) & _LIVING
    )
)
_INSERT = Statement(
    _S.insert(
        {
            _S.engagement_id: param("engagement_id"),
            _S.id: param("id"),
            _S.display_name: param("display_name"),
            _S.description: param("description"),
            _S.type: param("type"),
            _S.is_default: param("is_default"),
            _S.creator_id: param("creator_id"),
            _S.asset_count: 0,
            _S.etag: 1,
            _S.create_time: param("now"),
            _S.update_time: param("now"),
            _S.sort_name: param("sort_name"),
            _S.labels: "{}",
            _S.dependency_count: 0,
            _S.last_activity_time: param("now"),
        }
    )
    .on_conflict(action="nothing")
    .returning(_S)
)
_CLEAR_DEFAULT = Statement(
    _S.update({_S.is_default: False, **_TOUCH})
    .where((_S.engagement_id == param("engagement_id")) & _S.is_default & (_S.id != param("id")))
    .returning(_S.id)
)
_VISIT = Statement(_S.update({_S.last_activity_time: param("now")}).where(_THIS & _LIVING).returning(_S))
_FIELDS = frozenset({"display_name", "description", "type"})


def _living(compared: bool) -> Any:
    this = _THIS & _LIVING
    return this & (_S.etag == param("etag")) if compared else this


@statement_family
def _update(fields: tuple[str, ...], compared: bool) -> Node:
    changed = {getattr(_S, field): param(field) for field in fields}
    return _S.update({**changed, **_TOUCH}).where(_living(compared)).returning(_S)


@statement_family
def _delete(compared: bool) -> Node:
    deleted = {_S.delete_time: param("now"), **_TOUCH}
    return _S.update(deleted).where(_living(compared) & ~_S.is_default).returning(_S)


@statement_family
def _make_default(compared: bool) -> Node:
    return _S.update({_S.is_default: True, **_TOUCH}).where(_living(compared)).returning(_S)


@statement_family
def _page(order: Order, after: bool) -> Node:
    query = _S.select().where((_S.engagement_id == param("engagement_id")) & _LIVING)
    return ordered(query, _S, order, after=after)


class Sessions:
    """Sessions. A mutation is a change of the stream `engagements/{e}`.

    `expected_etag` is compared in the UPDATE itself; None compares nothing.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, engagement_id: str, id: str, include_deleted: bool = False) -> Session | None:
        """The session, deleted ones only where asked for."""
        statement = _GET if include_deleted else _GET_LIVING
        row = self._tx.row(statement, engagement_id=engagement_id, id=id)
        return None if row is None else session_record(row)

    def find(self, id: str, user_id: str) -> list[Session]:
        """The living sessions of that id in the user's engagements; two are enough to call it ambiguous.

        Where none lives it is the one that was deleted last: whose it was still says who may hear that.
        """
        rows = self._tx.rows(_FIND, id=id, user_id=user_id)
        return [session_record(row) for row in rows or self._tx.rows(_FIND_DELETED, id=id, user_id=user_id)]

    def insert(
        self,
        engagement_id: str,
        id: str,
        display_name: str,
        description: str,
        type: str,
        creator_id: str,
        is_default: bool = False,
    ) -> Session:
        """A new session; AlreadyExists with ID_TAKEN (deleted ones count) or DISPLAY_NAME_TAKEN."""
        row = self._tx.row(
            _INSERT,
            engagement_id=engagement_id,
            id=id,
            display_name=display_name,
            sort_name=sort_key(display_name),
            description=description,
            type=type,
            creator_id=creator_id,
            is_default=is_default,
            now=self._tx.now_us,
        )
        if row is None:
            self._refuse_insert(engagement_id, id, display_name)
        self._tx.changes.count_sessions(engagement_id, 1)
        return self._changed(row, ChangeKind.CREATED)

    def update(self, engagement_id: str, id: str, expected_etag: int | None, **fields: Any) -> Session:
        """Changes `display_name`, `description` or `type`.

        Raises NotFound, Aborted (ETAG_MISMATCH) or AlreadyExists (DISPLAY_NAME_TAKEN).
        """
        if unknown := fields.keys() - _FIELDS:
            raise TypeError(f"not fields of a session: {sorted(unknown)}")
        if "display_name" in fields:
            fields["sort_name"] = sort_key(fields["display_name"])
        statement = _update(tuple(sorted(fields)), expected_etag is not None)
        try:
            with self._tx.savepoint():
                row = self._write(statement, engagement_id, id, expected_etag, **fields)
        except IntegrityError:
            raise _name_taken(fields.get("display_name", "")) from None
        return self._changed(row, ChangeKind.UPDATED)

    def delete(self, engagement_id: str, id: str, expected_etag: int | None) -> Session:
        """Deletes softly; the display name is free again.

        Raises NotFound, Aborted (ETAG_MISMATCH) or FailedPrecondition (DEFAULT_SESSION).
        """
        row = self._write(_delete(expected_etag is not None), engagement_id, id, expected_etag)
        self._tx.changes.count_sessions(engagement_id, -1)
        return self._changed(row, ChangeKind.DELETED)

    def set_default(self, engagement_id: str, id: str, expected_etag: int | None) -> Session:
        """Makes it the engagement's default; the one before stops being it in the same commit.

        Three resources change: both sessions and the engagement. Raises NotFound or Aborted (ETAG_MISMATCH).
        """
        with self._tx.savepoint():
            # The engagement's row first: it makes racing calls wait for each other instead of colliding.
            self._tx.engagements.touch(engagement_id)
            cleared = self._tx.rows(_CLEAR_DEFAULT, engagement_id=engagement_id, id=id, now=self._tx.now_us)
            row = self._write(_make_default(expected_etag is not None), engagement_id, id, expected_etag)
        stream = f"engagements/{engagement_id}"
        self._tx.changes.note(stream, ChangeKind.UPDATED, stream)
        for (old_id,) in cleared:
            self._note(engagement_id, old_id, ChangeKind.UPDATED)
        return self._changed(row, ChangeKind.UPDATED)

    def visit(self, engagement_id: str, id: str) -> Session:
        """The session, with somebody at it now. Raises NotFound (SESSION_NOT_FOUND)."""
        return session_record(self._write(_VISIT, engagement_id, id, None))

    def page(
        self, engagement_id: str, order: Order, after_key: Sequence[Any] | None, skip: int, limit: int
    ) -> Page[Session]:
        """The living: `skip` passed over after `after_key` (a page's `next_key`), then at most `limit`."""
        rows = self._tx.rows(
            _page(order, after_key is not None),
            engagement_id=engagement_id,
            **page_arguments(after_key, skip, limit),
        )
        return page_of(rows, limit, session_record, order)

    def imported(self, row: Any) -> Session:
        """The record of a row that `versions.publish` has just moved; notes the change."""
        return self._changed(row, ChangeKind.IMPORTED)

    def _write(
        self, statement: Statement, engagement_id: str, id: str, expected_etag: int | None, **fields: Any
    ) -> Any:
        row = self._tx.row(
            statement,
            engagement_id=engagement_id,
            id=id,
            etag=expected_etag,
            now=self._tx.now_us,
            **fields,
        )
        if row is None:
            self._refuse_write(engagement_id, id, expected_etag)
        return row

    def _refuse_write(self, engagement_id: str, id: str, expected_etag: int | None) -> NoReturn:
        session = self.get(engagement_id, id)
        if session is None:
            raise NotFound("there is no such session", reason="SESSION_NOT_FOUND")
        if expected_etag is not None and session.etag != expected_etag:
            raise Aborted("the session has changed since it was read; get it again", reason="ETAG_MISMATCH")
        raise FailedPrecondition(
            "this is the engagement's default session: make another one the default first",
            reason="DEFAULT_SESSION",
        )

    def _refuse_insert(self, engagement_id: str, id: str, display_name: str) -> NoReturn:
        if self.get(engagement_id, id, include_deleted=True) is not None:
            raise AlreadyExists(f"the session id {id!r} is taken", reason="ID_TAKEN")
        if self._tx.row(_HAS_NAME, engagement_id=engagement_id, display_name=display_name) is not None:
            raise _name_taken(display_name)
        raise AlreadyExists("the engagement has a default session already", reason="ID_TAKEN")

    def _changed(self, row: Any, kind: ChangeKind) -> Session:
        session = session_record(row)
        self._note(session.engagement_id, session.id, kind)
        return session

    def _note(self, engagement_id: str, id: str, kind: ChangeKind) -> None:
        stream = f"engagements/{engagement_id}"
        self._tx.changes.note(stream, kind, f"{stream}/sessions/{id}")


def _name_taken(display_name: str) -> AlreadyExists:
    return AlreadyExists(
        f"another session is called {display_name!r}; choose another name", reason="DISPLAY_NAME_TAKEN"
    )


def session_record(row: Any) -> Session:
    """The record of a row of `sessions`."""
    return Session(
        engagement_id=row[0],
        id=row[1],
        display_name=row[2],
        description=row[3],
        type=row[4],
        is_default=bool(row[5]),
        creator_id=row[6],
        data_version_id=row[7],
        asset_count=row[8],
        etag=row[9],
        create_time=from_us(row[10]),
        update_time=from_us(row[11]),
        delete_time=from_us_or_none(row[12]),
        labels=from_json(row[14]),
        parent_id=row[15],
        dependency_count=row[16],
        last_activity_time=from_us(row[17]),
        archive_time=from_us_or_none(row[18]),
    )
