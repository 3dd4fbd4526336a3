"""Data versions: sets of assets and dependencies, built invisibly and shown by sessions' pointers.

Bulk work builds the next version beside the one that is shown. An edit of one asset or dependency changes the
version in place and counts as its next `revision`: whatever is derived from a version is of one revision.

A clone shares its source's version. A session edits in place only what is its own, and what no other session
shows or could go back to; else it gets a copy first (`take_over`), and what the others stand on stays.

`idle_time` is when nothing showed a version any more (or it was begun): null while one does, and 0 once it is
given up, from when on it is gone for everybody but the one who deletes its assets.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mooring_server.errors import Aborted, DataShared, MooringError, NotFound
from mooring_server.store import version_statements as sql
from mooring_server.store.lists.search import AssetWords
from mooring_server.store.records import ChangeKind, DataVersion, Session, SpareVersions
from mooring_server.store.sessions import session_archived
from mooring_server.store.statements import Statement
from mooring_server.store.values import from_us, new_id, to_us

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx


class Versions:
    """Data versions. Only `publish` is a change that others see."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, id: str) -> DataVersion | None:
        """The version, published or not; not one that was given up."""
        row = self._tx.row(sql.GET, id=id)
        return None if row is None else _record(row)

    def begin(self, engagement_id: str, session_id: str, base_id: str | None) -> DataVersion:
        """An empty version that nothing shows, to be built on `base_id` as it is now."""
        base = None if base_id is None else self.get(base_id)
        row = self._tx.row(
            sql.BEGIN,
            id=new_id(self._tx.now),
            engagement_id=engagement_id,
            session_id=session_id,
            base_id=base_id,
            base_revision=0 if base is None else base.revision,
            now=self._tx.now_us,
        )
        return _record(row)

    def publish(
        self,
        version_id: str,
        *,
        expected_base_id: str | None,
        asset_count: int,
        dependency_count: int = 0,
        kind: ChangeKind = ChangeKind.IMPORTED,
    ) -> Session:
        """Makes the version what its session shows: a change of that kind.

        Raises NotFound (SESSION_NOT_FOUND) where the session is gone, FailedPrecondition (SESSION_ARCHIVED,
        ENGAGEMENT_ARCHIVED) where it was put away and Aborted (DATA_VERSION_MOVED) where it shows another
        version than `expected_base_id` by now, or that one was edited since this was begun on it, or where
        this version is gone or shown.
        """
        version = self._published(version_id, asset_count, dependency_count)
        held = expected_base_id is None or self._tx.row(
            sql.HOLD, id=expected_base_id, revision=version.base_revision
        )
        moved = self._point(version, expected_base_id, version) if held else None
        if moved is None:
            raise self._refusal(version)
        self._tx.engagements.require_in_use(version.engagement_id)
        if expected_base_id is not None:
            self._tx.run(sql.RETIRE, id=expected_base_id, now=self._tx.now_us)
        return self._tx.sessions.moved(moved, kind)

    def publish_new(
        self, version_id: str, session_id: str, *, asset_count: int, dependency_count: int, **fields: Any
    ) -> Session:
        """Makes a session of these fields, as `tx.sessions.insert` takes them, that shows the version.

        Raises as that does, and Aborted (DATA_VERSION_MOVED) where the version is gone.
        """
        version = self._published(version_id, asset_count, dependency_count)
        self._tx.engagements.require_in_use(version.engagement_id)
        session = self._tx.sessions.insert(version.engagement_id, session_id, **fields, data=version)
        self._tx.run(sql.HAND_OVER, id=version_id, session_id=session_id)
        return session

    def take_over(self, version_id: str, *, asset_count: int, dependency_count: int) -> Session:
        """Makes the version, a copy of its base, what its session shows instead of that: a change UPDATED.

        In the session's history of imports and merges too, where the base was its own. What others stand on
        stays.
        Raises as `publish` does.
        """
        version = self._published(version_id, asset_count, dependency_count)
        held = self._tx.row(sql.HOLD, id=version.base_id, revision=version.base_revision)
        if held is None:
            raise self._refusal(version)
        base = _record(held)
        is_own = (base.engagement_id, base.session_id) == (version.engagement_id, version.session_id)
        copy = _record(
            self._tx.row(
                sql.TAKE_PLACE,
                id=version.id,
                revision=base.revision,
                base_id=base.base_id if is_own else None,
                base_revision=base.base_revision if is_own else 0,
            )
        )
        moved = self._point(copy, base.id, copy)
        if moved is None:
            raise self._refusal(version)
        if is_own:
            for history in (self._tx.imports, self._tx.merges):
                history.taken_over(version.engagement_id, version.session_id, base.id, version.id)
        self._tx.engagements.require_in_use(version.engagement_id)
        self._tx.run(sql.RETIRE, id=base.id, now=self._tx.now_us)
        return self._tx.sessions.moved(moved, ChangeKind.UPDATED)

    def revert(self, version: DataVersion, base_id: str | None) -> Session:
        """Makes the session that shows the version show `base_id` again: a change of kind REVERTED.

        Raises as `publish` does, Aborted also where the base is no longer kept.
        """
        base = None
        if base_id is not None:
            row = self._tx.row(sql.SHOW_AGAIN, id=base_id)
            if row is None:
                raise self._refusal(version)
            base = _record(row)
        held = self._tx.row(sql.HOLD, id=version.id, revision=version.revision)
        moved = self._point(version, version.id, base) if held else None
        if moved is None:
            raise self._refusal(version)
        self._tx.engagements.require_in_use(version.engagement_id)
        self._tx.run(sql.RETIRE, id=version.id, now=self._tx.now_us)
        return self._tx.sessions.moved(moved, ChangeKind.REVERTED)

    def shareable(self, engagement_id: str, session_id: str) -> DataVersion | None:
        """What a session shows, for another one to show too until this transaction ends; None: nothing.

        Raises NotFound (SESSION_NOT_FOUND).
        """
        _, version = self._shown(engagement_id, session_id, sql.LOOK if self._tx.is_sqlite else sql.SHARE)
        return version

    def editable(self, engagement_id: str, session_id: str, *, preview: bool = False) -> DataVersion:
        """What a session shows, to be changed in place; an empty one is begun where it shows nothing.

        Nobody else edits it until this transaction ends: look, then edit. Raises NotFound
        (SESSION_NOT_FOUND), FailedPrecondition (SESSION_ARCHIVED), and DataShared where another session
        stands on it too, except for a preview, of which nothing will stay.
        """
        while True:
            statement = sql.LOOK if self._tx.is_sqlite else sql.LOCK
            session, version = self._shown(engagement_id, session_id, statement)
            if session.archive_time is not None:
                raise session_archived()
            if version is None:
                version = self._begin_empty(engagement_id, session_id)
                if version is not None:
                    return version
                continue
            of_session = {"engagement_id": engagement_id, "session_id": session_id}
            if not preview and self._tx.row(sql.OTHERS, id=version.id, **of_session):
                raise DataShared(engagement_id, session_id)
            return version

    def _shown(
        self, engagement_id: str, session_id: str, statement: Statement
    ) -> tuple[Session, DataVersion | None]:
        """A session, and what it shows as the statement finds it; None where it shows nothing."""
        missed: str | None = None
        while True:
            session = self._tx.sessions.get(engagement_id, session_id)
            if session is None:
                raise NotFound("there is no such session", reason="SESSION_NOT_FOUND")
            shown_id = session.data_version_id
            if shown_id is None:
                return session, None
            row = self._tx.row(statement, id=shown_id)
            if row is not None:
                return session, _record(row)
            # Another one was published in this very moment.
            if shown_id == missed:
                raise LookupError(f"the session shows {shown_id}, which is not there")
            missed = shown_id

    def _begin_empty(self, engagement_id: str, session_id: str) -> DataVersion | None:
        """A session's first version, shown; None where it has got one in this very moment."""
        try:
            with self._tx.savepoint():
                version = self.begin(engagement_id, session_id, None)
                self.publish(version.id, expected_base_id=None, asset_count=0, kind=ChangeKind.UPDATED)
        except Aborted:
            return None
        return version

    def edited(self, version: DataVersion, *, assets: int = 0, dependencies: int = 0) -> DataVersion:
        """Counts an edit that changed by how many assets and dependencies the version has.

        Call it before the edit: it locks the version. Raises Aborted (DATA_VERSION_MOVED) where the session
        shows another one by now. The change that others see is for the caller to note.
        """
        row = self._tx.row(sql.EDIT, id=version.id, assets=assets, dependencies=dependencies)
        edited = None if row is None else _record(row)
        if edited is None or self._point(edited, version.id, edited) is None:
            raise self._refusal(version)
        return edited

    def holds(self, version_id: str, revision: int) -> bool:
        """Whether a version is of that revision still, and stays so until this transaction ends."""
        return self._tx.row(sql.HOLD, id=version_id, revision=revision) is not None

    def _published(self, version_id: str, asset_count: int, dependency_count: int) -> DataVersion:
        """The version, published: the first step, which locks its row against its removal."""
        row = self._tx.row(
            sql.PUBLISH, id=version_id, asset_count=asset_count, dependency_count=dependency_count
        )
        if row is None:
            raise Aborted("this data version was given up; start again", reason="DATA_VERSION_MOVED")
        return _record(row)

    def _point(self, version: DataVersion, shown_id: str | None, target: DataVersion | None) -> Any:
        return self._tx.row(
            sql.move(shown_id is None),
            id=None if target is None else target.id,
            base=shown_id,
            engagement_id=version.engagement_id,
            session_id=version.session_id,
            revision=0 if target is None else target.revision,
            asset_count=0 if target is None else target.asset_count,
            dependency_count=0 if target is None else target.dependency_count,
            now=self._tx.now_us,
        )

    def _refusal(self, version: DataVersion) -> MooringError:
        session = self._tx.sessions.get(version.engagement_id, version.session_id)
        if session is None:
            return NotFound("the session was deleted meanwhile", reason="SESSION_NOT_FOUND")
        if session.archive_time is not None:
            return session_archived()
        return Aborted("the session's data changed meanwhile; start again", reason="DATA_VERSION_MOVED")

    def abandoned(self, before: datetime, limit: int) -> list[str]:
        """Versions that no session has shown since then: given up, never published, or replaced."""
        return [row[0] for row in self._tx.rows(sql.ABANDONED, before=to_us(before), limit=limit)]

    def spare(self, before: datetime) -> SpareVersions:
        """What no session shows; due is what none has shown since then."""
        return SpareVersions(*self._tx.row(sql.SPARE, before=to_us(before)))

    def delete_some(self, version_id: str, limit: int) -> int:
        """Gives a version up and deletes at most `limit` of its rows; how many it deleted.

        The version goes with the last of them, so fewer than `limit` means done. One that a session shows
        stays as it is.
        """
        if not self._tx.run(sql.GIVE_UP, id=version_id):
            return 0
        deleted = self._tx.run(sql.DELETE_DEPENDENCIES, id=version_id, limit=limit)
        if deleted == limit:
            return deleted
        limit -= deleted
        ids = [id for (id,) in self._tx.rows(sql.IDS, id=version_id, limit=limit)]
        AssetWords(self._tx).forget(version_id, ids)
        assets = self._tx.run(sql.DELETE_ASSETS, id=version_id, limit=limit)
        if assets < limit:
            self._tx.run(sql.DELETE_LANDSCAPE, id=version_id)
            self._tx.run(sql.DELETE, id=version_id)
        return deleted + assets


def _record(row: Any) -> DataVersion:
    (
        id, engagement_id, session_id, base_id, published, asset_count, dependency_count, revision,
        base_revision, created, _,
    ) = row  # fmt: skip
    return DataVersion(
        id=id,
        engagement_id=engagement_id,
        session_id=session_id,
        base_id=base_id,
        published=bool(published),
        asset_count=asset_count,
        dependency_count=dependency_count,
        revision=revision,
        base_revision=base_revision,
        create_time=from_us(created),
    )
