"""Operations: long work, from its order to its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from peewee import Node

from mooring_server.errors import NotFound
from mooring_server.store import tables
from mooring_server.store.records import Operation, OperationState, Page
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import first_id, from_json, from_us, to_json, to_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_O = tables.Operations
_OF_SESSION = (_O.engagement_id == param("engagement_id")) & (_O.session_id == param("session_id"))
_ENDED = (OperationState.SUCCEEDED.value, OperationState.FAILED.value, OperationState.CANCELLED.value)
_FIELDS = frozenset({"state", "cancel_requested", "progress", "result", "error"})

_GET = Statement(_O.select().where(_OF_SESSION & (_O.id == param("id"))))
_INSERT = Statement(
    _O.insert(
        {
            _O.id: param("id"),
            _O.engagement_id: param("engagement_id"),
            _O.session_id: param("session_id"),
            _O.user_id: param("user_id"),
            _O.kind: param("kind"),
            _O.state: OperationState.QUEUED.value,
            _O.cancel_requested: False,
            _O.host: "",
            _O.arguments: param("arguments"),
            _O.progress: "{}",
            _O.create_time: param("now"),
            _O.update_time: param("now"),
        }
    ).returning(_O)
)
_CLAIM = Statement(
    _O.update(
        {
            _O.state: OperationState.RUNNING.value,
            _O.host: param("host"),
            _O.update_time: param("now"),
        }
    )
    .where((_O.id == param("id")) & (_O.state == OperationState.QUEUED.value))
    .returning(_O)
)
_UNATTENDED = Statement(
    _O.select()
    .where((_O.state == OperationState.RUNNING.value) & (_O.update_time < param("before")))
    .order_by(_O.id)
)
_OLD = _O.select(_O.id).where(_O.state.in_(_ENDED) & (_O.id < param("before"))).limit(param("limit"))
_DELETE_ENDED = Statement(_O.delete().where(_O.id.in_(_OLD)))
_QUEUED = Statement(
    _O.select().where(_O.state == OperationState.QUEUED.value).order_by(_O.id).limit(param("limit"))
)


@statement_family
def _update(fields: tuple[str, ...]) -> Node:
    changed = {getattr(_O, field): param(field) for field in fields}
    return _O.update({**changed, _O.update_time: param("now")}).where(_O.id == param("id")).returning(_O)


@statement_family
def _page(after: bool) -> Node:
    where = _OF_SESSION & (_O.id < param("after_id")) if after else _OF_SESSION
    return _O.select().where(where).order_by(_O.id.desc()).limit(param("limit")).offset(param("skip"))


class Operations:
    """Operations. Nothing here is a change that others see: what an operation did to its session is."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def insert(
        self,
        id: str,
        engagement_id: str,
        session_id: str,
        user_id: str,
        kind: str,
        arguments: dict[str, Any],
    ) -> Operation:
        """A queued operation; ids sort by age (`new_id`), so that the queue is in order."""
        row = self._tx.row(
            _INSERT,
            id=id,
            engagement_id=engagement_id,
            session_id=session_id,
            user_id=user_id,
            kind=kind,
            arguments=to_json(arguments),
            now=self._tx.now_us,
        )
        return _record(row)

    def get(self, engagement_id: str, session_id: str, id: str) -> Operation | None:
        """The operation, where it is one of that session."""
        row = self._tx.row(_GET, engagement_id=engagement_id, session_id=session_id, id=id)
        return None if row is None else _record(row)

    def update(self, id: str, **fields: Any) -> Operation:
        """Sets `state`, `cancel_requested`, `progress`, `result` or `error`.

        Raises NotFound (OPERATION_NOT_FOUND).
        """
        if unknown := fields.keys() - _FIELDS:
            raise TypeError(f"not fields of an operation: {sorted(unknown)}")
        for name in ("progress", "result", "error"):
            if fields.get(name) is not None:
                fields[name] = to_json(fields[name])
        if "state" in fields:
            fields["state"] = OperationState(fields["state"]).value
        row = self._tx.row(_update(tuple(sorted(fields))), id=id, now=self._tx.now_us, **fields)
        if row is None:
            raise NotFound("there is no such operation", reason="OPERATION_NOT_FOUND")
        return _record(row)

    def claim(self, id: str, host: str) -> Operation | None:
        """Takes a queued operation for this process; None where another took it or it was cancelled."""
        row = self._tx.row(_CLAIM, id=id, host=host, now=self._tx.now_us)
        return None if row is None else _record(row)

    def unattended(self, since: datetime) -> list[Operation]:
        """Running operations that nobody has refreshed since then."""
        return [_record(row) for row in self._tx.rows(_UNATTENDED, before=to_us(since))]

    def queued(self, limit: int) -> list[Operation]:
        """What waits, oldest first."""
        return [_record(row) for row in self._tx.rows(_QUEUED, limit=limit)]

    def delete_ended(self, before: datetime, limit: int) -> int:
        """Forgets at most `limit` operations that were ordered before then and have ended; how many."""
        return self._tx.run(_DELETE_ENDED, before=first_id(before), limit=limit)

    def page(
        self,
        engagement_id: str,
        session_id: str,
        after_key: Sequence[Any] | None,
        skip: int,
        limit: int,
    ) -> Page[Operation]:
        """The session's operations, newest first."""
        rows = self._tx.rows(
            _page(after_key is not None),
            engagement_id=engagement_id,
            session_id=session_id,
            after_id=after_key[0] if after_key else None,
            skip=skip,
            limit=limit + 1,
        )
        items = tuple(_record(row) for row in rows[:limit])
        return Page(items, (items[-1].id,) if items and len(rows) > limit else None)


def _record(row: Any) -> Operation:
    (
        id, engagement_id, session_id, user_id, kind, state, cancel_requested, host,
        arguments, progress, result, error, created, updated,
    ) = row  # fmt: skip
    return Operation(
        id=id,
        engagement_id=engagement_id,
        session_id=session_id,
        user_id=user_id,
        kind=kind,
        state=OperationState(state),
        cancel_requested=bool(cancel_requested),
        host=host,
        arguments=from_json(arguments),
        progress=from_json(progress),
        result=None if result is None else from_json(result),
        error=None if error is None else from_json(error),
        create_time=from_us(created),
        update_time=from_us(updated),
    )
