"""Engagements: the rooms that sessions live in."""

from collections.abc import Mapping
from dataclasses import dataclass

from mooring_server.core.fields import Violations, expected_version
from mooring_server.core.names import DEFAULT_CONTEXT, Kind
from mooring_server.core.paging import Listed, Query, Window
from mooring_server.core.policy import Caller, default_engagement_id
from mooring_server.core.sessions import SessionType
from mooring_server.errors import NotFound
from mooring_server.store import Tx, new_id
from mooring_server.store.records import Engagement, Role, Session

FIRST_SESSION = "Baseline"


@dataclass(frozen=True, slots=True)
class Draft:
    """An engagement that is to be made; the fields have been checked. An empty id means a new one."""

    id: str
    display_name: str
    description: str

    def __post_init__(self) -> None:
        violations = Violations()
        violations.wanted_id("engagement_id", self.id)
        violations.display_name("engagement.display_name", self.display_name)
        violations.description("engagement.description", self.description)
        violations.refuse()


UPDATABLE = ("display_name", "description")


@dataclass(frozen=True, slots=True)
class Edit:
    """New values of some of the `UPDATABLE` fields; they have been checked."""

    values: Mapping[str, str]

    def __post_init__(self) -> None:
        violations = Violations()
        if "display_name" in self.values:
            violations.display_name("engagement.display_name", self.values["display_name"])
        if "description" in self.values:
            violations.description("engagement.description", self.values["description"])
        violations.refuse()


def get(tx: Tx, engagement_id: str) -> Engagement:
    """An engagement.

    Raises:
        NotFound: ENGAGEMENT_NOT_FOUND.
    """
    engagement = tx.engagements.get(engagement_id)
    if engagement is None:
        raise NotFound(f"{Kind.ENGAGEMENT.of(engagement_id)} does not exist", reason="ENGAGEMENT_NOT_FOUND")
    return engagement


def default(tx: Tx, caller: Caller) -> Engagement:
    """The caller's default engagement.

    Raises:
        FailedPrecondition: NO_DEFAULT_ENGAGEMENT.
    """
    return get(tx, default_engagement_id(tx, caller))


def page(tx: Tx, caller: Caller, query: Query, window: Window) -> Listed[Engagement]:
    """Some of the engagements that the caller is a member of, and how many of those there are."""
    user_id, archived = caller.user_id, query.archived
    found = tx.engagements.page(user_id, query.order, window, query.condition, archived=archived)
    total = tx.engagements.total(user_id, window, query.condition, archived=archived)
    return Listed(found.items, found.next_key, total)


def create(tx: Tx, caller: Caller, draft: Draft) -> Engagement:
    """Makes an engagement with its default session. The caller manages it; it becomes their default
    engagement if they had none.

    Raises:
        AlreadyExists: ID_TAKEN.
    """
    engagement_id = draft.id or new_id()
    tx.engagements.insert(engagement_id, draft.display_name, draft.description)
    tx.members.put(engagement_id, caller.user_id, Role.MANAGER)
    first = tx.sessions.insert(
        engagement_id, new_id(), FIRST_SESSION, "", SessionType.DATA_IMPORT, caller.user_id, is_default=True
    )
    _settle(tx, caller, first)
    return get(tx, engagement_id)


def update(tx: Tx, engagement_id: str, etag: str, edit: Edit) -> Engagement:
    """Changes an engagement's fields, if it still has the etag (empty: any). No fields are no change.

    Raises:
        NotFound: ENGAGEMENT_NOT_FOUND.
        Aborted: ETAG_MISMATCH.
    """
    return tx.engagements.update(engagement_id, expected_version(etag), **edit.values)


def archive(tx: Tx, engagement_id: str, etag: str) -> Engagement:
    """Puts an engagement away, if it still has the etag (empty: any). Again changes nothing.

    Raises:
        NotFound: ENGAGEMENT_NOT_FOUND.
        Aborted: ETAG_MISMATCH.
    """
    return tx.engagements.archive(engagement_id, expected_version(etag))


def unarchive(tx: Tx, engagement_id: str, etag: str) -> Engagement:
    """Takes an engagement up again. Raises as `archive`."""
    return tx.engagements.unarchive(engagement_id, expected_version(etag))


def _settle(tx: Tx, caller: Caller, home: Session) -> None:
    """Gives a user who has none their default engagement, and their default context in it."""
    user = tx.users.get(caller.user_id)
    if user is None or user.default_engagement_id is not None:
        return
    tx.users.set_default_engagement(user.id, home.engagement_id)
    if tx.contexts.get(user.id, DEFAULT_CONTEXT) is None:
        tx.contexts.insert(user.id, DEFAULT_CONTEXT, home.engagement_id, home.id)
