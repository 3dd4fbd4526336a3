"""Users and their contexts: who they are, and where each of their notebooks stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mooring_server.core import engagements
from mooring_server.core.fields import Violations, expected_version
from mooring_server.core.names import DEFAULT_CONTEXT, Kind
from mooring_server.core.paging import Window
from mooring_server.core.policy import Caller, hidden
from mooring_server.errors import FailedPrecondition, NotFound, Unauthenticated
from mooring_server.store import Tx, new_id
from mooring_server.store.records import Context, Page, Session, User

BINDING_MAX = 200
UPDATABLE = ("display_name", "email", "default_engagement")


@dataclass(frozen=True, slots=True)
class Edit:
    """New values of some of the `UPDATABLE` fields; they have been checked. No default engagement is ""."""

    values: Mapping[str, str]

    def __post_init__(self) -> None:
        violations = Violations()
        if "display_name" in self.values:
            violations.display_name("user.display_name", self.values["display_name"])
        if "email" in self.values:
            violations.email("user.email", self.values["email"])
        violations.refuse()
        self.default_engagement_id()

    def default_engagement_id(self) -> str:
        """The id in `default_engagement`; empty where that is not changed, or to be none."""
        name = self.values.get("default_engagement")
        return Kind.ENGAGEMENT.ids(name, "user.default_engagement")[0] if name else ""


def get(tx: Tx, caller: Caller) -> User:
    """The caller's own user."""
    user = tx.users.get(caller.user_id)
    if user is None:
        raise Unauthenticated("your user is no longer here")
    return user


def find(tx: Tx, user_id: str) -> User:
    """Any user; whom the caller may see, and how much of them, is not asked here.

    Raises:
        NotFound: USER_NOT_FOUND.
    """
    user = tx.users.get(user_id)
    if user is None:
        raise NotFound(f"{Kind.USER.of(user_id)} does not exist", reason="USER_NOT_FOUND")
    return user


def update(tx: Tx, user_id: str, etag: str, edit: Edit) -> User:
    """Changes a user's fields, if they still have the etag (empty: any). No fields are no change.

    Raises:
        NotFound: USER_NOT_FOUND.
        PermissionDenied: the user is no member of the wanted default engagement, which may be absent.
        FailedPrecondition: ENGAGEMENT_ARCHIVED, for one that is put away.
        Aborted: ETAG_MISMATCH.
    """
    values: dict[str, Any] = dict(edit.values)
    if "default_engagement" in values:
        home, wanted = values.pop("default_engagement"), edit.default_engagement_id()
        if wanted and wanted != find(tx, user_id).default_engagement_id:
            if tx.members.role(wanted, user_id) is None:
                raise hidden(home)
            if tx.engagements.is_archived(wanted):
                raise FailedPrecondition(
                    f"{home} is archived: choose one that is in use", reason="ENGAGEMENT_ARCHIVED"
                )
        values["default_engagement_id"] = wanted or None
    return tx.users.update(user_id, expected_version(etag), **values)


def context(tx: Tx, user_id: str, context_id: str) -> Context:
    """One of a user's contexts. Where it points may be refused to them meanwhile; the names stay.

    Raises:
        NotFound: CONTEXT_NOT_FOUND.
    """
    found = tx.contexts.get(user_id, context_id)
    if found is None:
        raise _absent(user_id, context_id)
    return found


def contexts(tx: Tx, user_id: str, window: Window) -> Page[Context]:
    """Some of a user's contexts, the one that was made last first."""
    return tx.contexts.page(user_id, window.after_key, window.skip, window.limit)


def delete_context(tx: Tx, user_id: str, context_id: str) -> Context:
    """Deletes a context; what it was. `default` too: the next switch makes it again.

    Raises:
        NotFound: CONTEXT_NOT_FOUND.
    """
    tx.users.lock(user_id)
    context(tx, user_id, context_id)
    return tx.contexts.delete(user_id, context_id)


def switch(
    tx: Tx, caller: Caller, context_id: str, session: Session, expected_revision: int | None
) -> tuple[Session, Context]:
    """Makes a session current, if the context still has the expected revision (None: any). Both, as they are
    then.

    The default context is made here for who has none yet.

    Raises:
        NotFound: CONTEXT_NOT_FOUND, SESSION_NOT_FOUND.
        Aborted: CONTEXT_MOVED.
    """
    visited = tx.sessions.visit(session.engagement_id, session.id)
    # Before the context, as whoever opens one does: so that nobody waits in a circle.
    tx.users.lock(caller.user_id)
    if tx.contexts.get(caller.user_id, context_id) is None:
        if context_id != DEFAULT_CONTEXT:
            raise _absent(caller.user_id, context_id)
        tx.contexts.insert(caller.user_id, context_id, session.engagement_id, session.id)
    moved = tx.contexts.switch(
        caller.user_id, context_id, session.engagement_id, session.id, expected_revision
    )
    tx.shortcuts.visit(caller.user_id, session.engagement_id, session.id)
    return visited, moved


def check_bindings(kernel_key: str, notebook_key: str) -> None:
    """Refuses keys that no kernel and no notebook has.

    Raises:
        InvalidArgument: for a key over 200 characters.
    """
    violations = Violations()
    for field, key in (("kernel_key", kernel_key), ("notebook_key", notebook_key)):
        if len(key) > BINDING_MAX:
            violations.add(field, f"must have at most {BINDING_MAX} characters, not {len(key):,}")
    violations.refuse()


def open_context(tx: Tx, caller: Caller, kernel_key: str, notebook_key: str) -> tuple[Context, bool]:
    """The context of a notebook, and whether it was made now.

    Found by its kernel, else by its place, else made at the default session of the caller's default
    engagement. Both keys point at it from now on.

    Raises:
        FailedPrecondition: NO_DEFAULT_ENGAGEMENT, where it had to be made.
    """
    user_id = caller.user_id
    # A kernel and a browser may open one notebook in the same moment: the second finds what the first made.
    tx.users.lock(user_id)
    found = tx.contexts.by_kernel(user_id, kernel_key) if kernel_key else None
    if found is None and notebook_key:
        found = tx.contexts.by_notebook(user_id, notebook_key)
    created = found is None
    if found is None:
        home = engagements.default(tx, caller)
        found = tx.contexts.insert(user_id, new_id(), home.id, home.default_session_id)
    # A key can be another context's so far: a renamed notebook brings its kernel to a known place.
    return tx.contexts.use(user_id, found.id, kernel_key, notebook_key), created


def _absent(user_id: str, context_id: str) -> NotFound:
    return NotFound(
        f"{Kind.CONTEXT.of(user_id, context_id)} does not exist; OpenContext makes one",
        reason="CONTEXT_NOT_FOUND",
    )
