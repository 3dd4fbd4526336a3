"""Who may call what: one row for every RPC, and the one function that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mooring_server.core.names import ANY, ME, Kind, parse
from mooring_server.errors import FailedPrecondition, NotFound, PermissionDenied
from mooring_server.store import Tx
from mooring_server.store.records import Role, Token, TokenScope


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, and how much of what they may do their token allows. An admin may do everything."""

    user_id: str
    scope: TokenScope = TokenScope.WRITE
    token: Token | None = None

    @property
    def is_admin(self) -> bool:
        """Whether no role is asked for."""
        return self.scope is TokenScope.ADMIN


class RateClass(StrEnum):
    """Calls that share a limit; `Settings` has one for each, `read_rate` and so on."""

    READ = "read"
    WRITE = "write"
    BULK = "bulk"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Rule:
    """How an RPC is admitted and run.

    `kinds` are what the name in `field` may name; none: it concerns the caller alone. `role` is the least
    role in that engagement; None: the name is of the caller's own (`users/…`). With `or_default` an empty
    name means the caller's default engagement, with `or_self` no role is asked of a member about themselves,
    with `or_known` a user may also be one who shares an engagement with the caller. `mutates` makes it a
    write, which an archived engagement refuses unless `in_archive`. `long` reads may take more than a look-up
    by key. `rate` is the class of calls whose limit it counts for.
    """

    field: str = ""
    kinds: tuple[Kind, ...] = ()
    role: Role | None = None
    or_default: bool = False
    or_self: bool = False
    or_known: bool = False
    mutates: bool = False
    in_archive: bool = False
    long: bool = False
    bulk: bool = False
    watch: bool = False

    @property
    def rate(self) -> RateClass:
        """The class of calls whose limit it counts for."""
        if self.watch:
            return RateClass.WATCH
        if self.bulk:
            return RateClass.BULK
        return RateClass.WRITE if self.mutates else RateClass.READ


_USERS, _ENGAGEMENTS = "mooring.v1.UserService/", "mooring.v1.EngagementService/"
_SESSIONS, _DISCOVERY = "mooring.v1.SessionService/", "mooring.v1.DiscoveryService/"
_OPERATIONS = "google.longrunning.Operations/"
_USER, _CONTEXT, _TOKEN = (Kind.USER,), (Kind.CONTEXT,), (Kind.TOKEN,)
_ENGAGEMENT, _MEMBER, _SESSION, _OPERATION = (
    (Kind.ENGAGEMENT,),
    (Kind.MEMBER,),
    (Kind.SESSION,),
    (Kind.OPERATION,),
)
_ASSET, _DEPENDENCY, _IMPORT = (Kind.ASSET,), (Kind.DEPENDENCY,), (Kind.IMPORT,)
_MERGE = (Kind.MERGE,)
_VIEWER, _ANALYST, _MANAGER = Role.VIEWER, Role.ANALYST, Role.MANAGER

POLICY: Mapping[str, Rule] = {
    _USERS + "GetCurrentUser": Rule(),
    _USERS + "GetUser": Rule("name", _USER, or_known=True),
    _USERS + "UpdateUser": Rule("user.name", _USER, mutates=True),
    _USERS + "GetContext": Rule("name", _CONTEXT),
    _USERS + "OpenContext": Rule("parent", _USER, mutates=True),
    _USERS + "ListContexts": Rule("parent", _USER, long=True),
    _USERS + "DeleteContext": Rule("name", _CONTEXT, mutates=True),
    _USERS + "CreateToken": Rule("parent", _USER, mutates=True),
    _USERS + "GetToken": Rule("name", _TOKEN),
    _USERS + "ListTokens": Rule("parent", _USER, long=True),
    _USERS + "RevokeToken": Rule("name", _TOKEN, mutates=True),
    _ENGAGEMENTS + "GetEngagement": Rule("name", _ENGAGEMENT, _VIEWER),
    _ENGAGEMENTS + "GetDefaultEngagement": Rule(),
    _ENGAGEMENTS + "ListEngagements": Rule(long=True),
    _ENGAGEMENTS + "CreateEngagement": Rule(mutates=True),
    _ENGAGEMENTS + "UpdateEngagement": Rule("engagement.name", _ENGAGEMENT, _MANAGER, mutates=True),
    _ENGAGEMENTS + "ArchiveEngagement": Rule("name", _ENGAGEMENT, _MANAGER, mutates=True, in_archive=True),
    _ENGAGEMENTS + "UnarchiveEngagement": Rule("name", _ENGAGEMENT, _MANAGER, mutates=True, in_archive=True),
    _ENGAGEMENTS + "SwitchEngagement": Rule("name", _ENGAGEMENT, _VIEWER, mutates=True, in_archive=True),
    _ENGAGEMENTS + "ListMembers": Rule("parent", _ENGAGEMENT, _VIEWER, long=True),
    _ENGAGEMENTS + "GetMember": Rule("name", _MEMBER, _VIEWER),
    _ENGAGEMENTS + "CreateMember": Rule("parent", _ENGAGEMENT, _MANAGER, mutates=True, in_archive=True),
    _ENGAGEMENTS + "UpdateMember": Rule("member.name", _MEMBER, _MANAGER, mutates=True, in_archive=True),
    _ENGAGEMENTS + "DeleteMember": Rule(
        "name", _MEMBER, _MANAGER, or_self=True, mutates=True, in_archive=True
    ),
    _ENGAGEMENTS + "GetUsage": Rule("name", (Kind.USAGE,), _VIEWER, long=True),
    _SESSIONS + "GetSession": Rule("name", _SESSION, _VIEWER),
    _SESSIONS + "ListSessions": Rule("parent", _ENGAGEMENT, _VIEWER, long=True),
    _SESSIONS + "CreateSession": Rule("parent", _ENGAGEMENT, _ANALYST, or_default=True, mutates=True),
    _SESSIONS + "UpdateSession": Rule("session.name", _SESSION, _ANALYST, mutates=True),
    _SESSIONS + "DeleteSession": Rule("name", _SESSION, _ANALYST, mutates=True),
    _SESSIONS + "UndeleteSession": Rule("name", _SESSION, _ANALYST, mutates=True),
    _SESSIONS + "ArchiveSession": Rule("name", _SESSION, _ANALYST, mutates=True),
    _SESSIONS + "UnarchiveSession": Rule("name", _SESSION, _ANALYST, mutates=True),
    _SESSIONS + "SwitchSession": Rule("name", _SESSION, _VIEWER, mutates=True, in_archive=True),
    _SESSIONS + "SetDefaultSession": Rule("name", _SESSION, _MANAGER, mutates=True),
    _SESSIONS + "GetShortcuts": Rule("name", (Kind.SHORTCUTS,), _VIEWER),
    _SESSIONS + "PinSession": Rule("name", _SESSION, _VIEWER, mutates=True, in_archive=True),
    _SESSIONS + "UnpinSession": Rule("name", _SESSION, _VIEWER, mutates=True, in_archive=True),
    _SESSIONS + "CompareSessions": Rule("name", _SESSION, _VIEWER, long=True),
    _SESSIONS + "ListAssetDifferences": Rule("parent", _SESSION, _VIEWER, long=True),
    _SESSIONS + "ListDependencyDifferences": Rule("parent", _SESSION, _VIEWER, long=True),
    _SESSIONS + "PreviewMerge": Rule("name", _SESSION, _VIEWER, long=True),
    _SESSIONS + "ListMergeConflicts": Rule("parent", _SESSION, _VIEWER, long=True),
    _SESSIONS + "MergeSessions": Rule("name", _SESSION, _ANALYST, mutates=True, bulk=True),
    _SESSIONS + "GetMerge": Rule("name", _MERGE, _VIEWER),
    _SESSIONS + "ListMerges": Rule("parent", _ENGAGEMENT, _VIEWER, long=True),
    _SESSIONS + "ListMergeDrops": Rule("parent", _MERGE, _VIEWER, long=True),
    _SESSIONS + "RevertMerge": Rule("name", _MERGE, _ANALYST, mutates=True),
    _SESSIONS + "ExportSession": Rule("name", _SESSION, _VIEWER, long=True, bulk=True),
    _SESSIONS + "ImportSession": Rule("parent", _ENGAGEMENT, _ANALYST, mutates=True, bulk=True),
    _SESSIONS + "ListActivity": Rule("parent", (Kind.ENGAGEMENT, Kind.SESSION), _VIEWER, long=True),
    _DISCOVERY + "UploadInventory": Rule(
        "header.parent", (Kind.SESSION, Kind.ENGAGEMENT), _ANALYST, mutates=True, bulk=True
    ),
    _DISCOVERY + "ImportInventory": Rule("parent", _SESSION, _ANALYST, mutates=True, bulk=True),
    _DISCOVERY + "PreviewInventory": Rule("parent", _SESSION, _ANALYST, long=True, bulk=True),
    _DISCOVERY + "ListImports": Rule("parent", _SESSION, _VIEWER, long=True),
    _DISCOVERY + "GetImport": Rule("name", _IMPORT, _VIEWER),
    _DISCOVERY + "RevertImport": Rule("name", _IMPORT, _ANALYST, mutates=True),
    _DISCOVERY + "ListAssets": Rule("parent", _SESSION, _VIEWER, long=True),
    _DISCOVERY + "GetAsset": Rule("name", _ASSET, _VIEWER),
    _DISCOVERY + "UpdateAsset": Rule("asset.name", _ASSET, _ANALYST, mutates=True),
    _DISCOVERY + "DeleteAsset": Rule("name", _ASSET, _ANALYST, mutates=True),
    _DISCOVERY + "ReadAssets": Rule("parent", _SESSION, _VIEWER, long=True, bulk=True),
    _DISCOVERY + "ListDependencies": Rule("parent", _SESSION, _VIEWER, long=True),
    _DISCOVERY + "GetDependency": Rule("name", _DEPENDENCY, _VIEWER),
    _DISCOVERY + "UpdateDependency": Rule("dependency.name", _DEPENDENCY, _ANALYST, mutates=True),
    _DISCOVERY + "DeleteDependency": Rule("name", _DEPENDENCY, _ANALYST, mutates=True),
    _DISCOVERY + "ReadDependencies": Rule("parent", _SESSION, _VIEWER, long=True, bulk=True),
    _DISCOVERY + "GetLandscape": Rule("name", (Kind.LANDSCAPE,), _VIEWER, long=True),
    "mooring.v1.WatchService/Watch": Rule("streams", (Kind.ENGAGEMENT, Kind.USER), _VIEWER, watch=True),
    _OPERATIONS + "ListOperations": Rule("name", _SESSION, _VIEWER),
    _OPERATIONS + "GetOperation": Rule("name", _OPERATION, _VIEWER),
    _OPERATIONS + "WaitOperation": Rule("name", _OPERATION, _VIEWER),
    _OPERATIONS + "CancelOperation": Rule("name", _OPERATION, _ANALYST, mutates=True, in_archive=True),
}


def authorise(tx: Tx, caller: Caller, rpc: str, name: str) -> str:
    """Checks the RPC's row for one name (any text where the row has no field) and answers that name in full.

    `users/me` becomes the caller's own name, `sessions/{s}` the one such session that the caller may read.

    Raises:
        InvalidArgument: the name does not have the pattern that the row asks for.
        PermissionDenied: the engagement is absent or foreign (the same answer), the role is too low, the name
            is another user's, or the token's scope is too narrow (SCOPE_TOO_NARROW).
        NotFound: ENGAGEMENT_NOT_FOUND and USER_NOT_FOUND, to an admin.
        FailedPrecondition: AMBIGUOUS_NAME, NO_DEFAULT_ENGAGEMENT, ENGAGEMENT_ARCHIVED.
    """
    rule = POLICY[rpc]
    if rule.mutates and caller.scope is TokenScope.READ:
        raise PermissionDenied("your token is for reading alone", reason="SCOPE_TOO_NARROW")
    if not rule.kinds:
        return name
    if rule.or_default and not name:
        name = Kind.ENGAGEMENT.of(default_engagement_id(tx, caller))
    kind, ids = parse(name, rule.kinds, rule.field)
    if kind in (Kind.USER, Kind.CONTEXT, Kind.TOKEN):
        return _of_user(tx, caller, rule, kind, ids, name)
    engagement_id = _engagement_of(tx, caller, ids[1], name) if ids[0] == ANY else ids[0]
    if kind is Kind.MEMBER and ids[1] == ME:
        ids = (ids[0], caller.user_id)
    role = tx.members.role(engagement_id, caller.user_id)
    if caller.is_admin:
        if role is None and tx.engagements.get(engagement_id) is None:
            raise NotFound(f"{name} does not exist", reason="ENGAGEMENT_NOT_FOUND")
    elif rule.role is not None:
        if role is None:
            raise hidden(name)
        if role < rule.role and not (rule.or_self and ids[1] == caller.user_id):
            raise PermissionDenied(
                f"this needs the role {rule.role.name.lower()} in the engagement, "
                f"yours is {Role(role).name.lower()}"
            )
        if rule.mutates and role >= rule.role:
            tx.changes.expect_role(engagement_id, caller.user_id, rule.role)
    if rule.mutates and not rule.in_archive:
        tx.engagements.require_in_use(engagement_id)
    return kind.of(engagement_id, *ids[1:])


def _of_user(tx: Tx, caller: Caller, rule: Rule, kind: Kind, ids: tuple[str, ...], name: str) -> str:
    user_id, *rest = ids
    if user_id in (ME, caller.user_id):
        return kind.of(caller.user_id, *rest)
    if caller.is_admin:
        if tx.users.get(user_id) is None:
            raise NotFound(f"{Kind.USER.of(user_id)} does not exist", reason="USER_NOT_FOUND")
    elif not (rule.or_known and tx.members.share_engagement(caller.user_id, user_id)):
        raise PermissionDenied(f"{name} is not yours")
    return name


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
    """The engagement that stands where the caller names none; one that they have left does not.

    Raises:
        FailedPrecondition: NO_DEFAULT_ENGAGEMENT.
    """
    user = tx.users.get(caller.user_id)
    home = None if user is None else user.default_engagement_id
    if home is None or tx.members.role(home, caller.user_id) is None:
        raise FailedPrecondition(
            "you have no default engagement yet: create one, or name an engagement",
            reason="NO_DEFAULT_ENGAGEMENT",
        )
    return home


def _engagement_of(tx: Tx, caller: Caller, session_id: str, name: str) -> str:
    found = tx.sessions.find(session_id, caller.user_id)
    if not found:
        raise hidden(name)
    if len(found) > 1:
        raise FailedPrecondition(
            f"{name} is in several engagements: write `{Kind.SESSION.value}`", reason="AMBIGUOUS_NAME"
        )
    return found[0].engagement_id


def hidden(name: str) -> PermissionDenied:
    """One answer for what is absent and for what is foreign, so that it does not tell which."""
    return PermissionDenied(f"{name} does not exist, or you have no role in its engagement")
