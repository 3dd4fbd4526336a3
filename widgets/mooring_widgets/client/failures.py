"""From a gRPC status to an exception: the one table, and the `google.rpc` details behind it."""

import grpc
import grpc.aio
from google.rpc import code_pb2, error_details_pb2, status_pb2
from mooring.endpoints import tls_trouble

from mooring_widgets import errors

_DETAILS_KEY = "grpc-status-details-bin"

_CLASSES: dict[int, type[errors.MooringError]] = {
    code_pb2.INVALID_ARGUMENT: errors.InvalidArgument,
    code_pb2.UNAUTHENTICATED: errors.Unauthenticated,
    code_pb2.PERMISSION_DENIED: errors.PermissionDenied,
    code_pb2.NOT_FOUND: errors.NotFound,
    code_pb2.ALREADY_EXISTS: errors.AlreadyExists,
    code_pb2.ABORTED: errors.Conflict,
    code_pb2.FAILED_PRECONDITION: errors.FailedPrecondition,
    code_pb2.OUT_OF_RANGE: errors.OutOfRange,
    code_pb2.RESOURCE_EXHAUSTED: errors.ResourceExhausted,
    code_pb2.UNAVAILABLE: errors.Unavailable,
    code_pb2.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    code_pb2.CANCELLED: errors.Cancelled,
}


def from_call(error: grpc.aio.AioRpcError, label: str = "the service") -> errors.MooringError:
    """The exception for a call that failed.

    Args:
        error: What grpc raised.
        label: The address, for failures that never reached a service.
    """
    status = _details(error)
    if status is not None:
        return from_status(status)
    code = error.code().value[0]
    if code == code_pb2.UNAVAILABLE:  # grpc's own text names sockets and errno; it helps nobody
        trouble = tls_trouble(label, error.details() or "")
        return errors.Unavailable(trouble or f"no Mooring service answers at {label}; is it running?")
    if code == code_pb2.DEADLINE_EXCEEDED:
        return errors.DeadlineExceeded(f"{label} did not answer in time; try again")
    return from_status(status_pb2.Status(code=code, message=error.details() or ""))


def from_status(status: status_pb2.Status) -> errors.MooringError:
    """The exception for a status: that of a call, or the error of an operation."""
    kind = _CLASSES.get(status.code, errors.Internal)
    reason: str | None = None
    violations: list[errors.FieldViolation] = []
    retry_after_s: float | None = None
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            reason = info.reason
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            request = error_details_pb2.BadRequest()
            detail.Unpack(request)
            violations += [errors.FieldViolation(v.field, v.description) for v in request.field_violations]
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    message = status.message or kind.__doc__ or ""
    return kind(message, reason=reason, violations=violations, retry_after_s=retry_after_s)


def _details(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            return status_pb2.Status.FromString(value)
    return None
