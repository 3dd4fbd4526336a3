"""Following change streams for ever: resumes, backs off, and says when something may have been missed."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from mooring.v1 import watch_pb2

from mooring_widgets.client import decode
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.snapshots import WatchEvent
from mooring_widgets.errors import (
    InvalidArgument,
    MooringError,
    OutOfRange,
    PermissionDenied,
    Unauthenticated,
)

_SILENCE_MAX_S = 15.0  # three heartbeats
_BACKOFF_MIN_S = 0.1
_BACKOFF_MAX_S = 5.0


async def follow(channel: Channel, streams: Sequence[str], token: str) -> AsyncGenerator[WatchEvent, None]:
    """The events of `streams`; see `MooringClient.watch`."""
    incarnation, backoff_s = "", _BACKOFF_MIN_S
    while True:
        gap = not token  # nothing tells what happened before a watch without a token began
        request = watch_pb2.WatchRequest(streams=streams, resume_token=token)
        messages = channel.stream("/mooring.v1.WatchService/Watch", request, watch_pb2.WatchResponse)
        try:
            while True:
                message = await asyncio.wait_for(anext(messages), _SILENCE_MAX_S)
                # Another database: a token's revisions mean nothing there.
                gap = gap or incarnation not in ("", message.incarnation)
                token, incarnation, backoff_s = message.resume_token, message.incarnation, _BACKOFF_MIN_S
                changes = tuple(map(decode.change, message.changes))
                yield WatchEvent(changes, gap=gap, token=token, incarnation=incarnation)
                gap = False
        except (PermissionDenied, Unauthenticated):
            raise
        except (OutOfRange, InvalidArgument):
            if not token:
                raise
            token = ""
            continue
        except (MooringError, TimeoutError, StopAsyncIteration):
            yield WatchEvent(live=False)
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, _BACKOFF_MAX_S)
        finally:
            await messages.aclose()
