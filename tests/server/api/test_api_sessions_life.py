"""Archive, unarchive, delete and undelete through the API."""

import uuid

import grpc
import pytest
from mooring.v1 import engagements_pb2, imports_pb2, users_pb2
from mooring_server.settings import Settings
from mooring_server.store.records import Role
from support_discovery import import_file, upload
from support_server import HeaderAuth, new_engagement, refused, serving
from support_sessions import (
    archive,
    delete,
    get,
    join,
    make,
    set_default,
    switch,
    unarchive,
    undelete,
    update,
)
from support_store import Database

Code = grpc.StatusCode
ESTATE = b"hostname,owner\nweb,ann\ndb,bob\n"


@pytest.fixture
def engagement(ann):
    return new_engagement(ann)


def read_engagement(caller, name):
    return caller.engagements.GetEngagement(engagements_pb2.GetEngagementRequest(name=name))


def test_an_archived_session_can_be_read_and_switched_to(ann, engagement):
    """It says since when it is away, still counts, keeps its name, and can be left by deleting it."""
    made = make(ann, engagement.name)
    away = archive(ann, made.name)
    assert away.HasField("archive_time")
    assert away.archive_time == away.update_time == away.last_activity_time
    assert get(ann, made.name) == away
    assert switch(ann, made.name).session.archive_time == away.archive_time
    assert read_engagement(ann, engagement.name).session_count == 2
    with refused(Code.ALREADY_EXISTS, "DISPLAY_NAME_TAKEN"):
        make(ann, engagement.name)
    assert delete(ann, made.name).HasField("delete_time")


def test_an_archived_session_is_not_changed(ann, engagement):
    """Fields, default and data: each refusal names the reason, and unarchiving lifts it."""
    name = make(ann, engagement.name).name
    arrived = upload(ann, name, ESTATE)
    request = imports_pb2.ImportInventoryRequest(parent=name, upload_id=arrived.upload_id)
    archive(ann, name)
    for call in (
        lambda: update(ann, name, display_name="B"),
        lambda: update(ann, name, ["labels.env"]),
        lambda: update(ann, name),
        lambda: set_default(ann, name),
        lambda: upload(ann, name, ESTATE),
        lambda: ann.discovery.ImportInventory(request),
    ):
        with refused(Code.FAILED_PRECONDITION, "SESSION_ARCHIVED"):
            call()
    back = unarchive(ann, name)
    assert not back.HasField("archive_time")
    assert update(ann, name, display_name="B").display_name == "B"
    assert import_file(ann, name, ESTATE).created == 2


def test_archiving_again_is_no_mistake_and_no_change(ann, engagement):
    """The second call answers the same and moves no revision; so does unarchiving what is in use."""
    name = make(ann, engagement.name).name
    away = archive(ann, name)
    before = read_engagement(ann, engagement.name).revision
    assert archive(ann, name) == archive(ann, name, etag=away.etag) == away
    assert read_engagement(ann, engagement.name).revision == before
    back = unarchive(ann, name)
    assert unarchive(ann, name) == unarchive(ann, name, etag=back.etag) == back
    assert read_engagement(ann, engagement.name).revision == before + 1
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        unarchive(ann, name, etag=away.etag)


def test_the_default_session_is_not_archived(ann, engagement):
    """An engagement's default is always one that can be worked in."""
    with refused(Code.FAILED_PRECONDITION, "DEFAULT_SESSION"):
        archive(ann, engagement.default_session)
    assert get(ann, engagement.default_session).is_default


def test_an_undeleted_session_is_as_it_was(ann, engagement):
    """Fields, labels, parent and data come back; the default does not, and the counters are right."""
    parent = make(ann, engagement.name, "Parent").name
    made = make(ann, engagement.name, labels={"env": "prod"}, parent_session=parent, description="d")
    import_file(ann, made.name, ESTATE)
    before = get(ann, made.name)
    gone = delete(ann, made.name)
    delete(ann, parent)
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        get(ann, made.name)
    back = undelete(ann, made.name, etag=gone.etag)
    assert back == get(ann, made.name)
    assert int(back.etag) == int(before.etag) + 2
    for field in ("etag", "update_time", "last_activity_time"):
        before.ClearField(field)
        back.ClearField(field)
    assert back == before
    assert (back.asset_count, back.parent_session, back.is_default) == (2, parent, False)
    assert read_engagement(ann, engagement.name).session_count == 2


def test_an_undelete_is_refused_where_it_cannot_be(ann, engagement):
    """Living, absent, stale, and a name that is taken meanwhile: each has its reason, and says what to do."""
    name = make(ann, engagement.name).name
    with refused(Code.ALREADY_EXISTS, "SESSION_NOT_DELETED"):
        undelete(ann, name)
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        undelete(ann, f"{engagement.name}/sessions/none")
    gone = delete(ann, name)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        undelete(ann, name, etag=str(int(gone.etag) + 1))
    twin = make(ann, engagement.name).name
    with refused(Code.ALREADY_EXISTS, "DISPLAY_NAME_TAKEN") as refusal:
        undelete(ann, name)
    assert "another name first" in refusal.message
    update(ann, twin, display_name="B")
    assert undelete(ann, name).display_name == "A"


def test_an_archived_session_comes_back_archived(ann, engagement):
    """Deleting and undeleting does not take it up again."""
    name = make(ann, engagement.name).name
    away = archive(ann, name)
    delete(ann, name)
    assert undelete(ann, name).archive_time == away.archive_time


def test_a_deleted_session_is_neither_archived_nor_unarchived(ann, engagement):
    """It is NOT_FOUND, as for every other method but its undelete."""
    name = make(ann, engagement.name).name
    delete(ann, name)
    for call in (archive, unarchive):
        with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
            call(ann, name)


@pytest.mark.parametrize("call", [delete, undelete, archive, unarchive, set_default])
def test_a_preview_and_a_retry_of_each_step(ann, engagement, call):
    """validate_only answers what would be and changes nothing; a request id gives one effect."""
    name = make(ann, engagement.name).name
    if call is undelete:
        delete(ann, name)
    if call is unarchive:
        archive(ann, name)
    before = read_engagement(ann, engagement.name)
    preview = call(ann, name, validate_only=True)
    assert read_engagement(ann, engagement.name) == before
    request_id = str(uuid.uuid4())
    done = call(ann, name, request_id=request_id)
    assert call(ann, name, request_id=request_id) == done
    assert read_engagement(ann, engagement.name).revision == before.revision + 1
    assert (preview.etag, preview.is_default) == (done.etag, done.is_default)
    for field in ("archive_time", "delete_time"):
        assert preview.HasField(field) == done.HasField(field)


def test_a_viewer_changes_no_step_of_a_life(server, ann, bob, engagement):
    """Archiving and undeleting need an analyst, as deleting does."""
    name, gone = make(ann, engagement.name).name, make(ann, engagement.name, "B").name
    delete(ann, gone)
    join(server, bob, engagement.name, Role.VIEWER)
    for call, session in ((archive, name), (unarchive, name), (undelete, gone)):
        with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
            call(bob, session)
    join(server, bob, engagement.name, Role.ANALYST)
    for call, session in ((archive, name), (unarchive, name), (undelete, gone)):
        assert call(bob, session).name == session


def test_a_context_stays_at_a_session_that_goes_away(ann, engagement):
    """Neither archiving nor deleting moves anybody."""
    name = make(ann, engagement.name).name
    context = switch(ann, name).context
    archive(ann, name)
    delete(ann, name)
    request = users_pb2.GetContextRequest(name=context.name)
    assert ann.users.GetContext(request).current_session == name


def test_a_switch_moves_the_last_activity_and_no_version(ann, engagement):
    """Its answer shows the session with somebody at it now; etag and update time stay."""
    made = make(ann, engagement.name)
    seen = switch(ann, made.name).session
    assert seen == get(ann, made.name)
    assert seen.last_activity_time.ToNanoseconds() > made.last_activity_time.ToNanoseconds()
    assert (seen.etag, seen.update_time) == (made.etag, made.update_time)
    assert update(ann, made.name, display_name="B", etag=made.etag).display_name == "B"


def test_an_engagement_comes_with_the_default_of_now(tmp_path):
    """Also in the moment in which another server process has moved it, and this one knows the engagement."""
    url = f"sqlite:///{tmp_path}/mooring.db"
    settings = Settings(database=url, port=0, stop_grace_s=1, lookup_refresh_s=60)
    with serving(settings, authenticator=HeaderAuth()) as server, Database(url) as other:
        ann = server.user("ann")
        engagement = new_engagement(ann)
        name = make(ann, engagement.name).name
        request = engagements_pb2.GetEngagementRequest(
            name=engagement.name, view=engagements_pb2.ENGAGEMENT_VIEW_WITH_SESSION
        )
        ann.engagements.GetEngagement(request)
        other.write(lambda tx: tx.sessions.set_default(*name.split("/")[1::2], None))
        other.write(lambda tx: tx.sessions.delete(*engagement.default_session.split("/")[1::2], None))
        seen = ann.engagements.GetEngagement(request)
    assert (seen.default_session, seen.session.name, seen.session.is_default) == (name, name, True)
