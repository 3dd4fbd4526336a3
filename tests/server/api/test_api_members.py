"""Members: who may do what, and who may say so."""

import grpc
import pytest
from mooring.v1 import engagements_pb2, watch_pb2
from support_engagements import (
    ANALYST,
    MANAGER,
    VIEWER,
    add,
    default_engagement,
    get_engagement,
    get_member,
    list_members,
    me,
    new_request_id,
    remove,
    set_role,
    switch_engagement,
    update_engagement,
    update_user,
)
from support_server import create, new_engagement, refused

Code = grpc.StatusCode


@pytest.fixture
def engagement(ann):
    """One that ann manages."""
    return new_engagement(ann)


def test_a_member_is_added(ann, bob, engagement):
    """They may do what their role says, at once."""
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        get_engagement(bob, engagement.name)
    user = me(bob)
    made = add(ann, engagement.name, bob, VIEWER)
    assert made.name == f"{engagement.name}/members/{user.name.removeprefix('users/')}"
    assert (made.user, made.display_name, made.role) == (user.name, user.display_name, VIEWER)
    assert made.create_time == made.update_time
    assert get_member(ann, made.name) == get_member(bob, f"{engagement.name}/members/me") == made
    assert get_engagement(bob, engagement.name).name == engagement.name
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        bob.sessions.CreateSession(create(engagement.name, "Wave 1"))


def test_a_members_own_fields_are_the_servers(ann, bob, engagement):
    """What a request says of names and times is not looked at."""
    added = add(ann, engagement.name, bob)
    made = engagements_pb2.Member()
    made.CopyFrom(added)
    made.role, made.display_name, made.user = ANALYST, "Mallory", "users/mallory"
    changed = ann.engagements.UpdateMember(engagements_pb2.UpdateMemberRequest(member=made))
    assert changed.role == ANALYST
    assert (changed.user, changed.display_name, changed.create_time) == (
        added.user,
        added.display_name,
        added.create_time,
    )


@pytest.mark.parametrize(
    ("member_id", "role", "field"),
    [
        ("", VIEWER, "member_id"),
        ("Ann", VIEWER, "member_id"),
        ("ann", 0, "member.role"),
        ("ann", 9, "member.role"),
    ],
)
def test_a_wrong_member_is_refused(ann, engagement, member_id, role, field):
    """The field is named."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        add(ann, engagement.name, member_id, role)
    assert failure.fields == [field]


def test_who_is_not_there_cannot_be_added(ann, bob, engagement):
    """Nor can who is a member already, whatever the role."""
    with refused(Code.NOT_FOUND, "USER_NOT_FOUND"):
        add(ann, engagement.name, "nobody")
    add(ann, engagement.name, bob)
    with refused(Code.ALREADY_EXISTS, "MEMBER_EXISTS"):
        add(ann, engagement.name, bob, MANAGER)
    assert get_member(bob, f"{engagement.name}/members/me").role == VIEWER


def test_a_role_is_changed(ann, bob, engagement):
    """What it allows, and what it allows no more, follows at once; the same role moves nothing."""
    made = add(ann, engagement.name, bob, MANAGER)
    assert update_engagement(bob, engagement.name, description="Mine").description == "Mine"
    changed = set_role(ann, made.name, VIEWER, etag=made.etag, mask=["role"])
    assert (changed.role, changed.create_time, changed.etag != made.etag) == (VIEWER, made.create_time, True)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        update_engagement(bob, engagement.name, description="Still mine")
    revision = get_engagement(ann, engagement.name).revision
    assert set_role(ann, made.name, VIEWER).etag == changed.etag
    assert get_engagement(ann, engagement.name).revision == revision


def test_a_change_of_a_role_is_checked(ann, bob, engagement):
    """A stale etag, no role, an unknown one, a mask that names what cannot change, who is no member."""
    made = add(ann, engagement.name, bob)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        set_role(ann, made.name, ANALYST, etag="99")
    for role in (0, 9):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
            set_role(ann, made.name, role)
        assert failure.fields == ["member.role"]
    for path in ("user", "display_name", "last_activity_time"):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
            set_role(ann, made.name, ANALYST, mask=[path])
        assert failure.fields == ["update_mask"]
    for name in ("nobody", "bob"):
        with refused(Code.NOT_FOUND, "MEMBER_NOT_FOUND"):
            set_role(ann, f"{engagement.name}/members/{name}", ANALYST)
    assert set_role(ann, made.name, ANALYST, mask=["*"], validate_only=True).role == ANALYST
    assert get_member(bob, made.name) == made


def test_only_managers_choose_members(ann, bob, engagement):
    """Others can leave, and nothing else; strangers cannot see who is there."""
    ann_there = f"{engagement.name}/members/{me(ann).name.removeprefix('users/')}"
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        list_members(bob, engagement.name)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        get_member(bob, ann_there)
    made = add(ann, engagement.name, bob, ANALYST)
    for forbidden in (
        lambda: add(bob, engagement.name, "nobody"),
        lambda: set_role(bob, made.name, MANAGER),
        lambda: set_role(bob, ann_there, VIEWER),
        lambda: remove(bob, ann_there),
    ):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            forbidden()
    assert remove(bob, f"{engagement.name}/members/me") == made
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        get_engagement(bob, engagement.name)


def test_the_last_manager_cannot_leave(ann, bob, engagement):
    """Nor become less, before somebody else manages."""
    mine, theirs = f"{engagement.name}/members/me", add(ann, engagement.name, bob, ANALYST)
    for change in (lambda: remove(ann, mine), lambda: set_role(ann, mine, ANALYST)):
        with refused(Code.FAILED_PRECONDITION, "LAST_MANAGER"):
            change()
    assert set_role(ann, mine, MANAGER).role == MANAGER
    set_role(ann, theirs.name, MANAGER)
    assert remove(ann, mine).role == MANAGER
    with refused(Code.FAILED_PRECONDITION, "LAST_MANAGER"):
        remove(bob, theirs.name)


def test_managers_who_remove_each_other_leave_one(server, ann, name, engagement):
    """All at once: whoever is left manages the engagement."""
    others = [server.user(f"{name}-{number}") for number in range(4)]
    names = [add(ann, engagement.name, other, MANAGER).name for other in others]
    mine = f"{engagement.name}/members/me"
    calls = [
        caller.engagements.DeleteMember.future(engagements_pb2.DeleteMemberRequest(name=target))
        for caller, target in zip([*others, ann], [*names[1:], names[0], mine], strict=True)
    ]
    codes = {call.code() for call in calls}
    assert codes <= {Code.OK, Code.PERMISSION_DENIED, Code.FAILED_PRECONDITION}
    left = server.read(lambda tx: tx.members.page(engagement.name.partition("/")[2], None, 0, 10)).items
    assert MANAGER in [member.role for member in left]


def test_members_are_listed_by_user(server, ann, bob, name, engagement):
    """Page by page, to every member."""
    made = [add(ann, engagement.name, server.user(f"{name}-{number}")) for number in range(4)]
    made += [add(ann, engagement.name, bob), get_member(ann, f"{engagement.name}/members/me")]
    made.sort(key=lambda member: member.name)
    walked, token = [], ""
    while True:
        page = list_members(bob, engagement.name, page_size=4, page_token=token)
        walked += [member.name for member in page.members]
        if not (token := page.next_page_token):
            break
    assert walked == [member.name for member in made]
    assert [m.name for m in list_members(bob, engagement.name, skip=4).members] == walked[4:]
    with refused(Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
        first = list_members(bob, engagement.name, page_size=1)
        list_members(ann, engagement.name, page_token=first.next_page_token)


def test_the_last_activity_is_told(ann, bob, engagement):
    """What a member changed or switched here last; nothing while they only read."""
    made = add(ann, engagement.name, bob, ANALYST)
    get_engagement(bob, engagement.name)
    assert not get_member(ann, made.name).HasField("last_activity_time")
    session = bob.sessions.CreateSession(create(engagement.name, "Wave 1"))
    assert get_member(ann, made.name).last_activity_time == session.create_time
    context = switch_engagement(bob, engagement.name).context
    assert get_member(ann, made.name).last_activity_time == context.update_time


def test_the_users_own_stream_tells_of_their_membership(ann, bob, engagement):
    """Of its beginning, of another role and of its end: they could not hear of it on the engagement's."""
    user = me(bob).name
    watch = bob.watch.Watch(watch_pb2.WatchRequest(streams=[user]), timeout=30)
    next(watch)
    made = add(ann, engagement.name, bob)
    update_user(bob, default_engagement=engagement.name)
    set_role(ann, made.name, ANALYST)
    remove(ann, made.name)
    told = []
    while len(told) < 5:
        told += [(change.kind, change.resource) for change in next(watch).changes]
    watch.cancel()
    assert told[:3] == [
        (watch_pb2.CHANGE_KIND_CREATED, made.name),
        (watch_pb2.CHANGE_KIND_UPDATED, user),
        (watch_pb2.CHANGE_KIND_UPDATED, made.name),
    ]
    assert set(told[3:]) == {
        (watch_pb2.CHANGE_KIND_DELETED, made.name),
        (watch_pb2.CHANGE_KIND_UPDATED, user),
    }
    with refused(Code.FAILED_PRECONDITION, "NO_DEFAULT_ENGAGEMENT"):
        default_engagement(bob)


def test_previews_change_no_member(ann, bob, engagement):
    """Their answers are what would be there; what would be refused is."""
    before = get_engagement(ann, engagement.name)
    made = add(ann, engagement.name, bob, ANALYST, validate_only=True)
    assert made.role == ANALYST
    with refused(Code.NOT_FOUND, "MEMBER_NOT_FOUND"):
        get_member(ann, made.name)
    with refused(Code.FAILED_PRECONDITION, "LAST_MANAGER"):
        remove(ann, f"{engagement.name}/members/me", validate_only=True)
    assert get_engagement(ann, engagement.name) == before


def test_membership_is_repeatable(ann, bob, engagement):
    """A retry of each call under its request id gets the same answer and has no second effect."""
    ids = [new_request_id() for _ in range(3)]
    made = add(ann, engagement.name, bob, request_id=ids[0])
    assert add(ann, engagement.name, bob, request_id=ids[0]) == made
    changed = set_role(ann, made.name, ANALYST, etag=made.etag, request_id=ids[1])
    assert set_role(ann, made.name, ANALYST, etag=made.etag, request_id=ids[1]) == changed
    gone = remove(ann, made.name, etag=changed.etag, request_id=ids[2])
    assert remove(ann, made.name, etag=changed.etag, request_id=ids[2]) == gone == changed
    assert len(list_members(ann, engagement.name).members) == 1
