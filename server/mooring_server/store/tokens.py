"""API tokens: whose they are, what they allow and until when. Of a secret only its hash is here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from peewee import Tuple, fn

from mooring_server.errors import AlreadyExists
from mooring_server.store import tables
from mooring_server.store.records import ChangeKind, Page, Token, TokenScope
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_us, from_us_or_none, to_us

if TYPE_CHECKING:
    from peewee import Node

    from mooring_server.store.transaction import Tx

_T = tables.Tokens
_THIS = (_T.user_id == param("user_id")) & (_T.id == param("id"))
_RECORD = tuple(field for field in _T._meta.sorted_fields if field.name != "hash")

_GET = Statement(_T.select(*_RECORD).where(_THIS))
_BY_HASH = Statement(_T.select(*_RECORD).where(_T.hash == param("hash")))
_LIVING = Statement(
    _T.select(fn.COUNT(_T.id)).where(
        (_T.user_id == param("user_id")) & _T.revoke_time.is_null() & (_T.expire_time > param("now"))
    )
)
_INSERT = Statement(
    _T.insert(
        {
            _T.user_id: param("user_id"),
            _T.id: param("id"),
            _T.hash: param("hash"),
            _T.display_name: param("display_name"),
            _T.scope: param("scope"),
            _T.expire_time: param("expire_time"),
            _T.create_time: param("now"),
        }
    )
    .on_conflict(action="nothing")
    .returning(*_RECORD)
)
_REVOKE = Statement(
    _T.update({_T.revoke_time: param("now")}).where(_THIS & _T.revoke_time.is_null()).returning(*_RECORD)
)
_USE = Statement(
    _T.update({_T.use_time: param("time")}).where(
        _THIS & (_T.use_time.is_null() | (_T.use_time < param("time")))
    )
)
_KEY = (_T.user_id, _T.id)
_ENDED = (
    _T.select(*_KEY)
    .where((_T.expire_time < param("before")) | (_T.revoke_time < param("before")))
    .limit(param("limit"))
)
_DELETE_ENDED = Statement(_T.delete().where(Tuple(*_KEY).in_(_ENDED)))


@statement_family
def _page(of_one: bool, after: bool) -> Node:
    order = (_T.create_time, _T.user_id, _T.id)
    query = _T.select(*_RECORD).order_by(*(field.desc() for field in order))
    if of_one:
        query = query.where(_T.user_id == param("user_id"))
    if after:
        query = query.where(Tuple(*order) < Tuple(param("time"), param("after_user"), param("after_id")))
    return query.limit(param("limit")).offset(param("skip"))


class Tokens:
    """API tokens. Making and revoking one are changes of the stream `users/{u}`; its uses are none."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, user_id: str, token_id: str) -> Token | None:
        """The user's token of that id, ended or not."""
        row = self._tx.row(_GET, user_id=user_id, id=token_id)
        return None if row is None else _record(row)

    def by_hash(self, secret_hash: str) -> Token | None:
        """The token whose secret has this hash, ended or not."""

        def load() -> Token | None:
            row = self._tx.row(_BY_HASH, hash=secret_hash)
            return None if row is None else _record(row)

        return self._tx.cached(
            "token", secret_hash, load, lambda token: f"users/{token.user_id}" if token else None
        )

    def living(self, user_id: str) -> int:
        """How many of the user's tokens can be used."""
        return int(self._tx.row(_LIVING, user_id=user_id, now=self._tx.now_us)[0])

    def page(
        self, user_id: str | None, after_key: Sequence[Any] | None = None, *, limit: int, skip: int = 0
    ) -> Page[Token]:
        """The user's tokens (None: everybody's), the newest first, ended ones included."""
        time, after_user, after_id = after_key or (None, None, None)
        rows = self._tx.rows(
            _page(user_id is not None, after_key is not None),
            user_id=user_id,
            time=time,
            after_user=after_user,
            after_id=after_id,
            limit=limit + 1,
            skip=skip,
        )
        items = tuple(map(_record, rows[:limit]))
        if len(rows) <= limit:
            return Page(items, None)
        last = items[-1]
        return Page(items, (to_us(last.create_time), last.user_id, last.id))

    def insert(
        self,
        user_id: str,
        token_id: str,
        secret_hash: str,
        display_name: str,
        scope: TokenScope,
        expire_time: datetime,
    ) -> Token:
        """A new token; AlreadyExists (ID_TAKEN) where the user has one of that id."""
        row = self._tx.row(
            _INSERT,
            user_id=user_id,
            id=token_id,
            hash=secret_hash,
            display_name=display_name,
            scope=scope.value,
            expire_time=to_us(expire_time),
            now=self._tx.now_us,
        )
        if row is None:
            raise AlreadyExists(f"the token id {token_id!r} is taken", reason="ID_TAKEN")
        return self._changed(row, ChangeKind.CREATED)

    def revoke(self, user_id: str, token_id: str) -> Token | None:
        """Ends a token now; None where there is none of that id that was not revoked before."""
        row = self._tx.row(_REVOKE, user_id=user_id, id=token_id, now=self._tx.now_us)
        return None if row is None else self._changed(row, ChangeKind.REVOKED)

    def note_use(self, user_id: str, token_id: str, time: datetime) -> None:
        """Keeps when a token was last used, unless a later time is known. Nobody needs to hear of it."""
        self._tx.run(_USE, user_id=user_id, id=token_id, time=to_us(time))

    def delete_ended(self, before: datetime, limit: int) -> int:
        """Forgets at most `limit` tokens that expired or were revoked before then; how many it forgot."""
        return self._tx.run(_DELETE_ENDED, before=to_us(before), limit=limit)

    def _changed(self, row: Any, kind: ChangeKind) -> Token:
        token = _record(row)
        stream = f"users/{token.user_id}"
        self._tx.changes.note(stream, kind, f"{stream}/tokens/{token.id}")
        return token


def _record(row: Any) -> Token:
    user_id, id, display_name, scope, expires, created, revoked, used = row
    return Token(
        user_id,
        id,
        display_name,
        TokenScope(scope),
        from_us(expires),
        from_us(created),
        from_us_or_none(revoked),
        from_us_or_none(used),
    )
