"""Users and their contexts: who they are, and where each of their notebooks stands."""

from contextlib import suppress

from mooring_server.core import engagements
from mooring_server.core.fields import Violations
from mooring_server.core.names import DEFAULT_CONTEXT, Kind
from mooring_server.core.policy import Caller
from mooring_server.errors import AlreadyExists, NotFound, Unauthenticated
from mooring_server.store import Tx, new_id
from mooring_server.store.records import Context, Session, User

BINDING_MAX = 200


def get(tx: Tx, caller: Caller) -> User:
    """The caller's own user."""
    user = tx.users.get(caller.user_id)
    if user is None:
        raise Unauthenticated("your user is no longer here")
    return user


def context(tx: Tx, caller: Caller, context_id: str) -> Context:
    """One of the caller's contexts.

    Raises:
        NotFound: CONTEXT_NOT_FOUND.
    """
    found = tx.contexts.get(caller.user_id, context_id)
    if found is None:
        raise _absent(caller, context_id)
    return found


def switch(
    tx: Tx, caller: Caller, context_id: str, session: Session, expected_revision: int | None
) -> Context:
    """Makes a session current, if the context still has the expected revision (None: any).

    The default context is made here for who has none yet.

    Raises:
        NotFound: CONTEXT_NOT_FOUND.
        Aborted: CONTEXT_MOVED.
    """
    if tx.contexts.get(caller.user_id, context_id) is None:
        if context_id != DEFAULT_CONTEXT:
            raise _absent(caller, context_id)
        with suppress(AlreadyExists):  # by another switch of this moment
            tx.contexts.insert(caller.user_id, context_id, session.engagement_id, session.id)
    tx.sessions.visit(session.engagement_id, session.id)
    return tx.contexts.switch(
        caller.user_id, context_id, session.engagement_id, session.id, expected_revision
    )


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
    tx.contexts.bind(user_id, found.id, kernel_key=kernel_key or None, notebook_key=notebook_key or None)
    return found, created


def _absent(caller: Caller, context_id: str) -> NotFound:
    return NotFound(
        f"{Kind.CONTEXT.of(caller.user_id, context_id)} does not exist; OpenContext makes one",
        reason="CONTEXT_NOT_FOUND",
    )
