"""What a call can fail with: one exception for each kind of failure, told apart further by `reason`.

`reason` is a name of `mooring.v1.ErrorReason` without its prefix (`SESSION_NOT_FOUND`); it is what a program
should compare. The message is for people and says what to do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_NEAR_MAX = 3
_PART_LENGTH_MIN = 3


def near_names(wanted: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that are most like the one that is wanted, or have it in them, whatever their case; the
    likest first."""
    folded = {name.casefold(): name for name in reversed([*names])}
    part = wanted.casefold()
    near = get_close_matches(part, folded, n=_NEAR_MAX)
    if len(part) >= _PART_LENGTH_MIN:
        near += sorted((name for name in folded if part in name and name not in near), key=len)
    return tuple(folded[name] for name in near[:_NEAR_MAX])


def did_you_mean(near: Iterable[str]) -> str:
    """`did you mean 'a' or 'b'?`; empty where nothing is near."""
    names = " or ".join(map(repr, near))
    return f"did you mean {names}?" if names else ""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One wrong field of a request: its path (`session.display_name`) and what to do about it."""

    field: str
    description: str


class MooringError(Exception):
    """Something failed; the subclass says how.

    Attributes:
        message: A sentence for people.
        reason: The rule that refused, for programs.
        violations: The wrong fields, where the request itself is wrong.
        retry_after_s: How long to wait before another try, where the service says so.
    """

    reason = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        violations: Sequence[FieldViolation] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s
        if reason is not None:
            self.reason = reason


class InvalidArgument(MooringError):
    """The request itself is wrong; `violations` names the fields."""

    reason = "INVALID_FIELD"


class Unauthenticated(MooringError):
    """The service does not know who is calling."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(MooringError):
    """You may not do this, or may not know whether it exists."""

    reason = "PERMISSION_DENIED"


class NotFound(MooringError):
    """It is not there. `near` lists names that look like the one that was asked for."""

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        violations: Sequence[FieldViolation] = (),
        retry_after_s: float | None = None,
        near: Sequence[str] = (),
    ) -> None:
        super().__init__(message, reason=reason, violations=violations, retry_after_s=retry_after_s)
        self.near = tuple(near)


class AlreadyExists(MooringError):
    """The id or the display name is taken."""


class Conflict(MooringError):
    """It changed meanwhile: read it again, then decide again."""


class FailedPrecondition(MooringError):
    """The present state does not allow it; the message says what to do first."""


class OutOfRange(MooringError):
    """The history that was asked for is no longer kept."""

    reason = "HISTORY_GONE"


class ResourceExhausted(MooringError):
    """A limit would be passed."""

    reason = "LIMIT_EXCEEDED"


class Unavailable(MooringError):
    """The service cannot be reached or cannot answer just now; trying again is right."""

    reason = "UNAVAILABLE"


class DeadlineExceeded(Unavailable):
    """The service did not answer in time."""


class Cancelled(MooringError):
    """It was cancelled and changed nothing."""

    reason = "OPERATION_CANCELLED"


class Superseded(Cancelled):
    """A later switch took this one's place."""

    reason = "SUPERSEDED"


class Internal(MooringError):
    """A fault of the service, logged there."""


class OldData(UserWarning):
    """The service is away: this is what was read before. A warning, not a failure."""
