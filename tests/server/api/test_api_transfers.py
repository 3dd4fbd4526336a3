"""Sessions that move: exported as a file, imported as a new session, all or nothing."""

import uuid

import grpc
import pytest
from mooring.v1 import engagements_pb2, sessions_pb2, transfers_pb2
from support_assets import get_asset, list_assets, list_dependencies, put_asset, put_dependency
from support_discovery import done, import_file, upload
from support_engagements import VIEWER, add, me
from support_server import new_engagement, refused
from support_sessions import archive, delete, get, make, update
from support_transfers import export, forged, import_session, made, manifest, retold, rows, start

Code = grpc.StatusCode
ESTATE = (
    "hostname,type,environment,ip addresses,cpu,memory (GB),owner,Rack,Note\n"
    'web-1,server,Prod,"10.0.0.1, 10.0.0.2",8,64,Ann,R1,"Zürich, 2nd floor"\n'
    "web-2,server,Prod,,2.5,,Bob,R1,日本\n"
    "db-1,database,,,,,,,\n"
).encode()
# What is of the session that has it, and no part of what moves.
OWN = ("name", "etag", "source", "target")


@pytest.fixture
def engagement(ann):
    return new_engagement(ann)


@pytest.fixture
def session(ann, engagement):
    """One with three assets and two dependencies, under the name `Wave 1`."""
    name = make(ann, engagement.name, "Wave 1", description="The first", labels={"client": "contoso"}).name
    import_file(ann, name, ESTATE)
    ids = {each.display_name: each.name for each in list_assets(ann, name).assets}
    for end, port in (("web-1", 5432), ("web-2", 0)):
        put_dependency(
            ann,
            f"{name}/dependencies/{uuid.uuid4()}",
            source=ids[end],
            target=ids["db-1"],
            port=port or None,
            description=f"of {end}",
            attributes={"Ticket": "M-1"},
        )
    return name


def shown(caller, session):
    """All that a session shows, without what is its own."""

    def plain(message):
        kept = type(message)()
        kept.CopyFrom(message)
        for field in OWN:
            if field in message.DESCRIPTOR.fields_by_name:
                kept.ClearField(field)
        return kept.SerializeToString(deterministic=True)

    assets = sorted(plain(each) for each in list_assets(caller, session).assets)
    ends = sorted(plain(each) for each in list_dependencies(caller, session).dependencies)
    found = get(caller, session)
    assert (found.asset_count, found.dependency_count) == (len(assets), len(ends))
    return assets, ends


def ids(caller, session):
    """The ids of all that a session shows."""
    things = [*list_assets(caller, session).assets, *list_dependencies(caller, session).dependencies]
    return {each.name.rpartition("/")[2] for each in things}


def total(caller, engagement):
    return caller.sessions.ListSessions(sessions_pb2.ListSessionsRequest(parent=engagement)).total_size


def failed(caller, operation, reason):
    """The message of an import that failed for a reason."""
    operation = done(caller, operation)
    assert reason in str(operation.error), operation
    return operation.error.message


def test_the_same_session_makes_the_same_file(ann, session):
    """Two exports are byte for byte equal, and any reader of zips and Parquet opens them."""
    first, second = export(ann, session), export(ann, session)
    assert first == second
    told = manifest(first)
    assert (told["format"], told["format_version"]) == ("mooring-session", 1)
    assert told["session"]["display_name"] == "Wave 1"
    assert told["parts"]["assets.parquet"]["rows"] == len(rows(first, "assets")) == 3
    assert told["parts"]["dependencies.parquet"]["rows"] == len(rows(first, "dependencies")) == 2
    assert {row["display_name"]: row["cpu_cores"] for row in rows(first, "assets")} == {
        "web-1": 8,
        "web-2": 2.5,
        "db-1": None,
    }


def test_the_header_says_what_comes(ann, session):
    """The data version and how many assets, before any byte of the file."""
    request = transfers_pb2.ExportSessionRequest(name=session)
    first, *others = ann.sessions.ExportSession(request, timeout=30)
    assert first.header.data_version == get(ann, session).data_version
    assert (first.header.asset_count, first.data) == (3, b"")
    assert not any(each.HasField("header") for each in others)


def test_all_of_a_session_moves(ann, bob, session):
    """To another user: every field, and every dependency between the same assets; the ids are new."""
    home = new_engagement(bob, "Fabrikam").name
    content = export(ann, session)
    answer = import_session(bob, home, content)
    assert answer.session.startswith(f"{home}/sessions/")
    assert (answer.display_name, answer.asset_count, answer.dependency_count) == ("Wave 1", 3, 2)
    assert shown(bob, answer.session) == shown(ann, session)
    assert not ids(bob, answer.session) & ids(ann, session)
    found = get(bob, answer.session)
    assert (found.description, found.labels["client"]) == ("The first", "contoso")
    assert found.creator == me(bob).name
    assert found.data_version == answer.data_version
    again = export(bob, answer.session)
    assert manifest(again)["content_digest"] == manifest(content)["content_digest"] == answer.content_digest
    assert again != content


def test_ids_are_kept_on_request(ann, bob, session):
    """Of assets, of dependencies, and of the session, so that the file made of it is the same."""
    home = new_engagement(bob).name
    content = export(ann, session)
    answer = import_session(bob, home, content, keep_ids=True)
    assert ids(bob, answer.session) == ids(ann, session)
    assert answer.session.rpartition("/")[2] == session.rpartition("/")[2]
    assert export(bob, answer.session) == content
    assert "ID_TAKEN" in str(done(bob, start(bob, home, content, keep_ids=True)).error)
    other = import_session(bob, home, content, keep_ids=True, session_id="copy", display_name="Copy")
    assert other.session == f"{home}/sessions/copy"
    assert ids(bob, other.session) == ids(ann, session)


def test_what_was_imported_can_be_used_like_any_other(ann, engagement, session):
    """Edited, imported into and exported, without a trace in the session that it came from."""
    before = shown(ann, session)
    name = import_session(ann, engagement.name, export(ann, session)).session
    web = next(each for each in list_assets(ann, name).assets if each.display_name == "web-1")
    put_asset(ann, web.name, owner="Eve")
    assert get_asset(ann, web.name).owner == "Eve"
    account = import_file(ann, name, b"hostname,owner\nweb-1,Eve\nweb-2,Zoe\nweb-3,Zoe\n")
    assert (account.created, account.updated, account.unchanged) == (1, 1, 1)
    assert shown(ann, session) == before


def test_a_session_without_data_moves_too(ann, engagement):
    """It has a file of no rows, and comes in as empty as it was."""
    name = make(ann, engagement.name, "Blank").name
    content = export(ann, name)
    answer = import_session(ann, engagement.name, content)
    assert (answer.asset_count, answer.dependency_count) == (0, 0)
    assert manifest(export(ann, answer.session))["content_digest"] == manifest(content)["content_digest"]


def test_edits_are_in_the_file(ann, session):
    """An edited asset is exported as it is now, and gives another digest."""
    before = export(ann, session)
    web = next(each for each in list_assets(ann, session).assets if each.display_name == "web-1")
    put_asset(ann, web.name, owner="Eve")
    after = export(ann, session)
    assert "Eve" in {row["owner"] for row in rows(after, "assets")}
    assert manifest(after)["content_digest"] != manifest(before)["content_digest"]


def test_names_are_numbered_where_they_are_taken(ann, engagement, session):
    """As the exported one is called; a name that is given is taken as it is, or refused at once."""
    content = export(ann, session)
    assert [import_session(ann, engagement.name, content).display_name for _ in range(2)] == [
        "Wave 1 (2)",
        "Wave 1 (3)",
    ]
    long = update(ann, session, display_name="x" * 200).display_name
    numbered = import_session(ann, engagement.name, export(ann, session)).display_name
    assert numbered == long[: len(long) - 4] + " (2)"
    with refused(Code.ALREADY_EXISTS, "DISPLAY_NAME_TAKEN"):
        start(ann, engagement.name, content, display_name="Wave 1 (2)")
    with refused(Code.ALREADY_EXISTS, "ID_TAKEN"):
        start(ann, engagement.name, content, session_id=session.rpartition("/")[2])
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        start(ann, engagement.name, content, session_id="Not an id", display_name="\t")
    assert refusal.fields == ["session_id", "display_name"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:700] + bytes([content[700] ^ 4]) + content[701:],
        lambda content: content[:-200],
        lambda content: content + b"\n",
        lambda content: b"PK" + content,
        lambda _: ESTATE,
        lambda content: retold(content, format_version=2),
        lambda content: forged(content, "assets", lambda found: found.append(found[0])),
        lambda content: forged(content, "dependencies", lambda found: found[0].update(source_id="nobody")),
    ],
    ids=["altered", "cut", "longer", "shifted", "inventory", "newer", "twice", "loose"],
)
def test_what_is_no_export_makes_nothing(ann, engagement, session, spoil):
    """It is refused with a sentence that says what to do, no session is there, and the next import works."""
    content = export(ann, session)
    before = total(ann, engagement.name)
    said = failed(ann, start(ann, engagement.name, spoil(content)), "UNREADABLE_SESSION")
    assert said.startswith("moved.mooring.zip cannot be imported: it")
    assert total(ann, engagement.name) == before
    assert import_session(ann, engagement.name, content).asset_count == 3


def test_a_repeated_request_is_one_import(ann, engagement, session):
    """The same request id gets the same operation; only to check changes nothing."""
    content = export(ann, session)
    arrived = upload(ann, engagement.name, content)
    request = transfers_pb2.ImportSessionRequest(
        parent=engagement.name, upload_id=arrived.upload_id, validate_only=True
    )
    before = total(ann, engagement.name)
    ann.sessions.ImportSession(request)
    request.validate_only, request.request_id = False, str(uuid.uuid4())
    first, second = (ann.sessions.ImportSession(request) for _ in range(2))
    assert first.name == second.name
    made(done(ann, first))
    assert total(ann, engagement.name) == before + 1
    with refused(Code.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        ann.sessions.ImportSession(transfers_pb2.ImportSessionRequest(parent=engagement.name, upload_id="x"))


def test_an_upload_is_of_one_engagement(ann, engagement, session):
    """What was uploaded for one cannot be imported into another."""
    arrived = upload(ann, engagement.name, export(ann, session))
    other = new_engagement(ann, "Fabrikam").name
    request = transfers_pb2.ImportSessionRequest(parent=other, upload_id=arrived.upload_id)
    with refused(Code.NOT_FOUND, "UPLOAD_NOT_FOUND"):
        ann.sessions.ImportSession(request)


def test_members_export_and_analysts_import(ann, bob, engagement, session):
    """A viewer gets the file and may not bring one in; a stranger learns nothing."""
    content = export(ann, session)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        export(bob, session)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        start(bob, engagement.name, content)
    add(ann, engagement.name, bob, VIEWER)
    assert export(bob, session) == content
    arrived = upload(ann, engagement.name, content)
    request = transfers_pb2.ImportSessionRequest(parent=engagement.name, upload_id=arrived.upload_id)
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        bob.sessions.ImportSession(request)


def test_what_was_put_away(ann, engagement, session):
    """An archived session can be exported, a deleted one not; an archived engagement takes none in."""
    content = export(ann, session)
    archive(ann, session)
    assert rows(export(ann, session), "assets") == rows(content, "assets")
    delete(ann, session)
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        export(ann, session)
    arrived = upload(ann, engagement.name, content)
    ann.engagements.ArchiveEngagement(engagements_pb2.ArchiveEngagementRequest(name=engagement.name))
    request = transfers_pb2.ImportSessionRequest(parent=engagement.name, upload_id=arrived.upload_id)
    with refused(Code.FAILED_PRECONDITION, "ENGAGEMENT_ARCHIVED"):
        ann.sessions.ImportSession(request)
