"""Who may call what: one row for every RPC, and the one function that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass

from mooring_server.core.names import ANY, ME, Kind, parse
from mooring_server.errors import FailedPrecondition, NotFound, PermissionDenied
from mooring_server.store import Tx
from mooring_server.store.records import Role


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling. An admin may do everything in every engagement."""

    user_id: str
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """How an RPC is admitted and run.

    `kinds` are what the name in `field` may name; none: it concerns the caller alone. `role` is the least
    role in that engagement; None: the name is of the caller's own (`users/…`). With `or_default` an empty
    name means the caller's default engagement. `mutates` makes it a write. `long` reads may take more than
    a look-up by key.
    """

    field: str = ""
    kinds: tuple[Kind, ...] = ()
    role: Role | None = None
    or_default: bool = False
    mutates: bool = False
    long: bool = False


_V1 = "mooring.v1."
_OPERATIONS = "google.longrunning.Operations/"
_USER, _CONTEXT, _ENGAGEMENT = (Kind.USER,), (Kind.CONTEXT,), (Kind.ENGAGEMENT,)
_SESSION, _OPERATION = (Kind.SESSION,), (Kind.OPERATION,)

POLICY: Mapping[str, Rule] = {
    _V1 + "UserService/GetCurrentUser": Rule(),
    _V1 + "UserService/GetContext": Rule("name", _CONTEXT),
    _V1 + "UserService/OpenContext": Rule("parent", _USER, mutates=True),
    _V1 + "EngagementService/GetEngagement": Rule("name", _ENGAGEMENT, Role.VIEWER),
    _V1 + "EngagementService/GetDefaultEngagement": Rule(),
    _V1 + "EngagementService/ListEngagements": Rule(long=True),
    _V1 + "EngagementService/CreateEngagement": Rule(mutates=True),
    _V1 + "SessionService/GetSession": Rule("name", _SESSION, Role.VIEWER),
    _V1 + "SessionService/ListSessions": Rule("parent", _ENGAGEMENT, Role.VIEWER, long=True),
    _V1 + "SessionService/CreateSession": Rule(
        "parent", _ENGAGEMENT, Role.ANALYST, or_default=True, mutates=True
    ),
    _V1 + "SessionService/UpdateSession": Rule("session.name", _SESSION, Role.ANALYST, mutates=True),
    _V1 + "SessionService/DeleteSession": Rule("name", _SESSION, Role.ANALYST, mutates=True),
    _V1 + "SessionService/SwitchSession": Rule("name", _SESSION, Role.VIEWER, mutates=True),
    _V1 + "SessionService/SetDefaultSession": Rule("name", _SESSION, Role.MANAGER, mutates=True),
    _V1 + "DiscoveryService/UploadInventory": Rule("header.parent", _SESSION, Role.ANALYST, mutates=True),
    _V1 + "DiscoveryService/ImportInventory": Rule("parent", _SESSION, Role.ANALYST, mutates=True),
    _V1 + "DiscoveryService/ListAssets": Rule("parent", _SESSION, Role.VIEWER, long=True),
    _V1 + "DiscoveryService/GetLandscape": Rule("name", (Kind.LANDSCAPE,), Role.VIEWER, long=True),
    _V1 + "WatchService/Watch": Rule("streams", (Kind.ENGAGEMENT, Kind.USER), Role.VIEWER),
    _OPERATIONS + "ListOperations": Rule("name", _SESSION, Role.VIEWER),
    _OPERATIONS + "GetOperation": Rule("name", _OPERATION, Role.VIEWER),
    _OPERATIONS + "WaitOperation": Rule("name", _OPERATION, Role.VIEWER),
    _OPERATIONS + "CancelOperation": Rule("name", _OPERATION, Role.ANALYST, mutates=True),
}


def authorise(tx: Tx, caller: Caller, rpc: str, name: str) -> str:
    """Checks the RPC's row for one name and answers that name in full.

    `users/me` becomes the caller's own name, `sessions/{s}` the one such session that the caller may read.

    Raises:
        InvalidArgument: the name does not have the pattern that the row asks for.
        PermissionDenied: the engagement is absent or foreign (the same answer), the role is too low, or the
            name is another user's.
        NotFound: ENGAGEMENT_NOT_FOUND, to an admin.
        FailedPrecondition: AMBIGUOUS_NAME, NO_DEFAULT_ENGAGEMENT.
    """
    rule = POLICY[rpc]
    if not rule.kinds:
        return name
    if rule.or_default and not name:
        name = Kind.ENGAGEMENT.of(default_engagement_id(tx, caller))
    kind, ids = parse(name, rule.kinds, rule.field)
    if kind in (Kind.USER, Kind.CONTEXT):
        return own(caller, kind, name, rule.field)
    engagement_id = _engagement_of(tx, caller, ids[1], name) if ids[0] == ANY else ids[0]
    role = tx.members.role(engagement_id, caller.user_id)
    if caller.is_admin:
        if role is None and tx.engagements.get(engagement_id) is None:
            raise NotFound(f"{name} does not exist", reason="ENGAGEMENT_NOT_FOUND")
    elif rule.role is not None:
        if role is None:
            raise _hidden(name)
        if role < rule.role:
            raise PermissionDenied(
                f"this needs the role {rule.role.name.lower()} in the engagement, "
                f"yours is {Role(role).name.lower()}"
            )
    return kind.of(engagement_id, *ids[1:])


def own(caller: Caller, kind: Kind, name: str, field: str) -> str:
    """The full form of a name under the caller's own `users/…`; `users/me` is the caller.

    Raises:
        InvalidArgument: naming `field`, where the name is not of that kind.
        PermissionDenied: it is another user's.
    """
    user_id, *rest = kind.ids(name, field)
    if user_id not in (ME, caller.user_id):
        raise PermissionDenied(f"{name} is not yours")
    return kind.of(caller.user_id, *rest)


def default_engagement_id(tx: Tx, caller: Caller) -> str:
    """The engagement that stands where the caller names none.

    Raises:
        FailedPrecondition: NO_DEFAULT_ENGAGEMENT.
    """
    user = tx.users.get(caller.user_id)
    if user is None or user.default_engagement_id is None:
        raise FailedPrecondition(
            "you have no default engagement yet: create one, or name an engagement",
            reason="NO_DEFAULT_ENGAGEMENT",
        )
    return user.default_engagement_id


def _engagement_of(tx: Tx, caller: Caller, session_id: str, name: str) -> str:
    found = tx.sessions.find(session_id, caller.user_id)
    if not found:
        raise _hidden(name)
    if len(found) > 1:
        raise FailedPrecondition(
            f"{name} is in several engagements: write `{Kind.SESSION.value}`", reason="AMBIGUOUS_NAME"
        )
    return found[0].engagement_id


def _hidden(name: str) -> PermissionDenied:
    """One answer for what is absent and for what is foreign, so that it does not tell which."""
    return PermissionDenied(f"{name} does not exist, or you have no role in its engagement")
