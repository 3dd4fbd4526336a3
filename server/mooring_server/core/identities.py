"""From an identity, as an authenticator vouches for it, to a caller of ours."""

from dataclasses import dataclass

from mooring_server.core import engagements
from mooring_server.core.policy import Caller
from mooring_server.store import Tx, new_id
from mooring_server.store.records import Token, TokenScope


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an authenticator says is calling. `subject` is unique and never changes; email may be empty.

    `scope` is how much of what the user may do this proof of theirs allows, `token` the proof itself where it
    is one of our API tokens.
    """

    subject: str
    display_name: str
    email: str = ""
    scope: TokenScope = TokenScope.WRITE
    token: Token | None = None


DEMO = Identity("demo", "Demo user")
DEMO_ID = "demo"


def find(tx: Tx, identity: Identity) -> Caller | None:
    """The caller, where they have called before."""
    if identity.token is not None:  # it knows its user itself
        return Caller(identity.token.user_id, identity.scope, identity.token)
    user = tx.users.by_subject(identity.subject)
    return None if user is None else Caller(user.id, identity.scope, identity.token)


def sign_in(tx: Tx, identity: Identity) -> Caller:
    """The caller, made at their first call. The demo user gets the demo engagement, nobody else does."""
    known = find(tx, identity)
    if known is not None:
        return known
    # By identity, not equality: a real user may be called demo too.
    demo = identity is DEMO
    user_id = DEMO_ID if demo else new_id()
    tx.users.insert(user_id, identity.subject, identity.display_name, identity.email)
    caller = Caller(user_id, identity.scope, identity.token)
    if demo:
        # Its id may be somebody's by now, on a database that was served with tokens first.
        free = tx.engagements.get(DEMO_ID) is None
        engagements.create(tx, caller, engagements.Draft(DEMO_ID if free else "", "Demo engagement", ""))
    return caller
