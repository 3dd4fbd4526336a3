"""Assets by hand, through the API."""

import uuid
from dataclasses import replace

import grpc
import pytest
from mooring.v1 import assets_pb2
from support_assets import delete_asset, get_asset, list_assets, put_asset, put_dependency
from support_discovery import import_file
from support_server import create, new_engagement, refused
from support_sessions import archive, get

Code = grpc.StatusCode
FULL = {
    "display_name": "db-1",
    "type": assets_pb2.ASSET_TYPE_DATABASE,
    "external_id": "vm-17",
    "hostname": "db-1.corp",
    "ip_addresses": ["10.0.0.1", "fe80::1"],
    "environment": "prod",
    "location": "Zürich",
    "platform": "esx-1",
    "operating_system": "RHEL 9",
    "status": "running",
    "owner": "Ann",
    "application": "Shop",
    "criticality": "high",
    "cpu_cores": 2.5,
    "memory_bytes": 2**40,
    "storage_bytes": 0,
    "attributes": {"Größe": "x\ny", "empty": ""},
    "mac_addresses": ["00:50:56:00:00:01"],
    "networks": ["VLAN 7"],
    "technology": "PostgreSQL 16",
    "model": "R750",
    "serial_number": "S1",
    "business_unit": "Retail",
    "migration_status": "planned",
    "migration_strategy": "rehost",
    "migration_wave": "1",
}


@pytest.fixture
def session(ann):
    return new_engagement(ann).default_session


def test_an_asset_is_made_and_read(ann, session):
    """Every field comes back; it is of no file, and the first of the session's data."""
    made = put_asset(ann, f"{session}/assets/db-1", **FULL)
    assert {name: getattr(made, name) for name in FULL} == FULL
    assert (made.HasField("provenance"), made.implied) == (False, False)
    assert made.etag
    assert made.create_time == made.update_time
    assert get_asset(ann, made.name) == made
    assert get_asset(ann, f"sessions/{session.split('/')[3]}/assets/db-1") == made
    page = list_assets(ann, session)
    assert (list(page.assets), page.total_size) == ([made], 1)
    assert get(ann, session).asset_count == 1


def test_what_is_not_told_is_not_known(ann, session):
    """A new asset needs a display name; its type is `other`, its numbers are unset."""
    made = put_asset(ann, f"{session}/assets/a", ["*"], display_name="A")
    assert made.type == assets_pb2.ASSET_TYPE_OTHER
    assert not any(made.HasField(name) for name in ("cpu_cores", "memory_bytes", "storage_bytes"))
    with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
        put_asset(ann, f"{session}/assets/b", owner="Ann")
    assert failure.fields == ["asset.display_name"]


def test_the_mask_says_what_is_set(ann, session):
    """Its fields alone, emptied where they are not given; without one what is given; `*` is all."""
    name = f"{session}/assets/db-1"
    put_asset(ann, name, **FULL)
    changed = put_asset(ann, name, ["owner", "cpu_cores", "networks"], owner="Bob", status="off")
    assert (changed.owner, changed.status, list(changed.networks)) == ("Bob", "running", [])
    assert not changed.HasField("cpu_cores")
    changed = put_asset(ann, name, cpu_cores=0.0, attributes={"a": "b"})
    assert (changed.cpu_cores, changed.HasField("cpu_cores")) == (0.0, True)
    assert (changed.attributes, changed.owner) == ({"a": "b"}, "Bob")
    changed = put_asset(ann, name, ["*"], display_name="db-1")
    known = {field.name for field, _ in changed.ListFields()}
    assert known == {"name", "display_name", "type", "create_time", "update_time", "etag"}
    for path in ("attributes.a", "name", "provenance", "implied", "etag", "size"):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
            put_asset(ann, name, [path])
        assert failure.fields == ["update_mask"]


def test_an_edit_of_nothing_changes_nothing(ann, session):
    """Neither the asset nor its session; so an answer can be sent back as it came."""
    made = put_asset(ann, f"{session}/assets/db-1", **FULL)
    before = get(ann, session)
    request = assets_pb2.UpdateAssetRequest(asset=made)
    request.update_mask.paths.append("*")
    assert ann.discovery.UpdateAsset(request) == made
    assert get(ann, session) == before


def test_an_imported_asset_keeps_where_it_came_from(ann, session):
    """It is edited in place: its provenance and its identity stay, and the next import finds it again."""
    import_file(ann, session, b"name,type,owner\nweb-1,server,Ann\n")
    (before,) = list_assets(ann, session).assets
    version = list_assets(ann, session).data_version
    changed = put_asset(ann, before.name, display_name="Shop front", owner="Bob")
    assert changed.provenance == before.provenance
    assert changed.provenance.file == "estate.csv"
    assert changed.create_time == before.create_time
    assert changed.etag != before.etag
    page = list_assets(ann, session)
    assert (list(page.assets), page.data_version) == ([changed], f"{version}.1")
    report = import_file(ann, session, b"name,type,owner\nweb-1,server,Cy\n")
    assert (report.created, report.updated) == (0, 1)
    assert get_asset(ann, before.name).owner == "Cy"


def test_an_import_finds_what_was_made_by_hand(ann, session):
    """By the identity that its fields gave it."""
    made = put_asset(ann, f"{session}/assets/mine", display_name="web-1", hostname="web-1", owner="Ann")
    report = import_file(ann, session, b"hostname,type,os\nWEB-1,server,Debian\nweb-2,server,Debian\n")
    assert (report.created, report.updated) == (1, 1)
    found = get_asset(ann, made.name)
    assert (found.owner, found.operating_system) == ("Ann", "Debian")
    assert found.provenance.file == "estate.csv"


def test_two_assets_of_one_identity_are_refused(ann, session):
    """The message names the one that is there; another name tells them apart."""
    put_asset(ann, f"{session}/assets/a", display_name="web-1", hostname="web-1")
    with refused(Code.ALREADY_EXISTS, "ASSET_EXISTS") as failure:
        put_asset(ann, f"{session}/assets/b", display_name="Web-1", hostname="WEB-1")
    assert f"{session}/assets/a" in failure.message
    put_asset(ann, f"{session}/assets/b", display_name="copy", hostname="web-1")
    assert get(ann, session).asset_count == 2


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"display_name": ""}, "display_name"),
        ({"display_name": "x" * 201}, "display_name"),
        ({"display_name": "a\nb"}, "display_name"),
        ({"type": 99}, "type"),
        ({"hostname": "x" * 501}, "hostname"),
        ({"owner": " x"}, "owner"),
        ({"migration_wave": "a\tb"}, "migration_wave"),
        ({"cpu_cores": -1.0}, "cpu_cores"),
        ({"cpu_cores": float("nan")}, "cpu_cores"),
        ({"cpu_cores": float("inf")}, "cpu_cores"),
        ({"memory_bytes": -1}, "memory_bytes"),
        ({"storage_bytes": -(2**63)}, "storage_bytes"),
        ({"ip_addresses": ["10.0.0.1", ""]}, "ip_addresses[1]"),
        ({"networks": ["x"] * 257}, "networks"),
        ({"attributes": {f"k{n}": "" for n in range(257)}}, "attributes"),
        ({"attributes": {"": "x"}}, "attributes"),
        ({"attributes": {"x" * 201: "x"}}, "attributes"),
        ({"attributes": {"x": "y" * 2_001}}, "attributes"),
    ],
)
def test_wrong_values_are_refused(ann, session, fields, path):
    """With the field's path, of a new asset and of one that is there."""
    name = f"{session}/assets/a"
    for wanted in ({"display_name": "A", **fields}, fields):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD") as failure:
            put_asset(ann, name, wanted, **wanted)
        assert failure.fields == [f"asset.{path}"]
        put_asset(ann, name, display_name="A")


def test_what_an_import_took_may_stay(ann, session):
    """An asset with more than a hand may write is edited all the same, where that is left alone."""
    long = "x" * 400
    columns = ",".join(f"column {n}" for n in range(300))
    cells = ",".join(["y" * 10] * 300)
    import_file(ann, session, f"name,type,{columns}\n{long},server,{cells}\n".encode())
    (asset,) = list_assets(ann, session).assets
    asset.owner = "Ann"
    asset.attributes["column 0"] = "z"
    request = assets_pb2.UpdateAssetRequest(asset=asset)
    request.update_mask.paths.append("*")
    changed = ann.discovery.UpdateAsset(request)
    assert (changed.owner, len(changed.attributes)) == ("Ann", len(asset.attributes))


def test_an_etag_guards_an_edit(ann, session):
    """Of two who read the same, the second to write is refused; so is who would bring back what is gone."""
    name = f"{session}/assets/a"
    made = put_asset(ann, name, display_name="A")
    put_asset(ann, name, owner="Ann", etag=made.etag)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        put_asset(ann, name, owner="Bob", etag=made.etag)
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        delete_asset(ann, name, etag=made.etag)
    now = get_asset(ann, name)
    assert now.owner == "Ann"
    assert delete_asset(ann, name, etag=now.etag).asset == now
    with refused(Code.ABORTED, "ETAG_MISMATCH"):
        put_asset(ann, name, display_name="A", etag=now.etag)


def test_what_is_not_there_is_told(ann, session):
    """NOT_FOUND in a session with data and in one without; `allow_missing` makes it."""
    name = f"{session}/assets/a"
    for _ in range(2):
        for call in (
            lambda: get_asset(ann, name),
            lambda: put_asset(ann, name, display_name="A", allow_missing=False),
            lambda: delete_asset(ann, name),
        ):
            with refused(Code.NOT_FOUND, "ASSET_NOT_FOUND") as failure:
                call()
            assert name in failure.message
        put_asset(ann, f"{session}/assets/other", display_name="Other")
    assert get(ann, session).asset_count == 1
    for wrong in (f"{session}/assets/Big", f"{session}/asset/a", session):
        with refused(Code.INVALID_ARGUMENT, "INVALID_FIELD"):
            get_asset(ann, wrong)


def test_a_trial_changes_nothing(ann, session):
    """`validate_only` answers what would be, of a new asset and of one that is there."""
    name = f"{session}/assets/a"
    assert put_asset(ann, name, validate_only=True, display_name="A").display_name == "A"
    with refused(Code.NOT_FOUND, "ASSET_NOT_FOUND"):
        get_asset(ann, name)
    assert get(ann, session).data_version == ""
    made = put_asset(ann, name, display_name="A")
    assert put_asset(ann, name, validate_only=True, owner="Ann").owner == "Ann"
    assert get_asset(ann, name) == made


def test_a_repeated_call_is_harmless(ann, session):
    """The same request_id gets the same answer, whatever has happened since."""
    name, request_id = f"{session}/assets/a", str(uuid.uuid4())
    made = put_asset(ann, name, display_name="A", request_id=request_id)
    delete_asset(ann, name)
    assert put_asset(ann, name, display_name="A", request_id=request_id) == made
    assert get(ann, session).asset_count == 0


def test_an_asset_with_dependencies_is_deleted_by_force(ann, session):
    """Without it the answer says how many there are; with it they go too, and the counts with them."""
    a, b = (put_asset(ann, f"{session}/assets/{name}", display_name=name).name for name in "ab")
    for number, ends in enumerate(((a, b), (b, a), (b, b))):
        put_dependency(ann, f"{session}/dependencies/d{number}", source=ends[0], target=ends[1])
    with refused(Code.FAILED_PRECONDITION, "HAS_DEPENDENCIES") as failure:
        delete_asset(ann, a)
    assert "2 dependencies" in failure.message
    gone = delete_asset(ann, a, force=True)
    assert (gone.asset.display_name, gone.dependency_count) == ("a", 2)
    shown = get(ann, session)
    assert (shown.asset_count, shown.dependency_count) == (1, 1)


def test_an_edit_makes_an_implied_asset_one_of_its_own(server, ann, session):
    """What somebody wrote about is no longer a mere mention."""
    name = f"{session}/assets/a"
    put_asset(ann, name, display_name="A")

    def imply(tx):
        _, engagement, _, id = session.split("/")
        version = tx.edits.begin(engagement, id)
        asset = tx.assets.get(version.id, "a")
        tx.edits.change_asset(version, replace(asset, implied=True))

    server.write(imply)
    assert get_asset(ann, name).implied
    implied = list_assets(ann, session, filter="implied = true")
    assert [each.name for each in implied.assets] == [name]
    assert not put_asset(ann, name, owner="Ann").implied
    assert list_assets(ann, session, filter="implied = true").total_size == 0


def test_the_words_of_an_edit_are_found(ann, session):
    """And those of before are not."""
    name = f"{session}/assets/a"
    put_asset(ann, name, display_name="Web front", technology="nginx", owner="Ann")
    for text, found in (("web", 1), ("technology = nginx", 1), ("owner = Bob", 0), ("model:*", 0)):
        assert list_assets(ann, session, filter=text).total_size == found, text
    put_asset(ann, name, ["display_name", "technology", "model"], display_name="Cache", model="R750")
    for text, found in (("web", 0), ("cach", 1), ("technology = nginx", 0), ("model:*", 1)):
        assert list_assets(ann, session, filter=text).total_size == found, text
    delete_asset(ann, name)
    assert list_assets(ann, session, filter="cach").total_size == 0


def test_an_archived_session_is_not_edited(ann):
    """FAILED_PRECONDITION; what it holds is read all the same."""
    parent = new_engagement(ann).name
    session = ann.sessions.CreateSession(create(parent, "Wave 1")).name
    made = put_asset(ann, f"{session}/assets/a", display_name="A")
    archive(ann, session)
    with refused(Code.FAILED_PRECONDITION, "SESSION_ARCHIVED"):
        put_asset(ann, made.name, owner="Ann")
    with refused(Code.FAILED_PRECONDITION, "SESSION_ARCHIVED"):
        delete_asset(ann, made.name)
    assert get_asset(ann, made.name) == made


def test_an_edit_in_the_midst_of_a_walk_shows_in_it(ann, session):
    """A walk by tokens goes on in the same data version; its later pages are of the edit's revision."""
    import_file(ann, session, b"name,type\n" + b"".join(b"web-%d,server\n" % n for n in range(4)))
    first = list_assets(ann, session, page_size=2)
    last = list_assets(ann, session, filter="display_name = 'web-3'").assets[0]
    put_asset(ann, last.name, owner="Ann")
    second = list_assets(ann, session, page_size=2, page_token=first.next_page_token)
    assert [each.owner for each in second.assets] == ["", "Ann"]
    assert second.data_version == f"{first.data_version}.1"
