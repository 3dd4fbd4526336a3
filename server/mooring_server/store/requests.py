"""Stored answers: what makes a repeated call harmless."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from peewee import Select, Tuple, fn

from mooring_server.store import tables
from mooring_server.store.records import StoredAnswer
from mooring_server.store.statements import Statement, param
from mooring_server.store.values import to_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_R = tables.Requests
_THIS = (_R.user_id == param("user_id")) & (_R.rpc == param("rpc")) & (_R.request_id == param("request_id"))

_LOCK = Statement(Select(columns=[fn.pg_advisory_xact_lock(fn.hashtextextended(param("key"), 0))]))
_GET = Statement(_R.select(_R.payload_hash, _R.answer).where(_THIS))
_PUT = Statement(_R.insert({field: param(field.name) for field in _R._meta.sorted_fields}))
_KEY = (_R.user_id, _R.rpc, _R.request_id)
_OLD = _R.select(*_KEY).where(_R.create_time < param("before")).order_by(_R.create_time).limit(param("limit"))
_DELETE_BEFORE = Statement(_R.delete().where(Tuple(*_KEY).in_(_OLD)))


class Requests:
    """Answers by caller, RPC and request id."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, user_id: str, rpc: str, request_id: str) -> StoredAnswer | None:
        """The answer that the same request got before.

        Until this transaction ends, the same request waits here in any other: so two at once, as a client's
        retry makes them, do the work once and get the same answer.
        """
        if not self._tx.is_sqlite:
            self._tx.rows(_LOCK, key=f"{user_id}/{rpc}/{request_id}")
        row = self._tx.row(_GET, user_id=user_id, rpc=rpc, request_id=request_id)
        return None if row is None else StoredAnswer(row[0], bytes(row[1]))

    def put(self, user_id: str, rpc: str, request_id: str, payload_hash: str, answer: bytes) -> None:
        """Keeps an answer, in the transaction of its effect, after `get` found none."""
        self._tx.run(
            _PUT,
            user_id=user_id,
            rpc=rpc,
            request_id=request_id,
            payload_hash=payload_hash,
            answer=answer,
            create_time=self._tx.now_us,
        )

    def delete_before(self, t: datetime, limit: int) -> int:
        """Forgets at most `limit` answers given before then; how many it forgot."""
        return self._tx.run(_DELETE_BEFORE, before=to_us(t), limit=limit)
