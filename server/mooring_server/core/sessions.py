"""Sessions: their rules, and what can be done to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mooring_server.core.fields import LABELS_MAX, Violations, expected_version
from mooring_server.core.names import Kind
from mooring_server.core.paging import Listed, Query, Window
from mooring_server.core.policy import Caller
from mooring_server.errors import InvalidArgument, NotFound
from mooring_server.store import Tx, new_id
from mooring_server.store.records import Session
from mooring_server.store.sessions import session_archived, session_moved


class SessionType(StrEnum):
    """What a session is for; the values are those of `mooring.v1.SessionType` in lower case."""

    DATA_IMPORT = "data_import"
    VALIDATION_RUN = "validation_run"
    INCREMENTAL_UPDATE = "incremental_update"
    COMPARISON_ANALYSIS = "comparison_analysis"
    CLEANUP_OPERATION = "cleanup_operation"


@dataclass(frozen=True, slots=True)
class Draft:
    """A session that is to be made; the fields have been checked. An empty id means a new one.

    `source_id` and `parent_id` are of sessions of the same engagement, None for none: whose data it begins
    with, and which one it goes back to.
    """

    id: str
    display_name: str
    description: str
    type: SessionType
    labels: Mapping[str, str] = field(default_factory=dict)
    parent_id: str | None = None
    source_id: str | None = None

    def __post_init__(self) -> None:
        violations = Violations()
        violations.wanted_id("session_id", self.id)
        violations.display_name("session.display_name", self.display_name)
        violations.description("session.description", self.description)
        violations.labels("session.labels", self.labels)
        violations.refuse()


UPDATABLE = ("display_name", "description", "type", "labels")


@dataclass(frozen=True, slots=True)
class Edit:
    """New values of some of the `UPDATABLE` fields, and of single labels (None removes one); they have been
    checked.
    """

    values: Mapping[str, Any]
    single_labels: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        violations = Violations()
        if "display_name" in self.values:
            violations.display_name("session.display_name", self.values["display_name"])
        if "description" in self.values:
            violations.description("session.description", self.values["description"])
        given = {key: value for key, value in self.single_labels.items() if value is not None}
        violations.labels("session.labels", {**self.values.get("labels", {}), **given})
        violations.refuse()

    def labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """What a session's labels become.

        Raises:
            InvalidArgument: more than it may have.
        """
        changed = {**self.values.get("labels", labels), **self.single_labels}
        kept = {key: value for key, value in changed.items() if value is not None}
        if len(kept) > LABELS_MAX:
            raise InvalidArgument.field("session.labels", f"must be at most {LABELS_MAX}, not {len(kept)}")
        return kept


def get(tx: Tx, engagement_id: str, session_id: str) -> Session:
    """A living session.

    Raises:
        NotFound: SESSION_NOT_FOUND.
    """
    session = tx.sessions.get(engagement_id, session_id)
    if session is None:
        raise NotFound(
            f"{Kind.SESSION.of(engagement_id, session_id)} does not exist", reason="SESSION_NOT_FOUND"
        )
    return session


def default(tx: Tx, engagement_id: str) -> Session:
    """An engagement's default session, whatever is known of the engagement from a moment before.

    Raises:
        NotFound: ENGAGEMENT_NOT_FOUND.
    """
    session = tx.sessions.default(engagement_id)
    if session is None:
        raise NotFound(f"{Kind.ENGAGEMENT.of(engagement_id)} does not exist", reason="ENGAGEMENT_NOT_FOUND")
    return session


def in_use(tx: Tx, engagement_id: str, session_id: str) -> Session:
    """A living session that is not archived.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED.
    """
    session = get(tx, engagement_id, session_id)
    if session.archive_time is not None:
        raise session_archived()
    return session


def page(tx: Tx, engagement_id: str, query: Query, window: Window) -> Listed[Session]:
    """Some of an engagement's sessions that a request asks for, and how many of those there are."""
    wanted = {"archived": query.archived, "deleted": query.deleted}
    found = tx.sessions.page(engagement_id, query.order, window, query.condition, **wanted)
    return Listed(
        found.items, found.next_key, tx.sessions.total(engagement_id, window, query.condition, **wanted)
    )


def create(tx: Tx, caller: Caller, engagement_id: str, draft: Draft) -> Session:
    """Makes a session, blank or as a clone: that shares the data of its source until one of them is written.

    Raises:
        NotFound: SESSION_NOT_FOUND, of the source or the parent session.
        AlreadyExists: ID_TAKEN, DISPLAY_NAME_TAKEN.
    """
    for id in dict.fromkeys((draft.source_id, draft.parent_id)):
        if id is not None:
            get(tx, engagement_id, id)
    data = None if draft.source_id is None else tx.versions.shareable(engagement_id, draft.source_id)
    return tx.sessions.insert(
        engagement_id,
        draft.id or new_id(),
        draft.display_name,
        draft.description,
        draft.type,
        caller.user_id,
        labels=draft.labels,
        parent_id=draft.parent_id,
        data=data,
    )


def update(tx: Tx, engagement_id: str, session_id: str, etag: str, edit: Edit) -> Session:
    """Changes a session's fields, if it still has the etag (empty: any). An edit of nothing changes nothing.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        Aborted: ETAG_MISMATCH.
        FailedPrecondition: SESSION_ARCHIVED.
        InvalidArgument: it would have too many labels.
        AlreadyExists: DISPLAY_NAME_TAKEN.
    """
    expected = expected_version(etag)
    values = dict(edit.values)
    if edit.single_labels:
        values["labels"] = edit.labels(tx.sessions.hold(engagement_id, session_id).labels)
    if values:
        return tx.sessions.update(engagement_id, session_id, expected, **values)
    session = in_use(tx, engagement_id, session_id)
    if expected not in (None, session.etag):
        raise session_moved()
    return session


def delete(tx: Tx, engagement_id: str, session_id: str, etag: str) -> Session:
    """Deletes a session softly, if it still has the etag (empty: any).

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: DEFAULT_SESSION.
        Aborted: ETAG_MISMATCH.
    """
    return tx.sessions.delete(engagement_id, session_id, expected_version(etag))


def undelete(tx: Tx, engagement_id: str, session_id: str, etag: str) -> Session:
    """Brings a deleted session back with its data, if it still has the etag (empty: any).

    Raises:
        NotFound: SESSION_NOT_FOUND.
        AlreadyExists: SESSION_NOT_DELETED, DISPLAY_NAME_TAKEN.
        Aborted: ETAG_MISMATCH.
    """
    return tx.sessions.undelete(engagement_id, session_id, expected_version(etag))


def archive(tx: Tx, engagement_id: str, session_id: str, etag: str) -> Session:
    """Puts a session away, if it still has the etag (empty: any). Contexts at it stay where they are.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: DEFAULT_SESSION.
        Aborted: ETAG_MISMATCH.
    """
    return tx.sessions.archive(engagement_id, session_id, expected_version(etag))


def unarchive(tx: Tx, engagement_id: str, session_id: str, etag: str) -> Session:
    """Takes a session up again, if it still has the etag (empty: any).

    Raises:
        NotFound: SESSION_NOT_FOUND.
        Aborted: ETAG_MISMATCH.
    """
    return tx.sessions.unarchive(engagement_id, session_id, expected_version(etag))


def set_default(tx: Tx, engagement_id: str, session_id: str, etag: str) -> Session:
    """Makes a session its engagement's default, if it still has the etag (empty: any). The default itself
    stays as it is.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED.
        Aborted: ETAG_MISMATCH.
    """
    session = get(tx, engagement_id, session_id)
    expected = expected_version(etag)
    if session.is_default and expected in (None, session.etag):
        return session
    return tx.sessions.set_default(engagement_id, session_id, expected)
