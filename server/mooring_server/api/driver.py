"""The one way from bytes to an answer: every RPC is admitted, run and refused here.

The order of checks is the design's: well-formed bytes, identity, permission, rate, validation, idempotency,
the work. Permission and all after it share one transaction, so that a role that was taken away cannot slip
between, and a stored answer is there exactly if its effect is.
"""

from __future__ import annotations  # the generic classes of grpc are generic in its stubs alone

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mooring_server.api.calls import Call, decode
from mooring_server.api.guard import Guard, name_request
from mooring_server.api.page_tokens import PageTokens
from mooring_server.api.rates import Rates
from mooring_server.api.seals import Seal
from mooring_server.background import Separation
from mooring_server.core import fields, identities
from mooring_server.core.identities import DEMO, Identity
from mooring_server.core.names import Kind
from mooring_server.core.policy import POLICY, Caller, authorise
from mooring_server.errors import AlreadyExists, DataShared, InvalidArgument, ResourceExhausted, Unavailable
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx

Handler = Callable[[Tx, Call, Any], Message]
Check = Callable[[Any], object]

# Each time somebody else would have to clone the session again in the very moment after.
_SEPARATIONS_MAX = 3


class Admission:
    """One call that has been counted: whether its names may be used is asked in its transaction."""

    def __init__(self, caller: Caller, rpc: str, excess: ResourceExhausted | None) -> None:
        self._caller = caller
        self._rpc = rpc
        self.excess = excess

    def __call__(self, tx: Tx, name: str) -> str:
        """Permission, then rate: the name in full.

        Raises what `policy.authorise` raises; ResourceExhausted: RATE_LIMITED.
        """
        full = authorise(tx, self._caller, self._rpc, name)
        if self.excess is not None:
            raise self.excess
        return full


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a caller shows of themselves.

    Read on the event loop while the call is open: gRPC's own objects may be gone by the time that another
    thread looks at them, and the process with them.
    """

    metadata: Mapping[str, str]
    peer: str

    @classmethod
    def of(cls, context: grpc.aio.ServicerContext[Any, Any]) -> Credentials:
        """Those of a call."""
        pairs = context.invocation_metadata() or ()
        return cls({key: value for key, value in pairs if isinstance(value, str)}, context.peer())


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

    def __init__(
        self, store: Store, settings: Settings, authenticator: Authenticator, separation: Separation
    ) -> None:
        self.store = store
        self._separation = separation
        self.settings = settings
        self.metrics = store.metrics
        self.rates = Rates(settings, store.metrics)
        self._guard = Guard(settings, store.metrics)
        self.activity = self._guard.activity
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
            streams: By method name: handlers that call `identify`, `admission` and `guarded`.
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
        shown = Credentials.of(context)
        identity, caller = await self.store.read(lambda tx: self.recognise(tx, shown))
        if caller is None:
            try:
                caller = await self.store.write(lambda tx: identities.sign_in(tx, identity))
            except AlreadyExists:  # another replica has met them in the same moment
                caller = await self.store.read(lambda tx: identities.find(tx, identity))
        if caller is None:
            raise Unavailable("you could not be signed in; try again")
        structlog.contextvars.bind_contextvars(user=caller.user_id)
        return caller

    def recognise(self, tx: Tx, shown: Credentials) -> tuple[Identity, Caller | None]:
        """Who is calling as of this transaction, and as which caller, where they have called before.

        Raises:
            Unauthenticated: nobody valid is, or no longer.
        """
        identity = self._authenticator.identify(tx, shown.metadata, shown.peer)
        return identity, identities.find(tx, identity)

    def admission(self, rpc: str, caller: Caller) -> Admission:
        """Counts a call. Before its transaction, which may run twice; that it came too fast is told in it,
        since permission comes first.
        """
        return Admission(caller, rpc, self.rates.take(caller.user_id, POLICY[rpc].rate))

    def guarded(self, rpc: str, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        """A handler with a deadline, whose failures leave as rich statuses: a coroutine function of (request
        or request iterator, context).
        """
        return self._guard.around(rpc, behaviour)

    def _unary(self, call: _Unary) -> Callable[..., Any]:
        async def behaviour(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            request = decode(call.request_class, data)
            name_request(getattr(request, "request_id", ""))
            return await self._answer(call, request, await self.identify(context))

        return self.guarded(call.rpc, behaviour)

    async def _answer(self, unary: _Unary, request: Any, caller: Caller) -> bytes:
        rule = POLICY[unary.rpc]
        admission = self.admission(unary.rpc, caller)
        follow_ups: list[Callable[[], None]] = []
        call = Call(caller, unary.rpc, self.settings, self._tokens, follow_ups.append)

        def admit(tx: Tx) -> None:
            if rule.field:
                *outer, field = rule.field.split(".")
                parent = reduce(getattr, outer, request)
                setattr(parent, field, admission(tx, getattr(parent, field)))
            else:
                admission(tx, "")
            if unary.check:
                unary.check(request)

        def work(tx: Tx) -> bytes:
            follow_ups.clear()  # the transaction may be run again
            return unary.handler(tx, call, request).SerializeToString(deterministic=True)

        def read(tx: Tx) -> bytes:
            admit(tx)
            return work(tx)

        # A call that is refused anyway does not queue with those that write.
        if not rule.mutates or admission.excess:
            return await self.store.read(read, long=rule.long)

        # Before `admit` puts names in full: what they stand for may change between a call and its retry.
        payload = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()

        def write(tx: Tx) -> bytes:
            admit(tx)
            request_id: str = getattr(request, "request_id", "")
            fields.check_request_id(request_id)
            if getattr(request, "validate_only", False):
                tx.edits.preview = True
                raise _Preview(work(tx))
            return _once(tx, call, request_id, payload, work) if request_id else work(tx)

        actor = Kind.USER.of(caller.user_id)
        try:
            answer = await self._written(write, actor)
        except _Preview as preview:
            return preview.answer
        for follow_up in follow_ups:
            follow_up()
        return answer

    async def _written(self, write: Callable[[Tx], bytes], actor: str) -> bytes:
        """The answer of a write; what it finds shared is copied first."""
        for _ in range(_SEPARATIONS_MAX):
            try:
                return await self.store.write(write, actor=actor)
            except DataShared as shared:
                await self._separation.of(shared, actor)
        return await self.store.write(write, actor=actor)


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
