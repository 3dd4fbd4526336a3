"""The connection: one gRPC channel, replaced when the user's own service has gone and come back elsewhere."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from mooring import local
from mooring.endpoints import Endpoint, EndpointError, Secret, is_local

from mooring_widgets.client.failures import from_call
from mooring_widgets.errors import InvalidArgument, Unavailable

Answer = TypeVar("Answer", bound=Message)
Found = TypeVar("Found")

CALL_TIMEOUT_S = 15.0
_RETIRE_GRACE_S = 5.0
_RESPONSE_MAX_BYTES = 64 * 2**20  # a page of 1,000 assets with all their attributes


class Channel:
    """Calls by method path. On UNAVAILABLE the user's own service is found again, or started, and asked once
    more.

    That is safe for mutations, since each carries a request id. A named server is not asked twice: gRPC
    reconnects by itself, and the caller's own policy decides about retries.

    Every call carries the API token, if there is one. It is held by the endpoint, which never shows it.

    Args:
        address: `https://host[:port]`, `host:port` or `unix:/path`; None: the user's own service.
        token: An API token; empty for none.
        ca: A PEM file with the certificates to trust; empty for those of public authorities.

    Raises:
        InvalidArgument: For an address that is none, a file that cannot be read, and a token that would leave
            this machine in the clear.
        Unavailable: Where there is no data folder for the user's own service.
    """

    def __init__(self, address: str | None, token: str = "", ca: str | Path = "") -> None:
        self._named = address
        self._folder = None if address else _checked(local.data_dir)
        # The user's own service moves from socket to socket: this one stands for them all.
        self.endpoint = _endpoint(address or f"unix:{self._folder}", token, ca)
        self._grpc: grpc.aio.Channel | None = None
        self._generation = 0
        self._closed = False
        self._connecting = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()

    @property
    def label(self) -> str:
        """The address asked for; `embedded:` and the data folder for the user's own service."""
        return self._named or f"embedded:{self._folder}"

    def fingerprint(self) -> str:
        """A digest of the address and the caller, from which neither can be found."""
        parts = ("mooring cache", self.label, self.endpoint.token)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def install_id(self) -> str:
        """The id of the user's data folder."""
        return _checked(lambda: local.install_id(self._folder or local.data_dir()))

    async def unary(
        self, method: str, request: Message, answer: type[Answer], *, timeout_s: float = CALL_TIMEOUT_S
    ) -> Answer:
        """One request, one answer.

        Raises:
            MooringError: The failure that the service answered, or that kept the call from reaching it.
        """

        async def once(channel: grpc.aio.Channel) -> Answer:
            call = channel.unary_unary(
                method, request_serializer=_serialize, response_deserializer=answer.FromString
            )
            reply: Answer = await call(request, timeout=timeout_s, metadata=self.endpoint.metadata)
            return reply

        return await self._with_reconnect(once)

    async def upload(
        self,
        method: str,
        requests: Callable[[], AsyncIterator[Message]],
        answer: type[Answer],
        *,
        timeout_s: float,
    ) -> Answer:
        """A stream of requests, one answer. `requests` is called again for another try."""

        async def once(channel: grpc.aio.Channel) -> Answer:
            call = channel.stream_unary(
                method, request_serializer=_serialize, response_deserializer=answer.FromString
            )
            reply: Answer = await call(requests(), timeout=timeout_s, metadata=self.endpoint.metadata)
            return reply

        return await self._with_reconnect(once)

    async def stream(
        self, method: str, request: Message, answer: type[Answer]
    ) -> AsyncGenerator[Answer, None]:
        """One request, a stream of answers without a deadline. Who reads it opens the next one."""
        channel, generation = await self._connected(), self._generation
        call = channel.unary_stream(
            method, request_serializer=_serialize, response_deserializer=answer.FromString
        )(request, metadata=self.endpoint.metadata)
        try:
            async for message in call:
                yield message
        except asyncio.CancelledError:
            if self._closed or _is_stopping():
                raise
            raise _replaced() from None
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE and self._named is None:
                self._forget(generation)
            raise from_call(error, self.label) from None
        finally:
            call.cancel()

    async def read(self, method: str, request: Message, answer: type[Answer]) -> AsyncGenerator[Answer, None]:
        """A stream to be read to its end. The user's own service may have gone since the last call: it is
        asked once more, as long as nothing has come.
        """
        begun = False
        try:
            async with aclosing(self.stream(method, request, answer)) as parts:
                async for part in parts:
                    begun = True
                    yield part
                return
        except Unavailable:
            if begun or self._named is not None:
                raise
        async with aclosing(self.stream(method, request, answer)) as parts:
            async for part in parts:
                yield part

    async def close(self) -> None:
        """Ends every call, for good."""
        self._closed = True
        channel, self._grpc = self._grpc, None
        if channel is not None:
            await channel.close()

    async def _resolve(self) -> Endpoint:
        if self._folder is None:
            return self.endpoint
        target = await asyncio.to_thread(_checked, partial(local.find_or_start, self._folder))
        return replace(self.endpoint, target=target)

    async def _with_reconnect(self, once: Callable[[grpc.aio.Channel], Awaitable[Answer]]) -> Answer:
        channel, generation = await self._connected(), self._generation
        try:
            try:
                return await once(channel)
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE or self._named is not None:
                    raise
            return await once(await self._replace(generation))
        except asyncio.CancelledError:
            if self._closed or _is_stopping():
                raise
            raise _replaced() from None
        except grpc.aio.AioRpcError as error:
            raise from_call(error, self.label) from None

    async def _connected(self) -> grpc.aio.Channel:
        return self._grpc or await self._replace(self._generation)

    def _forget(self, generation: int) -> None:
        """Lets the next call find the service anew."""
        if self._generation == generation and self._grpc is not None:
            self._retire(self._grpc)
            self._grpc = None

    def _retire(self, channel: grpc.aio.Channel) -> None:
        """Closes a channel when its other calls have noticed: a sudden end would look like cancellation."""
        task = asyncio.get_running_loop().create_task(channel.close(grace=_RETIRE_GRACE_S))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _replace(self, generation: int) -> grpc.aio.Channel:
        """A channel younger than `generation`: many calls fail at once, one of them reconnects."""
        async with self._connecting:
            if self._closed:
                raise Unavailable("this connection was closed; call connect() again")
            if self._generation == generation:
                self._forget(generation)
            if self._grpc is None:
                self._grpc = _open(await self._resolve())
                self._generation += 1
            return self._grpc


def hidden(token: str) -> str:
    """The same token, which does not show itself where variables are printed."""
    return Secret(token)


def _is_stopping() -> bool:
    """Whether somebody cancels this task, rather than gRPC a call whose channel was replaced."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _replaced() -> Unavailable:
    return Unavailable("the connection was replaced under this call; try again")


def _checked(find: Callable[[], Found]) -> Found:
    try:
        return find()
    except (local.LocalServiceError, OSError) as error:
        raise Unavailable(str(error)) from None


def _endpoint(address: str, token: str, ca: str | Path) -> Endpoint:
    try:
        return Endpoint.of(address, token=token, ca=ca)
    except EndpointError as error:
        raise InvalidArgument(str(error)) from None


def _open(endpoint: Endpoint) -> grpc.aio.Channel:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", _RESPONSE_MAX_BYTES),
        # A shared subchannel may be waiting out its backoff from the service that has gone.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        ("grpc.primary_user_agent", "mooring-widgets"),
    ]
    if is_local(endpoint.target):
        options.append(("grpc.enable_http_proxy", 0))
    if endpoint.tls:
        return grpc.aio.secure_channel(endpoint.target, endpoint.credentials(), options=options)
    return grpc.aio.insecure_channel(endpoint.target, options=options)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
