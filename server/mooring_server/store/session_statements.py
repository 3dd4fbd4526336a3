"""What is sent to the database about sessions: `sessions.py` says what for.

A family's `compared` is whether the row's etag must be the parameter `etag`.
"""

from typing import Any

from peewee import SQL, Node, Select, fn

from mooring_server.store import tables
from mooring_server.store.statements import Statement, param, statement_family

_S = tables.Sessions
_L = tables.SessionLabels
_THIS = (_S.engagement_id == param("engagement_id")) & (_S.id == param("id"))
_LIVING = _S.delete_time.is_null()
_IN_USE = _LIVING & _S.archive_time.is_null()
_TOUCH: dict[Any, Any] = {
    _S.etag: _S.etag + 1,
    _S.update_time: param("now"),
    _S.last_activity_time: param("now"),
}

GET = Statement(_S.select().where(_THIS))
GET_LIVING = Statement(_S.select().where(_THIS & _LIVING))
DEFAULT = Statement(_S.select().where((_S.engagement_id == param("engagement_id")) & _S.is_default))
_OF_USER = (
    _S.select()
    .join(tables.Members, on=(tables.Members.engagement_id == _S.engagement_id))
    .where((_S.id == param("id")) & (tables.Members.user_id == param("user_id")))
)
FIND = Statement(_OF_USER.where(_LIVING).limit(2))
FIND_DELETED = Statement(_OF_USER.where(~_LIVING).order_by(_S.delete_time.desc()).limit(1))
HAS_NAME = Statement(
    _S.select(_S.id).where(
        (_S.engagement_id == param("engagement_id")) & (_S.display_name == param("display_name")) & _LIVING
    )
)
_ARCHIVED = _LIVING & _S.archive_time.is_null(False)
_PUT_AWAY = (
    _S.select(_S.archive_time)
    .where((_S.engagement_id == param("engagement_id")) & _ARCHIVED)
    .limit(param("limit"))
    .alias("part")
)
COUNT_ARCHIVED = Statement(_PUT_AWAY.select_from(fn.COUNT(SQL("*"))))
INSERT = Statement(
    _S.insert(
        {
            _S.engagement_id: param("engagement_id"),
            _S.id: param("id"),
            _S.display_name: param("display_name"),
            _S.description: param("description"),
            _S.type: param("type"),
            _S.is_default: param("is_default"),
            _S.creator_id: param("creator_id"),
            _S.data_version_id: param("data_version_id"),
            _S.data_revision: param("data_revision"),
            _S.asset_count: param("asset_count"),
            _S.etag: 1,
            _S.create_time: param("now"),
            _S.update_time: param("now"),
            _S.sort_name: param("sort_name"),
            _S.labels: param("labels"),
            _S.parent_id: param("parent_id"),
            _S.dependency_count: param("dependency_count"),
            _S.last_activity_time: param("now"),
            _S.words: param("words"),
        }
    )
    .on_conflict(action="nothing")
    .returning(_S)
)
# PostgreSQL's: until the transaction ends.
LOCK_DEFAULT = Statement(
    Select(
        columns=(
            fn.pg_advisory_xact_lock(
                fn.hashtext("the default session of"), fn.hashtext(param("engagement_id"))
            ),
        )
    )
)
CLEAR_DEFAULT = Statement(
    _S.update({_S.is_default: False, **_TOUCH})
    .where((_S.engagement_id == param("engagement_id")) & _S.is_default & (_S.id != param("id")))
    .returning(_S.id)
)
SET_WORDS = Statement(_S.update({_S.words: param("words")}).where(_THIS))
VISIT = Statement(_S.update({_S.last_activity_time: param("now")}).where(_THIS & _LIVING).returning(_S))
# A change of nothing: it locks the row, on either database.
HOLD = Statement(_S.update({_S.labels: _S.labels}).where(_THIS & _LIVING).returning(_S))
MERGED = Statement(
    _S.update({_S.archive_time: param("now"), _S.parent_id: param("parent_id"), **_TOUCH})
    .where(_THIS & _IN_USE & ~_S.is_default)
    .returning(_S)
)
UNMERGED = Statement(
    _S.update({_S.archive_time: None, _S.parent_id: param("parent_id"), **_TOUCH})
    .where(_THIS & _LIVING & _S.archive_time.is_null(False) & (fn.COALESCE(_S.parent_id, "") == param("was")))
    .returning(_S)
)
CLEAR_LABELS = Statement(
    _L.delete().where((_L.engagement_id == param("engagement_id")) & (_L.session_id == param("session_id")))
)
INSERT_LABEL = Statement(_L.insert({field: param(field.name) for field in _L._meta.sorted_fields}))


def _this(compared: bool) -> Any:
    return _THIS & (_S.etag == param("etag")) if compared else _THIS


@statement_family
def update(fields: tuple[str, ...], compared: bool) -> Node:
    """New values of fields, in use alone."""
    changed = {getattr(_S, field): param(field) for field in fields}
    return _S.update({**changed, **_TOUCH}).where(_this(compared) & _IN_USE).returning(_S)


@statement_family
def delete(compared: bool) -> Node:
    """Any but the default."""
    deleted = {_S.delete_time: param("now"), **_TOUCH}
    return _S.update(deleted).where(_this(compared) & _LIVING & ~_S.is_default).returning(_S)


@statement_family
def undelete(compared: bool) -> Node:
    """Only a deleted one."""
    return _S.update({_S.delete_time: None, **_TOUCH}).where(_this(compared) & ~_LIVING).returning(_S)


@statement_family
def archive(compared: bool) -> Node:
    """One in use, but the default."""
    archived = {_S.archive_time: param("now"), **_TOUCH}
    return _S.update(archived).where(_this(compared) & _IN_USE & ~_S.is_default).returning(_S)


@statement_family
def unarchive(compared: bool) -> Node:
    """An archived one."""
    return _S.update({_S.archive_time: None, **_TOUCH}).where(_this(compared) & _ARCHIVED).returning(_S)


@statement_family
def make_default(compared: bool) -> Node:
    """One in use; the unique index wants the old default cleared first."""
    return _S.update({_S.is_default: True, **_TOUCH}).where(_this(compared) & _IN_USE).returning(_S)
