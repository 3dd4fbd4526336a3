"""Long-running operations, as their callers see them: found and cancelled; and how a failure is kept."""

from typing import Any

from mooring_server.core import sessions
from mooring_server.core.paging import Window
from mooring_server.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    FailedPrecondition,
    InvalidArgument,
    MooringError,
    NotFound,
    ResourceExhausted,
    Unavailable,
)
from mooring_server.store import Tx
from mooring_server.store.records import Operation, OperationState, Page

PAGE_MAX = 20
ENDED = frozenset({OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED})

# How an operation can fail; anything else is a fault, and kept as the MooringError that INTERNAL is.
_FAILURES: dict[str, type[MooringError]] = {
    kind.__name__: kind
    for kind in (
        Aborted,
        AlreadyExists,
        Cancelled,
        FailedPrecondition,
        InvalidArgument,
        NotFound,
        ResourceExhausted,
        Unavailable,
    )
}


def find(tx: Tx, engagement_id: str, session_id: str, operation_id: str) -> Operation:
    """An operation of a session.

    Raises:
        NotFound: there is none.
    """
    operation = tx.operations.get(engagement_id, session_id, operation_id)
    if operation is None:
        raise NotFound(f"this session has no operation {operation_id}", reason="OPERATION_NOT_FOUND")
    return operation


def page(tx: Tx, engagement_id: str, session_id: str, window: Window) -> Page[Operation]:
    """Some of a session's operations, newest first; a page is short, since each may carry a long report.

    Raises:
        NotFound: SESSION_NOT_FOUND.
    """
    sessions.get(tx, engagement_id, session_id)
    limit = min(window.limit, PAGE_MAX)
    return tx.operations.page(engagement_id, session_id, window.after_key, window.skip, limit)


def cancel(tx: Tx, engagement_id: str, session_id: str, operation_id: str) -> Operation:
    """Ends a queued operation and asks a running one to end; one that has ended stays as it is.

    Raises:
        NotFound: there is none.
    """
    find(tx, engagement_id, session_id, operation_id)
    # Written before it is looked at: that locks the row, so that no server process takes it meanwhile.
    operation = tx.operations.update(operation_id, cancel_requested=True)
    if operation.state is not OperationState.QUEUED:
        return operation
    return tx.operations.update(
        operation_id, state=OperationState.CANCELLED, error=failure_to_json(cancelled())
    )


def cancelled() -> Cancelled:
    """How a cancelled operation fails."""
    return Cancelled("the operation was cancelled; nothing was changed")


def failure_to_json(failure: MooringError) -> dict[str, Any]:
    """A failure as the JSON value that an operation keeps."""
    return {"failure": type(failure).__name__, "reason": failure.reason, "message": failure.message}


def failure_from_json(kept: dict[str, Any]) -> MooringError:
    """The failure that an operation keeps."""
    return _FAILURES.get(kept["failure"], MooringError)(kept["message"], reason=kept["reason"])
