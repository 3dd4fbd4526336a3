"""Sessions: the rows behind `engagements/{e}/sessions/{s}`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from peewee import IntegrityError

from mooring_server.errors import Aborted, AlreadyExists, FailedPrecondition, NotFound
from mooring_server.store import session_statements as sql
from mooring_server.store.lists.conditions import Condition, both
from mooring_server.store.lists.definitions import SESSIONS, living
from mooring_server.store.lists.paging import Total, Window
from mooring_server.store.records import ChangeKind, DataVersion, Order, Page, Session
from mooring_server.store.statements import Statement
from mooring_server.store.values import from_json, from_us, from_us_or_none, searched_text, sort_key, to_json

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_FIELDS = frozenset({"display_name", "description", "type", "labels"})


class Sessions:
    """Sessions. A mutation is a change of the stream `engagements/{e}`.

    `expected_etag` is compared in the UPDATE itself; None compares nothing.
    """

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, engagement_id: str, id: str, include_deleted: bool = False) -> Session | None:
        """The session, deleted ones only where asked for."""
        statement = sql.GET if include_deleted else sql.GET_LIVING
        row = self._tx.row(statement, engagement_id=engagement_id, id=id)
        return None if row is None else session_record(row)

    def default(self, engagement_id: str) -> Session | None:
        """The engagement's default session; None where there is no such engagement."""
        row = self._tx.row(sql.DEFAULT, engagement_id=engagement_id)
        return None if row is None else session_record(row)

    def find(self, id: str, user_id: str) -> list[Session]:
        """The living sessions of that id in the user's engagements; two are enough to call it ambiguous.

        Where none lives it is the one that was deleted last: whose it was still says who may hear that.
        """
        rows = self._tx.rows(sql.FIND, id=id, user_id=user_id)
        return [
            session_record(row) for row in rows or self._tx.rows(sql.FIND_DELETED, id=id, user_id=user_id)
        ]

    def insert(
        self,
        engagement_id: str,
        id: str,
        display_name: str,
        description: str,
        type: str,
        creator_id: str,
        is_default: bool = False,
        *,
        labels: Mapping[str, str] | None = None,
        parent_id: str | None = None,
        data: DataVersion | None = None,
    ) -> Session:
        """A new session; AlreadyExists with ID_TAKEN (deleted ones count) or DISPLAY_NAME_TAKEN.

        It shows `data`, which `tx.versions.shareable` has answered in this transaction, or nothing.
        """
        row = self._tx.row(
            sql.INSERT,
            engagement_id=engagement_id,
            id=id,
            display_name=display_name,
            sort_name=sort_key(display_name),
            description=description,
            type=type,
            creator_id=creator_id,
            is_default=is_default,
            labels=_labels(labels or {}),
            parent_id=parent_id,
            data_version_id=None if data is None else data.id,
            data_revision=0 if data is None else data.revision,
            asset_count=0 if data is None else data.asset_count,
            dependency_count=0 if data is None else data.dependency_count,
            words=searched_text((display_name, description)),
            now=self._tx.now_us,
        )
        if row is None:
            self._refuse_insert(engagement_id, id, display_name)
        if labels:
            self._insert_labels(engagement_id, id, labels)
        self._tx.changes.count_sessions(engagement_id, 1)
        return self._changed(row, ChangeKind.CREATED)

    def update(self, engagement_id: str, id: str, expected_etag: int | None, **fields: Any) -> Session:
        """Changes `display_name`, `description`, `type` or `labels` (all of them).

        Raises NotFound, Aborted (ETAG_MISMATCH), FailedPrecondition (SESSION_ARCHIVED) or AlreadyExists
        (DISPLAY_NAME_TAKEN).
        """
        if unknown := fields.keys() - _FIELDS:
            raise TypeError(f"not fields of a session: {sorted(unknown)}")
        labels = fields.get("labels")
        if labels is not None:
            fields["labels"] = _labels(labels)
        if "display_name" in fields:
            fields["sort_name"] = sort_key(fields["display_name"])
        statement = sql.update(tuple(sorted(fields)), expected_etag is not None)
        try:
            with self._tx.savepoint():
                row = self._write(statement, engagement_id, id, expected_etag, **fields)
        except IntegrityError:
            raise _name_taken(fields.get("display_name", "")) from None
        if not fields.keys().isdisjoint(("display_name", "description")):
            # From the row as it is now: another write may have changed the text that this one leaves alone.
            words = searched_text((row[2], row[3]))
            self._tx.run(sql.SET_WORDS, engagement_id=engagement_id, id=id, words=words)
        if labels is not None:
            self._tx.run(sql.CLEAR_LABELS, engagement_id=engagement_id, session_id=id)
            self._insert_labels(engagement_id, id, labels)
        return self._changed(row, ChangeKind.UPDATED)

    def hold(self, engagement_id: str, id: str) -> Session:
        """The session, which nobody else writes until this transaction ends: look, then write.

        Raises NotFound (SESSION_NOT_FOUND).
        """
        return session_record(self._write(sql.HOLD, engagement_id, id, None))

    def delete(self, engagement_id: str, id: str, expected_etag: int | None) -> Session:
        """Deletes softly; the display name is free again.

        Raises NotFound, Aborted (ETAG_MISMATCH) or FailedPrecondition (DEFAULT_SESSION).
        """
        row = self._write(sql.delete(expected_etag is not None), engagement_id, id, expected_etag)
        self._tx.changes.count_sessions(engagement_id, -1)
        return self._changed(row, ChangeKind.DELETED)

    def undelete(self, engagement_id: str, id: str, expected_etag: int | None) -> Session:
        """Brings it back as it was deleted, with its data; archived, where it was.

        Raises NotFound, AlreadyExists (SESSION_NOT_DELETED, DISPLAY_NAME_TAKEN) or Aborted (ETAG_MISMATCH).
        """
        statement = sql.undelete(expected_etag is not None)
        try:
            with self._tx.savepoint():
                while (row := self._row(statement, engagement_id, id, expected_etag)) is None:
                    if self.get(engagement_id, id) is not None:
                        raise AlreadyExists("the session is not deleted", reason="SESSION_NOT_DELETED")
                    self._current(engagement_id, id, expected_etag, include_deleted=True)
        except IntegrityError:
            raise AlreadyExists(
                "another session has taken its display name meanwhile: give that one another name first",
                reason="DISPLAY_NAME_TAKEN",
            ) from None
        self._tx.changes.count_sessions(engagement_id, 1)
        return self._changed(row, ChangeKind.UNDELETED)

    def archive(self, engagement_id: str, id: str, expected_etag: int | None) -> Session:
        """Puts it away; one that is away stays as it is.

        Raises NotFound, Aborted (ETAG_MISMATCH) or FailedPrecondition (DEFAULT_SESSION).
        """
        return self._turn(sql.archive, ChangeKind.ARCHIVED, engagement_id, id, expected_etag)

    def unarchive(self, engagement_id: str, id: str, expected_etag: int | None) -> Session:
        """Takes it up again; one that is in use stays so. Raises NotFound or Aborted (ETAG_MISMATCH)."""
        return self._turn(sql.unarchive, ChangeKind.UNARCHIVED, engagement_id, id, expected_etag)

    def merged(self, engagement_id: str, id: str, parent_id: str | None) -> Session:
        """Puts away a session that was merged into another one, which becomes its parent.

        Raises NotFound or FailedPrecondition (DEFAULT_SESSION).
        """
        row = self._write(sql.MERGED, engagement_id, id, None, parent_id=parent_id)
        return self._changed(row, ChangeKind.ARCHIVED)

    def unmerged(self, engagement_id: str, id: str, parent_id: str | None, was: str | None) -> Session | None:
        """Takes it up again, with the parent that it had, where it is put away still and has the parent
        `was`; else None."""
        row = self._row(
            sql.UNMERGED, engagement_id, id, None, parent_id=parent_id, was="" if was is None else was
        )
        return None if row is None else self._changed(row, ChangeKind.UNARCHIVED)

    def set_default(self, engagement_id: str, id: str, expected_etag: int | None) -> Session:
        """Makes it the engagement's default; the one before stops being it in the same commit.

        Three resources change: both sessions and the engagement. Raises NotFound, Aborted (ETAG_MISMATCH) or
        FailedPrecondition (SESSION_ARCHIVED).
        """
        with self._tx.savepoint():
            # One at a time, and the engagement's row last, as everybody has it: so nobody waits in a circle.
            if not self._tx.is_sqlite:
                self._tx.rows(sql.LOCK_DEFAULT, engagement_id=engagement_id)
            now = self._tx.now_us
            cleared = self._tx.rows(sql.CLEAR_DEFAULT, engagement_id=engagement_id, id=id, now=now)
            row = self._write(sql.make_default(expected_etag is not None), engagement_id, id, expected_etag)
            self._tx.engagements.touch(engagement_id)
        stream = f"engagements/{engagement_id}"
        self._tx.changes.note(stream, ChangeKind.UPDATED, stream)
        for (old_id,) in cleared:
            self._note(engagement_id, old_id, ChangeKind.UPDATED)
        return self._changed(row, ChangeKind.UPDATED)

    def visit(self, engagement_id: str, id: str) -> Session:
        """The session, with somebody at it now: no new version. Raises NotFound (SESSION_NOT_FOUND)."""
        return session_record(self._write(sql.VISIT, engagement_id, id, None))

    def page(
        self,
        engagement_id: str,
        order: Order,
        window: Window,
        condition: Condition | None = None,
        *,
        archived: bool = False,
        deleted: bool = False,
    ) -> Page[Session]:
        """Those in use that the condition is true of; archived and deleted ones too where asked for."""
        wanted = both(condition, *living(archived=archived, deleted=deleted))
        return SESSIONS.page(self._tx, session_record, wanted, order, window, engagement_id=engagement_id)

    def total(
        self,
        engagement_id: str,
        window: Window,
        condition: Condition | None = None,
        *,
        archived: bool = False,
        deleted: bool = False,
    ) -> Total:
        """How many there are of those that `page` shows."""
        if condition is None and not deleted:
            engagement = self._tx.engagements.get(engagement_id)
            kept = 0 if engagement is None else engagement.session_count
            if archived:
                return Total(kept, False)
            limit = window.passed_max
            (away,) = self._tx.row(sql.COUNT_ARCHIVED, engagement_id=engagement_id, limit=limit)
            if away < limit:
                return Total(kept - away, False)
        wanted = both(condition, *living(archived=archived, deleted=deleted))
        return SESSIONS.total(self._tx, wanted, window, engagement_id=engagement_id)

    def moved(self, row: Any, kind: ChangeKind) -> Session:
        """The record of a row that has just been moved to another data version; notes the change."""
        return self._changed(row, kind)

    def _row(
        self, statement: Statement, engagement_id: str, id: str, expected_etag: int | None, **fields: Any
    ) -> Any:
        return self._tx.row(
            statement,
            engagement_id=engagement_id,
            id=id,
            etag=expected_etag,
            now=self._tx.now_us,
            **fields,
        )

    def _write(
        self, statement: Statement, engagement_id: str, id: str, expected_etag: int | None, **fields: Any
    ) -> Any:
        while (row := self._row(statement, engagement_id, id, expected_etag, **fields)) is None:
            session = self._current(engagement_id, id, expected_etag)
            if session.archive_time is not None:
                raise session_archived()
            if session.is_default:
                raise _is_default()
            # What was in the way is gone in this very moment.
        return row

    def _turn(
        self,
        family: Callable[[bool], Statement],
        kind: ChangeKind,
        engagement_id: str,
        id: str,
        expected_etag: int | None,
    ) -> Session:
        statement = family(expected_etag is not None)
        while (row := self._row(statement, engagement_id, id, expected_etag)) is None:
            session = self._current(engagement_id, id, expected_etag)
            if (session.archive_time is not None) == (kind is ChangeKind.ARCHIVED):
                return session
            if session.is_default:
                raise _is_default()
        return self._changed(row, kind)

    def _current(
        self, engagement_id: str, id: str, expected_etag: int | None, include_deleted: bool = False
    ) -> Session:
        """The session that a statement has not found in the state that it wants."""
        session = self.get(engagement_id, id, include_deleted)
        if session is None:
            raise _absent()
        if expected_etag not in (None, session.etag):
            raise session_moved()
        return session

    def _insert_labels(self, engagement_id: str, id: str, labels: Mapping[str, str]) -> None:
        self._tx.run_many(
            sql.INSERT_LABEL,
            (
                {"engagement_id": engagement_id, "session_id": id, "key": key, "value": value}
                for key, value in labels.items()
            ),
        )

    def is_named(self, engagement_id: str, display_name: str) -> bool:
        """Whether a living session has the name."""
        return self._tx.row(sql.HAS_NAME, engagement_id=engagement_id, display_name=display_name) is not None

    def require_free(self, engagement_id: str, *, id: str, display_name: str) -> None:
        """Raises AlreadyExists as `insert` would; an empty text is free."""
        if id and self.get(engagement_id, id, include_deleted=True) is not None:
            raise AlreadyExists(f"the session id {id!r} is taken", reason="ID_TAKEN")
        if display_name and self.is_named(engagement_id, display_name):
            raise _name_taken(display_name)

    def _refuse_insert(self, engagement_id: str, id: str, display_name: str) -> NoReturn:
        self.require_free(engagement_id, id=id, display_name=display_name)
        raise AlreadyExists("the engagement has a default session already", reason="ID_TAKEN")

    def _changed(self, row: Any, kind: ChangeKind) -> Session:
        session = session_record(row)
        self._note(session.engagement_id, session.id, kind)
        return session

    def _note(self, engagement_id: str, id: str, kind: ChangeKind) -> None:
        stream = f"engagements/{engagement_id}"
        self._tx.changes.note(stream, kind, f"{stream}/sessions/{id}")


def session_archived() -> FailedPrecondition:
    """How a change is refused of a session that was put away."""
    return FailedPrecondition(
        "the session is archived: neither it nor its data can be changed unless it is unarchived",
        reason="SESSION_ARCHIVED",
    )


def _is_default() -> FailedPrecondition:
    return FailedPrecondition(
        "this is the engagement's default session: make another one the default first",
        reason="DEFAULT_SESSION",
    )


def _absent() -> NotFound:
    return NotFound("there is no such session", reason="SESSION_NOT_FOUND")


def session_moved() -> Aborted:
    """How a change is refused of a session that has another etag by now."""
    return Aborted("the session has changed since it was read; get it again", reason="ETAG_MISMATCH")


def _labels(labels: Mapping[str, str]) -> str:
    return to_json(dict(sorted(labels.items())))


def _name_taken(display_name: str) -> AlreadyExists:
    return AlreadyExists(
        f"another session is called {display_name!r}; choose another name", reason="DISPLAY_NAME_TAKEN"
    )


def session_record(row: Any) -> Session:
    """The record of a row of `sessions`."""
    return Session(
        engagement_id=row[0],
        id=row[1],
        display_name=row[2],
        description=row[3],
        type=row[4],
        is_default=bool(row[5]),
        creator_id=row[6],
        data_version_id=row[7],
        asset_count=row[8],
        etag=row[9],
        create_time=from_us(row[10]),
        update_time=from_us(row[11]),
        delete_time=from_us_or_none(row[12]),
        labels=from_json(row[14]),
        parent_id=row[15],
        dependency_count=row[16],
        last_activity_time=from_us(row[17]),
        archive_time=from_us_or_none(row[18]),
        data_revision=row[20],
    )
