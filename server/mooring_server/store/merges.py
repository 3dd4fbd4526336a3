"""The merges of an engagement, and what they left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from peewee import Node

from mooring_server.store import tables
from mooring_server.store.records import Merge, MergeDrop, Page
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_json, from_us, from_us_or_none, to_json

if TYPE_CHECKING:
    from mooring_server.store.lists.paging import Window
    from mooring_server.store.transaction import Tx

_M = tables.Merges
_D = tables.MergeDrops
_OF_ENGAGEMENT = _M.engagement_id == param("engagement_id")
_THIS = _OF_ENGAGEMENT & (_M.id == param("id"))
_INSERTED = tuple(
    field for field in _M._meta.sorted_fields if field.name not in ("revert_time", "reverter_id")
)

_INSERT = Statement(_M.insert({field: param(field.name) for field in _INSERTED}).returning(_M))
_GET = Statement(_M.select().where(_THIS))
_REVERT = Statement(
    _M.update({_M.revert_time: param("now"), _M.reverter_id: param("user_id")})
    .where(_THIS & _M.revert_time.is_null())
    .returning(_M)
)
_TAKEN_OVER = Statement(
    _M.update({_M.version_id: param("new_id")}).where(
        _OF_ENGAGEMENT & (_M.target_id == param("session_id")) & (_M.version_id == param("old_id"))
    )
)
_SOME_DROPS = (
    _D.select(_D.id)
    .where((_D.merge_id == param("merge_id")) & (_D.kind == param("kind")))
    .order_by(_D.id)
    .limit(param("limit"))
)
_DISCARD = Statement(
    _D.delete().where(
        (_D.merge_id == param("merge_id")) & (_D.kind == param("kind")) & _D.id.in_(_SOME_DROPS)
    )
)
KINDS = ("assets", "dependencies")


@statement_family
def _page(after: bool) -> Node:
    where = _OF_ENGAGEMENT & (_M.id < param("after_id")) if after else _OF_ENGAGEMENT
    return _M.select().where(where).order_by(_M.id.desc()).limit(param("limit")).offset(param("skip"))


@statement_family
def _drops(after: bool) -> Node:
    where = _D.merge_id == param("merge_id")
    if after:
        beyond = (_D.kind > param("after_kind")) | (
            (_D.kind == param("after_kind")) & (_D.id > param("after_id"))
        )
        where &= (_D.kind >= param("after_kind")) & beyond
    return _D.select().where(where).order_by(_D.kind, _D.id).limit(param("limit")).offset(param("skip"))


class Merges:
    """Merges that were published. Nothing here is a change that others see: what they did is."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def insert(
        self,
        *,
        id: str,
        engagement_id: str,
        target_id: str,
        source_id: str,
        user_id: str,
        plan: dict[str, Any],
        counts: dict[str, Any],
        base_id: str | None,
        base_revision: int,
        source_version_id: str | None,
        source_revision: int,
        version_id: str,
        revision: int,
        source_state: dict[str, Any] | None,
    ) -> Merge:
        """Enters a merge."""
        row = self._tx.row(
            _INSERT,
            id=id,
            engagement_id=engagement_id,
            target_id=target_id,
            source_id=source_id,
            user_id=user_id,
            plan=to_json(plan),
            counts=to_json(counts),
            base_id=base_id,
            base_revision=base_revision,
            source_version_id=source_version_id,
            source_revision=source_revision,
            version_id=version_id,
            revision=revision,
            source_state=to_json(source_state),
            create_time=self._tx.now_us,
        )
        return _record(row)

    def get(self, engagement_id: str, id: str) -> Merge | None:
        """The merge, where it is one of that engagement."""
        row = self._tx.row(_GET, engagement_id=engagement_id, id=id)
        return None if row is None else _record(row)

    def page(self, engagement_id: str, window: Window) -> Page[Merge]:
        """The engagement's merges, newest first."""
        after = window.after_key
        rows = self._tx.rows(
            _page(after is not None),
            engagement_id=engagement_id,
            after_id=after[0] if after else None,
            skip=window.skip,
            limit=window.limit + 1,
        )
        items = tuple(map(_record, rows[: window.limit]))
        return Page(items, (items[-1].id,) if items and len(rows) > window.limit else None)

    def revert(self, engagement_id: str, id: str, user_id: str) -> Merge | None:
        """Notes that a merge was undone; None where it was before."""
        row = self._tx.row(_REVERT, engagement_id=engagement_id, id=id, user_id=user_id, now=self._tx.now_us)
        return None if row is None else _record(row)

    def taken_over(self, engagement_id: str, session_id: str, old_id: str, new_id: str) -> None:
        """Has the merges into a session speak of a copy of a version rather than of that."""
        self._tx.run(
            _TAKEN_OVER, engagement_id=engagement_id, session_id=session_id, old_id=old_id, new_id=new_id
        )

    def add_drops(self, merge_id: str, drops: Sequence[StoredDrop]) -> None:
        """Notes what a merge leaves out."""
        self._tx.insert_rows(_D, [(merge_id, *each) for each in drops])

    def drops(self, merge_id: str, window: Window) -> Page[MergeDrop]:
        """What a merge left out: of assets, then of dependencies."""
        after = window.after_key
        rows = self._tx.rows(
            _drops(after is not None),
            merge_id=merge_id,
            after_kind=after[0] if after else None,
            after_id=after[1] if after else None,
            skip=window.skip,
            limit=window.limit + 1,
        )
        items = tuple(
            MergeDrop(kind, id, display_name, from_json(dropped))
            for _, kind, id, display_name, dropped in rows[: window.limit]
        )
        more = items and len(rows) > window.limit
        return Page(items, (items[-1].kind, items[-1].id) if more else None)

    def discard_drops(self, merge_id: str, limit: int) -> int:
        """Deletes at most `limit` of what a merge that came to nothing has noted; how many it deleted."""
        deleted = 0
        for kind in KINDS:
            if deleted < limit:
                deleted += self._tx.run(_DISCARD, merge_id=merge_id, kind=kind, limit=limit - deleted)
        return deleted


StoredDrop = tuple[str, str, str, str]
"""What a merge leaves out of one thing, as the columns of its row, in their order, without the merge."""


def stored_drop(kind: str, id: str, display_name: str, dropped: Sequence[Any]) -> StoredDrop:
    """The same, of JSON values: for each field its name, both values and the side that was taken."""
    return kind, id, display_name, to_json(dropped)


def _record(row: Any) -> Merge:
    (
        id, engagement_id, target_id, source_id, user_id, plan, counts, base_id, base_revision,
        source_version_id, source_revision, version_id, revision, source_state, created, reverted,
        reverter_id,
    ) = row  # fmt: skip
    return Merge(
        id=id,
        engagement_id=engagement_id,
        target_id=target_id,
        source_id=source_id,
        user_id=user_id,
        plan=from_json(plan),
        counts=from_json(counts),
        base_id=base_id,
        base_revision=base_revision,
        source_version_id=source_version_id,
        source_revision=source_revision,
        version_id=version_id,
        revision=revision,
        source_state=from_json(source_state),
        create_time=from_us(created),
        revert_time=from_us_or_none(reverted),
        reverter_id=reverter_id,
    )
