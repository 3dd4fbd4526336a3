"""Members: who may do what in an engagement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring_server.store import tables
from mooring_server.store.records import ChangeKind, Role
from mooring_server.store.statements import Statement, param

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_M = tables.Members

_ROLE = Statement(
    _M.select(_M.role).where((_M.engagement_id == param("engagement_id")) & (_M.user_id == param("user_id")))
)
_PUT = Statement(
    _M.insert(
        {
            _M.engagement_id: param("engagement_id"),
            _M.user_id: param("user_id"),
            _M.role: param("role"),
            _M.etag: 1,
            _M.create_time: param("now"),
            _M.update_time: param("now"),
        }
    ).on_conflict(
        action="update",
        conflict_target=(_M.engagement_id, _M.user_id),
        preserve=(_M.role, _M.update_time),
        update={_M.etag: _M.etag + 1},
    )
)


_OTHER = _M.alias("other")
_SHARED = Statement(
    _M.select(_M.engagement_id)
    .join(_OTHER, on=(_OTHER.engagement_id == _M.engagement_id))
    .where((_M.user_id == param("user_id")) & (_OTHER.user_id == param("other_id")))
    .limit(1)
)


class Members:
    """Members. A mutation is a change of the engagement's stream and of the member's own."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def role(self, engagement_id: str, user_id: str) -> Role | None:
        """What the user may do there; None for no member."""
        row = self._tx.row(_ROLE, engagement_id=engagement_id, user_id=user_id)
        return None if row is None else Role(row[0])

    def share_engagement(self, user_id: str, other_id: str) -> bool:
        """Whether two users are members of one engagement."""
        return self._tx.row(_SHARED, user_id=user_id, other_id=other_id) is not None

    def put(self, engagement_id: str, user_id: str, role: Role) -> None:
        """Makes the user a member, or gives the member another role."""
        known = self.role(engagement_id, user_id)
        self._tx.run(_PUT, engagement_id=engagement_id, user_id=user_id, role=int(role), now=self._tx.now_us)
        kind = ChangeKind.CREATED if known is None else ChangeKind.UPDATED
        resource = f"engagements/{engagement_id}/members/{user_id}"
        # On both streams: a new member cannot watch the engagement before they know of it.
        for stream in (f"engagements/{engagement_id}", f"users/{user_id}"):
            self._tx.changes.note(stream, kind, resource)
