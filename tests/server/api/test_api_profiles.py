"""Users: whom one may read, and what they may change of themselves."""

import grpc
import pytest
from mooring.v1 import users_pb2
from support_engagements import (
    add,
    archive,
    default_engagement,
    get_user,
    me,
    new_request_id,
    remove,
    update_user,
)
from support_server import new_engagement, refused

Code = grpc.StatusCode


@pytest.fixture
def root(server, name):
    """An admin."""
    return server.user(f"root-{name}", scope="admin")


def test_who_shares_an_engagement_is_known(ann, bob):
    """Of them no more is told than who they are; of oneself everything."""
    theirs, own = me(bob), me(ann)
    engagement = new_engagement(ann)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        get_user(ann, theirs.name)
    add(ann, engagement.name, bob)
    assert get_user(ann, theirs.name) == users_pb2.User(
        name=theirs.name, display_name=theirs.display_name, email=theirs.email
    )
    assert get_user(bob, own.name).display_name == own.display_name
    assert get_user(ann, own.name) == get_user(ann, "users/me") == me(ann)


def test_absent_users_and_strangers_are_one(ann, bob, root):
    """Nobody can find out who is here; an admin may know."""
    messages = set()
    for name in (me(bob).name, "users/nobody"):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED") as failure:
            get_user(ann, name)
        messages.add(failure.message.replace(name, "NAME"))
    assert len(messages) == 1
    with refused(Code.NOT_FOUND, "USER_NOT_FOUND"):
        get_user(root, "users/nobody")
    assert get_user(root, me(bob).name) == me(bob)


def test_a_profile_is_updated(ann):
    """Etag and time move with the fields, and what the mask leaves out stays."""
    before = me(ann)
    after = update_user(ann, ["display_name"], display_name="Ann Bell", email="no@example.com")
    assert (after.display_name, after.email) == ("Ann Bell", before.email)
    assert after.etag != before.etag
    assert after.create_time == before.create_time
    assert me(ann) == after


def test_an_empty_mask_takes_what_is_set(ann):
    """What is output-only is ignored, so an answer can be sent back; nothing set is nothing changed."""
    before = me(ann)
    after = update_user(ann, email="ann@contoso.example", create_time={"seconds": 1})
    assert (after.email, after.display_name) == ("ann@contoso.example", before.display_name)
    assert after.create_time == before.create_time
    assert update_user(ann) == after
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        update_user(ann, etag=before.etag)


def test_a_star_takes_everything(ann):
    """Also what is empty: an email and a default engagement can be taken back so."""
    new_engagement(ann)
    after = update_user(ann, ["*"], display_name="Ann")
    assert (after.display_name, after.email, after.default_engagement) == ("Ann", "", "")
    assert me(ann) == after


@pytest.mark.parametrize("path", ["name", "etag", "create_time", "update_time", "subject", "nothing", ""])
def test_a_mask_names_what_can_change(ann, path):
    """Anything else is refused by name, and changes nothing."""
    before = me(ann)
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        update_user(ann, ["display_name", path], display_name="Ann Bell")
    assert failure.fields == ["update_mask"]
    assert me(ann) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", ""),
        ("display_name", "a\nb"),
        ("email", "ann"),
        ("email", "ann@bell@example.com"),
        ("email", "@example.com"),
        ("email", "ann bell@example.com"),
        ("email", "a" * 243 + "@example.com"),
        ("default_engagement", "contoso"),
        ("default_engagement", "engagements/-"),
    ],
)
def test_a_wrong_field_is_refused(ann, field, value):
    """It is named."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        update_user(ann, [field], **{field: value})
    assert failure.fields == [f"user.{field}"]


def test_a_profile_is_ones_own(ann, bob, root):
    """Others cannot change it, known or not; an admin can."""
    add(ann, new_engagement(ann).name, bob)
    for name in (me(ann).name, "users/nobody"):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            update_user(bob, name=name, display_name="Mallory")
    assert update_user(root, name=me(ann).name, display_name="Ann Bell") == me(ann)
    with refused(Code.NOT_FOUND, "USER_NOT_FOUND"):
        update_user(root, name="users/nobody", display_name="Nobody")


def test_a_default_engagement_is_one_of_ones_own(ann, bob):
    """A foreign one gives the same answer as an absent one, also in its words; an archived one is refused."""
    mine, foreign = new_engagement(ann), new_engagement(bob)
    other = new_engagement(ann, "Other")
    messages = set()
    for name in (foreign.name, "engagements/absent"):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED") as failure:
            update_user(ann, default_engagement=name)
        messages.add(failure.message.replace(name, "NAME"))
    assert len(messages) == 1
    assert update_user(ann, default_engagement=other.name).default_engagement == other.name
    assert default_engagement(ann).name == other.name
    archive(ann, mine.name)
    with refused(Code.FAILED_PRECONDITION, "ENGAGEMENT_ARCHIVED"):
        update_user(ann, default_engagement=mine.name)
    archive(ann, other.name)
    assert update_user(ann, ["*"], display_name="Ann", default_engagement=other.name).display_name == "Ann"


def test_a_default_engagement_does_not_outlive_the_membership(ann, bob):
    """Who was taken out has none, and is not told of it; nor do they keep one that slipped in."""
    engagement = new_engagement(ann)
    member = add(ann, engagement.name, bob)
    update_user(bob, default_engagement=engagement.name)
    remove(ann, member.name)
    assert me(bob).default_engagement == ""
    with refused(Code.FAILED_PRECONDITION, "NO_DEFAULT_ENGAGEMENT") as failure:
        default_engagement(bob)
    assert "engagements/" not in failure.message


def test_a_stale_default_engagement_is_none(server, ann, bob):
    """A row that names a foreign engagement, as a race may leave it, opens nothing."""
    engagement_id = new_engagement(ann).name.partition("/")[2]
    user_id = me(bob).name.partition("/")[2]
    server.write(lambda tx: tx.users.set_default_engagement(user_id, engagement_id))
    with refused(Code.FAILED_PRECONDITION, "NO_DEFAULT_ENGAGEMENT"):
        default_engagement(bob)
    with refused(Code.FAILED_PRECONDITION, "NO_DEFAULT_ENGAGEMENT"):
        bob.users.OpenContext(users_pb2.OpenContextRequest(parent="users/me"))


def test_a_preview_changes_nothing(ann):
    """Its answer is what would be there."""
    before = me(ann)
    preview = update_user(ann, display_name="Ann Bell", validate_only=True)
    assert preview.display_name == "Ann Bell"
    assert me(ann) == before


def test_an_update_is_repeatable(ann):
    """A retry under its request id has no second effect, though its etag is stale by then."""
    request_id, etag = new_request_id(), me(ann).etag
    first = update_user(ann, display_name="Ann Bell", etag=etag, request_id=request_id)
    update_user(ann, display_name="Somebody else")
    assert update_user(ann, display_name="Ann Bell", etag=etag, request_id=request_id) == first
    assert me(ann).display_name == "Somebody else"
