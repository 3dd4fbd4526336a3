"""WatchService: the change log as a stream of messages."""

from typing import Any

import grpc
from itsdangerous import BadData, URLSafeSerializer
from mooring.v1 import watch_pb2

from mooring_server.api.calls import decode
from mooring_server.api.driver import Driver
from mooring_server.api.times import timestamp
from mooring_server.background import Commit, WatchHub
from mooring_server.core.policy import authorise
from mooring_server.errors import InvalidArgument
from mooring_server.store.records import Change

_SERVICE = watch_pb2.DESCRIPTOR.services_by_name["WatchService"]
_WATCH = f"{_SERVICE.full_name}/Watch"

# A heartbeat leaves so much before the longest silence is over: it also has to arrive.
_HEARTBEAT_SHARE = 0.8


class ResumeTokens:
    """Where a watch has got to: signed, good for one user of one database."""

    def __init__(self, signing_key: bytes, incarnation: str) -> None:
        self._serializer = URLSafeSerializer(signing_key, salt="resume-token")
        self._incarnation = incarnation

    def seal(self, user_id: str, cursors: dict[str, int]) -> str:
        """The token for these cursors, by stream."""
        sealed = self._serializer.dumps([self._incarnation, user_id, cursors])
        return sealed if isinstance(sealed, str) else sealed.decode()

    def open(self, user_id: str, token: str) -> dict[str, int]:
        """The cursors in a token; none in an empty one.

        Raises:
            InvalidArgument: INVALID_RESUME_TOKEN, for one that was altered or is of another user or database.
        """
        if not token:
            return {}
        try:
            incarnation, owner, cursors = self._serializer.loads(token)
        except BadData:
            raise _invalid() from None
        if (incarnation, owner) != (self._incarnation, user_id):
            raise _invalid()
        return dict(cursors)


def handler(driver: Driver, hub: WatchHub) -> grpc.GenericRpcHandler:
    """The service."""
    store, settings = driver.store, driver.settings
    tokens = ResumeTokens(store.signing_key, store.incarnation)

    async def watch(data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        request = decode(watch_pb2.WatchRequest, data)
        caller = await driver.identify(context)
        if not 1 <= len(request.streams) <= settings.watch_streams_max:
            raise InvalidArgument.field("streams", f"must name 1 to {settings.watch_streams_max:,} streams")
        streams = await store.read(
            lambda tx: [authorise(tx, caller, _WATCH, stream) for stream in request.streams],
            long=len(request.streams) > 1,
        )
        reached = tokens.open(caller.user_id, request.resume_token)
        async with hub.subscribe({stream: reached.get(stream) for stream in streams}) as subscription:
            commit: Commit | None = None
            while True:
                # The first message has no changes: it says that the watch stands, and from where.
                message = watch_pb2.WatchResponse(
                    resume_token=tokens.seal(caller.user_id, subscription.cursors),
                    incarnation=store.incarnation,
                    changes=map(_pack, commit.changes) if commit else (),
                )
                await context.write(message.SerializeToString())
                commit = await subscription.next(settings.heartbeat_s * _HEARTBEAT_SHARE)

    return driver.service(
        _SERVICE, {}, {"Watch": grpc.unary_stream_rpc_method_handler(driver.guarded(_WATCH, watch))}
    )


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
