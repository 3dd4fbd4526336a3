"""API tokens through a real socket: made, shown once, used, ended."""

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import grpc
import pytest
from mooring.v1 import engagements_pb2, tokens_pb2, users_pb2, watch_pb2
from mooring_server.core import tokens
from mooring_server.settings import Auth, Settings
from mooring_server.store.records import TokenScope
from support_server import create, new_engagement, refused, serving
from support_waiting import until

Code = grpc.StatusCode
READ, WRITE, ADMIN = tokens_pb2.TOKEN_SCOPE_READ, tokens_pb2.TOKEN_SCOPE_WRITE, tokens_pb2.TOKEN_SCOPE_ADMIN


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(folder):
    """A server that asks for API tokens, with a real SQLite file."""
    settings = Settings(
        database=f"sqlite:///{folder}/mooring.db",
        port=0,
        stop_grace_s=1,
        auth=Auth.TOKEN,
        tokens_per_user_max=8,
    )
    with serving(settings) as running:
        yield running


@pytest.fixture
def issue(server):
    """Makes tokens as the operator does; a namespace of id, name, secret, and stubs that call with it."""

    def issued(user_id, scope=TokenScope.WRITE, life_s=3_600.0):
        secret = tokens.new_secret()

        def write(tx):
            tokens.bearer(tx, user_id, user_id.title())
            expire_time = tx.now + timedelta(seconds=life_s)
            return tx.tokens.insert(
                user_id, f"t-{uuid.uuid4().hex}", tokens.hash_of(secret), "Operator's", scope, expire_time
            )

        token = server.write(write)
        name = f"users/{user_id}/tokens/{token.id}"
        return SimpleNamespace(id=token.id, name=name, secret=secret, caller=server.bearer(secret))

    return issued


@pytest.fixture
def name():
    """A user's id that no other test has."""
    return f"ann-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def ann(issue, name):
    """A user with a token of scope WRITE."""
    return issue(name).caller


@pytest.fixture
def bob(issue, name):
    """Another one."""
    return issue(f"bob-{name}").caller


def me(caller):
    return caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())


def make(caller, parent="users/me", display_name="Laptop", *, scope=0, life=None, **fields):
    token = tokens_pb2.Token(display_name=display_name, scope=scope)
    if life is not None:
        token.expire_time.FromDatetime(datetime.now(UTC) + life)
    return caller.users.CreateToken(tokens_pb2.CreateTokenRequest(parent=parent, token=token, **fields))


def get(caller, name):
    return caller.users.GetToken(tokens_pb2.GetTokenRequest(name=name))


def listed(caller, parent="users/me", **fields):
    return caller.users.ListTokens(tokens_pb2.ListTokensRequest(parent=parent, **fields))


def revoke(caller, name, **fields):
    return caller.users.RevokeToken(tokens_pb2.RevokeTokenRequest(name=name, **fields)).token


def test_a_token_stands_for_its_user(server, ann, name):
    """Its secret is in the answer of the call that made it, works at once, and is shown nowhere else."""
    made = make(ann)

    assert made.name.startswith(f"users/{name}/tokens/")
    assert (made.display_name, made.scope) == ("Laptop", WRITE)
    assert made.expire_time.ToDatetime(UTC) > datetime.now(UTC)
    shown = tokens_pb2.Token()
    shown.CopyFrom(made)
    shown.ClearField("secret")
    assert get(ann, made.name) == shown
    assert listed(ann).tokens[0] == shown
    assert me(server.bearer(made.secret)).name == f"users/{name}"
    assert revoke(ann, made.name).secret == ""


def test_what_is_the_servers_to_set_is_not_the_callers(ann):
    """A request that names a secret, a use or a time of making does not get them."""
    token = tokens_pb2.Token(name="users/x/tokens/y", display_name="A", secret=tokens.new_secret())
    for time in (token.create_time, token.revoke_time, token.use_time):
        time.FromJsonString("2001-01-01T00:00:00Z")
    made = ann.users.CreateToken(tokens_pb2.CreateTokenRequest(parent="users/me", token=token))

    assert made.secret != token.secret
    assert made.name != token.name
    assert made.create_time != token.create_time
    assert not made.HasField("revoke_time")
    assert not made.HasField("use_time")


def test_a_revoked_token_is_refused_at_once(server, ann):
    """The call after the revocation's answer is refused; a second revocation answers the same."""
    made = make(ann)
    me(server.bearer(made.secret))
    ended = revoke(ann, made.name)

    with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED"):
        me(server.bearer(made.secret))
    assert ended.HasField("revoke_time")
    assert revoke(ann, made.name) == ended


def test_a_token_can_end_itself(server, ann):
    """Whoever finds a token can take it out of the world; the answer still comes."""
    made = make(ann)
    own = server.bearer(made.secret)

    assert revoke(own, made.name).HasField("revoke_time")
    with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED"):
        me(own)


def test_who_is_refused_learns_nothing_of_others_tokens(server, ann, issue, name):
    """Revoked, expired and unknown tokens get one answer, word for word; none holds what was sent."""
    revoked = make(ann)
    revoke(ann, revoked.name)
    messages = set()
    for secret in (revoked.secret, issue(name, life_s=-1).secret, tokens.new_secret()):
        with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED") as failure:
            me(server.bearer(secret))
        assert secret not in failure.message
        messages.add(failure.message)

    assert len(messages) == 1


@pytest.mark.parametrize("sent", [(), (("authorization", ""),)])
def test_nobody_is_told_what_to_send(server, sent):
    """A call without a token is refused, and the answer says where one comes from and goes."""
    call = server.channel.unary_unary("/mooring.v1.UserService/GetCurrentUser")
    with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED") as failure:
        call(b"", timeout=30, metadata=sent)
    assert "an API token is needed" in failure.message


@pytest.mark.parametrize("sent", ["Bearer", "Bearer mrg_short", "Basic dXNlcjpwYXNz", "Bearer ' OR 1=1 --"])
def test_what_is_no_token_is_refused_with_a_hint(server, sent):
    """Whoever sends something else is told how a token begins; what they sent is not repeated."""
    call = server.channel.unary_unary("/mooring.v1.UserService/GetCurrentUser")
    with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED") as failure:
        call(b"", timeout=30, metadata=(("authorization", sent),))
    assert "begins with mrg_" in failure.message
    assert "short" not in failure.message
    assert "dXNl" not in failure.message


def test_the_scheme_is_read_as_http_reads_it(server, ann):
    """`bearer` is `Bearer`."""
    made = make(ann)
    call = server.channel.unary_unary("/mooring.v1.UserService/GetCurrentUser")

    assert call(b"", timeout=30, metadata=(("authorization", f"bearer  {made.secret}"),))


def test_a_token_for_reading_changes_nothing(server, ann):
    """With scope READ every read is answered and every change refused, that of making a token too."""
    engagement = new_engagement(ann)
    reader = server.bearer(make(ann, scope=READ).secret)

    request = engagements_pb2.GetEngagementRequest(name=engagement.name)
    assert reader.engagements.GetEngagement(request) == ann.engagements.GetEngagement(request)
    for change in (
        lambda: make(reader, scope=READ),
        lambda: new_engagement(reader),
        lambda: reader.sessions.CreateSession(create(engagement.name, "A")),
    ):
        with refused(Code.PERMISSION_DENIED, "SCOPE_TOO_NARROW"):
            change()


def test_nobody_gets_more_than_they_have(server, ann, issue, name):
    """Neither a wider scope nor a longer life than those of the token in use; its own end is the default."""
    with refused(Code.PERMISSION_DENIED, "SCOPE_TOO_NARROW"):
        make(ann, scope=ADMIN)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        make(ann, life=timedelta(hours=2))
    own = issue(f"{name}-2")
    assert make(own.caller).expire_time == get(own.caller, own.name).expire_time


def test_an_admin_cares_for_everybodys(server, ann, issue, name):
    """With scope ADMIN tokens of any user can be made, also ADMIN ones, listed and revoked."""
    admin = issue(f"root-{name}", TokenScope.ADMIN).caller
    made = make(admin, f"users/{name}", scope=ADMIN)

    assert me(server.bearer(made.secret)).name == f"users/{name}"
    assert made.name in {token.name for token in listed(admin, f"users/{name}").tokens}
    revoke(admin, made.name)
    with refused(Code.UNAUTHENTICATED, "UNAUTHENTICATED"):
        me(server.bearer(made.secret))
    with refused(Code.NOT_FOUND, "USER_NOT_FOUND"):
        make(admin, "users/nobody")


def test_others_tokens_are_nobodys_business(ann, bob, name):
    """A foreign user's tokens can be neither made, seen nor ended, whether they exist or not."""
    made = make(ann)
    for refused_call in (
        lambda: make(bob, f"users/{name}"),
        lambda: get(bob, made.name),
        lambda: get(bob, f"users/{name}/tokens/none"),
        lambda: listed(bob, f"users/{name}"),
        lambda: revoke(bob, made.name),
        lambda: make(bob, "users/nobody"),
    ):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            refused_call()


def test_an_unknown_token_is_not_found(ann):
    """One's own tokens may be asked for by any id."""
    for call in (get, revoke):
        with refused(Code.NOT_FOUND, "TOKEN_NOT_FOUND"):
            call(ann, "users/me/tokens/none")


def test_wrong_fields_are_named(ann):
    """Every wrong field of a request is told in one answer, an unknown scope and impossible times too."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        make(ann, display_name=" ", token_id="Not An Id")
    assert set(failure.fields) == {"token.display_name", "token_id"}
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        make(ann, scope=99)
    assert failure.fields == ["token.scope"]
    for seconds in (-(10**15), 10**15, 0):
        request = tokens_pb2.CreateTokenRequest(parent="users/me", token=tokens_pb2.Token(display_name="A"))
        request.token.expire_time.seconds = seconds
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
            ann.users.CreateToken(request)
        assert failure.fields == ["token.expire_time"]


def test_an_id_of_ones_own(ann, name):
    """The caller may choose the id, once."""
    assert make(ann, token_id="laptop").name == f"users/{name}/tokens/laptop"
    with refused(Code.ALREADY_EXISTS, "ID_TAKEN"):
        make(ann, token_id="laptop")


def test_a_retry_brings_the_secret_again(server, ann, bob):
    """Under one request id the same bytes come, and one token is made; another user's answer it is not."""
    request_id = str(uuid.uuid4())
    first = make(ann, request_id=request_id)

    assert make(ann, request_id=request_id) == first
    assert [token.name for token in listed(ann).tokens].count(first.name) == 1
    assert make(bob, request_id=request_id).secret != first.secret
    with refused(Code.INVALID_ARGUMENT, "REQUEST_ID_REUSED"):
        make(ann, display_name="Another", request_id=request_id)


def test_a_preview_has_no_secret_and_leaves_nothing(ann):
    """validate_only answers what would be made and what would be ended, and does neither."""
    before = len(listed(ann).tokens)
    preview = make(ann, token_id="laptop", validate_only=True)

    assert (preview.secret, preview.display_name) == ("", "Laptop")
    assert len(listed(ann).tokens) == before
    made = make(ann, token_id="laptop")
    assert revoke(ann, made.name, validate_only=True).HasField("revoke_time")
    assert not get(ann, made.name).HasField("revoke_time")


def test_lists_go_from_the_newest(ann):
    """Pages hold each token once, the newest first, ended ones included."""
    names = [make(ann, "users/me", str(number)).name for number in range(4)]
    revoke(ann, names[0])
    first = listed(ann, page_size=3)
    rest = listed(ann, page_size=3, page_token=first.next_page_token)

    assert [token.name for token in first.tokens] == names[:0:-1]
    assert rest.tokens[0].name == names[0]
    assert (len(rest.tokens), rest.next_page_token) == (2, "")
    with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
        listed(ann, page_token=first.next_page_token + "x")


def test_a_user_has_only_so_many(ann):
    """Past the limit one must be revoked first."""
    made = [make(ann) for _ in range(7)]  # and the one in use
    with refused(Code.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"):
        make(ann)
    revoke(ann, made[0].name)
    make(ann)


def test_the_users_stream_tells_of_tokens(ann, name):
    """A watch of `users/me` hears of a token that is made and of one that is revoked."""
    watch = ann.watch.Watch(watch_pb2.WatchRequest(streams=["users/me"]))
    next(watch)
    made = make(ann)
    revoke(ann, made.name)
    seen = []
    while len(seen) < 2:
        seen += [(change.kind, change.resource) for change in next(watch).changes]
    watch.cancel()

    assert seen == [
        (watch_pb2.CHANGE_KIND_CREATED, made.name),
        (watch_pb2.CHANGE_KIND_REVOKED, made.name),
    ]


def test_the_last_use_is_kept_to_the_hour(server, ann):
    """A used token says so soon, in whole hours."""
    made = make(ann)
    assert not get(ann, made.name).HasField("use_time")
    me(server.bearer(made.secret))

    until(lambda: get(ann, made.name).HasField("use_time"), "the use is written")
    used = get(ann, made.name).use_time.ToDatetime(UTC)
    assert (used.minute, used.second, used.microsecond) == (0, 0, 0)
    assert timedelta(0) <= datetime.now(UTC) - used < timedelta(hours=2)


def test_no_secret_is_in_the_database(server, ann, folder):
    """Neither the database nor its log holds a secret, though a stored answer brings it again."""
    request_id = str(uuid.uuid4())
    made = make(ann, request_id=request_id)
    me(server.bearer(made.secret))
    files = sorted(folder.glob("mooring.db*"))
    stored = b"".join(file.read_bytes() for file in files)

    assert folder / "mooring.db-wal" in files
    assert made.name.rpartition("/")[2].encode() in stored
    assert tokens.hash_of(made.secret).encode() in stored
    assert made.secret.encode() not in stored
    assert made.secret[4:40].encode() not in stored
    assert make(ann, request_id=request_id).secret == made.secret


def test_the_demo_user_has_tokens_too(tmp_path):
    """Without authentication tokens up to WRITE can be made, and hold once the server asks for them."""
    settings = Settings(database=f"sqlite:///{tmp_path}/m.db", port=0, stop_grace_s=1)
    with serving(settings) as open_server:
        caller = open_server.bearer("anything")
        with refused(Code.PERMISSION_DENIED, "SCOPE_TOO_NARROW"):
            make(caller, scope=ADMIN)
        made = make(caller, life=timedelta(days=300))
    with serving(settings.model_copy(update={"auth": Auth.TOKEN})) as closed:
        user = me(closed.bearer(made.secret))
        assert (user.name, user.default_engagement) == ("users/demo", "engagements/demo")
