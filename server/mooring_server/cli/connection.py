"""A connection to a server: synchronous calls, pages and streams, failures as one sentence."""

import os
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from mooring.endpoints import Endpoint, EndpointError, tls_trouble

from mooring_server.cli.console import ExitCode, Failure

T = TypeVar("T")
Metadata = tuple[tuple[str, str], ...]

CONNECT_TIMEOUT_S = 5.0
_TLS_TIMEOUT_S = 1.0
CALL_TIMEOUT_S = 60.0
PAGE_SIZE = 1_000


class Refused(Failure):
    """The server answered with a failure; `reason` is one of `mooring.v1.ErrorReason`, or empty.

    `said` is the sentence without it.
    """

    def __init__(self, said: str, reason: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(f"{said} [{reason}]" if reason else said, code)
        self.said = said
        self.reason = reason


class Absent(Failure):
    """What was named is not there, or not for this caller."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """The first of a list: `page` is the answer that they begin in, and `more` whether others follow."""

    items: Sequence[T]
    page: Any
    more: bool


class Connection:
    """Calls over a channel, each with the caller's metadata."""

    def __init__(self, channel: grpc.Channel, metadata: Metadata = ()) -> None:
        self.channel = channel
        self.metadata = metadata

    def call(
        self,
        method: Callable[..., T],
        request: Any,
        *,
        timeout_s: float | None = CALL_TIMEOUT_S,
        changes: bool = False,
    ) -> T:
        """The answer to one call. `changes`: an interrupt says that it may have been done.

        Raises:
            Refused: the server refused, or did not answer.
        """
        try:
            return method(request, timeout=timeout_s, metadata=self.metadata)
        except grpc.RpcError as error:
            raise _refused_by(error) from None
        except KeyboardInterrupt:
            if not changes:
                raise
            raise Failure(
                "interrupted while the server was at it: look whether it was done", ExitCode.INTERRUPTED
            ) from None

    def pages(self, method: Callable[..., Any], request: Any, field: str) -> Iterator[Any]:
        """Everything in a list, page by page; `field` is the one of the answer that holds it."""
        request.page_size = PAGE_SIZE
        while True:
            page = self.call(method, request)
            yield from getattr(page, field)
            if not (token := page.next_page_token):
                return
            request.page_token = token

    def first(self, method: Callable[..., Any], request: Any, field: str, limit: int) -> Listed[Any]:
        """The first of a list, 0 for all; a page may be short, even empty, and still have a next one."""
        items: list[Any] = []
        begun = None
        while True:
            request.page_size = min(limit - len(items), PAGE_SIZE) if limit else PAGE_SIZE
            page = self.call(method, request)
            begun = begun or page
            items += getattr(page, field)
            if not page.next_page_token or len(items) == limit != 0:
                return Listed(items, begun, bool(page.next_page_token))
            request.page_token = page.next_page_token

    def stream(self, method: Callable[..., Any], request: Any) -> Generator[Any]:
        """The messages of a streamed answer; closing the iterator ends the call.

        Raises:
            Refused: the server refused, or ended midway.
        """
        answer = method(request, metadata=self.metadata)
        try:
            yield from answer
        except grpc.RpcError as error:
            raise _refused_by(error) from None
        finally:
            answer.cancel()


def by_id(found: Iterable[Any], wanted: str, what: str) -> Any:
    """The one whose id is or begins with what is wanted, or that has it as its full name.

    Raises:
        Absent: there is none, or there are several.
    """
    wanted_id = wanted.rpartition("/")[2]
    near = []
    for one in found:
        this_id = one.name.rpartition("/")[2]
        if this_id == wanted_id:
            return one
        if wanted_id and this_id.startswith(wanted_id):
            near.append(one)
    if len(near) == 1:
        return near[0]
    if near:
        raise Absent(f"the ids of {len(near)} {what}s begin with {wanted_id!r}; write more of it")
    raise Absent(f"this session has no {what} {wanted!r}; `mooring {what}s list` shows those that it has")


@contextmanager
def connection(address: str, *, ca: Path | None = None) -> Iterator[Connection]:
    """A connection to the server at `https://host[:port]`, `host:port` or `unix:/path`.

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
        yield Connection(channel, endpoint.metadata)


def request_id() -> str:
    """A new one: it makes a repeated call harmless."""
    return str(uuid.uuid4())


def refused(status: status_pb2.Status) -> Refused:
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
    if status.code == grpc.StatusCode.UNIMPLEMENTED.value[0]:
        return Refused("the server is of an older version, which cannot do this", reason)
    unsaid = [field for field in fields if field not in status.message]
    return Refused("; ".join([status.message, *unsaid]), reason)


def _refused_by(error: grpc.RpcError) -> Refused:
    status = rpc_status.from_call(error)
    if status is None:  # from gRPC itself: the server is gone, or is none of ours
        status = status_pb2.Status(code=error.code().value[0], message=error.details() or "")
    return refused(status)


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
