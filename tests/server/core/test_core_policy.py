from contextlib import suppress
from types import SimpleNamespace

import pytest
from google.longrunning import operations_pb2
from mooring_server.core.policy import POLICY, Caller, authorise
from mooring_server.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from mooring_server.store.records import Role, TokenScope
from support_api import rpcs

OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["Operations"]
SERVED = rpcs() | {
    f"{OPERATIONS.full_name}/{method.name}": method
    for method in OPERATIONS.methods
    if method.name != "DeleteOperation"
}
GET, CREATE = "mooring.v1.SessionService/GetSession", "mooring.v1.SessionService/CreateSession"
ANN = Caller("ann")


USERS = ("ann", "bob", "cleo")


def tx(*, roles=None, default=None, sessions=(), engagements=(), archived=()):
    """As much of a transaction as the policy looks at."""
    roles = roles or {}

    def require_in_use(engagement_id):
        if engagement_id in archived:
            raise FailedPrecondition("it is archived", reason="ENGAGEMENT_ARCHIVED")

    def share_engagement(user_id, other_id):
        theirs = [{e for e, member in roles if member == each} for each in (user_id, other_id)]
        return bool(theirs[0] & theirs[1])

    def user(user_id):
        return SimpleNamespace(default_engagement_id=default) if user_id in USERS else None

    return SimpleNamespace(
        users=SimpleNamespace(get=user),
        changes=SimpleNamespace(expect_role=lambda *_: None),
        members=SimpleNamespace(
            role=lambda engagement_id, user_id: roles.get((engagement_id, user_id)),
            share_engagement=share_engagement,
        ),
        engagements=SimpleNamespace(
            get=lambda engagement_id: engagement_id if engagement_id in engagements else None,
            require_in_use=require_in_use,
        ),
        sessions=SimpleNamespace(
            find=lambda session_id, user_id: [
                SimpleNamespace(engagement_id=e) for e, s in sessions if s == session_id
            ]
        ),
    )


def test_every_rpc_has_its_row():
    """The policy table covers the API exactly: no RPC without a row, no row without an RPC."""
    assert set(POLICY) == set(SERVED)


@pytest.mark.parametrize("rpc", sorted(SERVED))
def test_a_row_fits_its_request(rpc):
    """The field that a row reads exists; a row without one concerns the caller alone."""
    rule = POLICY[rpc]
    assert bool(rule.kinds) == bool(rule.field)
    message = SERVED[rpc].input_type
    for part in filter(None, rule.field.split(".")):
        field = message.fields_by_name[part]
        message = field.message_type


@pytest.mark.parametrize("rpc", sorted(rpcs()))
def test_what_mutates_takes_a_request_id(rpc):
    """A row mutates exactly if its request can be made harmless to repeat; uploads are streams."""
    takes = "request_id" in SERVED[rpc].input_type.fields_by_name
    assert POLICY[rpc].mutates == (takes or rpc.endswith("/UploadInventory"))


@pytest.mark.parametrize(("role", "may"), [(Role.VIEWER, False), (Role.ANALYST, True), (Role.MANAGER, True)])
def test_a_role_includes_the_lower_ones(role, may):
    """viewer < analyst < manager."""
    there = tx(roles={("e", "ann"): role})
    if may:
        assert authorise(there, ANN, CREATE, "engagements/e") == "engagements/e"
    else:
        with pytest.raises(PermissionDenied):
            authorise(there, ANN, CREATE, "engagements/e")


def test_absent_and_foreign_look_the_same():
    """An engagement that is not there and one without a role for the caller give one and the same answer."""
    foreign, absent = tx(roles={("e", "bob"): Role.MANAGER}), tx()
    answers = set()
    for there in (foreign, absent):
        for name in ("engagements/e/sessions/s", "sessions/s"):
            with pytest.raises(PermissionDenied) as refused:
                authorise(there, ANN, GET, name)
            answers.add((refused.value.reason, refused.value.message.replace(name, "NAME")))
    assert len(answers) == 1


def test_a_bare_session_is_resolved():
    """A bare name becomes the full one; in several engagements it is ambiguous, not guessed."""
    roles = {("e", "ann"): Role.VIEWER, ("f", "ann"): Role.VIEWER}
    assert (
        authorise(tx(roles=roles, sessions=[("e", "s")]), ANN, GET, "sessions/s")
        == "engagements/e/sessions/s"
    )
    with pytest.raises(FailedPrecondition) as refused:
        authorise(tx(roles=roles, sessions=[("e", "s"), ("f", "s")]), ANN, GET, "sessions/s")
    assert refused.value.reason == "AMBIGUOUS_NAME"


def test_no_parent_means_the_default_engagement():
    """The default engagement stands in where none is named, under the same check of the role; one that the
    caller has left does not."""
    there = tx(roles={("e", "ann"): Role.ANALYST}, default="e")
    assert authorise(there, ANN, CREATE, "") == "engagements/e"
    for without in (tx(), tx(default="e")):
        with pytest.raises(FailedPrecondition) as refused:
            authorise(without, ANN, CREATE, "")
        assert refused.value.reason == "NO_DEFAULT_ENGAGEMENT"
    with pytest.raises(PermissionDenied):
        authorise(tx(roles={("e", "ann"): Role.VIEWER}, default="e"), ANN, CREATE, "")


def test_users_are_their_own():
    """`users/me` is the caller; another user's name is refused, whether they exist or not."""
    rpc = "mooring.v1.UserService/GetContext"
    assert authorise(tx(), ANN, rpc, "users/me/contexts/c") == "users/ann/contexts/c"
    assert authorise(tx(), ANN, rpc, "users/ann/contexts/c") == "users/ann/contexts/c"
    with pytest.raises(PermissionDenied):
        authorise(tx(), ANN, rpc, "users/bob/contexts/c")


def test_an_admin_passes_everywhere():
    """An admin needs no role, and may know what is absent."""
    root = Caller("root", TokenScope.ADMIN)
    assert authorise(tx(engagements=["e"]), root, CREATE, "engagements/e") == "engagements/e"
    with pytest.raises(NotFound) as refused:
        authorise(tx(), root, CREATE, "engagements/e")
    assert refused.value.reason == "ENGAGEMENT_NOT_FOUND"


def test_a_name_of_the_wrong_kind_is_wrong_before_it_is_forbidden():
    """A name without the RPC's pattern is INVALID_ARGUMENT and names its field."""
    with pytest.raises(InvalidArgument) as refused:
        authorise(tx(), ANN, "mooring.v1.SessionService/UpdateSession", "engagements/e")
    assert refused.value.violations[0].field == "session.name"


def test_an_archived_engagement_can_be_read_and_left():
    """What mutates is refused there, unless its row says that it may: reading, switching and membership."""
    away = tx(roles={("e", "ann"): Role.MANAGER}, archived=["e"])
    service = "mooring.v1.EngagementService"
    for rpc in (CREATE, f"{service}/UpdateEngagement"):
        with pytest.raises(FailedPrecondition) as refused:
            authorise(away, ANN, rpc, "engagements/e")
        assert refused.value.reason == "ENGAGEMENT_ARCHIVED"
    for method in ("GetEngagement", "UnarchiveEngagement", "SwitchEngagement", "CreateMember"):
        assert authorise(away, ANN, f"{service}/{method}", "engagements/e") == "engagements/e"


@pytest.mark.parametrize("name", ["engagements/e/members/ann", "engagements/e/members/me"])
def test_everybody_may_leave(name):
    """A member needs no role to take themselves out, and a manager's to take out others."""
    rpc = "mooring.v1.EngagementService/DeleteMember"
    there = tx(roles={("e", "ann"): Role.VIEWER, ("e", "bob"): Role.VIEWER})
    assert authorise(there, ANN, rpc, name) == "engagements/e/members/ann"
    with pytest.raises(PermissionDenied):
        authorise(there, ANN, rpc, "engagements/e/members/bob")
    with pytest.raises(PermissionDenied):
        authorise(there, ANN, "mooring.v1.EngagementService/UpdateMember", name)
    with pytest.raises(PermissionDenied):
        authorise(tx(), ANN, rpc, name)


def test_who_shares_an_engagement_is_known():
    """Of other users those can be read; an absent one and a stranger give the same answer."""
    rpc = "mooring.v1.UserService/GetUser"
    there = tx(roles={("e", "ann"): Role.VIEWER, ("e", "bob"): Role.VIEWER, ("f", "cleo"): Role.VIEWER})
    assert authorise(there, ANN, rpc, "users/bob") == "users/bob"
    answers = set()
    for name in ("users/cleo", "users/nobody"):
        with pytest.raises(PermissionDenied) as refused:
            authorise(there, ANN, rpc, name)
        answers.add((refused.value.reason, refused.value.message.replace(name, "NAME")))
    assert len(answers) == 1
    with pytest.raises(PermissionDenied):
        authorise(there, ANN, "mooring.v1.UserService/UpdateUser", "users/bob")
    with pytest.raises(NotFound) as absent:
        authorise(there, Caller("root", TokenScope.ADMIN), rpc, "users/nobody")
    assert absent.value.reason == "USER_NOT_FOUND"


@pytest.mark.parametrize("rpc", sorted(POLICY))
def test_a_token_for_reading_changes_nothing(rpc):
    """Its scope is checked before anything is told of what is there; what mutates nothing passes."""
    reader = Caller("ann", TokenScope.READ)
    if POLICY[rpc].mutates:
        with pytest.raises(PermissionDenied) as refused:
            authorise(tx(), reader, rpc, "")
        assert refused.value.reason == "SCOPE_TOO_NARROW"
    else:
        with suppress(InvalidArgument):
            authorise(tx(), reader, rpc, "")
