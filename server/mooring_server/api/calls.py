"""What a handler knows about the call that it answers, and how bytes become a request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from mooring_server.api.page_tokens import PageTokens
from mooring_server.core import fields, paging
from mooring_server.core.policy import Caller
from mooring_server.errors import InvalidArgument
from mooring_server.settings import Settings

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    `after_commit` takes what is to run on the loop once the work is committed, and only then; it is lost
    with a caller who leaves in that very moment, so it can only be a hint.
    """

    caller: Caller
    rpc: str
    settings: Settings
    tokens: PageTokens
    after_commit: Callable[[Callable[[], None]], None]

    def window(self, request: Any, *scope: str) -> paging.Window:
        """The page that a list request (page_size, page_token, skip) asks for.

        `scope` names the list (parent, order); caller and RPC are added.

        Raises:
            InvalidArgument: for a negative size or skip, and for a token of another list.
        """
        limit = paging.limit(request.page_size, self.settings)
        # Google's own list requests have none.
        skip = paging.skip(getattr(request, "skip", 0))
        after = self.tokens.open(self._scope(scope), request.page_token) if request.page_token else None
        settings = self.settings
        return paging.Window(
            limit,
            skip,
            after,
            settings.examined_rows_max,
            settings.counted_rows_max,
            settings.passed_rows_max,
        )

    def next_page_token(self, next_key: tuple[Any, ...] | None, *scope: str) -> str:
        """The token of the page after this one; empty at the end. `scope` as for `window`."""
        return "" if next_key is None else self.tokens.seal(self._scope(scope), next_key)

    def _scope(self, scope: tuple[str, ...]) -> tuple[str, ...]:
        return (self.caller.user_id, self.rpc, *scope)


def decode(message_class: type[M], data: bytes) -> M:
    """Bytes as a request.

    gRPC's own deserializer would answer INTERNAL for what is the caller's mistake.

    Raises:
        InvalidArgument: MALFORMED_REQUEST, for bytes that are not this message and for a NUL in a text.
    """
    try:
        message = message_class.FromString(data)
    except DecodeError:
        raise InvalidArgument(
            f"the bytes are not a {message_class.DESCRIPTOR.full_name}", reason="MALFORMED_REQUEST"
        ) from None
    # Texts stand in the bytes as they are, so most requests need no walk.
    if b"\0" in data and _holds_nul(message):
        raise InvalidArgument("a text holds a NUL character", reason="MALFORMED_REQUEST")
    return message


def masked(request: Any, resource: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """The fields of the request's `resource` that its `update_mask` takes, as `fields.mask` says.

    Raises:
        InvalidArgument: naming `update_mask`, for a path that is not allowed.
    """
    populated = [field.name for field, _ in getattr(request, resource).ListFields()]
    return fields.mask(request.update_mask.paths, allowed, populated)


def _holds_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case Message():
            return any(_holds_nul(inner) for _, inner in value.ListFields())
        case Mapping():
            return any(_holds_nul(key) or _holds_nul(inner) for key, inner in value.items())
        case bytes():
            return False
        case Sequence():
            return any(map(_holds_nul, value))
    return False
