"""The history of a session's imports, and what it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peewee import Node, Value, fn

from mooring_server.store import tables
from mooring_server.store.records import Import, Page
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_json, from_us, from_us_or_none, to_json

if TYPE_CHECKING:
    from mooring_server.store.lists.paging import Window
    from mooring_server.store.transaction import Tx

_I = tables.Imports
_A = tables.Assets

_OF_SESSION = (_I.engagement_id == param("engagement_id")) & (_I.session_id == param("session_id"))
_INSERTED = tuple(
    field for field in _I._meta.sorted_fields if field.name not in ("revert_time", "reverter_id")
)

_INSERT = Statement(_I.insert({field: param(field.name) for field in _INSERTED}).returning(_I))
_GET = Statement(_I.select().where(_OF_SESSION & (_I.id == param("id"))))
_REVERT = Statement(
    _I.update({_I.revert_time: param("now"), _I.reverter_id: param("user_id")})
    .where(_OF_SESSION & (_I.id == param("id")) & _I.revert_time.is_null())
    .returning(_I)
)
_TAKEN_OVER = {
    column: Statement(_I.update({column: param("new_id")}).where(_OF_SESSION & (column == param("old_id"))))
    for column in (_I.version_id, _I.base_id)
}
_SAME = Statement(
    _I.select()
    .where(
        _OF_SESSION
        & (_I.sha256 == param("sha256"))
        & (_I.options_hash == param("options_hash"))
        & _I.revert_time.is_null()
    )
    .order_by(_I.id.desc())
    .limit(1)
)


@statement_family
def _page(after: bool) -> Node:
    where = _OF_SESSION & (_I.id < param("after_id")) if after else _OF_SESSION
    return _I.select().where(where).order_by(_I.id.desc()).limit(param("limit")).offset(param("skip"))


@statement_family
def _unnamed(after: bool) -> Node:
    named = _A.alias("named")
    is_named = named.select(Value(1)).where(
        (named.version_id == param("version_id")) & (named.identity == _A.identity)
    )
    beyond = _A.version_id == param("base_id")
    if after:
        beyond &= _A.id > param("after_id")
    part = _A.select(_A.id).where(beyond).order_by(_A.id).limit(param("limit"))
    missing = (_A.source == param("source")) & ~_A.implied & ~fn.EXISTS(is_named)
    return (
        _A.select(_A.id, _A.display_name, _A.source_file, _A.source_sheet, _A.source_row, missing)
        .where((_A.version_id == param("base_id")) & _A.id.in_(part))
        .order_by(_A.id)
    )


class Imports:
    """Imports that were published. Nothing here is a change that others see: what they did is."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def insert(
        self,
        *,
        id: str,
        engagement_id: str,
        session_id: str,
        user_id: str,
        file_name: str,
        sha256: str,
        size_bytes: int,
        options: dict[str, Any],
        options_hash: str,
        report: dict[str, Any],
        details: dict[str, Any],
        base_id: str | None,
        base_revision: int,
        version_id: str | None,
        revision: int,
    ) -> Import:
        """Enters an import; `details` are the parts of its report that may be long."""
        row = self._tx.row(
            _INSERT,
            id=id,
            engagement_id=engagement_id,
            session_id=session_id,
            user_id=user_id,
            file_name=file_name,
            sha256=sha256,
            size_bytes=size_bytes,
            options=to_json(options),
            options_hash=options_hash,
            report=to_json(report),
            details=to_json(details),
            base_id=base_id,
            base_revision=base_revision,
            version_id=version_id,
            revision=revision,
            create_time=self._tx.now_us,
        )
        return _record(row, whole=True)

    def get(self, engagement_id: str, session_id: str, id: str) -> Import | None:
        """The import with its whole report, where it is one of that session."""
        row = self._tx.row(_GET, engagement_id=engagement_id, session_id=session_id, id=id)
        return None if row is None else _record(row, whole=True)

    def taken_over(self, engagement_id: str, session_id: str, old_id: str, new_id: str) -> None:
        """Has the session's history speak of a copy of a version rather than of that."""
        for statement in _TAKEN_OVER.values():
            self._tx.run(
                statement, engagement_id=engagement_id, session_id=session_id, old_id=old_id, new_id=new_id
            )

    def same_content(
        self, engagement_id: str, session_id: str, sha256: str, options_hash: str
    ) -> Import | None:
        """The session's newest import of these bytes, read in the same way and not undone."""
        row = self._tx.row(
            _SAME,
            engagement_id=engagement_id,
            session_id=session_id,
            sha256=sha256,
            options_hash=options_hash,
        )
        return None if row is None else _record(row, whole=True)

    def page(self, engagement_id: str, session_id: str, window: Window) -> Page[Import]:
        """The session's imports, newest first."""
        after = window.after_key
        rows = self._tx.rows(
            _page(after is not None),
            engagement_id=engagement_id,
            session_id=session_id,
            after_id=after[0] if after else None,
            skip=window.skip,
            limit=window.limit + 1,
        )
        items = tuple(_record(row, whole=False) for row in rows[: window.limit])
        return Page(items, (items[-1].id,) if items and len(rows) > window.limit else None)

    def revert(self, engagement_id: str, session_id: str, id: str, user_id: str) -> Import | None:
        """Notes that an import was undone; None where it was before."""
        row = self._tx.row(
            _REVERT,
            engagement_id=engagement_id,
            session_id=session_id,
            id=id,
            user_id=user_id,
            now=self._tx.now_us,
        )
        return None if row is None else _record(row, whole=True)

    def missing(
        self, base_id: str, version_id: str, source: str, after_id: str | None, limit: int
    ) -> tuple[list[tuple[str, str, str, str, int]], str | None]:
        """Assets of the base that an earlier file of the inventory told of and `version_id` lacks.

        Looks at the next `limit` assets of the base after `after_id`. Answers (id, display name, file, sheet,
        row) of each, and where to go on, None at the end. Mentions are not missed.
        """
        rows = self._tx.rows(
            _unnamed(after_id is not None),
            base_id=base_id,
            version_id=version_id,
            source=source,
            after_id=after_id,
            limit=limit,
        )
        found = [tuple(row[:5]) for row in rows if row[5]]
        return found, rows[-1][0] if len(rows) == limit else None


def _record(row: Any, *, whole: bool) -> Import:
    (
        id, engagement_id, session_id, user_id, file_name, sha256, size_bytes, options, _, report, details,
        base_id, base_revision, version_id, revision, created, reverted, reverter_id,
    ) = row  # fmt: skip
    report = from_json(report)
    if whole:
        report |= from_json(details)
    return Import(
        id=id,
        engagement_id=engagement_id,
        session_id=session_id,
        user_id=user_id,
        file_name=file_name,
        sha256=sha256,
        size_bytes=size_bytes,
        options=from_json(options),
        report=report,
        base_id=base_id,
        base_revision=base_revision,
        version_id=version_id,
        revision=revision,
        create_time=from_us(created),
        revert_time=from_us_or_none(reverted),
        reverter_id=reverter_id,
    )
