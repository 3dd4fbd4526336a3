"""API tokens: what a secret looks like, who may make which token, and how one ends.

A secret is `mrg_`, 43 characters of a-z, A-Z and 0-9 drawn at random (256 bits), and 6 that check those: so a
scanner tells one from chance, and a cut-off one is told without a look at the database. What is kept of it is
its SHA-256. Slow, salted hashes are for what people make up: from 112 random bits on, NIST SP 800-63B
(5.1.2.2) asks for an approved one-way function and no more.
"""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from mooring_server.core.fields import Violations
from mooring_server.core.identities import DEMO_ID
from mooring_server.core.names import ID_RULE, ME, Kind, is_id, quote
from mooring_server.core.policy import Caller
from mooring_server.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)
from mooring_server.settings import Settings
from mooring_server.store import Tx, User, new_id
from mooring_server.store.records import Token, TokenScope

SUBJECT_PREFIX = "token:"
"""Begins the subject of every user whom a token command made: the issuer, as an identity provider is one."""

_PREFIX = "mrg_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH = 43  # characters: log2(62) bits each, 256.03 together
_CHECK_LENGTH = 6  # 62**6 > 2**32
_SECRET = re.compile(f"{_PREFIX}[0-9A-Za-z]{{{_RANDOM_LENGTH + _CHECK_LENGTH}}}")
_WIDTH = {TokenScope.READ: 1, TokenScope.WRITE: 2, TokenScope.ADMIN: 3}
# What the server calls itself where nobody calls, what callers call themselves, and whom `auth none` makes.
_RESERVED = ("system", ME, DEMO_ID)


@dataclass(frozen=True, slots=True)
class Draft:
    """A token that is to be made; the fields have been checked. An empty id means a new one."""

    id: str
    display_name: str
    scope: TokenScope = TokenScope.WRITE
    expire_time: datetime | None = None

    def __post_init__(self) -> None:
        violations = Violations()
        violations.wanted_id("token_id", self.id)
        violations.display_name("token.display_name", self.display_name)
        violations.refuse()


def new_secret() -> str:
    """A secret that nobody has."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return _PREFIX + body + _check_of(body)


def is_secret(text: str) -> bool:
    """Whether a text looks like a secret of ours, whole and without a typing mistake."""
    if not _SECRET.fullmatch(text):
        return False
    return _check_of(text[len(_PREFIX) : -_CHECK_LENGTH]) == text[-_CHECK_LENGTH:]


def hash_of(secret: str) -> str:
    """What is kept of a secret, and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_living(token: Token, now: datetime) -> bool:
    """Whether a token can be used."""
    return token.revoke_time is None and now < token.expire_time


def create(tx: Tx, caller: Caller, user_id: str, draft: Draft, settings: Settings) -> tuple[Token, str]:
    """A new token of a user, and its secret, which is nowhere else from now on.

    Without a wish it lives for `token_life_default_s`, or as long as the token that the caller uses.

    Raises:
        InvalidArgument: for a time that has passed or is beyond `token_life_max_s`.
        PermissionDenied: SCOPE_TOO_NARROW, or a longer life than that of the token that the caller uses.
        Unauthenticated: the token that the caller uses has ended meanwhile.
        AlreadyExists: ID_TAKEN.
        ResourceExhausted: the user has `tokens_per_user_max`.
    """
    if _WIDTH[draft.scope] > _WIDTH[caller.scope]:
        raise PermissionDenied(
            f"a token with the scope {draft.scope.value} is made by one that has it, or by "
            "`mooring token create` on the server's machine",
            reason="SCOPE_TOO_NARROW",
        )
    expire_time = _expire_time(tx.now, caller, draft, settings)
    tx.users.lock(user_id)  # or two calls of one moment would each see room for one more
    _require_living(tx, caller)
    if tx.tokens.living(user_id) >= settings.tokens_per_user_max:
        raise ResourceExhausted(
            f"{Kind.USER.of(user_id)} has {settings.tokens_per_user_max:,} tokens, the most that a user can "
            "have: revoke one first"
        )
    secret = new_secret()
    token = tx.tokens.insert(
        user_id, draft.id or new_id(), hash_of(secret), draft.display_name, draft.scope, expire_time
    )
    return token, secret


def get(tx: Tx, user_id: str, token_id: str) -> Token:
    """A token of a user.

    Raises:
        NotFound: TOKEN_NOT_FOUND.
    """
    token = tx.tokens.get(user_id, token_id)
    if token is None:
        name = Kind.TOKEN.of(user_id, token_id)
        raise NotFound(f"{name} does not exist; ListTokens tells which do", reason="TOKEN_NOT_FOUND")
    return token


def revoke(tx: Tx, user_id: str, token_id: str) -> Token:
    """Ends a token; one that was revoked before stays as it is.

    Raises:
        NotFound: TOKEN_NOT_FOUND.
    """
    return tx.tokens.revoke(user_id, token_id) or get(tx, user_id, token_id)


def bearer(tx: Tx, user_id: str, display_name: str) -> User:
    """The user of that id, made where there is none: whom the operator makes a token for.

    Args:
        tx: Writes.
        user_id: The user's id.
        display_name: What to call a new one; empty: as the id.

    Raises:
        InvalidArgument: the id can be no user's, or the display name is wrong.
    """
    user = tx.users.get(user_id)
    if user is not None:
        return user
    if user_id in _RESERVED:
        raise InvalidArgument.field("user", f"{quote(user_id)} is an id that the service keeps for itself")
    if not is_id(user_id):
        raise InvalidArgument.field("user", f"{quote(user_id)} must be {ID_RULE}")
    violations = Violations()
    violations.display_name("user.display_name", display_name or user_id)
    violations.refuse()
    return tx.users.insert(user_id, SUBJECT_PREFIX + user_id, display_name or user_id, "")


def _expire_time(now: datetime, caller: Caller, draft: Draft, settings: Settings) -> datetime:
    last = caller.token.expire_time if caller.token else None
    if draft.expire_time is None:
        wanted = now + timedelta(seconds=settings.token_life_default_s)
        return wanted if last is None else min(wanted, last)
    if not now < draft.expire_time <= now + timedelta(seconds=settings.token_life_max_s):
        raise InvalidArgument.field(
            "token.expire_time",
            f"must be in the future, {settings.token_life_max_s / 86_400:g} days from now at most",
        )
    if last is not None and draft.expire_time > last:
        raise PermissionDenied(
            f"a token cannot outlive the one that it is made with, which ends at {last:%Y-%m-%d %H:%M:%S} UTC"
        )
    return draft.expire_time


def _require_living(tx: Tx, caller: Caller) -> None:
    """Looks again, in this transaction: another server may have ended the caller's token within the second in
    which this one has not noticed, and whoever stole it must not get away with a new one.
    """
    if caller.token is None:
        return
    used = tx.tokens.get(caller.token.user_id, caller.token.id)
    if used is None or not is_living(used, tx.now):
        raise Unauthenticated("the API token that you use has expired or was revoked; it can make no other")


def _check_of(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
