"""PreviewInventory: what an import would make of an upload, and nothing of it made."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from mooring.v1 import assets_pb2, imports_pb2, sessions_pb2
from mooring_server.api import previews
from mooring_server.api.previews import unpack_options
from mooring_server.errors import InvalidArgument
from mooring_server.ingest import ColumnUse, ReadOptions
from support_discovery import done, import_file, report, upload
from support_server import create, new_engagement, refused
from support_waiting import until

ESTATE = b"name,type,ip,RAM,Rack\nweb-1,vm,10.0.0.1,4,7\nweb-2,vm,,8,\n,vm,,,\n"
FLOWS = (
    b"Source server name,Source IP,Source application,Source process,"
    b"Destination server name,Destination IP,Destination application,Destination process,Destination port\n"
    b"web-1,10.0.0.1,App,nginx,db-1,10.0.0.2,Db,postgres,5432\n"
    b"web-1,10.0.0.1,App,nginx,,10.0.0.3,,,443\n"
)


@pytest.fixture
def session(ann):
    return ann.sessions.CreateSession(create(new_engagement(ann).name, "Estate")).name


def look(caller, session, upload_id, **options):
    request = imports_pb2.PreviewInventoryRequest(parent=session, upload_id=upload_id, **options)
    return caller.discovery.PreviewInventory(request, timeout=60)


def preview(caller, session, data, **options):
    return look(caller, session, upload(caller, session, data).upload_id, **options)


def test_a_preview_shows_what_an_import_would_make(ann, session):
    """Kind, columns with units and samples, assets with their provenance, and rows that cannot be taken."""
    found = preview(ann, session, ESTATE)
    assert (found.kind, found.candidates[0].kind, found.encoding) == ("table", "table", "utf-8")
    assert (found.row_total, found.rows_examined) == (3, 3)
    columns = {each.column: (each.field, each.unit, each.unit_assumed) for each in found.columns}
    assert columns["RAM"] == ("memory_bytes", "MiB", True)
    assert columns["Rack"] == ("", "", False)
    assert [list(each.samples) for each in found.columns if each.column == "name"] == [["web-1", "web-2"]]
    assert [row.row for row in found.rejected] == [4]
    assert any("RAM" in note for note in found.notes)
    outcome = import_file(ann, session, ESTATE)
    assert [row.row for row in outcome.rejected] == [4]
    listed = ann.discovery.ListAssets(assets_pb2.ListAssetsRequest(parent=session)).assets
    for made, shown in zip(listed, found.assets, strict=True):
        for name in ("name", "etag", "create_time", "update_time"):
            made.ClearField(name)
        assert MessageToDict(shown) == MessageToDict(made)


def test_dependencies_are_shown_as_the_file_tells_them(ann, session):
    """By the first that it knows of an end: its name, else its address."""
    found = preview(ann, session, FLOWS)
    assert found.kind == "azure_dependencies"
    shown = [(each.source, each.target, each.kind, each.port) for each in found.dependencies]
    assert shown == [("web-1", "db-1", "flow", 5432), ("web-1", "10.0.0.3", "flow", 443)]


def test_nothing_is_changed(ann, session):
    """Neither the session nor the upload, which can be looked at again, otherwise, and then imported."""
    before = ann.sessions.GetSession(sessions_pb2.GetSessionRequest(name=session))
    arrived = upload(ann, session, ESTATE)
    as_gib = imports_pb2.ColumnMapping(column="RAM", field="memory_bytes", unit="GiB")
    for options, memory in (([], 4 * 2**20), ([as_gib], 4 * 2**30)):
        asked = imports_pb2.ImportOptions(columns=options)
        assert look(ann, session, arrived.upload_id, options=asked).assets[0].memory_bytes == memory
    assert ann.sessions.GetSession(sessions_pb2.GetSessionRequest(name=session)) == before
    request = imports_pb2.ImportInventoryRequest(
        parent=session, upload_id=arrived.upload_id, options=imports_pb2.ImportOptions(columns=[as_gib])
    )
    assert report(done(ann, ann.discovery.ImportInventory(request))).created == 2


def test_as_many_rows_are_shown_as_asked_for(ann, session):
    """20 where nothing is said."""
    arrived = upload(ann, session, b"name\n" + b"".join(b"web-%d\n" % number for number in range(300)))
    for asked, shown in ((0, 20), (3, 3), (200, 200)):
        found = look(ann, session, arrived.upload_id, row_count=asked)
        assert (len(found.assets), found.rows_examined) == (shown, 300)
    for asked in (-1, 201):
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
            look(ann, session, arrived.upload_id, row_count=asked)
        assert refusal.fields == ["row_count"]


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "tabel"},
        {"sheet": "Servers"},
        {"encoding": "utf-9"},
        {"columns": [imports_pb2.ColumnMapping(column="Rak")]},
        {"columns": [imports_pb2.ColumnMapping(column="RAM", field="memory_bytes", unit="furlongs")]},
    ],
)
def test_wrong_options_are_named(ann, session, options):
    """Also those that only the file can tell."""
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        preview(ann, session, ESTATE, options=imports_pb2.ImportOptions(**options))
    assert refusal.fields == [f"options.{next(iter(options))}"]


def test_a_file_that_cannot_be_read_is_refused(ann, session):
    """As its import is, in the same words."""
    arrived = upload(ann, session, b"\x89PNG\r\n\x1a\n" + bytes(100))
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "UNREADABLE_INVENTORY") as refusal:
        look(ann, session, arrived.upload_id)
    request = imports_pb2.ImportInventoryRequest(parent=session, upload_id=arrived.upload_id)
    failed = done(ann, ann.discovery.ImportInventory(request))
    assert failed.error.message == refusal.message


def test_only_uploads_of_the_session_are_shown(ann, session):
    """Those of another session are none, as one that there never was."""
    engagement = session.partition("/sessions")[0]
    other = ann.sessions.CreateSession(create(engagement, "Other")).name
    arrived = upload(ann, other, ESTATE)
    for upload_id in (arrived.upload_id, "nothing"):
        with refused(grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"):
            look(ann, session, upload_id)
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        look(ann, session, "")
    assert refusal.fields == ["upload_id"]
    with refused(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"):
        look(ann, f"{engagement}/sessions/nowhere", arrived.upload_id)


def test_others_wait_while_as_many_are_made_as_there_may_be_imports(server, ann, session, monkeypatch):
    """Two by default; the third has not even its file before one of them has ended."""
    entered, opened = [], threading.Event()

    @asynccontextmanager
    async def waiting(store, upload_id):
        entered.append(upload_id)
        await asyncio.to_thread(opened.wait, 30)
        async with spilled(store, upload_id) as found:
            yield found

    spilled = previews.spilled
    monkeypatch.setattr(previews, "spilled", waiting)
    ids = [upload(ann, session, ESTATE).upload_id for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        try:
            asked = [threads.submit(look, ann, session, upload_id) for upload_id in ids]
            until(lambda: len(entered) == 2, "two are made")
            # A call that comes after them is answered: so the third has come as far as it can.
            look_up = sessions_pb2.GetSessionRequest(name=session)
            for _ in range(20):
                ann.sessions.GetSession(look_up)
            assert len(entered) == 2
        finally:
            opened.set()
        assert [each.result().kind for each in asked] == ["table"] * 3
    assert len(entered) == 3


def test_options_of_a_request():
    """Types are named as rows name them; what is left out is empty."""
    options = imports_pb2.ImportOptions(
        kind="table",
        asset_type=assets_pb2.ASSET_TYPE_VIRTUAL_MACHINE,
        columns=[imports_pb2.ColumnMapping(column="RAM", field="memory_bytes", unit="GB")],
    )
    assert unpack_options(options) == ReadOptions(
        kind="table",
        asset_type="virtual_machine",
        columns={"RAM": ColumnUse("RAM", "memory_bytes", "GB")},
    )
    assert unpack_options(imports_pb2.ImportOptions()) == ReadOptions()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"columns": [{"column": "a"}, {"column": "a", "field": "owner"}]}, "columns"),
        ({"columns": [{"field": "owner"}]}, "columns"),
        ({"columns": [{"column": "a", "field": "owners"}]}, "columns"),
        ({"columns": [{"column": "a" * 201}]}, "columns"),
        ({"columns": [{"column": str(number)} for number in range(2_001)]}, "columns"),
        ({"asset_type": 99}, "asset_type"),
        ({"sheet": "a" * 201}, "sheet"),
        ({"kind": "a" * 201}, "kind"),
        ({"encoding": "a" * 201}, "encoding"),
    ],
)
def test_options_that_are_wrong_by_themselves(options, field):
    """A column named twice or not at all, a field or a type that there is not, what is too long."""
    with pytest.raises(InvalidArgument) as refusal:
        unpack_options(imports_pb2.ImportOptions(**options))
    assert [violation.field for violation in refusal.value.violations] == [f"options.{field}"]
