"""Contexts: where a user is in each of their notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from peewee import Tuple

from mooring_server.errors import Aborted, AlreadyExists, NotFound
from mooring_server.store import tables
from mooring_server.store.records import ChangeKind, Context, Page
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_us, to_us

if TYPE_CHECKING:
    from peewee import Node

    from mooring_server.store.transaction import Tx

_C = tables.Contexts
_THIS = (_C.user_id == param("user_id")) & (_C.id == param("id"))
_RECORD = tuple(field for field in _C._meta.sorted_fields if not field.name.endswith("_key"))

_GET = Statement(_C.select(*_RECORD).where(_THIS))
_INSERT = Statement(
    _C.insert(
        {
            _C.user_id: param("user_id"),
            _C.id: param("id"),
            _C.engagement_id: param("engagement_id"),
            _C.session_id: param("session_id"),
            _C.revision: 1,
            _C.create_time: param("now"),
            _C.update_time: param("now"),
            _C.kernel_key: "",
            _C.notebook_key: "",
            _C.use_time: param("now"),
        }
    )
    .on_conflict(action="nothing")
    .returning(*_RECORD)
)
_DELETE = Statement(_C.delete().where(_THIS).returning(*_RECORD))
# What is always there to go back to.
_STAYS = "default"
_IDLE = (_C.use_time < param("before")) & (_C.id != _STAYS)
_FIND_IDLE = Statement(_C.select(_C.user_id, _C.id).where(_IDLE).order_by(_C.use_time).limit(param("limit")))
_DELETE_IDLE = Statement(_C.delete().where(_THIS & _IDLE).returning(*_RECORD))


@statement_family
def _page(after: bool) -> Node:
    query = _C.select(*_RECORD).where(_C.user_id == param("user_id"))
    if after:
        query = query.where(Tuple(_C.create_time, _C.id) < Tuple(param("created"), param("after_id")))
    newest_first = (_C.create_time.desc(), _C.id.desc())
    return query.order_by(*newest_first).limit(param("limit")).offset(param("skip"))


@statement_family
def _by(binding: str) -> Node:
    # The second condition is the partial index's own.
    column = getattr(_C, binding)
    return _C.select(*_RECORD).where(
        (_C.user_id == param("user_id")) & (column == param("key")) & (column != "")
    )


@statement_family
def _free(binding: str) -> Node:
    column = getattr(_C, binding)
    return _C.update({column: ""}).where(
        (_C.user_id == param("user_id")) & (column == param("key")) & (column != "") & (_C.id != param("id"))
    )


@statement_family
def _use(*bindings: str) -> Node:
    bound = {getattr(_C, binding): param(binding) for binding in bindings}
    return _C.update({**bound, _C.use_time: param("now")}).where(_THIS).returning(*_RECORD)


@statement_family
def _switch(compared: bool) -> Node:
    this = _THIS & (_C.revision == param("expected")) if compared else _THIS
    return (
        _C.update(
            {
                _C.engagement_id: param("engagement_id"),
                _C.session_id: param("session_id"),
                _C.revision: _C.revision + 1,
                _C.update_time: param("now"),
                _C.use_time: param("now"),
            }
        )
        .where(this)
        .returning(*_RECORD)
    )


class Contexts:
    """Contexts. A mutation is a change of the stream `users/{u}`, except for bindings and the time of use."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, user_id: str, context_id: str) -> Context | None:
        """The user's context of that id."""
        row = self._tx.row(_GET, user_id=user_id, id=context_id)
        return None if row is None else _record(row)

    def by_kernel(self, user_id: str, key: str) -> Context | None:
        """The context that this kernel is bound to."""
        row = self._tx.row(_by("kernel_key"), user_id=user_id, key=key)
        return None if row is None else _record(row)

    def by_notebook(self, user_id: str, key: str) -> Context | None:
        """The context that this notebook is bound to."""
        row = self._tx.row(_by("notebook_key"), user_id=user_id, key=key)
        return None if row is None else _record(row)

    def insert(
        self,
        user_id: str,
        context_id: str,
        engagement_id: str,
        session_id: str,
        kernel_key: str = "",
        notebook_key: str = "",
    ) -> Context:
        """A new context, with its bindings taken from any other; AlreadyExists (ID_TAKEN)."""
        row = self._tx.row(
            _INSERT,
            user_id=user_id,
            id=context_id,
            engagement_id=engagement_id,
            session_id=session_id,
            now=self._tx.now_us,
        )
        if row is None:
            raise AlreadyExists(f"the context id {context_id!r} is taken", reason="ID_TAKEN")
        if kernel_key or notebook_key:
            self.use(user_id, context_id, kernel_key, notebook_key)
        return self._changed(row, ChangeKind.CREATED)

    def use(self, user_id: str, context_id: str, kernel_key: str = "", notebook_key: str = "") -> Context:
        """Says that it is used now, and moves the given bindings here from any other context of the user.

        Nobody needs to hear of it. Raises NotFound (CONTEXT_NOT_FOUND).
        """
        keys = {"kernel_key": kernel_key, "notebook_key": notebook_key}
        given = {binding: key for binding, key in keys.items() if key}
        for binding, key in given.items():
            self._tx.run(_free(binding), user_id=user_id, id=context_id, key=key)
        row = self._tx.row(_use(*given), user_id=user_id, id=context_id, now=self._tx.now_us, **given)
        if row is None:
            raise _absent()
        return _record(row)

    def page(self, user_id: str, after_key: Sequence[Any] | None, skip: int, limit: int) -> Page[Context]:
        """The user's, newest first: `skip` passed over after `after_key` (a page's `next_key`), then at most
        `limit`."""
        created, after_id = after_key or (None, None)
        rows = self._tx.rows(
            _page(after_key is not None),
            user_id=user_id,
            created=created,
            after_id=after_id,
            skip=skip,
            limit=limit + 1,
        )
        items = tuple(map(_record, rows[:limit]))
        last = items[-1] if len(rows) > limit else None
        return Page(items, None if last is None else (to_us(last.create_time), last.id))

    def delete(self, user_id: str, context_id: str) -> Context:
        """Removes it; what it was. Raises NotFound (CONTEXT_NOT_FOUND)."""
        row = self._tx.row(_DELETE, user_id=user_id, id=context_id)
        if row is None:
            raise _absent()
        return self._changed(row, ChangeKind.DELETED)

    def delete_idle(self, before: datetime, limit: int) -> int:
        """Removes at most `limit` that nobody has used since; `default` stays. How many went."""
        idle = self._tx.rows(_FIND_IDLE, before=to_us(before), limit=limit)
        # First the users, in order, as everybody who opens a context does: so nobody waits in a circle.
        for user_id in sorted({user_id for user_id, _ in idle}):
            self._tx.users.lock(user_id)
        gone = 0
        for user_id, context_id in idle:
            row = self._tx.row(_DELETE_IDLE, user_id=user_id, id=context_id, before=to_us(before))
            if row is not None:  # else it has been used in this very moment
                self._changed(row, ChangeKind.DELETED)
                gone += 1
        return gone

    def switch(
        self,
        user_id: str,
        context_id: str,
        engagement_id: str,
        session_id: str,
        expected_revision: int | None,
    ) -> Context:
        """Moves the context: compare-and-set on its revision where one is expected.

        Raises NotFound (CONTEXT_NOT_FOUND) or Aborted (CONTEXT_MOVED).
        """
        row = self._tx.row(
            _switch(expected_revision is not None),
            user_id=user_id,
            id=context_id,
            engagement_id=engagement_id,
            session_id=session_id,
            expected=expected_revision,
            now=self._tx.now_us,
        )
        if row is None:
            if self.get(user_id, context_id) is None:
                raise _absent()
            raise Aborted(
                "the context was switched elsewhere since it was read; get it again", reason="CONTEXT_MOVED"
            )
        return self._changed(row, ChangeKind.SWITCHED)

    def _changed(self, row: Any, kind: ChangeKind) -> Context:
        context = _record(row)
        stream = f"users/{context.user_id}"
        # A switch is something that happens to a session; a new place is not.
        switched = kind is ChangeKind.SWITCHED
        self._tx.changes.note(
            stream,
            kind,
            f"{stream}/contexts/{context.id}",
            engagement_id=context.engagement_id if switched else None,
            session_id=context.session_id if switched else None,
        )
        return context


def _absent() -> NotFound:
    return NotFound("there is no such context", reason="CONTEXT_NOT_FOUND")


def _record(row: Any) -> Context:
    user_id, id, engagement_id, session_id, revision, created, updated, used = row
    return Context(
        user_id, id, engagement_id, session_id, revision, from_us(created), from_us(updated), from_us(used)
    )
