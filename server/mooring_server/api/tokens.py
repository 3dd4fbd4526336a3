"""The API token methods of `mooring.v1.UserService`."""

from collections.abc import Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from mooring.v1 import tokens_pb2

from mooring_server.api.calls import Call
from mooring_server.api.driver import Check, Handler
from mooring_server.api.times import timestamp
from mooring_server.core import tokens
from mooring_server.core.names import Kind
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.records import Token, TokenScope

_WIRE_SCOPES = {scope: tokens_pb2.TokenScope.Value(f"TOKEN_SCOPE_{scope.name}") for scope in TokenScope}
_SCOPES: Mapping[int, TokenScope] = {number: scope for scope, number in _WIRE_SCOPES.items()}


def create_token(tx: Tx, call: Call, request: tokens_pb2.CreateTokenRequest) -> tokens_pb2.Token:
    """A new token; the one answer that has its secret."""
    (user_id,) = Kind.USER.ids(request.parent)
    token, secret = tokens.create(tx, call.caller, user_id, draft_of(request), call.settings)
    packed = pack_token(token)
    if not request.validate_only:  # a preview is undone: its secret would be nobody's
        packed.secret = secret
    return packed


def get_token(tx: Tx, call: Call, request: tokens_pb2.GetTokenRequest) -> tokens_pb2.Token:
    """One token."""
    return pack_token(tokens.get(tx, *Kind.TOKEN.ids(request.name)))


def list_tokens(tx: Tx, call: Call, request: tokens_pb2.ListTokensRequest) -> tokens_pb2.ListTokensResponse:
    """A page of a user's tokens, the newest first."""
    window = call.window(request, request.parent)
    (user_id,) = Kind.USER.ids(request.parent)
    page = tx.tokens.page(user_id, window.after_key, limit=window.limit, skip=window.skip)
    return tokens_pb2.ListTokensResponse(
        tokens=map(pack_token, page.items),
        next_page_token=call.next_page_token(page.next_key, request.parent),
    )


def revoke_token(
    tx: Tx, call: Call, request: tokens_pb2.RevokeTokenRequest
) -> tokens_pb2.RevokeTokenResponse:
    """Ends a token."""
    token = tokens.revoke(tx, *Kind.TOKEN.ids(request.name))
    return tokens_pb2.RevokeTokenResponse(token=pack_token(token))


def draft_of(request: tokens_pb2.CreateTokenRequest) -> tokens.Draft:
    """The token that a request asks for.

    Raises:
        InvalidArgument: for wrong fields.
    """
    wanted = request.token
    return tokens.Draft(
        request.token_id,
        wanted.display_name,
        _scope(wanted.scope),
        _time("token.expire_time", wanted.expire_time) if wanted.HasField("expire_time") else None,
    )


def pack_token(token: Token) -> tokens_pb2.Token:
    """A token as a message, without a secret."""
    return tokens_pb2.Token(
        name=Kind.TOKEN.of(token.user_id, token.id),
        display_name=token.display_name,
        scope=_WIRE_SCOPES[token.scope],
        expire_time=timestamp(token.expire_time),
        create_time=timestamp(token.create_time),
        revoke_time=None if token.revoke_time is None else timestamp(token.revoke_time),
        use_time=None if token.use_time is None else timestamp(token.use_time),
    )


# For the service that these methods are part of.
HANDLERS: Mapping[str, Handler] = {
    "CreateToken": create_token,
    "GetToken": get_token,
    "ListTokens": list_tokens,
    "RevokeToken": revoke_token,
}
CHECKS: Mapping[str, Check] = {"CreateToken": draft_of}


def _scope(value: int) -> TokenScope:
    if value == tokens_pb2.TOKEN_SCOPE_UNSPECIFIED:
        return TokenScope.WRITE
    if value not in _SCOPES:  # a number that this server has no name for
        known = ", ".join(scope.name for scope in TokenScope)
        raise InvalidArgument.field("token.scope", f"must be {known}, or unset")
    return _SCOPES[value]


def _time(field: str, packed: Timestamp) -> datetime:
    try:
        return packed.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument.field(field, "must be a time from year 1 to 9999") from None
