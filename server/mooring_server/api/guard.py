"""What surrounds every call: its deadline, its line in the log, its metrics, and the status of its failure.

A line names the RPC, the user, the status code and reason, and the id of the request. It holds nothing that
the caller sent or was sent: no metadata, no field, and no text of an exception, which may quote one.
"""

from __future__ import annotations  # the generic classes of grpc are generic in its stubs alone

import asyncio
import re
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import structlog
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from grpc_status import rpc_status

from mooring_server.api import failures
from mooring_server.api.idleness import Activity
from mooring_server.core.tokens import is_secret
from mooring_server.errors import DeadlineExceeded, MooringError
from mooring_server.metrics import CallType, Metrics
from mooring_server.settings import Settings
from mooring_server.store import new_id

REQUEST_ID_METADATA = "x-request-id"

_log = structlog.stdlib.get_logger("mooring_server.api")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UUID_BEGINS = re.compile(r"[0-9A-Fa-f]{8}(?=-)")
_TYPES: dict[tuple[bool, bool], CallType] = {
    (False, False): "unary",
    (True, False): "client_stream",
    (False, True): "server_stream",
    (True, True): "bidi_stream",
}

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Any], Awaitable[Any]]


class Guard:
    """Surrounds the handlers of one server."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.activity = Activity()
        self._settings = settings
        self._metrics = metrics

    def around(self, rpc: str, behaviour: Behaviour) -> Behaviour:
        """A handler whose failures leave as rich statuses: a coroutine function of (request or request
        iterator, context).
        """
        method: MethodDescriptor = descriptor_pool.Default().FindMethodByName(rpc.replace("/", "."))
        calls = self._metrics.calls(rpc, _TYPES[method.client_streaming, method.server_streaming])
        most_s = self._time_max_s(method)

        async def call(request: Any, context: Context) -> Any:
            structlog.contextvars.bind_contextvars(rpc=rpc)
            started_s = time.perf_counter()
            code, failure, answer = grpc.StatusCode.CANCELLED, None, None
            calls.began()
            if method.client_streaming:
                request = _counted(request, calls.received)
            else:
                calls.received()
            handed = _Writing(context, calls.sent) if method.server_streaming else context
            try:
                with self.activity:
                    async with asyncio.timeout(_least(most_s, context.time_remaining())) as limit:
                        answer = await behaviour(request, handed)
                code = grpc.StatusCode.OK
                if not method.server_streaming:
                    calls.sent()
            except MooringError as refusal:
                failure = refusal
            except Exception as fault:
                failure = _too_late(most_s) if limit.expired() else _internal(fault, context)
            finally:  # also of a call that its caller has left
                if failure is not None:
                    code = failures.status_code(failure)
                seconds = time.perf_counter() - started_s
                calls.ended(code.name, seconds)
                self._report(code, failure, context, seconds)
            if failure is not None:
                await _refuse(context, failure)
            return answer

        return call

    def _time_max_s(self, method: MethodDescriptor) -> float | None:
        if method.server_streaming:
            return None
        return self._settings.upload_time_max_s if method.client_streaming else self._settings.call_time_max_s

    def _report(
        self, code: grpc.StatusCode, failure: MooringError | None, context: Context, seconds: float
    ) -> None:
        duration_ms = round(seconds * 1_000, 3)
        if failure is None:
            _log.debug("ended", code=code.name, duration_ms=duration_ms)
            return
        self._metrics.refused(failure.reason)
        _log.info(
            "refused",
            code=code.name,
            reason=failure.reason,
            request_id=_request_id(context),
            duration_ms=duration_ms,
        )


async def _refuse(context: Context, failure: MooringError) -> None:
    status = rpc_status.to_status(failures.status(failure))
    named = (REQUEST_ID_METADATA, _request_id(context))
    await context.abort_with_status(status._replace(trailing_metadata=(*status.trailing_metadata, named)))


def name_request(request_id: str) -> None:
    """The rest of this call is logged under the request's own id, if that is a UUID.

    Under its beginning: the whole of it opens the answer that is stored for it (`api/seals.py`).
    """
    if begins := _UUID_BEGINS.match(request_id):
        _bind(begins[0])


def _bind(request_id: str) -> None:
    structlog.contextvars.bind_contextvars(request_id=request_id)


def _request_id(context: Context) -> str:
    """The id that this call is logged under: the request's own, else the metadata's, else a new one."""
    bound: str | None = structlog.contextvars.get_contextvars().get("request_id")
    if bound is None:
        given = dict(context.invocation_metadata() or ()).get(REQUEST_ID_METADATA)
        bound = given if isinstance(given, str) and _is_request_id(given) else new_id()
        _bind(bound)
    return bound


def _is_request_id(text: str) -> bool:
    return _REQUEST_ID.fullmatch(text) is not None and not is_secret(text)


def _least(most_s: float | None, left_s: float | None) -> float | None:
    """The time that a call has: what the server gives, and no more than its caller waits."""
    if left_s is None or most_s is None:
        return most_s if left_s is None else left_s
    return min(most_s, left_s)


def _too_late(most_s: float | None) -> DeadlineExceeded:
    longest = "" if most_s is None else f", which is {most_s:g} s at most"
    return DeadlineExceeded(
        f"the call was not answered within its deadline{longest}; what it changes may still happen: try it "
        "again with the same request_id"
    )


def _internal(fault: Exception, context: Context) -> MooringError:
    request_id = _request_id(context)
    _log.error("fault", stack=_trace(fault))
    _log.debug("fault", exc_info=fault)
    return MooringError(f"internal error; the server's log has it under {request_id}")


def _trace(fault: BaseException) -> str:
    """Where it was raised and what, without the exceptions' own texts."""
    lines: list[str] = []
    raised: BaseException | None = fault
    while raised is not None:
        lines += [*traceback.format_tb(raised.__traceback__), f"{type(raised).__qualname__}\n"]
        raised = raised.__cause__ or raised.__context__
    return "".join(lines)


class _Writing:
    """A call's context that counts the messages it sends."""

    def __init__(self, context: Context, count: Callable[[], None]) -> None:
        self._context = context
        self._count = count

    async def write(self, message: Any) -> None:
        await self._context.write(message)
        self._count()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


async def _counted(requests: AsyncIterator[Any], count: Callable[[], None]) -> AsyncIterator[Any]:
    async for request in requests:
        count()
        yield request
