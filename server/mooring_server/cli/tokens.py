"""`mooring token`: making, listing and revoking API tokens, in a database or by calling a server."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from mooring.v1 import tokens_pb2

from mooring_server.api.tokens import pack_token
from mooring_server.cli import logs
from mooring_server.cli.client import connected
from mooring_server.cli.config import database_url, public_url, reaching, read_settings, sqlite_path
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.core import tokens
from mooring_server.core.names import Kind
from mooring_server.core.policy import Caller
from mooring_server.settings import Settings
from mooring_server.store import Store, Tx, open_store, pending_migrations
from mooring_server.store.records import Page, Token, TokenScope

T = TypeVar("T")

_PAGE_SIZE = 1_000
# Whoever can write the database needs no leave of anybody in it.
_OPERATOR = Caller("system", TokenScope.ADMIN)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tokens are: on a server, else in a database, else in that of the data folder."""

    server: str | None
    ca: Path | None
    database: str | None


def create(
    place: Place,
    user: str | None,
    *,
    display_name: str,
    scope: str,
    days: int | None,
    user_name: str,
    as_json: bool,
) -> None:
    """Make a token and print it with its secret.

    Raises:
        Failure: there is no such place, or a server refused.
        MooringError: the rules refuse it.
    """
    life = None if days is None else timedelta(days=days)
    if place.server:
        if user_name:
            raise Failure(
                "--user-name is for a user that is made in a database: a server knows its own", ExitCode.USAGE
            )
        with connected(place.server, ca=place.ca) as client:
            expire_time = None if life is None else datetime.now(UTC) + life
            made = client.create_token(_user_name(user), display_name, scope, expire_time)
    else:
        if user is None:
            raise Failure("whose token? Name the user: mooring token create USER", ExitCode.USAGE)
        user_id = user.removeprefix("users/")

        def make(tx: Tx, settings: Settings) -> tokens_pb2.Token:
            tokens.bearer(tx, user_id, user_name)
            draft = tokens.Draft("", display_name, TokenScope(scope), None if life is None else tx.now + life)
            token, secret = tokens.create(tx, _OPERATOR, user_id, draft, settings)
            packed = pack_token(token)
            packed.secret = secret
            return packed

        made = _written(place.database, make)
    if as_json:
        say(json.dumps({**_plain(made), "secret": made.secret}))
        return
    say(f"{made.name}: {_account(made)}\n\n    {made.secret}\n")
    say("It is shown this once. Set it as MOORING_TOKEN for commands and notebooks, or use connect(token=…).")


def list_tokens(place: Place, user: str | None, *, as_json: bool) -> None:
    """Print the tokens of a user, or of everybody in a database.

    Raises:
        Failure: there is no such place, or a server refused.
    """
    if place.server:
        with connected(place.server, ca=place.ca) as client:
            found = list(client.tokens(_user_name(user)))
    else:
        found = _stored(place.database, None if user is None else user.removeprefix("users/"))
    if as_json:
        say(json.dumps({"tokens": [_plain(token) for token in found]}))
        return
    for token in found:
        say(f"{token.name}: {_account(token)}")
    if not found:
        say("There are no tokens.")


def revoke(place: Place, user: str, token: str, *, as_json: bool) -> None:
    """End a token and print it.

    Raises:
        Failure: there is no such place, or a server refused.
        MooringError: there is no such token.
    """
    name = f"{_user_name(user)}/tokens/{token.rpartition('/tokens/')[2]}"
    if place.server:
        with connected(place.server, ca=place.ca) as client:
            ended = client.revoke_token(name)
    else:
        user_id, token_id = Kind.TOKEN.ids(name, "token")
        ended = _written(place.database, lambda tx, _: pack_token(tokens.revoke(tx, user_id, token_id)))
    if as_json:
        say(json.dumps(_plain(ended)))
    else:
        say(f"{ended.name}: {_account(ended)}")


def _user_name(user: str | None) -> str:
    return Kind.USER.of((user or "me").removeprefix("users/"))


def _written(database: str | None, work: Callable[[Tx, Settings], T]) -> T:
    """Works in one transaction, beside a server that may be running."""

    async def write(store: Store, settings: Settings) -> T:
        return await store.write(lambda tx: work(tx, settings))

    return _opened(database, write)


def _stored(database: str | None, user_id: str | None) -> list[tokens_pb2.Token]:
    async def read(store: Store, _: Settings) -> list[tokens_pb2.Token]:
        found: list[tokens_pb2.Token] = []
        after: tuple[Any, ...] | None = None
        while True:
            page = await store.read(partial(_page, user_id, after), long=True)
            found += map(pack_token, page.items)
            if (after := page.next_key) is None:
                return found

    return _opened(database, read)


def _page(user_id: str | None, after_key: tuple[Any, ...] | None, tx: Tx) -> Page[Token]:
    return tx.tokens.page(user_id, after_key, limit=_PAGE_SIZE)


def _opened(database: str | None, work: Callable[[Store, Settings], Coroutine[Any, Any, T]]) -> T:
    settings = read_settings(database=database)
    logs.configure(settings, quiet=True)
    url = database_url(settings)
    file = sqlite_path(url)
    if file is not None and not file.exists():
        raise Failure(f"there is no database at {file}; `mooring migrate` makes it, --database names another")

    async def run() -> T:
        store = open_store(url, settings=settings)
        try:
            return await work(store, settings)
        finally:
            await store.close()

    with reaching(url):
        if pending_migrations(url, settings):
            raise Failure(f"the database {public_url(url)} has an older schema: run `mooring migrate` first")
        return asyncio.run(run())


def _account(token: tokens_pb2.Token) -> str:
    """What there is to know of a token, on one line."""
    scope = _scope(token)
    if token.HasField("revoke_time"):
        state = f"revoked {_shown(token.revoke_time)}"
    else:
        ended = token.expire_time.ToDatetime(UTC) <= datetime.now(UTC)
        state = f"{'expired' if ended else 'until'} {_shown(token.expire_time)}"
    used = f"last used {_shown(token.use_time)}" if token.HasField("use_time") else "never used"
    return ", ".join((f"{token.display_name!r}", scope, state, used))


def _plain(token: tokens_pb2.Token) -> dict[str, Any]:
    """A token as plain JSON values, without its secret."""
    set_times = {field.name: time.ToJsonString() for field, time in token.ListFields() if field.message_type}
    return {
        "name": token.name,
        "display_name": token.display_name,
        "scope": _scope(token),
        **{name: set_times.get(name) for name in ("expire_time", "create_time", "revoke_time", "use_time")},
    }


def _scope(token: tokens_pb2.Token) -> str:
    return tokens_pb2.TokenScope.Name(token.scope).removeprefix("TOKEN_SCOPE_").lower()


def _shown(time: Timestamp) -> str:
    return f"{time.ToDatetime(UTC):%Y-%m-%d %H:%M} UTC"
