import grpc
import pytest
from mooring.v1 import engagements_pb2, sessions_pb2, users_pb2
from support_server import create, new_engagement, refused

Code = grpc.StatusCode


def me(caller):
    return caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())


def context(caller, name="users/me/contexts/default"):
    return caller.users.GetContext(users_pb2.GetContextRequest(name=name))


def open_context(caller, kernel_key="", notebook_key="", parent="users/me", **fields):
    return caller.users.OpenContext(
        users_pb2.OpenContextRequest(
            parent=parent, kernel_key=kernel_key, notebook_key=notebook_key, **fields
        )
    )


def test_a_user_is_made_at_the_first_call(ann, bob, name):
    """A user stays the same one from call to call, with what their identity says of them and no demo data."""
    user = me(ann)
    assert me(ann) == user
    assert me(bob).name != user.name
    assert (user.display_name, user.email) == (name.title(), f"{name}@example.com")
    assert user.default_engagement == ""
    listed = ann.engagements.ListEngagements(engagements_pb2.ListEngagementsRequest())
    assert (list(listed.engagements), listed.total_size) == ([], 0)


def test_many_first_calls_make_one_user(server, name):
    """Calls of a new user at the same moment agree on who they are."""
    caller = server.user(name)
    calls = [caller.users.GetCurrentUser.future(users_pb2.GetCurrentUserRequest()) for _ in range(20)]
    assert len({call.result(30).name for call in calls}) == 1


def test_the_first_engagement_is_the_default(ann):
    """It becomes the user's default engagement, with the default context in it; a second does not."""
    first, _ = new_engagement(ann, "First"), new_engagement(ann, "Second")
    assert me(ann).default_engagement == first.name
    default = context(ann)
    assert default.name == f"{me(ann).name}/contexts/default"
    assert (default.current_engagement, default.current_session) == (first.name, first.default_session)
    assert context(ann, default.name) == default


def test_an_absent_context_is_not_found(ann):
    """So is the default one while there is nothing that it could start in."""
    with refused(Code.NOT_FOUND, "CONTEXT_NOT_FOUND"):
        context(ann)
    new_engagement(ann)
    with refused(Code.NOT_FOUND, "CONTEXT_NOT_FOUND"):
        context(ann, "users/me/contexts/other")


def test_anothers_context_is_forbidden(ann, bob):
    """Whether it exists or not."""
    new_engagement(ann)
    for name in (context(ann).name, f"{me(ann).name}/contexts/none", "users/nobody/contexts/c"):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            context(bob, name)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        open_context(bob, parent=me(ann).name)


def test_a_notebook_finds_its_context_again(ann):
    """By its kernel after a rename, by its place after a new kernel; and both bindings are kept."""
    engagement = new_engagement(ann)
    made = open_context(ann, "kernel-1", "place-1")
    assert made.created
    assert made.context.current_session == engagement.default_session
    for keys in (("kernel-1", "place-1"), ("kernel-1", "place-2"), ("kernel-2", "place-2"), ("kernel-2", "")):
        found = open_context(ann, *keys)
        assert (found.created, found.context.name) == (False, made.context.name), keys


def test_two_notebooks_have_two_contexts(ann):
    """They do not disturb each other, and one that is known by nothing gets a fresh context each time."""
    new_engagement(ann)
    opened = [open_context(ann, *keys) for keys in (("k1", "p1"), ("k2", "p2"), ("", ""), ("", ""))]
    assert all(each.created for each in opened)
    assert len({each.context.name for each in opened}) == 4


def test_bindings_are_the_users_own(ann, bob):
    """Two users with the same keys have their own contexts."""
    for caller in (ann, bob):
        new_engagement(caller)
        assert open_context(caller, "kernel", "place").created


def test_a_context_starts_in_the_default_engagement(ann):
    """Without one there is nowhere to start."""
    with refused(Code.FAILED_PRECONDITION, "NO_DEFAULT_ENGAGEMENT"):
        open_context(ann, "kernel")


def test_a_long_binding_is_refused(ann):
    """Over 200 characters nothing is a kernel's id or a hash."""
    new_engagement(ann)
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        open_context(ann, "k" * 201, "p" * 201)
    assert failure.fields == ["kernel_key", "notebook_key"]


def test_opening_is_repeatable(ann):
    """A retry under its request id answers that the context was made, as the first call did."""
    new_engagement(ann)
    request_id = "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b"
    first = open_context(ann, "", "", request_id=request_id)
    assert open_context(ann, "", "", request_id=request_id) == first


def switch(caller, name, **fields):
    return caller.sessions.SwitchSession(sessions_pb2.SwitchSessionRequest(name=name, **fields))


def test_a_switch_answers_all_that_it_changes(ann):
    """Session, engagement and context with its new revision come in one answer, and stay."""
    engagement = new_engagement(ann)
    session = ann.sessions.CreateSession(create(engagement.name, "Wave 1"))
    before = context(ann)
    answer = switch(ann, session.name)
    seen = ann.sessions.GetSession(sessions_pb2.GetSessionRequest(name=session.name))
    assert (answer.session, answer.engagement) == (seen, engagement.name)
    assert answer.context.current_session == session.name
    assert answer.context.revision == before.revision + 1
    assert context(ann) == answer.context


def test_a_switch_is_compare_and_set(ann):
    """A context that moved since its revision was read is not switched; the loser learns it."""
    engagement = new_engagement(ann)
    session = ann.sessions.CreateSession(create(engagement.name, "Wave 1"))
    seen = context(ann).revision
    assert switch(ann, session.name, context_revision=seen).context.revision == seen + 1
    with refused(Code.ABORTED, "CONTEXT_MOVED"):
        switch(ann, engagement.default_session, context_revision=seen)
    assert context(ann).current_session == session.name


def test_a_switch_moves_one_context(ann):
    """Other notebooks stay where they are."""
    engagement = new_engagement(ann)
    session = ann.sessions.CreateSession(create(engagement.name, "Wave 1"))
    notebook = open_context(ann, "kernel").context
    assert switch(ann, session.name, context=notebook.name).context.name == notebook.name
    assert context(ann, notebook.name).current_session == session.name
    assert context(ann).current_session == engagement.default_session


def test_a_switch_to_nowhere_is_refused(ann, bob):
    """An absent session or context is NOT_FOUND, a foreign one PERMISSION_DENIED, an odd name INVALID."""
    engagement, foreign = new_engagement(ann), new_engagement(bob)
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        switch(ann, f"{engagement.name}/sessions/none")
    with refused(Code.NOT_FOUND, "CONTEXT_NOT_FOUND"):
        switch(ann, engagement.default_session, context="users/me/contexts/none")
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        switch(ann, foreign.default_session)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        switch(ann, engagement.default_session, context=context(bob).name)
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        switch(ann, engagement.default_session, context="contexts/default")
    assert failure.fields == ["context"]


def test_a_guest_can_switch_without_a_default_engagement(server, ann, bob):
    """Who only visits others' engagements gets their default context with the first switch."""
    engagement = new_engagement(ann)
    user_id = me(bob).name.split("/")[1]
    server.write(lambda tx: tx.members.put(engagement.name.split("/")[1], user_id, 1))
    assert switch(bob, engagement.default_session).context.current_session == engagement.default_session
    assert context(bob).current_engagement == engagement.name


@pytest.mark.parametrize(
    "form", ["{engagement}/sessions/{id}", "sessions/{id}", "engagements/-/sessions/{id}"]
)
def test_a_session_has_three_spellings(ann, form):
    """The full name, the bare one and the one with a dash mean the same session in every method."""
    engagement = new_engagement(ann)
    full = ann.sessions.CreateSession(create(engagement.name, "A")).name
    name = form.format(engagement=engagement.name, id=full.rsplit("/", 1)[1])
    assert ann.sessions.GetSession(sessions_pb2.GetSessionRequest(name=name)).name == full
    assert switch(ann, name).session.name == full
    deleted = ann.sessions.DeleteSession(sessions_pb2.DeleteSessionRequest(name=name))
    assert deleted.name == full
