"""The command line's own client: synchronous calls, failures as one sentence."""

import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from mooring.endpoints import Endpoint, EndpointError, tls_trouble
from mooring.v1 import (
    discovery_pb2_grpc,
    engagements_pb2,
    engagements_pb2_grpc,
    imports_pb2,
    sessions_pb2,
    sessions_pb2_grpc,
    tokens_pb2,
    users_pb2_grpc,
)

from mooring_server.cli.console import ExitCode, Failure

T = TypeVar("T")
Metadata = tuple[tuple[str, str], ...]

CONNECT_TIMEOUT_S = 5.0
_TLS_TIMEOUT_S = 1.0
CALL_TIMEOUT_S = 60.0
POLL_S = 0.3
PAGE_SIZE = 1_000
CHUNK_BYTES = 512 * 2**10

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Refused(Failure):
    """The server answered with a failure; `reason` is one of `mooring.v1.ErrorReason`, or empty."""

    def __init__(self, message: str, reason: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(f"{message} [{reason}]" if reason else message, code)
        self.reason = reason


class Absent(Failure):
    """What was named is not there, or not for this caller."""


@contextmanager
def connected(address: str, *, ca: Path | None = None) -> Iterator["Client"]:
    """A client of the server at `https://host[:port]`, `host:port` or `unix:/path`.

    It calls with the API token that MOORING_TOKEN holds, if any. There is no flag for it: every user of the
    machine can read the flags of a process.

    Args:
        address: The server.
        ca: A PEM file with the certificates to trust; None: the public authorities' own.

    Raises:
        Failure: with status 2, where that is no address, or the token would travel in the clear; with status
            3, where nothing answers there.
    """
    try:
        endpoint = Endpoint.of(address, token=os.environ.get("MOORING_TOKEN", ""), ca=ca or "")
    except EndpointError as error:
        raise Failure(str(error), ExitCode.USAGE) from None
    with closing(_channel(endpoint)) as channel:
        _reach(channel, address)
        yield Client(channel, endpoint.metadata)


class Client:
    """What the commands ask of a server; every call carries `metadata`."""

    def __init__(self, channel: grpc.Channel, metadata: Metadata = ()) -> None:
        self._metadata = metadata
        self._users = users_pb2_grpc.UserServiceStub(channel)
        self._engagements = engagements_pb2_grpc.EngagementServiceStub(channel)
        self._sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        self._discovery = discovery_pb2_grpc.DiscoveryServiceStub(channel)
        self._operations = operations_pb2_grpc.OperationsStub(channel)

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
        if _ID.fullmatch(wanted_id):
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
        raise Absent(f"there is no engagement {wanted!r} that you may read{_near(wanted, seen)}")

    def create_engagement(self, engagement_id: str, display_name: str) -> engagements_pb2.Engagement:
        """A new engagement with its default session."""
        request = engagements_pb2.CreateEngagementRequest(
            engagement=engagements_pb2.Engagement(display_name=display_name),
            engagement_id=engagement_id,
            request_id=_request_id(),
        )
        return self._call(self._engagements.CreateEngagement, request)

    def session(self, engagement: str, wanted: str) -> sessions_pb2.Session | None:
        """The living session of this id or display name in `engagements/{e}`; None where there is none."""
        wanted_id = wanted.removeprefix(f"{engagement}/sessions/")
        if _ID.fullmatch(wanted_id):
            try:
                request = sessions_pb2.GetSessionRequest(name=f"{engagement}/sessions/{wanted_id}")
                return self._call(self._sessions.GetSession, request)
            except Refused as refused:
                if refused.reason != "SESSION_NOT_FOUND":
                    raise
        found = (one for one in self.sessions(engagement) if one.display_name == wanted)
        return next(found, None)

    def create_session(self, engagement: str, display_name: str) -> sessions_pb2.Session:
        """A new session in `engagements/{e}`."""
        request = sessions_pb2.CreateSessionRequest(
            parent=engagement,
            session=sessions_pb2.Session(display_name=display_name),
            request_id=_request_id(),
        )
        return self._call(self._sessions.CreateSession, request)

    def delete_session(self, session: sessions_pb2.Session) -> None:
        """Delete a session that has not changed since it was read."""
        request = sessions_pb2.DeleteSessionRequest(
            name=session.name, etag=session.etag, request_id=_request_id()
        )
        self._call(self._sessions.DeleteSession, request)

    def upload(self, session: str, file: Path, on_sent: Callable[[int], None]) -> str:
        """Send a file; the upload's id. `on_sent` is told the bytes so far, from another thread."""

        def parts() -> Iterator[imports_pb2.UploadInventoryRequest]:
            header = imports_pb2.UploadHeader(parent=session, file_name=file.name, sha256=_sha256(file))
            yield imports_pb2.UploadInventoryRequest(header=header)
            sent = 0
            with file.open("rb") as source:
                while chunk := source.read(CHUNK_BYTES):
                    yield imports_pb2.UploadInventoryRequest(chunk=chunk)
                    sent += len(chunk)
                    on_sent(sent)

        return self._call(self._discovery.UploadInventory, parts(), timeout_s=None).upload_id

    def start_import(self, session: str, upload_id: str) -> operations_pb2.Operation:
        """Begin to import an upload."""
        request = imports_pb2.ImportInventoryRequest(
            parent=session, upload_id=upload_id, request_id=_request_id()
        )
        return self._call(self._discovery.ImportInventory, request)

    def finish_import(
        self,
        operation: operations_pb2.Operation,
        on_progress: Callable[[imports_pb2.ImportInventoryMetadata], None],
    ) -> imports_pb2.ImportReport:
        """Wait for an import and return its report.

        Raises:
            Refused: the import failed; nothing was changed.
        """
        while True:
            progress = imports_pb2.ImportInventoryMetadata()
            if operation.metadata.Unpack(progress):
                on_progress(progress)
            if operation.done:
                break
            wait = operations_pb2.WaitOperationRequest(
                name=operation.name, timeout=duration_pb2.Duration(nanos=int(POLL_S * 1e9))
            )
            operation = self._call(self._operations.WaitOperation, wait)
        if operation.HasField("error"):
            raise _refused(operation.error)
        response = imports_pb2.ImportInventoryResponse()
        operation.response.Unpack(response)
        return response.report

    def cancel(self, operation: operations_pb2.Operation) -> None:
        """Ask for an operation to end; `finish_import` then tells how it did."""
        self._call(
            self._operations.CancelOperation, operations_pb2.CancelOperationRequest(name=operation.name)
        )

    def engagements(self) -> Iterator[engagements_pb2.Engagement]:
        """All that the caller may read, by display name."""
        token = ""
        while True:
            request = engagements_pb2.ListEngagementsRequest(page_size=PAGE_SIZE, page_token=token)
            page = self._call(self._engagements.ListEngagements, request)
            yield from page.engagements
            if not (token := page.next_page_token):
                return

    def sessions(self, engagement: str) -> Iterator[sessions_pb2.Session]:
        """The living ones of `engagements/{e}`, by display name."""
        token = ""
        while True:
            request = sessions_pb2.ListSessionsRequest(
                parent=engagement, page_size=PAGE_SIZE, page_token=token
            )
            page = self._call(self._sessions.ListSessions, request)
            yield from page.sessions
            if not (token := page.next_page_token):
                return

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
        request = tokens_pb2.CreateTokenRequest(parent=user, token=token, request_id=_request_id())
        return self._call(self._users.CreateToken, request)

    def tokens(self, user: str) -> Iterator[tokens_pb2.Token]:
        """The tokens of `users/{u}`, the newest first."""
        page_token = ""
        while True:
            request = tokens_pb2.ListTokensRequest(parent=user, page_size=PAGE_SIZE, page_token=page_token)
            page = self._call(self._users.ListTokens, request)
            yield from page.tokens
            if not (page_token := page.next_page_token):
                return

    def revoke_token(self, name: str) -> tokens_pb2.Token:
        """End the token `users/{u}/tokens/{t}`."""
        request = tokens_pb2.RevokeTokenRequest(name=name, request_id=_request_id())
        return self._call(self._users.RevokeToken, request).token

    def _call(self, method: Callable[..., T], request: Any, *, timeout_s: float | None = CALL_TIMEOUT_S) -> T:
        try:
            return method(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            status = rpc_status.from_call(error)
            if status is None:  # from gRPC itself: the server is gone, or is none of ours
                status = status_pb2.Status(code=error.code().value[0], message=error.details() or "")
            raise _refused(status) from None


def _channel(endpoint: Endpoint) -> grpc.Channel:
    if endpoint.tls:
        return grpc.secure_channel(endpoint.target, endpoint.credentials())
    return grpc.insecure_channel(endpoint.target)


def _reach(channel: grpc.Channel, address: str) -> None:
    """Waits for the connection; what is wrong with TLS does not pass by waiting."""
    ready = grpc.channel_ready_future(channel)
    check: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/grpc.health.v1.Health/Check")
    for timeout_s in (_TLS_TIMEOUT_S, CONNECT_TIMEOUT_S - _TLS_TIMEOUT_S):
        try:
            ready.result(timeout=timeout_s)
            return
        except grpc.FutureTimeoutError:
            pass
        try:
            check(b"", timeout=_TLS_TIMEOUT_S)  # a call says why there is no connection
        except grpc.RpcError as error:
            if trouble := tls_trouble(address, error.details() or ""):
                raise Failure(trouble, ExitCode.UNREACHABLE) from None
    raise Failure(
        f"no server answers at {address}; start one with `mooring serve`, or check --server",
        ExitCode.UNREACHABLE,
    )


def _refused(status: status_pb2.Status) -> Refused:
    """One sentence from a status and its details."""
    reason, fields = "", []
    for detail in status.details:
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(request):
            fields = [f"{one.field}: {one.description}" for one in request.field_violations]
    if status.code == grpc.StatusCode.UNAVAILABLE.value[0]:
        return Refused(f"the server cannot answer: {status.message}", reason, ExitCode.UNREACHABLE)
    if status.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]:
        return Refused(f"the server did not answer in {CALL_TIMEOUT_S:g} s; try again", reason)
    unsaid = [field for field in fields if field not in status.message]
    return Refused("; ".join([status.message, *unsaid]), reason)


def _near(wanted: str, names: Sequence[str]) -> str:
    near = get_close_matches(wanted, names, n=3, cutoff=0.5)
    return f"; near it: {', '.join(map(repr, near))}" if near else ""


def _request_id() -> str:
    return str(uuid.uuid4())


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
