"""ReadAssets and ReadDependencies over a real socket."""

import json
from datetime import UTC

import grpc
import psutil
import pyarrow as pa
import pytest
from mooring.v1 import assets_pb2, dependencies_pb2
from mooring_server.settings import Settings
from support_discovery import import_file
from support_engagements import VIEWER, add
from support_server import HeaderAuth, new_engagement, refused, serving
from support_waiting import until

Code = grpc.StatusCode
DEADLINE_S = 60
CSV = "hostname,type,cpu,memory (GB),Rack,Note\n" + "".join(
    f"web-{number:03},server,{number % 5 or ''},{number},R{number % 3},ü{'x' * 2_000}\n"
    for number in range(900)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The server's data folder."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(folder):
    """A server with a file of its own, and no limit of bulk calls."""
    settings = Settings(
        database=f"sqlite:///{folder}/m.db", port=0, stop_grace_s=1, data_dir=folder, bulk_rate=""
    )
    with serving(settings, authenticator=HeaderAuth()) as running:
        yield running


@pytest.fixture
def engagement(ann):
    """An engagement of ann's."""
    return new_engagement(ann)


@pytest.fixture
def session(ann, engagement):
    """Its default session, with some assets."""
    import_file(ann, engagement.default_session, CSV.encode())
    return engagement.default_session


def read(caller, session, *fields, filter=""):
    request = assets_pb2.ReadAssetsRequest(parent=session, fields=fields, filter=filter)
    return caller.discovery.ReadAssets(request, timeout=DEADLINE_S)


def read_dependencies(caller, session, *fields, filter=""):
    request = dependencies_pb2.ReadDependenciesRequest(parent=session, fields=fields, filter=filter)
    return caller.discovery.ReadDependencies(request, timeout=DEADLINE_S)


def whole(call):
    """The header of a read, and its table."""
    first, *rest = call
    assert first.HasField("header")
    assert not any(message.HasField("header") for message in rest)
    data = b"".join(message.data for message in (first, *rest))
    return first.header, pa.ipc.open_stream(data).read_all()


def listed(caller, session, filter=""):
    """All that ListAssets has, and the data version."""
    assets, token = [], ""
    while True:
        request = assets_pb2.ListAssetsRequest(
            parent=session, page_size=1_000, page_token=token, filter=filter
        )
        page = caller.discovery.ListAssets(request)
        assets += page.assets
        token = page.next_page_token
        if not token:
            return sorted(assets, key=lambda asset: asset.name), page.data_version


def as_row(asset):
    """A row of a read, as an asset of a list says it."""
    known = {name: getattr(asset, name) if asset.HasField(name) else None for name in NUMBERS}
    times = {name: getattr(asset, name).ToDatetime(tzinfo=UTC) for name in ("create_time", "update_time")}
    return {
        **{name: getattr(asset, name) for name in TEXTS},
        **{name: list(getattr(asset, name)) for name in ("ip_addresses", "mac_addresses", "networks")},
        **known,
        **times,
        "id": asset.name.rpartition("/")[2],
        "type": assets_pb2.AssetType.Name(asset.type).removeprefix("ASSET_TYPE_").lower(),
        "attributes": dict(asset.attributes),
        "source_file": asset.provenance.file,
        "source_sheet": asset.provenance.sheet,
        "source_row": asset.provenance.row,
        "implied": asset.implied,
    }


NUMBERS = ("cpu_cores", "memory_bytes", "storage_bytes")
# Of no use in a table: what names the row is its id.
LEFT_OUT = ("name", "provenance", "etag")
TEXTS = [
    field.name
    for field in assets_pb2.Asset.DESCRIPTOR.fields
    if field.type == field.TYPE_STRING and not field.is_repeated and field.name not in LEFT_OUT
]


def test_a_read_is_what_lists_have(ann, session):
    """Every field of every asset, in the order of ids; the same again from what was kept."""
    assets, version = listed(ann, session)
    for _ in range(2):
        header, table = whole(read(ann, session))
        assert (header.data_version, header.row_count) == (version, 900)
        rows = [{**row, "attributes": json.loads(row["attributes"])} for row in table.to_pylist()]
        assert rows == [as_row(asset) for asset in assets]


def test_every_field_is_a_column(ann, engagement):
    """A field of the API's messages is a column, unless the id or a place's parts stand for it."""
    for message, call, ends in (
        (assets_pb2.Asset, read, []),
        (dependencies_pb2.Dependency, read_dependencies, ["source", "target"]),
    ):
        _, table = whole(call(ann, engagement.default_session))
        fields = {field.name for field in message.DESCRIPTOR.fields} - {*LEFT_OUT, *ends}
        parts = {"id", "source_file", "source_sheet", "source_row", *(f"{end}_id" for end in ends)}
        assert set(table.column_names) == fields | parts


def test_a_filter_and_some_columns(ann, session):
    """The rows that ListAssets has for the filter, with the columns asked for."""
    filter = "cpu_cores >= 3 AND hostname:web"
    assets, version = listed(ann, session, filter)
    header, table = whole(read(ann, session, "attributes.Rack", "hostname", filter=filter))
    assert (header.data_version, header.row_count) == (version, 900)
    assert table.to_pylist() == [
        {"attributes.Rack": asset.attributes["Rack"], "hostname": asset.hostname} for asset in assets
    ]
    assert 0 < len(assets) < 900


def test_messages_are_about_a_mebibyte(ann, session):
    """None is larger than a MiB and a little; only the first, which is a header, and the last are smaller."""
    _, *rest = read(ann, session)
    sizes = [len(message.data) for message in rest]
    assert len(sizes) > 1
    assert set(sizes[:-1]) == {2**20}


def test_an_edit_is_told_by_the_data_version(ann, session):
    """After it the label is another one, the same as ListAssets says, and the row is changed."""
    (asset, *_), version = listed(ann, session)
    asset.owner = "grace"
    ann.discovery.UpdateAsset(assets_pb2.UpdateAssetRequest(asset=asset, update_mask={"paths": ["owner"]}))
    header, table = whole(read(ann, session, "id", "owner"))
    assert header.data_version == listed(ann, session)[1] != version
    assert table.to_pylist()[0] == {"id": asset.name.rpartition("/")[2], "owner": "grace"}


@pytest.mark.parametrize("call", [read, read_dependencies])
def test_what_is_wrong_is_refused(ann, engagement, call):
    """An unknown field names the nearest one; a wrong filter, a wrong name, an absent session."""
    session = engagement.default_session
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as refusal:
        list(call(ann, session, "create_tim"))
    assert refusal.fields == ["fields"]
    assert "did you mean `create_time`" in refusal.message
    with refused(Code.INVALID_ARGUMENT, "INVALID_FILTER"):
        list(call(ann, session, filter="create_time >"))
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
        list(call(ann, "nonsense"))
    with refused(Code.NOT_FOUND, "SESSION_NOT_FOUND"):
        list(call(ann, f"{engagement.name}/sessions/absent"))


@pytest.mark.parametrize("call", [read, read_dependencies])
def test_only_members_read(server, ann, bob, name, session, engagement, call):
    """A stranger learns nothing, not even which fields there are; viewers and tokens for reading may read."""
    with refused(Code.PERMISSION_DENIED, "PERMISSION_DENIED"):
        list(call(bob, session, "nonsense"))
    add(ann, engagement.name, bob, VIEWER)
    header, _ = whole(call(bob, session))
    assert header.data_version
    whole(call(server.user(name, "read"), session))


def test_a_session_is_found_without_its_engagement(ann, session):
    """`sessions/{session}` stands for the one that the caller may read."""
    short = session[session.index("sessions/") :]
    assert whole(read(ann, short)) == whole(read(ann, session))


def test_reads_count_as_bulk(tmp_path):
    """They share the limit of uploads."""
    settings = Settings(
        database=f"sqlite:///{tmp_path}/m.db", port=0, stop_grace_s=1, bulk_rate="2/hour", data_dir=tmp_path
    )
    with serving(settings, authenticator=HeaderAuth()) as server:
        ann = server.user("ann")
        session = new_engagement(ann).default_session
        for call in (read, read_dependencies):
            whole(call(ann, session))
        with refused(Code.RESOURCE_EXHAUSTED, "RATE_LIMITED"):
            list(read(ann, session))


def test_who_hangs_up_leaves_nothing(server, folder, ann, session):
    """A read that is cancelled after its first message leaves no call, no process and no file behind."""
    for filter in ("", "web"):
        call = read(ann, session, filter=filter)
        next(call)
        call.cancel()
    until(lambda: server.app.idle_s() > 0, "the calls' end")
    until(lambda: not list(folder.rglob("*.spool")), "the files' end")
    until(lambda: not psutil.Process().children(), "the processes' end")
