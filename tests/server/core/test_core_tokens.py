import re
import string
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mooring_server.core import identities, tokens
from mooring_server.core.policy import Caller, default_engagement_id
from mooring_server.errors import InvalidArgument, PermissionDenied, ResourceExhausted, Unauthenticated
from mooring_server.settings import Settings
from mooring_server.store.records import TokenScope
from support_store import START, USER, Database, begin

DAY = timedelta(days=1)
READ, WRITE, ADMIN = TokenScope.READ, TokenScope.WRITE, TokenScope.ADMIN
LETTERS = string.digits + string.ascii_letters


@pytest.fixture
def store(tmp_path):
    """A database with a user, and a clock of the test's own."""
    with Database(f"sqlite:///{tmp_path}/m.db") as opened:
        opened.write(begin)
        yield opened


def make(store, caller=None, settings=None, **fields):
    draft = tokens.Draft(**{"id": "", "display_name": "Laptop", **fields})
    caller = caller or Caller(USER)
    return store.write(lambda tx: tokens.create(tx, caller, USER, draft, settings or Settings()))


def test_a_secret_can_be_told_from_other_texts():
    """It has its prefix, 256 random bits and a checksum, and needs no quoting anywhere."""
    secret = tokens.new_secret()

    assert re.fullmatch(r"mrg_[0-9A-Za-z]{49}", secret)
    assert 62**43 > 2**256
    assert tokens.is_secret(secret)
    assert tokens.new_secret() != secret


def test_the_format_stays():
    """What was handed out once is recognised by every later version."""
    assert tokens.is_secret("mrg_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0")


@given(st.integers(0, 52), st.sampled_from(LETTERS))
def test_a_mistyped_secret_is_no_secret(place, letter):
    """Any one character changed is noticed without a look at the database, and so is a missing end."""
    secret = tokens.new_secret()
    changed = secret[:place] + letter + secret[place + 1 :]

    assert tokens.is_secret(changed) is (changed == secret)
    assert not tokens.is_secret(secret[:place])


def test_only_a_hash_is_kept(store):
    """The record has no secret; the hash finds it."""
    token, secret = make(store)

    assert secret not in repr(token)
    assert store.read(lambda tx: tx.tokens.by_hash(tokens.hash_of(secret))) == token


@pytest.mark.parametrize(
    ("own", "wanted", "allowed"),
    [
        (WRITE, READ, True),
        (WRITE, WRITE, True),
        (WRITE, ADMIN, False),
        (ADMIN, ADMIN, True),
        (READ, WRITE, False),
    ],
)
def test_a_scope_is_never_widened(store, own, wanted, allowed):
    """A token allows at most what the one that it is made with allows; ADMIN comes from ADMIN alone."""
    if allowed:
        assert make(store, Caller(USER, own), scope=wanted)[0].scope is wanted
    else:
        with pytest.raises(PermissionDenied) as refused:
            make(store, Caller(USER, own), scope=wanted)
        assert refused.value.reason == "SCOPE_TOO_NARROW"


def test_a_life_is_never_prolonged(store):
    """A token ends no later than the one that it is made with; without a wish it ends when that does."""
    own, _ = make(store, expire_time=START + 10 * DAY)
    caller = Caller(USER, WRITE, own)

    assert make(store, caller)[0].expire_time == own.expire_time
    assert make(store, caller, expire_time=own.expire_time)[0].expire_time == own.expire_time
    with pytest.raises(PermissionDenied):
        make(store, caller, expire_time=own.expire_time + timedelta(microseconds=1))


def test_a_token_that_has_ended_makes_no_other(store):
    """A server that has not noticed yet that a token ended hands out no new one for it."""
    revoked, _ = make(store)
    expired, _ = make(store, expire_time=START + DAY)
    store.write(lambda tx: tokens.revoke(tx, USER, revoked.id))
    store.clock.advance(DAY.total_seconds())

    for own in (revoked, expired):
        with pytest.raises(Unauthenticated):
            make(store, Caller(USER, WRITE, own))


def test_a_life_has_bounds(store):
    """90 days unless said otherwise, at most a year, and never over before it begins."""
    assert make(store)[0].expire_time == START + 90 * DAY
    assert make(store, expire_time=START + 366 * DAY)[0].expire_time == START + 366 * DAY
    for wrong in (START, START - DAY, START + 366 * DAY + timedelta(microseconds=1)):
        with pytest.raises(InvalidArgument) as refused:
            make(store, expire_time=wrong)
        assert refused.value.violations[0].field == "token.expire_time"


def test_a_user_has_only_so_many(store):
    """Past the setting one must end first; revoked and expired ones make room."""
    settings = Settings(tokens_per_user_max=2)
    make(store, settings=settings, expire_time=START + DAY)
    other, _ = make(store, settings=settings)
    with pytest.raises(ResourceExhausted):
        make(store, settings=settings)
    store.write(lambda tx: tokens.revoke(tx, USER, other.id))
    make(store, settings=settings)
    with pytest.raises(ResourceExhausted):
        make(store, settings=settings)
    store.clock.advance(DAY.total_seconds())
    make(store, settings=settings)


def test_revoking_again_is_no_mistake(store):
    """The first revocation's time stays."""
    made, _ = make(store)
    first = store.write(lambda tx: tokens.revoke(tx, USER, made.id))
    store.clock.advance(1)

    assert store.write(lambda tx: tokens.revoke(tx, USER, made.id)) == first


def test_the_operator_names_users(store):
    """A new user is made under the id that was asked for, with a subject that is no identity provider's."""
    user = store.write(lambda tx: tokens.bearer(tx, "ann", "Ann"))

    assert (user.id, user.subject, user.display_name) == ("ann", "token:ann", "Ann")
    again = store.write(lambda tx: tokens.bearer(tx, "ann", "Somebody else"))
    assert (again.id, again.display_name) == ("ann", "Ann")
    for wrong in ("me", "system", "demo", "Ann", "a b", ""):
        with pytest.raises(InvalidArgument):
            store.write(lambda tx, wrong=wrong: tokens.bearer(tx, wrong, ""))


def test_nobody_keeps_the_demo_user_out(store):
    """Where somebody else's engagement has the demo engagement's id, that one gets another."""
    store.write(lambda tx: begin(tx, identities.DEMO_ID))
    caller = store.write(lambda tx: identities.sign_in(tx, identities.DEMO))
    home = store.read(lambda tx: default_engagement_id(tx, caller))

    assert home != identities.DEMO_ID


def test_the_demo_user_may_have_tokens(store):
    """Once `auth none` has made them: made by a token command they could not be signed in that way again."""
    store.write(lambda tx: identities.sign_in(tx, identities.DEMO))

    assert store.write(lambda tx: tokens.bearer(tx, identities.DEMO_ID, "")).subject == "demo"
