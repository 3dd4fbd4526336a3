"""Who is calling: API tokens in a call's metadata."""

from collections.abc import Callable, Mapping
from datetime import datetime

from mooring_server.core import tokens
from mooring_server.core.identities import Identity
from mooring_server.errors import Unauthenticated
from mooring_server.store import Tx
from mooring_server.store.records import Token

_KEY = "authorization"
_SCHEME = "bearer"
# One answer to what never was and to what is no more: neither tells which tokens there are.
_REFUSED = (
    "this API token is not valid: it has expired, was revoked or never was; make another one with "
    "`mooring token create`, or ask whoever runs the server"
)


class TokenAuth:
    """Everybody is the user whose API token they send, as the metadata `authorization: Bearer {secret}`.

    Args:
        on_use: Told each token that lets somebody in, and when; on any thread. It must not take long.
    """

    def __init__(self, on_use: Callable[[Token, datetime], None]) -> None:
        self._on_use = on_use

    def identify(self, tx: Tx, metadata: Mapping[str, str], peer: str) -> Identity:
        """The identity of the token's user.

        Raises:
            Unauthenticated: there is no token, or none that can be used.
        """
        scheme, _, secret = metadata.get(_KEY, "").strip().partition(" ")
        if not scheme:
            raise Unauthenticated(
                "an API token is needed: set MOORING_TOKEN, write connect(token=…), or send the metadata "
                "`authorization: Bearer …`; `mooring token create` makes one on the server's machine"
            )
        secret = secret.strip()
        if scheme.lower() != _SCHEME or not tokens.is_secret(secret):
            raise Unauthenticated(
                "what was sent is no API token: it must be `Bearer ` and the secret as it was shown, which "
                "begins with mrg_; is it whole?"
            )
        token = tx.tokens.by_hash(tokens.hash_of(secret))
        if token is None or not tokens.is_living(token, tx.now):
            raise Unauthenticated(_REFUSED)
        self._on_use(token, tx.now)
        return Identity(tokens.SUBJECT_PREFIX + token.user_id, "", scope=token.scope, token=token)
