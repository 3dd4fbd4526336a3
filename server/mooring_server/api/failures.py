"""From the failure vocabulary to gRPC: the one table of status codes, and the google.rpc details."""

import math
from collections.abc import Mapping

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from mooring_server import errors

DOMAIN = "mooring.v1"
MESSAGE_MAX = 500

STATUS_CODES: Mapping[type[errors.MooringError], grpc.StatusCode] = {
    errors.MooringError: grpc.StatusCode.INTERNAL,
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.Cancelled: grpc.StatusCode.CANCELLED,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def status_code(error: errors.MooringError) -> grpc.StatusCode:
    """The status code of a failure."""
    return next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)


def status(error: errors.MooringError) -> status_pb2.Status:
    """A failure as the google.rpc.Status that clients and Operations carry."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN)
    # The whole status travels in trailers, which clients limit to 8 KiB.
    packed = status_pb2.Status(code=status_code(error).value[0], message=error.message[:MESSAGE_MAX])
    if isinstance(error, errors.OutOfRange):
        info.metadata["earliest_revision"] = str(error.earliest_revision)
    packed.details.add().Pack(info)
    if isinstance(error, errors.InvalidArgument) and error.violations:
        packed.details.add().Pack(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
                    for v in error.violations
                ]
            )
        )
    if isinstance(error, errors.ResourceExhausted) and error.retry_after_s is not None:
        delay = Duration()
        delay.FromMilliseconds(math.ceil(error.retry_after_s * 1_000))
        packed.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return packed
