"""A valid request for every RPC, and who may make it: written by hand, apart from the policy table."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.message import Message
from mooring.v1 import (
    activity_pb2,
    assets_pb2,
    comparisons_pb2,
    dependencies_pb2,
    engagements_pb2,
    imports_pb2,
    landscape_pb2,
    merges_pb2,
    sessions_pb2,
    tokens_pb2,
    transfers_pb2,
    users_pb2,
    watch_pb2,
)
from support_server import Caller

INVENTORY = b"name,type\nweb-1,server\ndb-1,database\n"


class Scene:
    """One engagement and one user whom a request is about, made ready by those who may.

    `owner` is that user and manages the engagement; `stranger` makes callers whom nobody has met.
    """

    def __init__(self, owner: Caller, engagement: str, stranger: Callable[[], Caller]) -> None:
        self.owner = owner
        self.engagement = engagement
        self.user = owner.users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name
        self._stranger = stranger
        self._operation = ""
        self._import = ""

    def session(self) -> str:
        """A new session."""
        request = sessions_pb2.CreateSessionRequest(
            parent=self.engagement, session=sessions_pb2.Session(display_name=f"Session {unique()}")
        )
        return self.owner.sessions.CreateSession(request).name

    def deleted(self) -> str:
        """A new session, deleted."""
        name = self.session()
        self.owner.sessions.DeleteSession(sessions_pb2.DeleteSessionRequest(name=name))
        return name

    def archived(self) -> str:
        """A new session, archived."""
        name = self.session()
        self.owner.sessions.ArchiveSession(sessions_pb2.ArchiveSessionRequest(name=name))
        return name

    def pinned(self) -> str:
        """A new session that the owner has pinned."""
        name = self.session()
        self.owner.sessions.PinSession(sessions_pb2.PinSessionRequest(name=name))
        return name

    def context(self) -> str:
        """A new context of the user."""
        request = users_pb2.OpenContextRequest(parent=self.user, kernel_key=unique())
        return self.owner.users.OpenContext(request).context.name

    def token(self) -> str:
        """A new API token of the user."""
        token = tokens_pb2.Token(display_name="For a test")
        return self.owner.users.CreateToken(tokens_pb2.CreateTokenRequest(parent=self.user, token=token)).name

    def newcomer(self) -> str:
        """The id of a new user who is no member."""
        user = self._stranger().users.GetCurrentUser(users_pb2.GetCurrentUserRequest())
        return user.name.partition("/")[2]

    def member(self) -> str:
        """A new member."""
        request = engagements_pb2.CreateMemberRequest(
            parent=self.engagement,
            member=engagements_pb2.Member(role=engagements_pb2.ROLE_VIEWER),
            member_id=self.newcomer(),
        )
        return self.owner.engagements.CreateMember(request).name

    def asset(self) -> str:
        """A new asset of a new session, without dependencies."""
        return self._asset(self.session())

    def dependency(self) -> str:
        """A new dependency of a new asset on itself."""
        session = self.session()
        asset = self._asset(session)
        dependency = dependencies_pb2.Dependency(
            name=f"{session}/dependencies/{unique()}", source=asset, target=asset
        )
        request = dependencies_pb2.UpdateDependencyRequest(dependency=dependency, allow_missing=True)
        return self.owner.discovery.UpdateDependency(request).name

    def _asset(self, session: str) -> str:
        asset = assets_pb2.Asset(name=f"{session}/assets/{unique()}", display_name="web-1")
        request = assets_pb2.UpdateAssetRequest(asset=asset, allow_missing=True)
        return self.owner.discovery.UpdateAsset(request).name

    def upload(self, session: str) -> str:
        """The id of a file that waits for its import."""
        return self.owner.discovery.UploadInventory(upload(session)).upload_id

    def operation(self) -> str:
        """An operation that has ended."""
        if not self._operation:
            self._operation = self._import_into(self.session())
        return self._operation

    def imported(self) -> str:
        """An import that can be undone: the one of before, until it was."""
        if not self._import or not self._read(self._import).revertible:
            session = self.session()
            self._import_into(session)
            history = self.owner.discovery.ListImports(imports_pb2.ListImportsRequest(parent=session))
            self._import = history.imports[0].name
        return self._import

    def merged(self) -> str:
        """A new merge, which can be undone."""
        target = self.session()
        self.owner.discovery.UpdateAsset(
            assets_pb2.UpdateAssetRequest(
                asset=assets_pb2.Asset(name=f"{target}/assets/{unique()}", display_name="web-1"),
                allow_missing=True,
            )
        )
        plan = merges_pb2.MergePlan(source=self.session())
        name = self.owner.sessions.MergeSessions(merges_pb2.MergeSessionsRequest(name=target, plan=plan)).name
        _finish(self.owner, name)
        return f"{self.engagement}/merges/{name.rpartition('/')[2]}"

    def exported(self) -> str:
        """The id of a session's file that waits for its import."""
        request = transfers_pb2.ExportSessionRequest(name=self.session())
        data = b"".join(part.data for part in self.owner.sessions.ExportSession(request))
        return self.owner.discovery.UploadInventory(upload(self.engagement, data)).upload_id

    def _read(self, name: str) -> imports_pb2.Import:
        return self.owner.discovery.GetImport(imports_pb2.GetImportRequest(name=name))

    def _import_into(self, session: str) -> str:
        request = imports_pb2.ImportInventoryRequest(parent=session, upload_id=self.upload(session))
        name = self.owner.discovery.ImportInventory(request).name
        _finish(self.owner, name)
        return name

    def archive(self) -> None:
        """Puts the engagement away."""
        self.owner.engagements.ArchiveEngagement(
            engagements_pb2.ArchiveEngagementRequest(name=self.engagement)
        )

    def restore(self) -> None:
        """Takes the engagement up again."""
        self.owner.engagements.UnarchiveEngagement(
            engagements_pb2.UnarchiveEngagementRequest(name=self.engagement)
        )


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make a request, and the least who may: a role, `self` (the user it is about) or `anybody`.

    `after` puts the scene right again, whether the request was answered or refused.
    """

    least: str
    build: Callable[[Scene], Message]
    after: Callable[[Scene], None] = lambda scene: None


def unique() -> str:
    """A text that nothing else has; also an id."""
    return f"x{uuid.uuid4().hex}"


def upload(session: str, data: bytes = INVENTORY) -> Iterator[imports_pb2.UploadInventoryRequest]:
    """The messages of an upload."""
    header = imports_pb2.UploadHeader(parent=session, file_name="estate.csv")
    yield imports_pb2.UploadInventoryRequest(header=header)
    yield imports_pb2.UploadInventoryRequest(chunk=data)


def settle(caller: Caller, rpc: str, answer: bytes) -> None:
    """Waits for the work that an answer only began, so that all it changes is changed."""
    if rpc.endswith(("/ImportInventory", "/MergeSessions", "/ImportSession")):
        _finish(caller, operations_pb2.Operation.FromString(answer).name)


def _finish(caller: Caller, name: str) -> None:
    """Waits for an operation's end, however long the server lets one call wait."""
    while not caller.operations.WaitOperation(
        operations_pb2.WaitOperationRequest(name=name), timeout=60
    ).done:
        pass


def _named(request: Any, make: Callable[[Scene], str]) -> Callable[[Scene], Message]:
    return lambda scene: request(name=make(scene))


def _new_token(scene: Scene) -> Message:
    return tokens_pb2.CreateTokenRequest(
        parent=scene.user, token=tokens_pb2.Token(display_name="Another"), token_id=unique()
    )


def _new_engagement(scene: Scene) -> Message:
    return engagements_pb2.CreateEngagementRequest(
        engagement=engagements_pb2.Engagement(display_name="Another"), engagement_id=unique()
    )


def _engagement_edit(scene: Scene) -> Message:
    changed = engagements_pb2.Engagement(name=scene.engagement, description=unique())
    return engagements_pb2.UpdateEngagementRequest(engagement=changed)


def _unarchive(scene: Scene) -> Message:
    scene.archive()
    return engagements_pb2.UnarchiveEngagementRequest(name=scene.engagement)


def _new_member(scene: Scene) -> Message:
    member = engagements_pb2.Member(role=engagements_pb2.ROLE_VIEWER)
    return engagements_pb2.CreateMemberRequest(
        parent=scene.engagement, member=member, member_id=scene.newcomer()
    )


def _member_edit(scene: Scene) -> Message:
    member = engagements_pb2.Member(name=scene.member(), role=engagements_pb2.ROLE_ANALYST)
    return engagements_pb2.UpdateMemberRequest(member=member)


def _new_session(scene: Scene) -> Message:
    session = sessions_pb2.Session(display_name=unique())
    return sessions_pb2.CreateSessionRequest(parent=scene.engagement, session=session, session_id=unique())


def _session_edit(scene: Scene) -> Message:
    session = sessions_pb2.Session(name=scene.session(), display_name=unique())
    return sessions_pb2.UpdateSessionRequest(session=session)


def _plan(scene: Scene) -> merges_pb2.MergePlan:
    return merges_pb2.MergePlan(source=scene.session())


def _import(scene: Scene) -> Message:
    session = scene.session()
    return imports_pb2.ImportInventoryRequest(parent=session, upload_id=scene.upload(session))


def _preview(scene: Scene) -> Message:
    session = scene.session()
    return imports_pb2.PreviewInventoryRequest(parent=session, upload_id=scene.upload(session))


def _asset_edit(scene: Scene) -> Message:
    asset = assets_pb2.Asset(name=scene.asset(), owner=unique())
    return assets_pb2.UpdateAssetRequest(asset=asset)


def _dependency_edit(scene: Scene) -> Message:
    dependency = dependencies_pb2.Dependency(name=scene.dependency(), description=unique())
    return dependencies_pb2.UpdateDependencyRequest(dependency=dependency)


def _upload_header(scene: Scene) -> Message:
    header = imports_pb2.UploadHeader(parent=scene.session(), file_name="estate.csv")
    return imports_pb2.UploadInventoryRequest(header=header)


_USERS, _ENGAGEMENTS = "mooring.v1.UserService/", "mooring.v1.EngagementService/"
_SESSIONS, _DISCOVERY = "mooring.v1.SessionService/", "mooring.v1.DiscoveryService/"
_OPERATIONS = "google.longrunning.Operations/"

RECIPES: Mapping[str, Recipe] = {
    _USERS + "GetCurrentUser": Recipe("anybody", lambda s: users_pb2.GetCurrentUserRequest()),
    _USERS + "GetUser": Recipe("self", lambda s: users_pb2.GetUserRequest(name=s.user)),
    _USERS + "UpdateUser": Recipe(
        "self",
        lambda s: users_pb2.UpdateUserRequest(user=users_pb2.User(name=s.user, display_name=unique())),
    ),
    _USERS + "GetContext": Recipe("self", _named(users_pb2.GetContextRequest, Scene.context)),
    _USERS + "OpenContext": Recipe(
        "self", lambda s: users_pb2.OpenContextRequest(parent=s.user, kernel_key=unique())
    ),
    _USERS + "ListContexts": Recipe("self", lambda s: users_pb2.ListContextsRequest(parent=s.user)),
    _USERS + "DeleteContext": Recipe("self", _named(users_pb2.DeleteContextRequest, Scene.context)),
    _USERS + "CreateToken": Recipe("self", _new_token),
    _USERS + "GetToken": Recipe("self", _named(tokens_pb2.GetTokenRequest, Scene.token)),
    _USERS + "ListTokens": Recipe("self", lambda s: tokens_pb2.ListTokensRequest(parent=s.user)),
    _USERS + "RevokeToken": Recipe("self", _named(tokens_pb2.RevokeTokenRequest, Scene.token)),
    _ENGAGEMENTS + "GetEngagement": Recipe(
        "viewer", lambda s: engagements_pb2.GetEngagementRequest(name=s.engagement, view=2)
    ),
    _ENGAGEMENTS + "GetDefaultEngagement": Recipe(
        "anybody", lambda s: engagements_pb2.GetDefaultEngagementRequest()
    ),
    _ENGAGEMENTS + "ListEngagements": Recipe(
        "anybody", lambda s: engagements_pb2.ListEngagementsRequest(page_size=1_000)
    ),
    _ENGAGEMENTS + "CreateEngagement": Recipe("anybody", _new_engagement),
    _ENGAGEMENTS + "UpdateEngagement": Recipe("manager", _engagement_edit),
    _ENGAGEMENTS + "ArchiveEngagement": Recipe(
        "manager", lambda s: engagements_pb2.ArchiveEngagementRequest(name=s.engagement), Scene.restore
    ),
    _ENGAGEMENTS + "UnarchiveEngagement": Recipe("manager", _unarchive, Scene.restore),
    _ENGAGEMENTS + "SwitchEngagement": Recipe(
        "viewer", lambda s: engagements_pb2.SwitchEngagementRequest(name=s.engagement)
    ),
    _ENGAGEMENTS + "ListMembers": Recipe(
        "viewer", lambda s: engagements_pb2.ListMembersRequest(parent=s.engagement)
    ),
    _ENGAGEMENTS + "GetMember": Recipe("viewer", _named(engagements_pb2.GetMemberRequest, Scene.member)),
    _ENGAGEMENTS + "CreateMember": Recipe("manager", _new_member),
    _ENGAGEMENTS + "UpdateMember": Recipe("manager", _member_edit),
    _ENGAGEMENTS + "DeleteMember": Recipe(
        "manager", _named(engagements_pb2.DeleteMemberRequest, Scene.member)
    ),
    _ENGAGEMENTS + "GetUsage": Recipe(
        "viewer", lambda s: activity_pb2.GetUsageRequest(name=f"{s.engagement}/usage")
    ),
    _SESSIONS + "GetSession": Recipe("viewer", _named(sessions_pb2.GetSessionRequest, Scene.session)),
    _SESSIONS + "ListSessions": Recipe(
        "viewer", lambda s: sessions_pb2.ListSessionsRequest(parent=s.engagement)
    ),
    _SESSIONS + "CreateSession": Recipe("analyst", _new_session),
    _SESSIONS + "UpdateSession": Recipe("analyst", _session_edit),
    _SESSIONS + "DeleteSession": Recipe("analyst", _named(sessions_pb2.DeleteSessionRequest, Scene.session)),
    _SESSIONS + "UndeleteSession": Recipe(
        "analyst", _named(sessions_pb2.UndeleteSessionRequest, Scene.deleted)
    ),
    _SESSIONS + "ArchiveSession": Recipe(
        "analyst", _named(sessions_pb2.ArchiveSessionRequest, Scene.session)
    ),
    _SESSIONS + "UnarchiveSession": Recipe(
        "analyst", _named(sessions_pb2.UnarchiveSessionRequest, Scene.archived)
    ),
    _SESSIONS + "SwitchSession": Recipe("viewer", _named(sessions_pb2.SwitchSessionRequest, Scene.session)),
    _SESSIONS + "SetDefaultSession": Recipe(
        "manager", _named(sessions_pb2.SetDefaultSessionRequest, Scene.session)
    ),
    _SESSIONS + "GetShortcuts": Recipe(
        "viewer", lambda s: sessions_pb2.GetShortcutsRequest(name=f"{s.engagement}/shortcuts")
    ),
    _SESSIONS + "PinSession": Recipe("viewer", _named(sessions_pb2.PinSessionRequest, Scene.session)),
    _SESSIONS + "UnpinSession": Recipe("viewer", _named(sessions_pb2.UnpinSessionRequest, Scene.pinned)),
    _SESSIONS + "CompareSessions": Recipe(
        "viewer",
        lambda s: comparisons_pb2.CompareSessionsRequest(name=s.session(), other=s.session()),
    ),
    _SESSIONS + "ListAssetDifferences": Recipe(
        "viewer",
        lambda s: comparisons_pb2.ListAssetDifferencesRequest(parent=s.session(), other=s.session()),
    ),
    _SESSIONS + "ListDependencyDifferences": Recipe(
        "viewer",
        lambda s: comparisons_pb2.ListDependencyDifferencesRequest(parent=s.session(), other=s.session()),
    ),
    _SESSIONS + "PreviewMerge": Recipe(
        "viewer", lambda s: merges_pb2.PreviewMergeRequest(name=s.session(), plan=_plan(s))
    ),
    _SESSIONS + "ListMergeConflicts": Recipe(
        "viewer", lambda s: merges_pb2.ListMergeConflictsRequest(parent=s.session(), plan=_plan(s))
    ),
    _SESSIONS + "MergeSessions": Recipe(
        "analyst", lambda s: merges_pb2.MergeSessionsRequest(name=s.session(), plan=_plan(s))
    ),
    _SESSIONS + "GetMerge": Recipe("viewer", _named(merges_pb2.GetMergeRequest, Scene.merged)),
    _SESSIONS + "ListMerges": Recipe("viewer", lambda s: merges_pb2.ListMergesRequest(parent=s.engagement)),
    _SESSIONS + "ListMergeDrops": Recipe(
        "viewer", lambda s: merges_pb2.ListMergeDropsRequest(parent=s.merged())
    ),
    _SESSIONS + "RevertMerge": Recipe("analyst", _named(merges_pb2.RevertMergeRequest, Scene.merged)),
    _SESSIONS + "ExportSession": Recipe("viewer", _named(transfers_pb2.ExportSessionRequest, Scene.session)),
    _SESSIONS + "ImportSession": Recipe(
        "analyst",
        lambda s: transfers_pb2.ImportSessionRequest(parent=s.engagement, upload_id=s.exported()),
    ),
    _SESSIONS + "ListActivity": Recipe(
        "viewer", lambda s: activity_pb2.ListActivityRequest(parent=s.engagement)
    ),
    _DISCOVERY + "UploadInventory": Recipe("analyst", _upload_header),
    _DISCOVERY + "PreviewInventory": Recipe("analyst", _preview),
    _DISCOVERY + "ImportInventory": Recipe("analyst", _import),
    _DISCOVERY + "ListImports": Recipe(
        "viewer", lambda s: imports_pb2.ListImportsRequest(parent=s.session())
    ),
    _DISCOVERY + "GetImport": Recipe("viewer", _named(imports_pb2.GetImportRequest, Scene.imported)),
    _DISCOVERY + "RevertImport": Recipe("analyst", _named(imports_pb2.RevertImportRequest, Scene.imported)),
    _DISCOVERY + "ListAssets": Recipe("viewer", lambda s: assets_pb2.ListAssetsRequest(parent=s.session())),
    _DISCOVERY + "GetAsset": Recipe("viewer", _named(assets_pb2.GetAssetRequest, Scene.asset)),
    _DISCOVERY + "UpdateAsset": Recipe("analyst", _asset_edit),
    _DISCOVERY + "DeleteAsset": Recipe("analyst", _named(assets_pb2.DeleteAssetRequest, Scene.asset)),
    _DISCOVERY + "ReadAssets": Recipe("viewer", lambda s: assets_pb2.ReadAssetsRequest(parent=s.session())),
    _DISCOVERY + "ListDependencies": Recipe(
        "viewer", lambda s: dependencies_pb2.ListDependenciesRequest(parent=s.session())
    ),
    _DISCOVERY + "GetDependency": Recipe(
        "viewer", _named(dependencies_pb2.GetDependencyRequest, Scene.dependency)
    ),
    _DISCOVERY + "UpdateDependency": Recipe("analyst", _dependency_edit),
    _DISCOVERY + "DeleteDependency": Recipe(
        "analyst", _named(dependencies_pb2.DeleteDependencyRequest, Scene.dependency)
    ),
    _DISCOVERY + "ReadDependencies": Recipe(
        "viewer", lambda s: dependencies_pb2.ReadDependenciesRequest(parent=s.session())
    ),
    _DISCOVERY + "GetLandscape": Recipe(
        "viewer", lambda s: landscape_pb2.GetLandscapeRequest(name=f"{s.session()}/landscape")
    ),
    "mooring.v1.WatchService/Watch": Recipe(
        "viewer", lambda s: watch_pb2.WatchRequest(streams=[s.engagement])
    ),
    _OPERATIONS + "ListOperations": Recipe(
        "viewer", lambda s: operations_pb2.ListOperationsRequest(name=s.session())
    ),
    _OPERATIONS + "GetOperation": Recipe(
        "viewer", _named(operations_pb2.GetOperationRequest, Scene.operation)
    ),
    _OPERATIONS + "WaitOperation": Recipe(
        "viewer", _named(operations_pb2.WaitOperationRequest, Scene.operation)
    ),
    _OPERATIONS + "CancelOperation": Recipe(
        "analyst", _named(operations_pb2.CancelOperationRequest, Scene.operation)
    ),
}
