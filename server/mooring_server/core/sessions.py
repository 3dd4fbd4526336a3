"""Sessions: their rules, and what can be done to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mooring_server.core.fields import Violations, expected_version
from mooring_server.core.names import Kind
from mooring_server.core.paging import Window
from mooring_server.core.policy import Caller
from mooring_server.errors import NotFound
from mooring_server.store import Tx, new_id
from mooring_server.store.records import Order, Page, Session


class SessionType(StrEnum):
    """What a session is for; the values are those of `mooring.v1.SessionType` in lower case."""

    DATA_IMPORT = "data_import"
    VALIDATION_RUN = "validation_run"
    INCREMENTAL_UPDATE = "incremental_update"
    COMPARISON_ANALYSIS = "comparison_analysis"
    CLEANUP_OPERATION = "cleanup_operation"


@dataclass(frozen=True, slots=True)
class Draft:
    """A session that is to be made; the fields have been checked. An empty id means a new one."""

    id: str
    display_name: str
    description: str
    type: SessionType

    def __post_init__(self) -> None:
        violations = Violations()
        violations.wanted_id("session_id", self.id)
        violations.display_name("session.display_name", self.display_name)
        violations.description("session.description", self.description)
        violations.refuse()


UPDATABLE = ("display_name", "description", "type")


@dataclass(frozen=True, slots=True)
class Edit:
    """New values of some of the `UPDATABLE` fields; they have been checked."""

    values: Mapping[str, str]

    def __post_init__(self) -> None:
        violations = Violations()
        if "display_name" in self.values:
            violations.display_name("session.display_name", self.values["display_name"])
        if "description" in self.values:
            violations.description("session.description", self.values["description"])
        violations.refuse()


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


def page(tx: Tx, engagement_id: str, order: Order, window: Window) -> Page[Session]:
    """Some of an engagement's living sessions; the engagement counts them all."""
    return tx.sessions.page(engagement_id, order, window.after_key, window.skip, window.limit)


def create(tx: Tx, caller: Caller, engagement_id: str, draft: Draft) -> Session:
    """Makes a session.

    Raises:
        AlreadyExists: ID_TAKEN, DISPLAY_NAME_TAKEN.
    """
    return tx.sessions.insert(
        engagement_id,
        draft.id or new_id(),
        draft.display_name,
        draft.description,
        draft.type,
        caller.user_id,
    )


def update(tx: Tx, engagement_id: str, session_id: str, etag: str, edit: Edit) -> Session:
    """Changes a session's fields, if it still has the etag (empty: any).

    Raises:
        NotFound: SESSION_NOT_FOUND.
        Aborted: ETAG_MISMATCH.
        AlreadyExists: DISPLAY_NAME_TAKEN.
    """
    return tx.sessions.update(engagement_id, session_id, expected_version(etag), **edit.values)


def delete(tx: Tx, engagement_id: str, session_id: str, etag: str) -> Session:
    """Deletes a session softly, if it still has the etag (empty: any).

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: DEFAULT_SESSION.
        Aborted: ETAG_MISMATCH.
    """
    return tx.sessions.delete(engagement_id, session_id, expected_version(etag))


def set_default(tx: Tx, engagement_id: str, session_id: str, etag: str) -> Session:
    """Makes a session its engagement's default, if it still has the etag (empty: any). The default itself
    stays as it is.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        Aborted: ETAG_MISMATCH.
    """
    session = get(tx, engagement_id, session_id)
    expected = expected_version(etag)
    if session.is_default and expected in (None, session.etag):
        return session
    return tx.sessions.set_default(engagement_id, session_id, expected)
