"""Engagements: the rooms that sessions live in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peewee import Node

from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.store import tables
from mooring_server.store.lists.conditions import Condition, both
from mooring_server.store.lists.definitions import ENGAGEMENTS, living
from mooring_server.store.lists.paging import Total, Window
from mooring_server.store.records import ChangeKind, Engagement, Order, Page
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_us, from_us_or_none, searched_text, sort_key

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
            _E.words: param("words"),
        }
    )
    .on_conflict(action="nothing")
    .returning(_E)
)
_TOUCHED: dict[Any, Any] = {_E.etag: _E.etag + 1, _E.update_time: param("now")}
_TOUCH = Statement(_E.update(_TOUCHED).where(_E.id == param("id")))
_LOCK = Statement(_E.select(_E.id).where(_E.id == param("id")).for_update())
_FIELDS = frozenset({"display_name", "description"})


def _this(compared: bool) -> Any:
    this = _E.id == param("id")
    return this & (_E.etag == param("etag")) if compared else this


@statement_family
def _update(fields: tuple[str, ...], compared: bool) -> Node:
    changed = {getattr(_E, field): param(field) for field in fields}
    return _E.update({**changed, **_TOUCHED}).where(_this(compared))


@statement_family
def _set_archived(archived: bool, compared: bool) -> Node:
    changed = {_E.archive_time: param("now") if archived else None, **_TOUCHED}
    return _E.update(changed).where(_this(compared) & _E.archive_time.is_null(archived))


class Engagements:
    """Engagements. A mutation is a change of the stream `engagements/{e}`."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, engagement_id: str) -> Engagement | None:
        """The engagement, as it will be when this transaction has committed what it did so far."""

        def load() -> Engagement | None:
            row = self._tx.row(_GET, id=engagement_id)
            return None if row is None else self._record(row)

        return self._tx.cached("engagement", engagement_id, load, lambda _: f"engagements/{engagement_id}")

    def is_archived(self, engagement_id: str) -> bool:
        """Whether it is put away; an absent one is not."""
        return self._tx.cached(
            "archived",
            engagement_id,
            lambda: self._tx.row(_IS_ARCHIVED, id=engagement_id) is not None,
            lambda _: f"engagements/{engagement_id}",
        )

    def require_in_use(self, engagement_id: str) -> None:
        """Refuses an archived engagement: now, and again where the commit moves the engagement's revision, so
        that nothing gets in while it is being archived. Raises FailedPrecondition (ENGAGEMENT_ARCHIVED).
        """
        if self.is_archived(engagement_id):
            raise archived()
        self._tx.changes.expect_in_use(engagement_id)

    def lock(self, engagement_id: str) -> None:
        """Makes other transactions that lock or change this engagement wait until this one ends."""
        if not self._tx.is_sqlite:
            self._tx.rows(_LOCK, id=engagement_id)

    def insert(self, id: str, display_name: str, description: str) -> Engagement:
        """A new engagement; AlreadyExists (ID_TAKEN). Insert its default session in the same transaction."""
        row = self._tx.row(
            _INSERT,
            id=id,
            display_name=display_name,
            sort_name=sort_key(display_name),
            words=searched_text((display_name,)),
            description=description,
            now=self._tx.now_us,
        )
        if row is None:
            raise AlreadyExists(f"the engagement id {id!r} is taken", reason="ID_TAKEN")
        stream = f"engagements/{id}"
        self._tx.changes.note(stream, ChangeKind.CREATED, stream)
        return self._record((*row, None))

    def update(self, id: str, expected_etag: int | None, **fields: Any) -> Engagement:
        """Changes `display_name` or `description`, nothing where neither is given.

        The etag is compared in the UPDATE itself. Raises NotFound (ENGAGEMENT_NOT_FOUND) or Aborted
        (ETAG_MISMATCH).
        """
        if unknown := fields.keys() - _FIELDS:
            raise TypeError(f"not fields of an engagement: {sorted(unknown)}")
        if not fields:
            return self._require(id, expected_etag)
        if "display_name" in fields:
            fields["sort_name"] = sort_key(fields["display_name"])
            fields["words"] = searched_text((fields["display_name"],))
        statement = _update(tuple(sorted(fields)), expected_etag is not None)
        if not self._tx.run(statement, id=id, etag=expected_etag, now=self._tx.now_us, **fields):
            self._require(id, expected_etag)
        return self._changed(id, ChangeKind.UPDATED)

    def archive(self, id: str, expected_etag: int | None) -> Engagement:
        """Puts it away; one that is away stays as it is. Raises as `update`."""
        return self._move(id, expected_etag, archived=True)

    def unarchive(self, id: str, expected_etag: int | None) -> Engagement:
        """Takes it up again; one in use stays as it is. Raises as `update`."""
        return self._move(id, expected_etag, archived=False)

    def touch(self, engagement_id: str) -> None:
        """Moves the etag for a change that a session's row holds (the default); the caller notes it."""
        if not self._tx.run(_TOUCH, id=engagement_id, now=self._tx.now_us):
            raise _absent()

    def page(
        self,
        user_id: str,
        order: Order,
        window: Window,
        condition: Condition | None = None,
        *,
        archived: bool = False,
    ) -> Page[Engagement]:
        """The user's that the condition is true of; archived ones too where asked for."""
        wanted = both(condition, *living(archived=archived, deleted=True))
        return ENGAGEMENTS.page(self._tx, self._record, wanted, order, window, user_id=user_id)

    def total(
        self, user_id: str, window: Window, condition: Condition | None = None, *, archived: bool = False
    ) -> Total:
        """How many there are of those that `page` shows."""
        wanted = both(condition, *living(archived=archived, deleted=True))
        return ENGAGEMENTS.total(self._tx, wanted, window, user_id=user_id)

    def _move(self, id: str, expected_etag: int | None, *, archived: bool) -> Engagement:
        statement = _set_archived(archived, expected_etag is not None)
        if not self._tx.run(statement, id=id, etag=expected_etag, now=self._tx.now_us):
            return self._require(id, expected_etag)
        return self._changed(id, ChangeKind.ARCHIVED if archived else ChangeKind.UNARCHIVED)

    def _require(self, id: str, expected_etag: int | None) -> Engagement:
        """The engagement that a statement left as it is, unless there is none or it has another etag."""
        engagement = self.get(id)
        if engagement is None:
            raise _absent()
        if expected_etag not in (None, engagement.etag):
            raise Aborted(
                "the engagement has changed since it was read; get it again", reason="ETAG_MISMATCH"
            )
        return engagement

    def _changed(self, id: str, kind: ChangeKind) -> Engagement:
        stream = f"engagements/{id}"
        self._tx.changes.note(stream, kind, stream)
        return self._require(id, None)

    def _record(self, row: Any) -> Engagement:
        (
            id, display_name, description, sessions, revision, etag, created, updated, _, archived, _,
            default_id,
        ) = row  # fmt: skip
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


def archived() -> FailedPrecondition:
    """The refusal of a change in an archived engagement."""
    return FailedPrecondition(
        "the engagement is archived: nothing in it can be changed unless it is unarchived",
        reason="ENGAGEMENT_ARCHIVED",
    )


def _absent() -> NotFound:
    return NotFound("there is no such engagement", reason="ENGAGEMENT_NOT_FOUND")
