"""Members: who may do what in an engagement."""

from dataclasses import dataclass

from mooring_server.core.fields import Violations, expected_version
from mooring_server.core.names import Kind
from mooring_server.core.paging import Window
from mooring_server.errors import NotFound
from mooring_server.store import Tx
from mooring_server.store.records import Member, Page, Role


@dataclass(frozen=True, slots=True)
class Draft:
    """A member who is to be made; the fields have been checked."""

    user_id: str
    role: Role

    def __post_init__(self) -> None:
        violations = Violations()
        if not self.user_id:
            violations.add("member_id", "is required: the user's id")
        violations.wanted_id("member_id", self.user_id)
        violations.refuse()


def get(tx: Tx, engagement_id: str, user_id: str) -> Member:
    """A member.

    Raises:
        NotFound: MEMBER_NOT_FOUND.
    """
    member = tx.members.get(engagement_id, user_id)
    if member is None:
        raise NotFound(f"{Kind.MEMBER.of(engagement_id, user_id)} does not exist", reason="MEMBER_NOT_FOUND")
    return member


def page(tx: Tx, engagement_id: str, window: Window) -> Page[Member]:
    """Some of an engagement's members, by user id."""
    return tx.members.page(engagement_id, window.after_key, window.skip, window.limit)


def create(tx: Tx, engagement_id: str, draft: Draft) -> Member:
    """Makes a user a member.

    Raises:
        NotFound: USER_NOT_FOUND.
        AlreadyExists: MEMBER_EXISTS.
    """
    if tx.users.get(draft.user_id) is None:
        raise NotFound(
            f"{Kind.USER.of(draft.user_id)} does not exist: who has never called is not known yet",
            reason="USER_NOT_FOUND",
        )
    return tx.members.insert(engagement_id, draft.user_id, draft.role)


def update(tx: Tx, engagement_id: str, user_id: str, etag: str, role: Role) -> Member:
    """Gives a member another role, if they still have the etag (empty: any). The same role changes nothing.

    Raises:
        NotFound: MEMBER_NOT_FOUND.
        Aborted: ETAG_MISMATCH.
        FailedPrecondition: LAST_MANAGER.
    """
    return tx.members.set_role(engagement_id, user_id, role, expected_version(etag))


def delete(tx: Tx, engagement_id: str, user_id: str, etag: str) -> Member:
    """Takes a member out, if they still have the etag (empty: any); who they were.

    It is no longer their default engagement. Their contexts stay where they are: what is there is refused to
    them from now on, and the names tell them nothing that they did not know. Raises as `update`.
    """
    return tx.members.delete(engagement_id, user_id, expected_version(etag))
