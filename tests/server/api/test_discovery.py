"""DiscoveryService over a real socket: files in, assets and sums out."""

import hashlib

import grpc
import pytest
from mooring.v1 import assets_pb2, engagements_pb2, imports_pb2, landscape_pb2, sessions_pb2, users_pb2
from mooring_server.core.names import Kind
from mooring_server.store import Role
from support_discovery import done, import_file, parts, report, upload
from support_server import refused

CSV = b"hostname,type,environment,owner,cpu,Rack\n" + b"".join(
    b"web-%03d,server,%s,ann,2,7\n" % (number, b"production" if number % 3 else b"test")
    for number in range(30)
)


@pytest.fixture
def session(ann):
    """The default session of an engagement that ann manages."""
    engagement = engagements_pb2.Engagement(display_name="Harbour")
    made = ann.engagements.CreateEngagement(engagements_pb2.CreateEngagementRequest(engagement=engagement))
    return made.default_session


def get(caller, session):
    return caller.sessions.GetSession(sessions_pb2.GetSessionRequest(name=session))


def assets(caller, session, **options):
    return caller.discovery.ListAssets(assets_pb2.ListAssetsRequest(parent=session, **options))


def landscape(caller, session):
    return caller.discovery.GetLandscape(landscape_pb2.GetLandscapeRequest(name=f"{session}/landscape"))


def test_a_file_becomes_assets(ann, session):
    """Every row is accounted for, the session shows the assets and where they came from."""
    outcome = import_file(ann, session, CSV)
    account = outcome.source_rows, outcome.created, len(outcome.rejected), dict(outcome.created_by_type)
    assert account == (30, 30, 0, {"server": 30})
    shown = get(ann, session)
    assert (shown.asset_count, shown.data_version) == (30, outcome.data_version)
    first = assets(ann, session, page_size=1).assets[0]
    assert (first.hostname, first.owner, first.cpu_cores, first.attributes["Rack"]) == (
        "web-000",
        "ann",
        2,
        "7",
    )
    assert (first.provenance.file, first.provenance.row) == ("estate.csv", 2)
    assert first.name.startswith(f"{session}/assets/")


def test_the_same_content_again_replays_its_report(ann, session):
    """Into data that nothing has touched since; data version and etag stay, and nothing is parsed again."""
    first = import_file(ann, session, CSV)
    before = get(ann, session)
    again = import_file(ann, session, CSV, file_name="renamed.csv")
    assert again.replayed
    again.replayed = False
    assert again == first
    after = get(ann, session)
    after.last_activity_time.CopyFrom(before.last_activity_time)
    assert after == before


def test_the_same_rows_again_change_nothing(ann, session):
    """Other bytes that say the same keep data version and etag: nothing was created, nothing updated."""
    import_file(ann, session, CSV)
    before = get(ann, session)
    outcome = import_file(ann, session, CSV + b"\n")
    assert (outcome.created, outcome.updated, outcome.unchanged, outcome.replayed) == (0, 0, 30, False)
    after = get(ann, session)
    after.last_activity_time.CopyFrom(before.last_activity_time)
    assert after == before


def test_a_repeated_import_call_is_the_same_operation(ann, session):
    """With the same request id an import is queued once, and its answer is the same bytes."""
    arrived = upload(ann, session, CSV)
    request = imports_pb2.ImportInventoryRequest(
        parent=session, upload_id=arrived.upload_id, request_id="00000000-0000-4000-8000-000000000001"
    )
    first = ann.discovery.ImportInventory(request)
    assert ann.discovery.ImportInventory(request) == first
    assert report(done(ann, first)).created == 30


def test_an_upload_answers_what_arrived(ann, session):
    """Size and hash are of the bytes that came, however they were cut."""
    arrived = upload(ann, session, CSV, piece=7, sha256=hashlib.sha256(CSV).hexdigest().upper())
    assert (arrived.size_bytes, arrived.sha256) == (len(CSV), hashlib.sha256(CSV).hexdigest())


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        (lambda session: [], "INVALID_FIELD"),
        (lambda session: [imports_pb2.UploadInventoryRequest(chunk=b"x")], "INVALID_FIELD"),
        (lambda session: [*parts(session, b"x"), *parts(session, b"y")], "INVALID_FIELD"),
        (lambda session: parts(session, b"x", file_name="../x.csv"), "INVALID_FIELD"),
        (lambda session: parts(session, b"x", file_name="a\nb.csv"), "INVALID_FIELD"),
        (lambda session: parts(session, b"x", file_name="a" * 256), "INVALID_FIELD"),
        (lambda session: parts(session, b"x", file_name=""), "INVALID_FIELD"),
        (lambda session: parts(session, b"x", sha256="abc"), "INVALID_FIELD"),
        (lambda session: parts(session, b"x", sha256="0" * 64), "INVALID_FIELD"),
        (lambda session: parts(session, b""), "UNREADABLE_INVENTORY"),
    ],
)
def test_a_bad_upload_is_refused_and_not_kept(server, ann, session, requests, reason):
    """No header, two headers, a path for a name, a wrong hash, no bytes: refused, and nothing stays."""
    with refused(grpc.StatusCode.INVALID_ARGUMENT, reason):
        ann.discovery.UploadInventory(iter(requests(session)))
    kept = server.read(lambda tx: [tx.uploads.get(each) for each in tx.uploads.expired(tx.now, 1_000)])
    assert not [each for each in kept if session.endswith(each.session_id) and not each.complete]


def test_a_file_past_the_limit_is_refused_as_it_comes(server, ann, session):
    """RESOURCE_EXHAUSTED names the limit, long before the client has sent everything."""
    sent = 0
    chunk = bytes(2**20)

    def endless():
        nonlocal sent
        yield from parts(session, b"x")
        while True:
            sent += len(chunk)
            yield imports_pb2.UploadInventoryRequest(chunk=chunk)

    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED") as refusal:
        ann.discovery.UploadInventory(endless())
    assert "upload_size_max_bytes" in refusal.message


def test_what_is_no_inventory_fails_the_operation_and_changes_nothing(ann, session):
    """A picture named .xlsx ends as UNREADABLE_INVENTORY; the session keeps its data."""
    import_file(ann, session, CSV)
    before = get(ann, session)
    arrived = upload(ann, session, b"\x89PNG\r\n\x1a\n" + bytes(1_000), file_name="estate.xlsx")
    operation = ann.discovery.ImportInventory(
        imports_pb2.ImportInventoryRequest(parent=session, upload_id=arrived.upload_id)
    )
    operation = done(ann, operation)
    assert operation.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "PNG" in operation.error.message
    assert get(ann, session) == before


def test_an_import_needs_an_upload_of_its_own_session(ann, session):
    """An unknown upload, and one that was sent to another session, are NOT_FOUND."""
    other = ann.sessions.CreateSession(
        sessions_pb2.CreateSessionRequest(
            parent=session.partition("/sessions/")[0], session=sessions_pb2.Session(display_name="Other")
        )
    )
    for upload_id in ("nothing", upload(ann, other.name, CSV).upload_id):
        with refused(grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
            ann.discovery.ImportInventory(
                imports_pb2.ImportInventoryRequest(parent=session, upload_id=upload_id)
            )


def test_strangers_may_not_touch_a_session(ann, bob, session):
    """Everything about a foreign session is PERMISSION_DENIED, and no byte of an upload is kept."""
    with refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"):
        upload(bob, session, CSV)
    with refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"):
        assets(bob, session)
    with refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"):
        landscape(bob, session)


def test_a_viewer_reads_and_does_not_upload(server, ann, bob, name, session):
    """Reading needs the role viewer, uploading the role analyst."""
    bob.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())
    engagement_id, _ = Kind.SESSION.ids(session)
    server.write(
        lambda tx: tx.members.put(engagement_id, tx.users.by_subject(f"test:bob-{name}").id, Role.VIEWER)
    )
    assert assets(bob, session).total_size == 0
    with refused(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"):
        upload(bob, session, CSV)


def test_a_walk_stays_within_one_data_version(ann, session):
    """Pages by token show the data that the first one showed, though the session has moved on."""
    import_file(ann, session, CSV)
    first = assets(ann, session, page_size=20)
    import_file(ann, session, b"hostname,owner\nweb-025,bob\naaa,bob\n")
    second = assets(ann, session, page_size=20, page_token=first.next_page_token)
    walked = [*first.assets, *second.assets]
    assert [asset.hostname for asset in walked] == [f"web-{number:03}" for number in range(30)]
    assert {asset.owner for asset in walked} == {"ann"}
    assert (second.data_version, second.total_size, second.next_page_token) == (first.data_version, 30, "")
    fresh = assets(ann, session, page_size=1)
    assert (fresh.assets[0].hostname, fresh.total_size) == ("aaa", 31)


def test_page_tokens_are_good_for_their_own_list(ann, session):
    """Altered tokens and tokens of another session are INVALID_ARGUMENT; so is a page size below 0."""
    import_file(ann, session, CSV)
    token = assets(ann, session, page_size=2).next_page_token
    assert [each.hostname for each in assets(ann, session, page_size=2, skip=3, page_token=token).assets] == [
        "web-005",
        "web-006",
    ]
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN"):
        assets(ann, session, page_token=f"x{token}")
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"):
        assets(ann, session, page_size=-1)


def test_an_absent_session_is_not_found(ann, session):
    """Within an engagement that the caller may read, the answer is SESSION_NOT_FOUND."""
    absent = session.rpartition("/")[0] + "/absent"
    for call in (assets, landscape, lambda caller, name: upload(caller, name, CSV)):
        with refused(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"):
            call(ann, absent)
