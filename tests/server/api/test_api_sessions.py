import uuid

import grpc
import pytest
from mooring.v1 import engagements_pb2, sessions_pb2, users_pb2
from mooring_server.store.records import Role
from support_server import create, new_engagement, refused
from support_sessions import delete, get, join, set_default, update

Code = grpc.StatusCode


@pytest.fixture
def engagement(ann):
    return new_engagement(ann)


def read_engagement(caller, name, view=0):
    return caller.engagements.GetEngagement(engagements_pb2.GetEngagementRequest(name=name, view=view))


def test_an_engagement_comes_with_its_default_session(ann, engagement):
    """Making one makes "Baseline", its default, in the same answer's terms; the maker manages it."""
    assert engagement.session_count == 1
    assert engagement.revision >= 1
    shown = read_engagement(ann, engagement.name, engagements_pb2.ENGAGEMENT_VIEW_WITH_SESSION)
    assert shown.session == get(ann, engagement.default_session)
    assert (shown.session.display_name, shown.session.is_default) == ("Baseline", True)
    shown.ClearField("session")
    assert shown == read_engagement(ann, engagement.name) == engagement
    default = ann.engagements.GetDefaultEngagement(engagements_pb2.GetDefaultEngagementRequest())
    assert default == engagement


def test_an_engagement_of_the_callers_own_id(ann, bob, name):
    """The id may be chosen, once; an odd one is refused and named."""
    made = new_engagement(ann, engagement_id=name)
    assert made.name == f"engagements/{name}"
    with refused(Code.ALREADY_EXISTS, "ID_TAKEN"):
        new_engagement(bob, engagement_id=name)
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        new_engagement(ann, "", engagement_id=name.upper())
    assert failure.fields == ["engagement_id", "engagement.display_name"]


def test_no_default_engagement_is_said(ann):
    """Without one, asking for it and creating in it are FAILED_PRECONDITION."""
    with refused(Code.FAILED_PRECONDITION, "NO_DEFAULT_ENGAGEMENT"):
        ann.engagements.GetDefaultEngagement(engagements_pb2.GetDefaultEngagementRequest())
    with refused(Code.FAILED_PRECONDITION, "NO_DEFAULT_ENGAGEMENT"):
        ann.sessions.CreateSession(create("", "A"))


def test_an_unknown_view_is_refused(ann, engagement):
    """A number that is no view is not taken for one."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        read_engagement(ann, engagement.name, 9)
    assert failure.fields == ["view"]


def test_a_session_is_made_as_asked(ann, engagement):
    """Fields that are the server's to set are not taken from the request."""
    me = ann.users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name
    wanted = sessions_pb2.Session(
        name="engagements/other/sessions/other",
        display_name="Wave 1",
        description="Lines\nof it",
        type=sessions_pb2.SESSION_TYPE_CLEANUP_OPERATION,
        is_default=True,
        creator="users/root",
        data_version="v",
        asset_count=7,
        etag="99",
    )
    made = ann.sessions.CreateSession(
        sessions_pb2.CreateSessionRequest(parent=engagement.name, session=wanted, session_id="wave-1")
    )
    assert made.name == f"{engagement.name}/sessions/wave-1"
    assert (made.display_name, made.description, made.type) == ("Wave 1", "Lines\nof it", wanted.type)
    assert (made.is_default, made.creator, made.data_version, made.asset_count) == (False, me, "", 0)
    assert made.etag == "1"
    assert made.create_time == made.update_time
    assert get(ann, made.name) == made


def test_a_session_has_defaults(ann, engagement):
    """No parent is the default engagement, no type is DATA_IMPORT, no id is one of the server's."""
    made = ann.sessions.CreateSession(create("", "A"))
    assert made.name.startswith(f"{engagement.name}/sessions/")
    assert made.type == sessions_pb2.SESSION_TYPE_DATA_IMPORT


def test_names_and_ids_are_taken_once(ann, engagement):
    """A living display name and any id are ALREADY_EXISTS; another engagement has its own."""
    ann.sessions.CreateSession(create(engagement.name, "A", session_id="a"))
    with refused(Code.ALREADY_EXISTS, "ID_TAKEN"):
        ann.sessions.CreateSession(create(engagement.name, "B", session_id="a"))
    with refused(Code.ALREADY_EXISTS, "DISPLAY_NAME_TAKEN"):
        ann.sessions.CreateSession(create(engagement.name, "A"))
    other = new_engagement(ann, "Other")
    ann.sessions.CreateSession(create(other.name, "A", session_id="a"))
    with refused(Code.FAILED_PRECONDITION, "AMBIGUOUS_NAME"):
        get(ann, "sessions/a")


def test_all_wrong_fields_are_named(ann, engagement):
    """One refusal names each wrong field by its path."""
    request = create(engagement.name, " a ", session_id="A")
    request.session.description = "x" * 2_001
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        ann.sessions.CreateSession(request)
    assert failure.fields == ["session_id", "session.display_name", "session.description"]
    request = create(engagement.name, "A")
    request.session.type = 99
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        ann.sessions.CreateSession(request)
    assert failure.fields == ["session.type"]


def test_absent_and_foreign(ann, bob, engagement):
    """Absent within one's own engagement is NOT_FOUND; everything else gives the same PERMISSION_DENIED."""
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        get(ann, f"{engagement.name}/sessions/none")
    messages = set()
    for name in (
        engagement.default_session,
        f"{engagement.name}/sessions/none",
        "engagements/none/sessions/none",
        "sessions/" + engagement.default_session.rsplit("/", 1)[1],
        "sessions/none",
    ):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED") as failure:
            get(bob, name)
        messages.add(failure.message.replace(name, "NAME"))
    assert len(messages) == 1
    for name in (engagement.name, "engagements/none"):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            read_engagement(bob, name)


def test_roles_bound_what_a_member_may_do(server, ann, bob, engagement):
    """A viewer reads and switches, an analyst changes sessions, a manager chooses the default."""
    join(server, bob, engagement.name, Role.VIEWER)
    name = ann.sessions.CreateSession(create(engagement.name, "A")).name
    assert get(bob, name).name == name
    for call in (
        lambda: bob.sessions.CreateSession(create(engagement.name, "B")),
        lambda: update(bob, name, display_name="B"),
        lambda: delete(bob, name),
        lambda: set_default(bob, name),
    ):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            call()
    join(server, bob, engagement.name, Role.ANALYST)
    assert update(bob, name, display_name="B").display_name == "B"
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        set_default(bob, name)
    join(server, bob, engagement.name, Role.MANAGER)
    assert set_default(bob, name).is_default


def test_an_update_takes_what_its_mask_names(ann, engagement):
    """Other fields of the request are left alone; the etag moves with each update."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    renamed = update(ann, made.name, ["display_name"], display_name="B", description="not this")
    assert (renamed.display_name, renamed.description) == ("B", "")
    assert int(renamed.etag) == int(made.etag) + 1
    typed = update(ann, made.name, ["type", "description"], description="d", type=2)
    assert (typed.display_name, typed.description, typed.type) == ("B", "d", 2)
    assert get(ann, made.name) == typed


def test_an_update_without_a_mask_takes_what_is_set(ann, engagement):
    """A field that is not given stays; one that is not the caller's to set is not looked at."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    changed = update(ann, made.name, display_name="B", description="d", type=3)
    assert (changed.display_name, changed.description, changed.type) == ("B", "d", 3)
    changed = update(ann, made.name, display_name="C", is_default=True, parent_session="none", asset_count=9)
    assert (changed.display_name, changed.description, changed.type) == ("C", "d", 3)
    assert (changed.is_default, changed.parent_session, changed.asset_count) == (False, "", 0)


def test_an_update_of_nothing_changes_nothing(ann, engagement):
    """No mask and no field is no new version; a stale etag is still refused."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    assert update(ann, made.name) == update(ann, made.name, etag=made.etag) == made
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        update(ann, made.name, etag="9")


def test_a_star_takes_every_field_that_can_change(ann, engagement):
    """What is not given becomes empty; a session always has a type and a name."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    update(ann, made.name, description="d", labels={"env": "prod"})
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
        update(ann, made.name, ["*"], display_name="B")
    changed = update(ann, made.name, ["*"], display_name="B", type=2)
    assert (changed.display_name, changed.description, changed.type, changed.labels) == ("B", "", 2, {})


@pytest.mark.parametrize(
    "path",
    [
        "name",
        "is_default",
        "etag",
        "parent_session",
        "asset_count",
        "nothing",
        "session.display_name",
        "labels.",
        "labels.Env",
        "",
    ],
)
def test_a_mask_of_what_cannot_change_is_refused(ann, engagement, path):
    """The failure names update_mask, and nothing changes."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        update(ann, engagement.default_session, ["display_name", path], display_name="B")
    assert failure.fields == ["update_mask"]
    assert get(ann, engagement.default_session).display_name == "Baseline"


@pytest.mark.parametrize("etag", ["2", "0", "-1", "x", "9" * 40])
def test_a_stale_etag_changes_nothing(ann, engagement, etag):
    """Update, delete and set default are ABORTED with any etag but the current one."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    for call in (
        lambda: update(ann, made.name, display_name="B", etag=etag),
        lambda: delete(ann, made.name, etag=etag),
        lambda: set_default(ann, made.name, etag=etag),
        lambda: set_default(ann, engagement.default_session, etag=etag),
    ):
        with refused(Code.ABORTED, "ETAG_MISMATCH"):
            call()
    assert get(ann, made.name) == made


def test_the_current_etag_is_taken(ann, engagement):
    """With the etag that was read, each change goes through once."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    changed = update(ann, made.name, display_name="B", etag=made.etag)
    changed = set_default(ann, made.name, etag=changed.etag)
    set_default(ann, engagement.default_session)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        delete(ann, made.name, etag=changed.etag)
    deleted = delete(ann, made.name, etag=get(ann, made.name).etag)
    assert deleted.HasField("delete_time")


def test_a_rename_to_a_living_name_is_refused(ann, engagement):
    """ALREADY_EXISTS, as at creation; one's own name is no clash."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    with refused(Code.ALREADY_EXISTS, "DISPLAY_NAME_TAKEN"):
        update(ann, made.name, display_name="Baseline")
    assert update(ann, made.name, display_name="A").display_name == "A"


def test_a_deleted_session_is_gone_and_its_name_free(ann, engagement):
    """It is NOT_FOUND for every method, uncounted, and its display name can be given again."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    delete(ann, made.name)
    for call in (get, update, delete, set_default):
        with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
            call(ann, made.name, **({"display_name": "B"} if call is update else {}))
    assert read_engagement(ann, engagement.name).session_count == 1
    assert ann.sessions.CreateSession(create(engagement.name, "A")).name != made.name


def test_the_default_is_one_and_stays(ann, engagement):
    """Exactly one session is the default; it cannot be deleted until another has taken its place."""
    made = ann.sessions.CreateSession(create(engagement.name, "A"))
    with refused(Code.FAILED_PRECONDITION, "DEFAULT_SESSION"):
        delete(ann, engagement.default_session)
    assert set_default(ann, made.name).is_default
    assert not get(ann, engagement.default_session).is_default
    assert read_engagement(ann, engagement.name).default_session == made.name
    assert set_default(ann, made.name) == get(ann, made.name)
    delete(ann, engagement.default_session)
    with refused(Code.FAILED_PRECONDITION, "DEFAULT_SESSION"):
        delete(ann, made.name)


def test_a_bare_name_outlives_its_session(ann, bob, engagement):
    """A retried delete gets its first answer; to others than its readers the session is still hidden."""
    bare = "sessions/" + ann.sessions.CreateSession(create(engagement.name, "A")).name.rpartition("/")[2]
    request_id = str(uuid.uuid4())
    assert delete(ann, bare, request_id=request_id) == delete(ann, bare, request_id=request_id)
    for call in (get, delete):
        with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
            call(ann, bare)
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            call(bob, bare)


def test_a_living_session_goes_before_a_deleted_one_of_its_id(ann, engagement):
    """A bare name is that of the living session, whatever else had that id."""
    other = new_engagement(ann)
    for parent in (engagement.name, other.name):
        ann.sessions.CreateSession(create(parent, "Twin", session_id="twin"))
    delete(ann, f"{engagement.name}/sessions/twin")
    assert get(ann, "sessions/twin").name == f"{other.name}/sessions/twin"
