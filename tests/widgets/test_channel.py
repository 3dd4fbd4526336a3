"""The connection to the user's own service, when it is replaced or lost while something is under way."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import grpc
import grpc.aio
import pytest
from google.longrunning import operations_pb2
from mooring import local
from mooring.v1 import users_pb2, watch_pb2
from mooring_widgets.client import channel as channels
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.importing import import_upload
from mooring_widgets.client.reports import ImportOptions
from mooring_widgets.errors import Unavailable

USERS = "/mooring.v1.UserService"
WATCH = "/mooring.v1.WatchService/Watch"


class Service(grpc.GenericRpcHandler):
    """Refuses its first `refusals` calls of UserService; its watch says one thing and then nothing."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        return (
            grpc.unary_stream_rpc_method_handler(self._watch)
            if details.method == WATCH
            else grpc.unary_unary_rpc_method_handler(self._answer)
        )

    async def _answer(self, request: bytes, context: Any) -> bytes:
        if self.refusals:
            self.refusals -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return b""

    async def _watch(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield watch_pb2.WatchResponse(resume_token="1").SerializeToString()
        await asyncio.Event().wait()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Runs a test with a channel to a user's own service."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        address = f"unix:{os.path.join(folder, 's')}"
        monkeypatch.setenv("MOORING_DATA_DIR", os.path.join(folder, "data"))
        monkeypatch.setattr(local, "find_or_start", lambda _: address)
        monkeypatch.setattr(channels, "_RETIRE_GRACE_S", 0.01)

        def run(test: Callable[[Channel], Any], refusals: int) -> None:
            async def main() -> None:
                server = grpc.aio.server()
                server.add_generic_rpc_handlers((Service(refusals),))
                server.add_insecure_port(address)
                await server.start()
                channel = Channel(None)
                try:
                    await asyncio.wait_for(test(channel), 20)
                finally:
                    await channel.close()
                    await server.stop(0)

            asyncio.run(main())

        yield run


async def ask(channel: Channel) -> None:
    await channel.unary(f"{USERS}/GetCurrentUser", users_pb2.GetCurrentUserRequest(), users_pb2.User)


def test_a_replaced_connection_is_no_cancellation(run: Callable[..., None]) -> None:
    """A watch on it fails as one that lost its service does: nobody cancelled its reader."""

    async def test(channel: Channel) -> None:
        watch = channel.stream(WATCH, watch_pb2.WatchRequest(), watch_pb2.WatchResponse)
        assert (await anext(watch)).resume_token == "1"
        await ask(channel)
        with pytest.raises(Unavailable):
            await anext(watch)

    run(test, refusals=1)


def test_a_reader_can_be_cancelled(run: Callable[..., None]) -> None:
    """Whoever stops waiting for a watch is not told of a failure instead."""

    async def test(channel: Channel) -> None:
        watch = channel.stream(WATCH, watch_pb2.WatchRequest(), watch_pb2.WatchResponse)
        await anext(watch)
        waiting = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(test, refusals=0)


def test_a_cancelled_import_stays_cancelled() -> None:
    """Whoever cancels one is not told that the service could not be asked to stop it."""
    waiting = asyncio.Event()

    class Away:
        async def unary(self, method: str, *_: Any) -> Any:
            if method.endswith("/CancelOperation"):
                raise Unavailable("gone")
            if method.endswith("/WaitOperation"):
                waiting.set()
                await asyncio.Event().wait()
            return operations_pb2.Operation(name="operation")

    async def main() -> None:
        work = import_upload(
            cast(Channel, Away()), "session", "upload", ImportOptions(), "id", lambda _: None
        )
        task = asyncio.ensure_future(work)
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
