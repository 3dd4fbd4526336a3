"""Members: who may do what in an engagement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from peewee import Node, Value

from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.store import tables
from mooring_server.store.records import ChangeKind, Member, Page, Role
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_us, from_us_or_none

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_M = tables.Members
_U = tables.Users
_C = tables.Changes
_HERE = _M.engagement_id == param("engagement_id")
_THIS = _HERE & (_M.user_id == param("user_id"))

# Switches are on users' own streams, and still concern the engagement.
_LAST_ACTIVITY = (
    _C.select(_C.commit_time)
    .where((_C.engagement_id == _M.engagement_id) & (_C.actor == Value("users/").concat(_M.user_id)))
    .order_by(_C.commit_time.desc())
    .limit(1)
)
_MEMBERS = _M.select(*_M._meta.sorted_fields, _U.display_name, _LAST_ACTIVITY).join(
    _U, on=(_U.id == _M.user_id)
)

_ROLE = Statement(_M.select(_M.role).where(_THIS))
_GET = Statement(_MEMBERS.where(_THIS))
_NEW: dict[Any, Any] = {
    _M.engagement_id: param("engagement_id"),
    _M.user_id: param("user_id"),
    _M.role: param("role"),
    _M.etag: 1,
    _M.create_time: param("now"),
    _M.update_time: param("now"),
}
_INSERT = Statement(_M.insert(_NEW).on_conflict(action="nothing"))
_PUT = Statement(
    _M.insert(_NEW).on_conflict(
        action="update",
        conflict_target=(_M.engagement_id, _M.user_id),
        preserve=(_M.role, _M.update_time),
        update={_M.etag: _M.etag + 1},
    )
)
_SET_ROLE = Statement(
    _M.update({_M.role: param("role"), _M.etag: _M.etag + 1, _M.update_time: param("now")}).where(_THIS)
)
_DELETE = Statement(_M.delete().where(_THIS))
_OTHER_MANAGER = Statement(
    _M.select(_M.user_id)
    .where(_HERE & (_M.role == int(Role.MANAGER)) & (_M.user_id != param("user_id")))
    .limit(1)
)
_OTHER = _M.alias("other")
_SHARED = Statement(
    _M.select(_M.engagement_id)
    .join(_OTHER, on=(_OTHER.engagement_id == _M.engagement_id))
    .where((_M.user_id == param("user_id")) & (_OTHER.user_id == param("other_id")))
    .limit(1)
)


@statement_family
def _page(after: bool) -> Node:
    query = _MEMBERS.where(_HERE & (_M.user_id > param("after_id")) if after else _HERE)
    return query.order_by(_M.user_id).limit(param("limit")).offset(param("skip"))


class Members:
    """Members. A mutation is a change of the engagement's stream and of the member's own.

    `expected_etag` is compared while the engagement's row is locked; None compares nothing.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def role(self, engagement_id: str, user_id: str) -> Role | None:
        """What the user may do there; None for no member."""

        def load() -> Role | None:
            row = self._tx.row(_ROLE, engagement_id=engagement_id, user_id=user_id)
            return None if row is None else Role(row[0])

        return self._tx.cached(
            "role", (engagement_id, user_id), load, lambda _: f"engagements/{engagement_id}"
        )

    def share_engagement(self, user_id: str, other_id: str) -> bool:
        """Whether two users are members of one engagement."""
        return self._tx.row(_SHARED, user_id=user_id, other_id=other_id) is not None

    def get(self, engagement_id: str, user_id: str) -> Member | None:
        """The member."""
        row = self._tx.row(_GET, engagement_id=engagement_id, user_id=user_id)
        return None if row is None else _record(row)

    def page(
        self, engagement_id: str, after_key: Sequence[Any] | None, skip: int, limit: int
    ) -> Page[Member]:
        """By user id: `skip` passed over after `after_key` (a page's `next_key`), then at most `limit`."""
        (after_id,) = after_key or (None,)
        rows = self._tx.rows(
            _page(after_key is not None),
            engagement_id=engagement_id,
            after_id=after_id,
            skip=skip,
            limit=limit + 1,
        )
        items = tuple(map(_record, rows[:limit]))
        return Page(items, (items[-1].user_id,) if len(rows) > limit else None)

    def insert(self, engagement_id: str, user_id: str, role: Role) -> Member:
        """A new member; AlreadyExists (MEMBER_EXISTS). The user is known to be there."""
        made = self._tx.run(
            _INSERT, engagement_id=engagement_id, user_id=user_id, role=int(role), now=self._tx.now_us
        )
        if not made:
            raise AlreadyExists("this user is a member already", reason="MEMBER_EXISTS")
        return self._changed(engagement_id, user_id, ChangeKind.CREATED)

    def put(self, engagement_id: str, user_id: str, role: Role) -> None:
        """Makes the user a member, or gives the member another role, whoever manages then."""
        known = self.role(engagement_id, user_id)
        self._tx.run(_PUT, engagement_id=engagement_id, user_id=user_id, role=int(role), now=self._tx.now_us)
        kind = ChangeKind.CREATED if known is None else ChangeKind.UPDATED
        self._note(engagement_id, user_id, kind)

    def set_role(self, engagement_id: str, user_id: str, role: Role, expected_etag: int | None) -> Member:
        """Gives the member another role; the same one changes nothing.

        Raises NotFound (MEMBER_NOT_FOUND), Aborted (ETAG_MISMATCH) or FailedPrecondition (LAST_MANAGER).
        """
        member = self._locked(engagement_id, user_id, expected_etag)
        if member.role == role:
            return member
        self._require_other_manager(member)
        self._tx.run(
            _SET_ROLE, engagement_id=engagement_id, user_id=user_id, role=int(role), now=self._tx.now_us
        )
        return self._changed(engagement_id, user_id, ChangeKind.UPDATED)

    def delete(self, engagement_id: str, user_id: str, expected_etag: int | None) -> Member:
        """Takes the member out, also as their default engagement; who they were. Raises as `set_role`."""
        member = self._locked(engagement_id, user_id, expected_etag)
        self._require_other_manager(member)
        self._tx.run(_DELETE, engagement_id=engagement_id, user_id=user_id)
        self._note(engagement_id, user_id, ChangeKind.DELETED)
        self._tx.users.forget_engagement(user_id, engagement_id)
        return member

    def _locked(self, engagement_id: str, user_id: str, expected_etag: int | None) -> Member:
        # The engagement's row first: of two managers who leave at once, the second sees the first one gone.
        self._tx.engagements.lock(engagement_id)
        member = self.get(engagement_id, user_id)
        if member is None:
            raise NotFound("there is no such member", reason="MEMBER_NOT_FOUND")
        if expected_etag not in (None, member.etag):
            raise Aborted("the member has changed since it was read; get it again", reason="ETAG_MISMATCH")
        return member

    def _require_other_manager(self, member: Member) -> None:
        if member.role is not Role.MANAGER:
            return
        others = self._tx.row(_OTHER_MANAGER, engagement_id=member.engagement_id, user_id=member.user_id)
        if others is None:
            raise FailedPrecondition(
                "this is the engagement's last manager: make somebody else one first", reason="LAST_MANAGER"
            )

    def _changed(self, engagement_id: str, user_id: str, kind: ChangeKind) -> Member:
        self._note(engagement_id, user_id, kind)
        return _record(self._tx.row(_GET, engagement_id=engagement_id, user_id=user_id))

    def _note(self, engagement_id: str, user_id: str, kind: ChangeKind) -> None:
        resource = f"engagements/{engagement_id}/members/{user_id}"
        # On both streams: a new member cannot watch the engagement before they know of it, a former one
        # no longer.
        for stream in (f"engagements/{engagement_id}", f"users/{user_id}"):
            self._tx.changes.note(stream, kind, resource)


def _record(row: Any) -> Member:
    engagement_id, user_id, role, etag, created, updated, display_name, active = row
    return Member(
        engagement_id,
        user_id,
        display_name,
        Role(role),
        etag,
        from_us(created),
        from_us(updated),
        from_us_or_none(active),
    )
