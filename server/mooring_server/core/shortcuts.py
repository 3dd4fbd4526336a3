"""Shortcuts: a user's own way to some sessions of an engagement, the same in all their notebooks."""

from typing import NamedTuple

from mooring_server.core import sessions
from mooring_server.core.policy import Caller
from mooring_server.errors import FailedPrecondition
from mooring_server.store import Tx
from mooring_server.store.records import Session

PINNED_MAX = 20
RECENT_MAX = 8
VISITS_KEEP = 50  # more than are shown, since a shown one may be deleted


class Shortcuts(NamedTuple):
    """`pinned` in the order of pinning, `recent` the last visited first; archived sessions too."""

    pinned: list[Session]
    recent: list[Session]


def get(tx: Tx, caller: Caller, engagement_id: str) -> Shortcuts:
    """The caller's shortcuts in an engagement."""
    return Shortcuts(
        tx.shortcuts.pinned(caller.user_id, engagement_id, PINNED_MAX),
        tx.shortcuts.recent(caller.user_id, engagement_id, RECENT_MAX),
    )


def pin(tx: Tx, caller: Caller, engagement_id: str, session_id: str) -> Session:
    """Adds a session to the end of the caller's pinned ones; one that is there stays in its place.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        FailedPrecondition: TOO_MANY_PINS.
    """
    # Of two pins at once, the second sees the first one.
    tx.users.lock(caller.user_id)
    session = sessions.get(tx, engagement_id, session_id)
    there = tx.shortcuts.pinned(caller.user_id, engagement_id, PINNED_MAX)
    if all(pinned.id != session_id for pinned in there):
        if len(there) == PINNED_MAX:
            raise FailedPrecondition(
                f"you have pinned {PINNED_MAX} sessions of this engagement, which is as many as one may: "
                "unpin one first",
                reason="TOO_MANY_PINS",
            )
        tx.shortcuts.pin(caller.user_id, engagement_id, session_id)
    return session


def unpin(tx: Tx, caller: Caller, engagement_id: str, session_id: str) -> Session:
    """Takes a session from the caller's pinned ones, where it is among them.

    Raises:
        NotFound: SESSION_NOT_FOUND.
    """
    session = sessions.get(tx, engagement_id, session_id)
    tx.shortcuts.unpin(caller.user_id, engagement_id, session_id)
    return session
