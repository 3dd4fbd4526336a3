"""Page tokens: where a list goes on, signed, and good for that list of that caller alone."""

from collections.abc import Sequence
from typing import Any

from mooring_server.api.signer import Signer
from mooring_server.errors import InvalidArgument


class PageTokens:
    """Seals and opens page tokens. The key is the database's, so that every replica reads every token."""

    def __init__(self, signing_key: bytes) -> None:
        self._signer = Signer(signing_key, "page-token")

    def seal(self, scope: Sequence[str], key: Sequence[Any]) -> str:
        """A token for the place after `key` (JSON values) in the list that `scope` describes."""
        return self._signer.seal([list(scope), list(key)])

    def open(self, scope: Sequence[str], token: str) -> tuple[Any, ...]:
        """The key that was sealed.

        Raises:
            InvalidArgument: INVALID_PAGE_TOKEN, for a token that was altered or is of another scope.
        """
        try:
            sealed_scope, key = self._signer.open(token)
        except ValueError:
            raise _invalid() from None
        if sealed_scope != list(scope):
            raise _invalid()
        return tuple(key)


def _invalid() -> InvalidArgument:
    return InvalidArgument(
        "page_token: is not one that this list gave you; leave it empty to start again",
        reason="INVALID_PAGE_TOKEN",
    )
