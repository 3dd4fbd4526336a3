"""The failure vocabulary: every way in which a use case can refuse.

A failure carries a `reason` from `mooring.v1.ErrorReason` (without its prefix) and a message for people. It
knows nothing of gRPC: `api/failures.py` is the one table that turns these classes into status codes. Messages
never hold SQL, paths or exception texts, since they leave the server as they are. They are written to stand
behind a colon: no capital at the start, no full stop at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One wrong field of a request: its path (`session.display_name`) and a sentence that says what to do."""

    field: str
    description: str


class MooringError(Exception):
    """Something was refused: the subclass says how, `reason` which rule. By itself it is a fault of ours."""

    reason = "INTERNAL"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class SpecificError(MooringError):
    """A refusal without a reason of its own: whoever raises it says which rule it was."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message, reason=reason)


class InvalidArgument(MooringError):
    """The request itself is wrong, whatever the state of the service."""

    reason = "INVALID_FIELD"

    def __init__(
        self, message: str, *, reason: str | None = None, violations: Sequence[FieldViolation] = ()
    ) -> None:
        super().__init__(message, reason=reason)
        self.violations = tuple(violations)

    @classmethod
    def field(cls, field: str, description: str) -> "InvalidArgument":
        """The failure of a single field."""
        return cls(f"{field}: {description}", violations=[FieldViolation(field, description)])


class Unauthenticated(MooringError):
    """Nobody valid is calling."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(MooringError):
    """The caller may not, or may not know whether it exists."""

    reason = "PERMISSION_DENIED"


class NotFound(SpecificError):
    """It is not there, and the caller may know that. `reason` says what is missing."""


class AlreadyExists(SpecificError):
    """The id or the display name is taken. `reason` says which."""


class Aborted(SpecificError):
    """The state moved under the caller: read again, then decide again. `reason` says what moved."""


class DataShared(Aborted):
    """A session's data must be copied before it is edited, since another session stands on it too.

    Whoever drives the call has that done and tries again; a caller sees it only where that was in vain.
    """

    def __init__(self, engagement_id: str, session_id: str) -> None:
        super().__init__(
            "the session's data is shared with another session and is being copied; try again",
            reason="DATA_SHARED",
        )
        self.engagement_id = engagement_id
        self.session_id = session_id


class Cancelled(MooringError):
    """The operation was cancelled and changed nothing."""

    reason = "OPERATION_CANCELLED"


class FailedPrecondition(SpecificError):
    """The state does not allow it; the message says what to do first."""


class OutOfRange(MooringError):
    """The history that was asked for is no longer kept."""

    reason = "HISTORY_GONE"

    def __init__(self, message: str, *, earliest_revision: int) -> None:
        super().__init__(message)
        self.earliest_revision = earliest_revision


class ResourceExhausted(MooringError):
    """A fixed limit would be passed. `retry_after_s` is None where waiting does not help."""

    reason = "LIMIT_EXCEEDED"

    def __init__(
        self, message: str, *, reason: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_s = retry_after_s


class Unavailable(MooringError):
    """The service or its database cannot answer just now; trying again is right."""

    reason = "UNAVAILABLE"


class DeadlineExceeded(MooringError):
    """The call took longer than it may; whether a change was made is not known."""

    reason = "DEADLINE_EXCEEDED"
