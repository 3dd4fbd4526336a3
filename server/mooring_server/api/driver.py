"""The one way from bytes to an answer: every RPC is admitted, run and refused here.

The order of checks is the design's: well-formed bytes, identity, permission, validation, idempotency, the
work. Permission and all after it share one transaction, so that a role that was taken away cannot slip
between, and a stored answer is there exactly if its effect is.
"""

from __future__ import annotations  # the generic classes of grpc are generic in its stubs alone

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status

from mooring_server.api import failures
from mooring_server.api.activity import Activity
from mooring_server.api.calls import Call, decode
from mooring_server.api.seals import Seal
from mooring_server.api.tokens import PageTokens
from mooring_server.core import fields, identities
from mooring_server.core.identities import DEMO, Identity
from mooring_server.core.names import Kind
from mooring_server.core.policy import POLICY, Caller, authorise
from mooring_server.errors import AlreadyExists, InvalidArgument, MooringError, Unavailable
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx, new_id

Handler = Callable[[Tx, Call, Any], Message]
Check = Callable[[Any], object]

_log = structlog.stdlib.get_logger("mooring_server.api")


class Authenticator(Protocol):
    """Finds out who is calling."""

    def identify(self, tx: Tx, metadata: Mapping[str, str], peer: str) -> Identity:
        """The identity behind a call's metadata and peer address. Reads alone. Raises Unauthenticated."""


class NoAuth:
    """Everybody is the demo user."""

    def identify(self, tx: Tx, metadata: Mapping[str, str], peer: str) -> Identity:
        """The demo identity."""
        return DEMO


@dataclass(frozen=True, slots=True)
class _Unary:
    rpc: str
    request_class: type[Message]
    handler: Handler
    check: Check | None


class _Preview(Exception):
    """Carries the answer of a validate_only call out of the transaction that it rolls back."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer


class Driver:
    """Turns handlers into gRPC services. One per server."""

    def __init__(self, store: Store, settings: Settings, authenticator: Authenticator) -> None:
        self.activity = Activity()
        self.store = store
        self.settings = settings
        self._authenticator = authenticator
        self._tokens = PageTokens(store.signing_key)

    def service(
        self,
        descriptor: ServiceDescriptor,
        unary: Mapping[str, Handler],
        streams: Mapping[str, grpc.RpcMethodHandler[Any, Any]] | None = None,
        checks: Mapping[str, Check] | None = None,
    ) -> grpc.GenericRpcHandler:
        """A service for the server.

        Args:
            descriptor: The service.
            unary: By method name: works in one transaction and answers the response. It may run twice. The
                name that the policy row speaks of is in full when it sees the request (`users/me`,
                `sessions/{s}` and an empty parent have been resolved).
            streams: By method name: handlers that call `identify`, `policy.authorise` and `guarded`.
            checks: By method name: refuses what the request alone is wrong for, before a stored answer is
                looked for. Handlers without one do so themselves, after it.
        """
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = dict(streams or {})
        for name, handler in unary.items():
            method: MethodDescriptor = descriptor.methods_by_name[name]
            call = _Unary(
                f"{descriptor.full_name}/{name}",
                GetMessageClass(method.input_type),
                handler,
                (checks or {}).get(name),
            )
            # No (de)serializers: bad bytes are ours to refuse, and a stored answer leaves as it was stored.
            handlers[name] = grpc.unary_unary_rpc_method_handler(self._unary(call))
        missing = [name for name in handlers if f"{descriptor.full_name}/{name}" not in POLICY]
        if missing:
            raise LookupError(f"no policy row for {missing} of {descriptor.full_name}")
        return grpc.method_handlers_generic_handler(descriptor.full_name, handlers)

    async def identify(self, context: grpc.aio.ServicerContext[Any, Any]) -> Caller:
        """The caller, made at their first call.

        Raises:
            Unauthenticated: nobody valid is calling.
        """
        metadata = {
            key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)
        }
        peer = context.peer()

        def find(tx: Tx) -> tuple[Identity, Caller | None]:
            identity = self._authenticator.identify(tx, metadata, peer)
            return identity, identities.find(tx, identity)

        identity, caller = await self.store.read(find)
        if caller is None:
            try:
                caller = await self.store.write(lambda tx: identities.sign_in(tx, identity))
            except AlreadyExists:  # another replica has met them in the same moment
                caller = await self.store.read(lambda tx: identities.find(tx, identity))
        if caller is None:
            raise Unavailable("you could not be signed in; try again")
        structlog.contextvars.bind_contextvars(user=caller.user_id)
        return caller

    def guarded(self, rpc: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        """A handler whose failures leave as rich statuses: a coroutine function of (request or request
        iterator, context).
        """

        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async with self._answering(rpc, context):
                return await behaviour(request, context)

        return call

    def _unary(self, call: _Unary) -> Callable[..., Any]:
        async def behaviour(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            request = decode(call.request_class, data)
            return await self._answer(call, request, await self.identify(context))

        return self.guarded(call.rpc, behaviour)

    async def _answer(self, unary: _Unary, request: Any, caller: Caller) -> bytes:
        rule = POLICY[unary.rpc]
        follow_ups: list[Callable[[], None]] = []
        call = Call(caller, unary.rpc, self.settings, self._tokens, follow_ups.append)

        def admit(tx: Tx) -> None:
            if rule.field:
                *outer, field = rule.field.split(".")
                parent = reduce(getattr, outer, request)
                setattr(parent, field, authorise(tx, caller, unary.rpc, getattr(parent, field)))
            else:
                authorise(tx, caller, unary.rpc, "")
            if unary.check:
                unary.check(request)

        def work(tx: Tx) -> bytes:
            follow_ups.clear()  # the transaction may be run again
            return unary.handler(tx, call, request).SerializeToString(deterministic=True)

        def read(tx: Tx) -> bytes:
            admit(tx)
            return work(tx)

        if not rule.mutates:
            return await self.store.read(read, long=rule.long)

        # Before `admit` puts names in full: what they stand for may change between a call and its retry.
        payload = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()

        def write(tx: Tx) -> bytes:
            admit(tx)
            request_id: str = getattr(request, "request_id", "")
            fields.check_request_id(request_id)
            if getattr(request, "validate_only", False):
                raise _Preview(work(tx))
            return _once(tx, call, request_id, payload, work) if request_id else work(tx)

        try:
            answer = await self.store.write(write, actor=Kind.USER.of(caller.user_id))
        except _Preview as preview:
            return preview.answer
        for follow_up in follow_ups:
            follow_up()
        return answer

    @asynccontextmanager
    async def _answering(self, rpc: str, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
        structlog.contextvars.bind_contextvars(rpc=rpc)
        started_s = time.perf_counter()
        failure: MooringError | None = None
        with self.activity:
            try:
                yield
                _log.debug("answered", duration_ms=_ms_since(started_s))
            except MooringError as error:
                failure = error
                _log.info(
                    "refused", reason=error.reason, message=error.message, duration_ms=_ms_since(started_s)
                )
            except Exception:
                fault_id = new_id()
                failure = MooringError(f"internal error; the server's log has it under {fault_id}")
                _log.exception("fault", fault_id=fault_id, duration_ms=_ms_since(started_s))
        if failure is not None:
            await context.abort_with_status(rpc_status.to_status(failures.status(failure)))


def _once(tx: Tx, call: Call, request_id: str, payload: str, work: Callable[[Tx], bytes]) -> bytes:
    """The stored answer to this request id, or the work's, which is stored with what it did."""
    seal = Seal(request_id)
    stored = tx.requests.get(call.caller.user_id, call.rpc, seal.key)
    if stored is None:
        answer = work(tx)
        tx.requests.put(call.caller.user_id, call.rpc, seal.key, payload, seal.close(answer))
        return answer
    if stored.payload_hash != payload:
        raise InvalidArgument(
            "request_id: was used before, with another request; make a new one", reason="REQUEST_ID_REUSED"
        )
    return seal.open(stored.answer)


def _ms_since(started_s: float) -> float:
    return round((time.perf_counter() - started_s) * 1_000, 3)
