"""What is sent to the database about data versions: `versions.py` says what for."""

from peewee import Node, Value, fn

from mooring_server.store import tables
from mooring_server.store.statements import Statement, param, statement_family

_V = tables.DataVersions
_S = tables.Sessions
_A = tables.Assets
_D = tables.Dependencies
_L = tables.Landscapes

_THIS = _V.id == param("id")
_SHOWN = fn.EXISTS(_S.select(Value(1)).where(_S.data_version_id == _V.id))

GET = Statement(_V.select().where(_THIS & (_V.idle_time.is_null() | (_V.idle_time > 0))))
BEGIN = Statement(
    _V.insert(
        {
            _V.id: param("id"),
            _V.engagement_id: param("engagement_id"),
            _V.session_id: param("session_id"),
            _V.base_id: param("base_id"),
            _V.published: False,
            _V.asset_count: 0,
            _V.dependency_count: 0,
            _V.revision: 0,
            _V.base_revision: param("base_revision"),
            _V.create_time: param("now"),
            _V.idle_time: param("now"),
        }
    ).returning(_V)
)
PUBLISH = Statement(
    _V.update(
        {
            _V.published: True,
            _V.asset_count: param("asset_count"),
            _V.dependency_count: param("dependency_count"),
            _V.idle_time: None,
        }
    )
    .where(_THIS & ~_V.published & (_V.idle_time > 0))
    .returning(_V)
)
# Written, not read: that locks the row, so that no edit of the base can come between this and the move.
HOLD = Statement(
    _V.update({_V.revision: _V.revision}).where(_THIS & (_V.revision == param("revision"))).returning(_V)
)
# Another session may show it all the while.
SHOW_AGAIN = Statement(
    _V.update({_V.idle_time: None})
    .where(_THIS & _V.published & (_V.idle_time.is_null() | (_V.idle_time > 0)))
    .returning(_V)
)
EDIT = Statement(
    _V.update(
        {
            _V.revision: _V.revision + 1,
            _V.asset_count: _V.asset_count + param("assets"),
            _V.dependency_count: _V.dependency_count + param("dependencies"),
        }
    )
    .where(_THIS & _V.published & _V.idle_time.is_null())
    .returning(_V)
)
# Written, not read, for the same reason: who is about to edit it hears of whoever is about to share it.
SHARE = Statement(
    _V.update({_V.revision: _V.revision}).where(_THIS & _V.published & _V.idle_time.is_null()).returning(_V)
)
_NEXT = _V.alias("next")
OTHERS = Statement(
    _V.select(Value(1)).where(
        _THIS
        & (
            (_V.session_id != param("session_id"))
            | (_V.engagement_id != param("engagement_id"))
            | fn.EXISTS(
                _S.select(Value(1)).where(
                    (_S.data_version_id == _V.id)
                    & ((_S.id != param("session_id")) | (_S.engagement_id != param("engagement_id")))
                )
            )
            | fn.EXISTS(
                _NEXT.select(Value(1)).where(
                    (_NEXT.base_id == _V.id)
                    & (
                        (_NEXT.session_id != param("session_id"))
                        | (_NEXT.engagement_id != param("engagement_id"))
                    )
                )
            )
        )
    )
)
TAKE_PLACE = Statement(
    _V.update(
        {
            _V.base_id: param("base_id"),
            _V.base_revision: param("base_revision"),
            _V.revision: param("revision"),
        }
    )
    .where(_THIS)
    .returning(_V)
)
HAND_OVER = Statement(_V.update({_V.session_id: param("session_id")}).where(_THIS))
_SHOWN_NOW = _V.select().where(_THIS & _V.published & _V.idle_time.is_null())
LOOK = Statement(_SHOWN_NOW)
LOCK = Statement(_SHOWN_NOW.for_update("FOR NO KEY UPDATE"))  # type: ignore[arg-type]  # in words too
RETIRE = Statement(_V.update({_V.idle_time: param("now")}).where(_THIS & ~_SHOWN))
GIVE_UP = Statement(_V.update({_V.idle_time: 0}).where(_THIS & _V.idle_time.is_null(False) & ~_SHOWN))
_DUE = _V.idle_time < param("before")
ABANDONED = Statement(_V.select(_V.id).where(_DUE & ~_SHOWN).order_by(_V.idle_time).limit(param("limit")))
SPARE = Statement(
    _V.select(
        fn.COUNT(_V.id),
        # Cast: PostgreSQL sums big integers as numerics.
        fn.COALESCE(fn.SUM(_V.asset_count), 0).cast("BIGINT"),
        fn.COALESCE(fn.SUM(_V.dependency_count), 0).cast("BIGINT"),
        fn.COUNT(_V.id).filter(_DUE),
    ).where(_V.idle_time.is_null(False) & ~_SHOWN)
)
_SOME_ASSETS = _A.select(_A.id).where(_A.version_id == param("id")).order_by(_A.id).limit(param("limit"))
IDS = Statement(_SOME_ASSETS)
DELETE_ASSETS = Statement(_A.delete().where((_A.version_id == param("id")) & _A.id.in_(_SOME_ASSETS)))
_SOME_DEPENDENCIES = (
    _D.select(_D.id).where(_D.version_id == param("id")).order_by(_D.id).limit(param("limit"))
)
DELETE_DEPENDENCIES = Statement(
    _D.delete().where((_D.version_id == param("id")) & _D.id.in_(_SOME_DEPENDENCIES))
)
DELETE_LANDSCAPE = Statement(_L.delete().where(_L.version_id == param("id")))
DELETE = Statement(_V.delete().where(_THIS))


@statement_family
def move(from_none: bool) -> Node:
    """Points a session in use at another version, from the version `base` or from none."""
    base = _S.data_version_id.is_null() if from_none else (_S.data_version_id == param("base"))
    return (
        _S.update(
            {
                _S.data_version_id: param("id"),
                _S.data_revision: param("revision"),
                _S.asset_count: param("asset_count"),
                _S.dependency_count: param("dependency_count"),
                _S.etag: _S.etag + 1,
                _S.update_time: param("now"),
                _S.last_activity_time: param("now"),
            }
        )
        .where(
            (_S.engagement_id == param("engagement_id"))
            & (_S.id == param("session_id"))
            & _S.delete_time.is_null()
            & _S.archive_time.is_null()
            & base
        )
        .returning(_S)
    )
