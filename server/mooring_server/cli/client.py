"""The command line's own client: what the commands ask of a server, by noun."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

import grpc
from mooring.v1 import (
    comparisons_pb2,
    discovery_pb2_grpc,
    engagements_pb2,
    engagements_pb2_grpc,
    landscape_pb2,
    sessions_pb2,
    sessions_pb2_grpc,
    tokens_pb2,
    users_pb2_grpc,
)

from mooring_server.cli.connection import (
    Absent,
    Connection,
    Listed,
    Metadata,
    Refused,
    connection,
    request_id,
)
from mooring_server.cli.import_client import Imports
from mooring_server.cli.merge_client import Merges
from mooring_server.cli.operation_client import Operations
from mooring_server.cli.record_client import Assets, Dependencies
from mooring_server.cli.transfer_client import Transfers
from mooring_server.core.names import is_id


@contextmanager
def connected(address: str, *, ca: Path | None = None) -> Iterator["Client"]:
    """A client of the server at an address; see `connection`."""
    with connection(address, ca=ca) as made:
        yield Client(made.channel, made.metadata)


class Client:
    """What the commands ask of a server; every call carries `metadata`.

    `imports`, `assets` and `dependencies` are a session's discovery data, `operations` its long work;
    `merges` are an engagement's, and `transfers` move its sessions as files.
    """

    def __init__(self, channel: grpc.Channel, metadata: Metadata = ()) -> None:
        self._connection = Connection(channel, metadata)
        self._call = self._connection.call
        self._users = users_pb2_grpc.UserServiceStub(channel)
        self._engagements = engagements_pb2_grpc.EngagementServiceStub(channel)
        self._sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        self._discovery = discovery_pb2_grpc.DiscoveryServiceStub(channel)
        self.operations = Operations(self._connection)
        self.imports = Imports(self._connection)
        self.merges = Merges(self._connection)
        self.transfers = Transfers(self._connection)
        self.assets = Assets(self._connection)
        self.dependencies = Dependencies(self._connection)

    # Engagements and sessions

    def engagement(self, wanted: str | None) -> engagements_pb2.Engagement:
        """The engagement of this display name or id; the caller's default one for None.

        Raises:
            Absent: there is none that the caller may read.
        """
        if wanted is None:
            return self._call(
                self._engagements.GetDefaultEngagement, engagements_pb2.GetDefaultEngagementRequest()
            )
        wanted_id = wanted.removeprefix("engagements/")
        if is_id(wanted_id):
            try:
                request = engagements_pb2.GetEngagementRequest(name=f"engagements/{wanted_id}")
                return self._call(self._engagements.GetEngagement, request)
            except Refused as refused:
                if refused.reason != "PERMISSION_DENIED":  # the answer for an absent one, too
                    raise
        seen = []
        for engagement in self.engagements():
            if engagement.display_name == wanted:
                return engagement
            seen.append(engagement.display_name)
        raise Absent(f"there is no engagement {wanted!r} that you may read{near(wanted, seen)}")

    def create_engagement(self, engagement_id: str, display_name: str) -> engagements_pb2.Engagement:
        """A new engagement with its default session."""
        request = engagements_pb2.CreateEngagementRequest(
            engagement=engagements_pb2.Engagement(display_name=display_name),
            engagement_id=engagement_id,
            request_id=request_id(),
        )
        return self._call(self._engagements.CreateEngagement, request)

    def session(self, engagement: str, wanted: str) -> sessions_pb2.Session | None:
        """The living session of this id or display name in `engagements/{e}`; None where there is none."""
        wanted_id = wanted.removeprefix(f"{engagement}/sessions/")
        if is_id(wanted_id):
            try:
                request = sessions_pb2.GetSessionRequest(name=f"{engagement}/sessions/{wanted_id}")
                return self._call(self._sessions.GetSession, request)
            except Refused as refused:
                if refused.reason != "SESSION_NOT_FOUND":
                    raise
        found = (one for one in self.sessions(engagement) if one.display_name == wanted)
        return next(found, None)

    def create_session(
        self, engagement: str, display_name: str, *, source: str = "", description: str = ""
    ) -> sessions_pb2.Session:
        """A new session in `engagements/{e}`, blank or with the data of a source."""
        request = sessions_pb2.CreateSessionRequest(
            parent=engagement,
            session=sessions_pb2.Session(display_name=display_name, description=description),
            source_session=source,
            request_id=request_id(),
        )
        return self._call(self._sessions.CreateSession, request)

    def compare(self, session: str, other: str) -> comparisons_pb2.CompareSessionsResponse:
        """How many assets and dependencies two sessions differ in."""
        request = comparisons_pb2.CompareSessionsRequest(name=session, other=other)
        return self._call(self._sessions.CompareSessions, request)

    def asset_differences(
        self, request: comparisons_pb2.ListAssetDifferencesRequest, limit: int
    ) -> Listed[comparisons_pb2.AssetDifference]:
        """The first of them; 0 for all."""
        return self._connection.first(self._sessions.ListAssetDifferences, request, "differences", limit)

    def dependency_differences(
        self, request: comparisons_pb2.ListDependencyDifferencesRequest, limit: int
    ) -> Listed[comparisons_pb2.DependencyDifference]:
        """The first of them; 0 for all."""
        return self._connection.first(self._sessions.ListDependencyDifferences, request, "differences", limit)

    def delete_session(self, session: sessions_pb2.Session) -> None:
        """Delete a session that has not changed since it was read."""
        request = sessions_pb2.DeleteSessionRequest(
            name=session.name, etag=session.etag, request_id=request_id()
        )
        self._call(self._sessions.DeleteSession, request)

    def engagements(self) -> Iterator[engagements_pb2.Engagement]:
        """All that the caller may read, by display name."""
        request = engagements_pb2.ListEngagementsRequest()
        return self._connection.pages(self._engagements.ListEngagements, request, "engagements")

    def sessions(self, engagement: str, *, archived: bool = False) -> Iterator[sessions_pb2.Session]:
        """The living ones of `engagements/{e}`, by display name."""
        request = sessions_pb2.ListSessionsRequest(parent=engagement, show_archived=archived)
        return self._connection.pages(self._sessions.ListSessions, request, "sessions")

    def first_sessions(
        self, engagement: str, *, archived: bool, filter: str, order_by: str, limit: int
    ) -> Listed[sessions_pb2.Session]:
        """The first of them, 0 for all; the page has how many there are."""
        request = sessions_pb2.ListSessionsRequest(
            parent=engagement, show_archived=archived, filter=filter, order_by=order_by
        )
        return self._connection.first(self._sessions.ListSessions, request, "sessions", limit)

    def landscape(self, session: str) -> landscape_pb2.Landscape:
        """What the assets of `engagements/{e}/sessions/{s}` add up to."""
        request = landscape_pb2.GetLandscapeRequest(name=f"{session}/landscape")
        return self._call(self._discovery.GetLandscape, request, timeout_s=None)

    # API tokens

    def create_token(
        self, user: str, display_name: str, scope: str, expire_time: datetime | None
    ) -> tokens_pb2.Token:
        """A new token of `users/{u}`, with its secret. `scope` is read, write or admin."""
        token = tokens_pb2.Token(
            display_name=display_name, scope=tokens_pb2.TokenScope.Value(f"TOKEN_SCOPE_{scope.upper()}")
        )
        if expire_time is not None:
            token.expire_time.FromDatetime(expire_time)
        request = tokens_pb2.CreateTokenRequest(parent=user, token=token, request_id=request_id())
        return self._call(self._users.CreateToken, request)

    def tokens(self, user: str) -> Iterator[tokens_pb2.Token]:
        """The tokens of `users/{u}`, the newest first."""
        request = tokens_pb2.ListTokensRequest(parent=user)
        return self._connection.pages(self._users.ListTokens, request, "tokens")

    def revoke_token(self, name: str) -> tokens_pb2.Token:
        """End the token `users/{u}/tokens/{t}`."""
        request = tokens_pb2.RevokeTokenRequest(name=name, request_id=request_id())
        return self._call(self._users.RevokeToken, request).token


def near(wanted: str, names: Sequence[str]) -> str:
    """What to add to "there is no …": the names that may have been meant."""
    found = get_close_matches(wanted, names, n=3, cutoff=0.5)
    return f"; near it: {', '.join(map(repr, found))}" if found else ""
