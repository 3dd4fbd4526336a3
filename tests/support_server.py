"""A real server in a thread of its own, and callers of it."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import grpc
from google.longrunning import operations_pb2_grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mooring.v1 import (
    discovery_pb2_grpc,
    engagements_pb2,
    engagements_pb2_grpc,
    sessions_pb2,
    sessions_pb2_grpc,
    users_pb2_grpc,
    watch_pb2_grpc,
)
from mooring_server.app import App, running_app
from mooring_server.core.identities import Identity
from mooring_server.errors import Unauthenticated
from mooring_server.settings import Settings
from mooring_server.store import Tx, migrate
from mooring_server.store.records import TokenScope


class HeaderAuth:
    """Believes the metadata `user` and `scope`: a stand-in for real authentication."""

    def identify(self, tx, metadata: Mapping[str, str], peer: str) -> Identity:
        if "user" not in metadata:
            raise Unauthenticated("say who you are")
        name = metadata["user"]
        scope = TokenScope(metadata.get("scope", TokenScope.WRITE))
        return Identity(f"test:{name}", name.title(), f"{name}@example.com", scope)


class Server:
    """A running server, used from the test's own thread."""

    def __init__(
        self, app: App, loop: asyncio.AbstractEventLoop, channel: grpc.Channel, stop: Callable[[], None]
    ) -> None:
        self.app = app
        self.address = app.address
        self.channel = channel
        self.stop = stop
        self._loop = loop

    def user(self, name: str, scope: str = "write") -> "Caller":
        """Stubs that call as a user (`HeaderAuth`)."""
        return Caller(grpc.intercept_channel(self.channel, _Says("user", name), _Says("scope", scope)))

    def bearer(self, secret: str) -> "Caller":
        """Stubs that call with an API token."""
        return Caller(grpc.intercept_channel(self.channel, _Says("authorization", f"Bearer {secret}")))

    def read(self, fn: Callable[[Tx], Any]) -> Any:
        """Reads the server's store."""
        return asyncio.run_coroutine_threadsafe(self.app.store.read(fn), self._loop).result(30)

    def write(self, fn: Callable[[Tx], Any]) -> Any:
        """Writes the server's store, past the API."""
        return asyncio.run_coroutine_threadsafe(self.app.store.write(fn), self._loop).result(30)


class Caller:
    """Every service's stub on one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.users = users_pb2_grpc.UserServiceStub(channel)
        self.engagements = engagements_pb2_grpc.EngagementServiceStub(channel)
        self.sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        self.discovery = discovery_pb2_grpc.DiscoveryServiceStub(channel)
        self.watch = watch_pb2_grpc.WatchServiceStub(channel)
        self.operations = operations_pb2_grpc.OperationsStub(channel)

    def raw(self, rpc: str, data: bytes) -> bytes:
        """The answer's bytes to a request's bytes."""
        return self.channel.unary_unary(f"/{rpc}")(data, timeout=30)


class _Says(
    grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamUnaryClientInterceptor
):
    """Adds one piece of metadata to every call."""

    def __init__(self, key: str, value: str) -> None:
        self._said = (key, value)

    def _call(self, proceed: Any, details: Any, request: Any) -> Any:
        return proceed(details._replace(metadata=[*(details.metadata or ()), self._said]), request)

    intercept_unary_unary = intercept_unary_stream = intercept_stream_unary = _call


@contextmanager
def serving(settings: Settings, **options: Any) -> Iterator[Server]:
    """A server on a free loopback port with a migrated database, for as long as the context lasts."""
    migrate(settings.database, settings)
    loop = asyncio.new_event_loop()
    started: Future[App] = Future()
    stop = asyncio.Event()

    async def main() -> None:
        try:
            async with running_app(settings, **options) as app:
                started.set_result(app)
                await stop.wait()
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), name="server", daemon=True)
    thread.start()

    def end() -> None:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
            thread.join(30)
        assert not thread.is_alive(), "the server did not stop"

    try:
        app = started.result(30)
        with grpc.insecure_channel(app.address) as channel:
            yield Server(app, loop, channel, end)
    finally:
        end()
        loop.close()


class Refusal:
    """How a call was refused: `code`, `reason`, `message`, and `fields` where single fields are wrong."""

    code: grpc.StatusCode
    reason: str
    message: str
    domain: str
    fields: list[str]
    details: list[Any]

    def read(self, error: grpc.RpcError) -> None:
        """Unpacks google.rpc.Status and its details."""
        status = rpc_status.from_call(error)
        assert status is not None, f"no google.rpc.Status in {error}"
        self.code, self.message = error.code(), error.details()
        self.details = []
        self.fields = []
        for packed in status.details:
            for kind in (
                error_details_pb2.ErrorInfo,
                error_details_pb2.BadRequest,
                error_details_pb2.RetryInfo,
            ):
                if packed.Is(kind.DESCRIPTOR):
                    detail = kind()
                    packed.Unpack(detail)
                    self.details.append(detail)
                    if kind is error_details_pb2.ErrorInfo:
                        self.reason, self.domain = detail.reason, detail.domain
                    elif kind is error_details_pb2.BadRequest:
                        self.fields = [violation.field for violation in detail.field_violations]


@contextmanager
def refused(code: grpc.StatusCode, reason: str) -> Iterator[Refusal]:
    """The calls inside must be refused with this status code and reason."""
    refusal = Refusal()
    try:
        yield refusal
    except grpc.RpcError as error:
        refusal.read(error)
        assert (refusal.code, refusal.reason) == (code, reason), refusal.message
        assert refusal.domain == "mooring.v1"
    else:
        raise AssertionError(f"was answered, not refused with {code.name} {reason}")


def new_engagement(
    caller: Caller, display_name: str = "Contoso", **fields: Any
) -> engagements_pb2.Engagement:
    """An engagement that the caller manages; `fields` are the request's."""
    return caller.engagements.CreateEngagement(
        engagements_pb2.CreateEngagementRequest(
            engagement=engagements_pb2.Engagement(display_name=display_name), **fields
        )
    )


def create(parent: str, display_name: str, **fields: Any) -> sessions_pb2.CreateSessionRequest:
    """The request of a session; `fields` are the request's."""
    return sessions_pb2.CreateSessionRequest(
        parent=parent, session=sessions_pb2.Session(display_name=display_name), **fields
    )
