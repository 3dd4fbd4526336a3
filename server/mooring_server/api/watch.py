"""WatchService: the change log as a stream of messages."""

import asyncio
import math
from typing import Any

import grpc
from mooring.v1 import watch_pb2

from mooring_server.api.calls import decode
from mooring_server.api.driver import Credentials, Driver
from mooring_server.api.signer import Signer
from mooring_server.api.times import timestamp
from mooring_server.background import Commit, Warrant, WatchHub
from mooring_server.core.names import Kind
from mooring_server.core.policy import Caller, authorise
from mooring_server.errors import InvalidArgument, Unauthenticated
from mooring_server.store import Store, Tx
from mooring_server.store.records import Change

_SERVICE = watch_pb2.DESCRIPTOR.services_by_name["WatchService"]
_WATCH = f"{_SERVICE.full_name}/Watch"

# A heartbeat leaves so much before the longest silence is over: it also has to arrive.
_HEARTBEAT_SHARE = 0.8


class ResumeTokens:
    """Where a watch has got to: signed, good for one user of one database in its present incarnation."""

    def __init__(self, store: Store) -> None:
        self._signer = Signer(store.signing_key, "resume-token")
        self._store = store

    def seal(self, user_id: str, cursors: dict[str, int]) -> str:
        """The token for these cursors, by stream."""
        return self._signer.seal([self._store.incarnation, user_id, cursors])

    def open(self, user_id: str, token: str) -> dict[str, int]:
        """The cursors in a token; none in an empty one.

        Raises:
            InvalidArgument: INVALID_RESUME_TOKEN, for one that was altered or is of another user or database.
        """
        if not token:
            return {}
        try:
            incarnation, owner, cursors = self._signer.open(token)
        except ValueError:
            raise _invalid() from None
        if (incarnation, owner) != (self._store.incarnation, user_id):
            raise _invalid()
        return dict(cursors)


def handler(driver: Driver, hub: WatchHub) -> grpc.GenericRpcHandler:
    """The service."""
    store, settings = driver.store, driver.settings
    tokens = ResumeTokens(store)

    async def watch(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        request = decode(watch_pb2.WatchRequest, data)
        shown = Credentials.of(context)
        caller = await driver.identify(context)
        admission = driver.admission(_WATCH, caller)
        if not 1 <= len(request.streams) <= settings.watch_streams_max:
            raise InvalidArgument.field("streams", f"must name 1 to {settings.watch_streams_max:,} streams")
        loop, own = asyncio.get_running_loop(), Kind.USER.of(caller.user_id)
        ends_at = math.inf

        def begin(tx: Tx) -> tuple[list[str], int, float]:
            left_s = _left_s(tx, _same(caller, driver.recognise(tx, shown)[1]))
            streams = [admission(tx, stream) for stream in request.streams]
            return streams, tx.changes.head(own) or 0, left_s

        def go_on(tx: Tx) -> float:
            current = _same(caller, driver.recognise(tx, shown)[1])
            for stream in streams:
                authorise(tx, current, _WATCH, stream)
            return _left_s(tx, current)

        async def check() -> None:
            nonlocal ends_at
            ends_at = loop.time() + await store.read(go_on, long=len(streams) > 1, fresh=True)

        # Fresh: what is taken away from here on comes as a change of the caller's own stream, past `head`.
        streams, head, left_s = await store.read(begin, long=len(request.streams) > 1, fresh=True)
        ends_at = loop.time() + left_s
        reached = tokens.open(caller.user_id, request.resume_token)
        cursors = {stream: reached.get(stream) for stream in streams}
        warrant = Warrant(own, head, _may_end, check)
        async with driver.rates.watching(caller.user_id), hub.subscribe(cursors, warrant) as subscription:
            commit: Commit | None = None
            while True:
                if loop.time() >= ends_at:
                    await check()
                # The first message has no changes: it says that the watch stands, and from where.
                message = watch_pb2.WatchResponse(
                    resume_token=tokens.seal(caller.user_id, subscription.cursors),
                    incarnation=store.incarnation,
                    changes=map(_pack, commit.changes) if commit else (),
                )
                try:
                    # Waits while the connection is full, so that what is unread waits in the hub's bounds.
                    await context.write(message.SerializeToString())
                except grpc.aio.InternalError:
                    raise asyncio.CancelledError from None  # the reader left in the middle of a message
                driver.metrics.changes_sent(len(message.changes))
                silence_s = min(settings.heartbeat_s * _HEARTBEAT_SHARE, ends_at - loop.time())
                commit = await subscription.next(max(silence_s, 0))

    return driver.service(
        _SERVICE, {}, {"Watch": grpc.unary_stream_rpc_method_handler(driver.guarded(_WATCH, watch))}
    )


def _same(caller: Caller, current: Caller | None) -> Caller:
    if current is None or current.user_id != caller.user_id:
        raise Unauthenticated("your user is no longer here")
    return current


def _left_s(tx: Tx, caller: Caller) -> float:
    """How long the caller's proof of who they are lasts."""
    return math.inf if caller.token is None else (caller.token.expire_time - tx.now).total_seconds()


def _may_end(change: Change) -> bool:
    """Whether a change of a user's stream can take a watch of theirs away: `…/tokens/…` or `…/members/…`."""
    return change.resource.split("/")[2:3] in (["tokens"], ["members"])


def _pack(change: Change) -> watch_pb2.Change:
    return watch_pb2.Change(
        stream=change.stream,
        revision=change.revision,
        kind=watch_pb2.ChangeKind.Value(f"CHANGE_KIND_{change.kind.name}"),
        resource=change.resource,
        actor=change.actor,
        commit_time=timestamp(change.commit_time),
    )


def _invalid() -> InvalidArgument:
    return InvalidArgument(
        "resume_token: is not one that this database gave you; read everything again, then watch without one",
        reason="INVALID_RESUME_TOKEN",
    )
