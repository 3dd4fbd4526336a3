"""Engagements: the rooms that sessions live in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from peewee import Node, fn

from mooring_server.errors import AlreadyExists, NotFound
from mooring_server.store import tables
from mooring_server.store.paging import ordered, page_arguments, page_of
from mooring_server.store.records import ChangeKind, Engagement, Order, Page
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_us, from_us_or_none, sort_key

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_E = tables.Engagements
_S = tables.Sessions
_M = tables.Members

# The one truth about the default is the session's row.
_DEFAULT = _S.select(_S.id).where((_S.engagement_id == _E.id) & _S.is_default)
_COLUMNS = (*_E._meta.sorted_fields, _DEFAULT)

_GET = Statement(_E.select(*_COLUMNS).where(_E.id == param("id")))
_IS_ARCHIVED = Statement(_E.select(_E.id).where((_E.id == param("id")) & _E.archive_time.is_null(False)))
_INSERT = Statement(
    _E.insert(
        {
            _E.id: param("id"),
            _E.display_name: param("display_name"),
            _E.description: param("description"),
            _E.session_count: 0,
            _E.revision: 0,
            _E.etag: 1,
            _E.create_time: param("now"),
            _E.update_time: param("now"),
            _E.sort_name: param("sort_name"),
        }
    )
    .on_conflict(action="nothing")
    .returning(_E)
)
_TOUCH = Statement(
    _E.update({_E.etag: _E.etag + 1, _E.update_time: param("now")}).where(_E.id == param("id"))
)
_COUNT = Statement(_M.select(fn.COUNT(_M.engagement_id)).where(_M.user_id == param("user_id")))


@statement_family
def _page(order: Order, after: bool) -> Node:
    query = (
        _E.select(*_COLUMNS).join(_M, on=(_M.engagement_id == _E.id)).where(_M.user_id == param("user_id"))
    )
    return ordered(query, _E, order, after=after)


class Engagements:
    """Engagements. A mutation is a change of the stream `engagements/{e}`."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, engagement_id: str) -> Engagement | None:
        """The engagement, as it will be when this transaction has committed what it did so far."""
        row = self._tx.row(_GET, id=engagement_id)
        return None if row is None else self._record(row)

    def is_archived(self, engagement_id: str) -> bool:
        """Whether it is put away; an absent one is not."""
        return self._tx.row(_IS_ARCHIVED, id=engagement_id) is not None

    def insert(self, id: str, display_name: str, description: str) -> Engagement:
        """A new engagement; AlreadyExists (ID_TAKEN). Insert its default session in the same transaction."""
        row = self._tx.row(
            _INSERT,
            id=id,
            display_name=display_name,
            sort_name=sort_key(display_name),
            description=description,
            now=self._tx.now_us,
        )
        if row is None:
            raise AlreadyExists(f"the engagement id {id!r} is taken", reason="ID_TAKEN")
        stream = f"engagements/{id}"
        self._tx.changes.note(stream, ChangeKind.CREATED, stream)
        return self._record((*row, None))

    def touch(self, engagement_id: str) -> None:
        """Moves the etag for a change that a session's row holds (the default); the caller notes it."""
        if not self._tx.run(_TOUCH, id=engagement_id, now=self._tx.now_us):
            raise NotFound("there is no such engagement", reason="ENGAGEMENT_NOT_FOUND")

    def page(
        self, user_id: str, order: Order, after_key: Sequence[Any] | None, skip: int, limit: int
    ) -> Page[Engagement]:
        """The user's: `skip` passed over after `after_key` (a page's `next_key`), then at most `limit`."""
        rows = self._tx.rows(
            _page(order, after_key is not None), user_id=user_id, **page_arguments(after_key, skip, limit)
        )
        return page_of(rows, limit, self._record, order)

    def count_for(self, user_id: str) -> int:
        """How many engagements the user is a member of."""
        return int(self._tx.row(_COUNT, user_id=user_id)[0])

    def _record(self, row: Any) -> Engagement:
        id, display_name, description, sessions, revision, etag, created, updated, _, archived, default_id = (
            row
        )
        return Engagement(
            id=id,
            display_name=display_name,
            description=description,
            default_session_id=default_id or "",
            session_count=sessions + self._tx.changes.pending_sessions(id),
            revision=revision + self._tx.changes.pending(f"engagements/{id}"),
            etag=etag,
            create_time=from_us(created),
            update_time=from_us(updated),
            archive_time=from_us_or_none(archived),
        )
