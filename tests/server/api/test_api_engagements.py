"""Engagements: changed, archived, switched to."""

import grpc
import pytest
from mooring.v1 import engagements_pb2, sessions_pb2, watch_pb2
from support_engagements import (
    MANAGER,
    VIEWER,
    add,
    archive,
    get_context,
    get_engagement,
    list_members,
    me,
    new_request_id,
    open_context,
    remove,
    set_role,
    switch_engagement,
    unarchive,
    update_engagement,
)
from support_server import create, new_engagement, refused

Code = grpc.StatusCode


@pytest.fixture
def engagement(ann):
    """One that ann manages."""
    return new_engagement(ann)


def test_an_engagement_is_updated(ann, engagement):
    """Etag, revision and time move with the fields, and what the mask leaves out stays."""
    after = update_engagement(ann, engagement.name, ["description"], description="New", display_name="No")
    assert (after.display_name, after.description) == (engagement.display_name, "New")
    assert (after.revision, after.etag != engagement.etag) == (engagement.revision + 1, True)
    assert after.update_time.ToNanoseconds() > engagement.update_time.ToNanoseconds()
    assert after.create_time == engagement.create_time
    assert get_engagement(ann, engagement.name) == after


def test_an_answer_can_be_sent_back(ann, engagement):
    """What is output-only is ignored; an empty mask takes what is set, a star also what is empty."""
    sent = {field.name: value for field, value in engagement.ListFields()}
    sent |= {"display_name": "Fabrikam", "session_count": 99, "archive_time": {"seconds": 1}}
    sent.pop("etag")
    after = update_engagement(ann, **sent)
    assert (after.display_name, after.session_count) == ("Fabrikam", 1)
    assert not after.HasField("archive_time")
    described = update_engagement(ann, engagement.name, description="New")
    assert (described.display_name, described.description) == ("Fabrikam", "New")
    assert update_engagement(ann, engagement.name) == described
    assert update_engagement(ann, engagement.name, ["*"], display_name="A").description == ""


@pytest.mark.parametrize("path", ["name", "etag", "default_session", "session_count", "archive_time", "x"])
def test_a_mask_names_what_can_change(ann, engagement, path):
    """Anything else is refused by name."""
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        update_engagement(ann, engagement.name, [path], display_name="Fabrikam")
    assert failure.fields == ["update_mask"]


def test_an_update_is_checked(ann, bob, engagement):
    """Wrong fields, a stale etag and too low a role change nothing; nor does a preview."""
    add(ann, engagement.name, bob)
    before = get_engagement(ann, engagement.name)
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        update_engagement(ann, engagement.name, ["*"], description="x" * 2_001)
    assert failure.fields == ["engagement.display_name", "engagement.description"]
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        update_engagement(ann, engagement.name, display_name="Fabrikam", etag="99")
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        update_engagement(bob, engagement.name, display_name="Fabrikam")
    preview = update_engagement(ann, engagement.name, display_name="Fabrikam", validate_only=True)
    assert preview.display_name == "Fabrikam"
    assert get_engagement(ann, engagement.name) == before


def test_an_update_is_repeatable(ann, engagement):
    """A retry under its request id has no second effect, though its etag is stale by then."""
    fields = {"display_name": "Fabrikam", "etag": engagement.etag, "request_id": new_request_id()}
    first = update_engagement(ann, engagement.name, **fields)
    assert update_engagement(ann, engagement.name, **fields) == first
    assert get_engagement(ann, engagement.name) == first


def test_archiving_is_idempotent(ann, engagement):
    """Again is no mistake and moves nothing, in both directions; a stale etag is refused."""
    away = archive(ann, engagement.name, etag=engagement.etag)
    assert away.archive_time == away.update_time
    assert away.revision == engagement.revision + 1
    assert archive(ann, engagement.name) == away == get_engagement(ann, engagement.name)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        archive(ann, engagement.name, etag=engagement.etag)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        unarchive(ann, engagement.name, etag=engagement.etag)
    back = unarchive(ann, engagement.name, etag=away.etag)
    assert not back.HasField("archive_time")
    assert unarchive(ann, engagement.name) == back == get_engagement(ann, engagement.name)


def test_a_preview_archives_nothing(ann, engagement):
    """Its answer is what would be there."""
    assert archive(ann, engagement.name, validate_only=True).HasField("archive_time")
    assert get_engagement(ann, engagement.name) == engagement


def test_an_archived_engagement_is_read_and_left_alone(ann, bob, engagement):
    """Everything in it can be read and switched to, its members can change, nothing else can."""
    member = add(ann, engagement.name, bob)
    archive(ann, engagement.name)
    session = engagement.default_session
    for change in (
        lambda: update_engagement(ann, engagement.name, display_name="Fabrikam"),
        lambda: ann.sessions.CreateSession(create(engagement.name, "Wave 1")),
        lambda: ann.sessions.CreateSession(create("", "Wave 1")),
        lambda: ann.sessions.UpdateSession(
            sessions_pb2.UpdateSessionRequest(session=sessions_pb2.Session(name=session, display_name="A"))
        ),
        lambda: ann.sessions.SetDefaultSession(sessions_pb2.SetDefaultSessionRequest(name=session)),
    ):
        with refused(Code.FAILED_PRECONDITION, "ENGAGEMENT_ARCHIVED"):
            change()
    assert get_engagement(ann, engagement.name, view=2).session.name == session
    assert switch_engagement(bob, engagement.name).session.name == session
    assert open_context(ann, "kernel").context.current_engagement == engagement.name
    assert set_role(ann, member.name, MANAGER).role == MANAGER
    remove(bob, member.name)
    unarchive(ann, engagement.name)
    assert ann.sessions.CreateSession(create(engagement.name, "Wave 1")).display_name == "Wave 1"


def test_only_managers_archive(ann, bob, engagement):
    """Others are told which role it takes; strangers not even that."""
    for work in (archive, unarchive):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED") as stranger:
            work(bob, engagement.name)
        assert "you have no role" in stranger.message
    add(ann, engagement.name, bob, VIEWER)
    for work in (archive, unarchive):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED") as viewer:
            work(bob, engagement.name)
        assert "manager" in viewer.message


def test_the_stream_tells_of_the_archive(ann, engagement):
    """With kinds of its own."""
    watch = ann.watch.Watch(watch_pb2.WatchRequest(streams=[engagement.name]), timeout=30)
    next(watch)
    archive(ann, engagement.name)
    unarchive(ann, engagement.name)
    kinds = []
    while len(kinds) < 2:
        kinds += [(change.kind, change.resource) for change in next(watch).changes]
    watch.cancel()
    assert kinds == [
        (watch_pb2.CHANGE_KIND_ARCHIVED, engagement.name),
        (watch_pb2.CHANGE_KIND_UNARCHIVED, engagement.name),
    ]


def test_a_switch_takes_the_default_session(ann, engagement):
    """The engagement, its default session and the context come in one answer, and stay."""
    other = new_engagement(ann, "Other")
    before = get_context(ann)
    answer = switch_engagement(ann, other.name)
    assert answer.engagement == other
    assert (answer.session.name, answer.session.is_default) == (other.default_session, True)
    assert answer.context.current_session == other.default_session
    assert answer.context.current_engagement == other.name
    assert answer.context.revision == before.revision + 1
    assert get_context(ann) == answer.context


def test_a_switch_is_compare_and_set(ann, engagement):
    """On the context that is named, `default` where none is; the loser learns that it has moved."""
    other = new_engagement(ann, "Other")
    notebook = open_context(ann, "kernel").context
    moved = switch_engagement(ann, other.name, context=notebook.name, context_revision=notebook.revision)
    assert moved.context.name == notebook.name
    assert get_context(ann).current_engagement == engagement.name
    with refused(Code.ABORTED, "CONTEXT_MOVED"):
        switch_engagement(ann, engagement.name, context=notebook.name, context_revision=notebook.revision)
    assert get_context(ann, notebook.name) == moved.context


def test_a_switch_to_nowhere_is_refused(ann, bob, engagement):
    """A foreign engagement or context, an absent context, an odd name."""
    foreign = new_engagement(bob)
    for name in (foreign.name, "engagements/absent"):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            switch_engagement(ann, name)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        switch_engagement(ann, engagement.name, context=get_context(bob).name)
    with refused(Code.NOT_FOUND, "CONTEXT_NOT_FOUND"):
        switch_engagement(ann, engagement.name, context="users/me/contexts/none")
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        switch_engagement(ann, engagement.name, context="contexts/default")
    assert failure.fields == ["context"]


def test_a_switch_is_repeatable(ann, engagement):
    """A retry under its request id gets the same answer and moves nothing."""
    fields = {"request_id": new_request_id(), "context_revision": get_context(ann).revision}
    first = switch_engagement(ann, engagement.name, **fields)
    assert switch_engagement(ann, engagement.name, **fields) == first
    assert get_context(ann) == first.context


def test_an_admin_passes_without_a_role(server, ann, name, engagement):
    """Everywhere; their list holds what they are a member of, and their own place is still their own."""
    root = server.user(f"root-{name}", scope="admin")
    assert update_engagement(root, engagement.name, description="Seen").description == "Seen"
    assert len(list_members(root, engagement.name).members) == 1
    assert switch_engagement(root, engagement.name).context.name == f"{me(root).name}/contexts/default"
    listed = root.engagements.ListEngagements(engagements_pb2.ListEngagementsRequest())
    assert list(listed.engagements) == []
    with refused(Code.NOT_FOUND, "ENGAGEMENT_NOT_FOUND"):
        archive(root, "engagements/absent")
