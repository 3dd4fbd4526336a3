"""Shortcuts: the sessions that a user has pinned, and those that they were at last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peewee import fn

from mooring_server.store import tables
from mooring_server.store.records import ChangeKind, Session
from mooring_server.store.sessions import session_record
from mooring_server.store.statements import Statement, param

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_S = tables.Sessions
_V = tables.SessionVisits
_P = tables.SessionPins


def _own(table: Any) -> Any:
    return (table.user_id == param("user_id")) & (table.engagement_id == param("engagement_id"))


def _living(table: Any) -> Any:
    """The sessions of the user's own rows, without deleted ones."""
    there = (_S.engagement_id == table.engagement_id) & (_S.id == table.session_id)
    query = table.select(*_S._meta.sorted_fields).join(_S, on=there)
    return query.where(_own(table) & _S.delete_time.is_null())


_KEY = {"user_id": param("user_id"), "engagement_id": param("engagement_id"), "session_id": param("id")}
_VISIT = Statement(
    _V.insert(
        {**{getattr(_V, name): value for name, value in _KEY.items()}, _V.visit_time: param("now")}
    ).on_conflict(
        action="update",
        conflict_target=(_V.user_id, _V.engagement_id, _V.session_id),
        preserve=(_V.visit_time,),
    )
)
_NEWEST = (_V.visit_time.desc(), _V.session_id.desc())
_RECENT = Statement(_living(_V).order_by(*_NEWEST).limit(param("limit")))
_PINNED = Statement(_living(_P).order_by(_P.pin_time, _P.session_id).limit(param("limit")))
_PIN = Statement(
    _P.insert(
        {**{getattr(_P, name): value for name, value in _KEY.items()}, _P.pin_time: param("now")}
    ).on_conflict(action="nothing")
)
_UNPIN = Statement(_P.delete().where(_own(_P) & (_P.session_id == param("id"))))
_OVERLONG = Statement(
    _V.select(_V.user_id, _V.engagement_id)
    .group_by(_V.user_id, _V.engagement_id)
    .having(fn.COUNT(1) > param("keep"))
    .limit(param("limit"))
)
_OLD = _V.alias("old")
_TRIM = Statement(
    _V.delete().where(
        _own(_V)
        & _V.session_id.in_(
            _OLD.select(_OLD.session_id)
            .where(_own(_OLD))
            .order_by(_OLD.visit_time.desc(), _OLD.session_id.desc())
            .limit(param("limit"))
            .offset(param("keep"))
        )
    )
)


class Shortcuts:
    """Pins and visits. A change of a user's pins is a change of the stream `users/{u}`; a visit comes with a
    switch, which is one itself.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def visit(self, user_id: str, engagement_id: str, session_id: str) -> None:
        """Says that the user is at the session now."""
        self._tx.run(_VISIT, user_id=user_id, engagement_id=engagement_id, id=session_id, now=self._tx.now_us)

    def recent(self, user_id: str, engagement_id: str, limit: int) -> list[Session]:
        """The living sessions that the user was at last, the last one first."""
        return self._sessions(_RECENT, user_id, engagement_id, limit)

    def pinned(self, user_id: str, engagement_id: str, limit: int) -> list[Session]:
        """The living sessions that the user has pinned, in that order."""
        return self._sessions(_PINNED, user_id, engagement_id, limit)

    def pin(self, user_id: str, engagement_id: str, session_id: str) -> None:
        """Adds a pin; one that is there keeps its place."""
        made = self._tx.run(
            _PIN, user_id=user_id, engagement_id=engagement_id, id=session_id, now=self._tx.now_us
        )
        if made:
            self._note(user_id, engagement_id)

    def unpin(self, user_id: str, engagement_id: str, session_id: str) -> None:
        """Removes a pin, where there is one."""
        if self._tx.run(_UNPIN, user_id=user_id, engagement_id=engagement_id, id=session_id):
            self._note(user_id, engagement_id)

    def overlong(self, keep: int, limit: int) -> list[tuple[str, str]]:
        """At most `limit` pairs of a user and an engagement with more than `keep` visits."""
        return [(row[0], row[1]) for row in self._tx.rows(_OVERLONG, keep=keep, limit=limit)]

    def trim(self, user_id: str, engagement_id: str, keep: int, limit: int) -> int:
        """Forgets at most `limit` visits beyond the newest `keep`; how many went."""
        return self._tx.run(_TRIM, user_id=user_id, engagement_id=engagement_id, keep=keep, limit=limit)

    def _sessions(self, statement: Statement, user_id: str, engagement_id: str, limit: int) -> list[Session]:
        rows = self._tx.rows(statement, user_id=user_id, engagement_id=engagement_id, limit=limit)
        return [session_record(row) for row in rows]

    def _note(self, user_id: str, engagement_id: str) -> None:
        self._tx.changes.note(
            f"users/{user_id}", ChangeKind.UPDATED, f"engagements/{engagement_id}/shortcuts"
        )
