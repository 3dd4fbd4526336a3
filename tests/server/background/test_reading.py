"""Bulk reads on every database: what they answer."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from mooring_server.core import filtering, lists, reading
from mooring_server.errors import Aborted, InvalidArgument, NotFound, Unavailable
from mooring_server.store import AssetType, Order, Tx
from mooring_server.store.lists.paging import Window
from mooring_server.store.records import Asset, Dependency, DependencyKind
from support_reading import Answer, Reader, reader
from support_store import ENGAGEMENT, START, Database, asset, publish

KEYS = ["Rack", "a.b", 'a"b', "a\\b", "$", "[0]", "a\nb", "it's", "Größe", "%s %%", "?"]
FULL = asset(
    2,
    type=AssetType.VIRTUAL_MACHINE,
    external_id="id-2",
    hostname="höst-🐍",
    ip_addresses=("10.0.0.1", "fe80::1", 'a "quoted\\" one', "ü\n"),
    environment="prod",
    location="Köln",
    platform="esx-1",
    operating_system="Ubuntu 22.04",
    status="running",
    owner="ann",
    application="shop",
    criticality="high",
    cpu_cores=2.5,
    memory_bytes=2**40,
    storage_bytes=2**62,
    attributes={key: f"<{key}>" for key in KEYS},
    source_sheet="vInfo",
    create_time=START - timedelta(days=20_000, microseconds=1),
    update_time=START + timedelta(microseconds=7),
    mac_addresses=("00:50:56:00:00:01",),
    networks=("VLAN 1", "VLAN 2"),
    technology="PostgreSQL 14",
    model="R740",
    serial_number="S-1",
    business_unit="sales",
    migration_status="planned",
    migration_strategy="rehost",
    migration_wave="1",
    implied=True,
)


@pytest.fixture
def read(database: Database, tmp_path: Path) -> Iterator[Reader]:
    """The reads of a store whose session shows nothing yet, three rows to a batch."""
    with reader(database, tmp_path / "files", read_batch_rows=3) as made:
        yield made


def listed(database: Database, version: str, filter: str = "") -> list[Asset]:
    """What ListAssets has of a version, by id."""
    condition = filtering.parse(filter, lists.ASSETS.schema, database.settings)
    window = Window(10_000, 0, None)
    found = database.read(lambda tx: tx.assets.page(version, Order.DISPLAY_NAME, window, condition)).items
    return sorted(found, key=lambda each: each.id)


def plain(record: Asset | Dependency, field: str) -> object:
    """A field as a read has it, but for attributes."""
    value = getattr(record, field)
    return list(value) if isinstance(value, tuple) else value


def linked(tx: Tx, *dependencies: Dependency) -> str:
    """Publishes two assets and the dependencies between them; the version's id."""
    version = tx.versions.begin(ENGAGEMENT, "baseline", None)
    tx.assets.insert_many(version.id, [asset(0), FULL])
    tx.dependencies.insert_many(version.id, dependencies)
    tx.versions.publish(version.id, expected_base_id=None, asset_count=2, dependency_count=len(dependencies))
    return version.id


def dependency(number: int, **fields: object) -> Dependency:
    """A dependency of the first asset."""
    known = Dependency(
        id=f"dependency-{number}",
        identity=f"identity-{number}",
        digest="",
        source_id=asset(0).id,
        target_id=FULL.id,
        kind=DependencyKind.FLOW,
        port=None,
        protocol="",
        source_process="",
        target_process="",
        description="",
        attributes={},
        source_file="flows.csv",
        source_sheet="",
        source_row=number + 2,
        create_time=START,
        update_time=START,
    )
    return replace(known, **fields)


def test_every_field_is_what_lists_have(database: Database, read: Reader):
    """All fields of all assets, in the order of ids: texts, numbers that are known late, times, lists."""
    assets = [*(asset(number) for number in (9, 8, 7, 6, 5, 4, 3)), FULL, asset(0), asset(10, cpu_cores=1.5)]
    version = database.write(lambda tx: publish(tx, *assets))
    answer = read()
    assert (answer.label, answer.row_count) == (version, 10)
    for row, record in zip(answer.table.to_pylist(), listed(database, version), strict=True):
        assert json.loads(row.pop("attributes")) == record.attributes
        assert row == {name: plain(record, name) for name in row}


def test_every_field_of_dependencies(database: Database, read: Reader):
    """Those too, with the display names of their ends."""
    full = dependency(
        0,
        kind=DependencyKind.USES,
        port=65_535,
        protocol="tcp",
        source_process="nginx",
        target_process="postgres",
        description="ü",
        attributes={"a": "b"},
    )
    version = database.write(lambda tx: linked(tx, dependency(1), full, dependency(2, source_id=FULL.id)))
    answer = read(bulk=reading.DEPENDENCIES)
    assert (answer.label, answer.row_count) == (version, 3)
    window = Window(10, 0, None)
    records = database.read(lambda tx: tx.dependencies.page(version, Order.CREATE_TIME, window)).items
    for row, record in zip(answer.table.to_pylist(), records, strict=True):
        assert json.loads(row.pop("attributes")) == record.attributes
        assert row == {name: plain(record, name) for name in row}
    assert answer.table["source_display_name"].to_pylist() == ["Asset 000000"] * 2 + ["Asset 000002"]


@pytest.mark.parametrize(
    ("fields", "filter", "bulk"),
    [
        ((), "", reading.ASSETS),
        (("create_time", "attributes.a", "id"), "", reading.ASSETS),
        (("port", "id"), "port = 1", reading.DEPENDENCIES),
    ],
)
def test_no_rows_are_a_stream_with_its_schema(database: Database, read: Reader, fields, filter, bulk):
    """A session without data, and one whose data have no such rows, answer what their columns are."""
    empty = read(fields, filter, bulk=bulk)
    assert (empty.label, empty.row_count, empty.table.num_rows) == ("", 0, 0)
    version = database.write(lambda tx: publish(tx))
    again = read(fields, filter, bulk=bulk)
    assert (again.label, again.table.num_rows, again.table.schema) == (version, 0, empty.table.schema)


def test_types_do_not_depend_on_the_rows(database: Database, read: Reader):
    """The schema is the documented one, where all is unknown and where all is known."""
    text = pa.string()
    types = {
        **dict.fromkeys(("ip_addresses", "mac_addresses", "networks"), pa.list_(text)),
        **dict.fromkeys(("create_time", "update_time"), pa.timestamp("us", tz="UTC")),
        **dict.fromkeys(("memory_bytes", "storage_bytes"), pa.int64()),
        "cpu_cores": pa.float64(),
        "source_row": pa.int32(),
        "implied": pa.bool_(),
    }
    base = None
    for each in (asset(0), FULL):
        base = database.write(lambda tx, each=each, base=base: publish(tx, each, base_id=base))
        assert all(field.type == types.get(field.name, text) for field in read().table.schema)
    assert read(bulk=reading.DEPENDENCIES).table.schema.field("port").type == pa.int32()


def test_columns_come_in_the_order_asked_for(database: Database, read: Reader):
    """With a filter and without, before the whole was read and after."""
    database.write(lambda tx: publish(tx, asset(0), FULL))
    fields = ["networks", "id", "cpu_cores"]
    for _ in range(2):
        for filter in ("", "implied = true"):
            table = read(fields, filter).table
            assert table.column_names == fields
            assert table.to_pylist()[-1] == {
                "networks": ["VLAN 1", "VLAN 2"],
                "id": FULL.id,
                "cpu_cores": 2.5,
            }
    assert read(["location"]).table["location"].to_pylist() == ["", "Köln"]


@pytest.mark.parametrize("filter", ["", "hostname:höst"])
def test_attributes_by_their_keys(database: Database, read: Reader, filter):
    """Any key, whatever is in it; null where an asset has no such attribute."""
    database.write(lambda tx: publish(tx, *(asset(number + 10) for number in range(5)), FULL))
    rows = read([*(f"attributes.{key}" for key in KEYS), "attributes.absent"], filter).table.to_pylist()
    assert rows[0] == {**{f"attributes.{key}": f"<{key}>" for key in KEYS}, "attributes.absent": None}
    assert len(rows) == (1 if filter else 6)
    assert all(value is None for row in rows[1:] for value in row.values())


@pytest.mark.parametrize(
    "filter",
    [
        'environment = "prod"',
        "environment != prod AND -platform:*",
        "cpu_cores >= 2.5 OR memory_bytes = 1",
        "storage_bytes > 4000000000000000000",
        "create_time < 2000-01-01",
        "type = VIRTUAL_MACHINE",
        "implied = true",
        "implied = false",
        "köln",
        "asset ubuntu",
        "köln OR 00000*",
        "hostname:HÖST-🐍",
        "asset NOT shop",
        'owner = "50% of %s"',
        'display_name = "Asset 00001*"',
    ],
)
def test_filters_mean_what_they_mean_for_lists(database: Database, read: Reader, filter):
    """The same assets as ListAssets has, all of them: by columns, by words, by neither."""
    others = [asset(number, cpu_cores=number / 4, environment="test") for number in range(3, 30)]
    named = asset(40, owner="50% of %s", attributes={"Rack": "7"})
    version = database.write(lambda tx: publish(tx, FULL, named, *others))
    wanted = [each.id for each in listed(database, version, filter)]
    assert read(["id"], filter).table["id"].to_pylist() == wanted
    assert 0 < len(wanted) < 29


def test_filters_of_dependencies(database: Database, read: Reader):
    """By an end's name, a port, a kind."""
    database.write(lambda tx: linked(tx, dependency(0, port=443), dependency(1, source_id=FULL.id)))
    name = f"engagements/{ENGAGEMENT}/sessions/baseline/assets/{FULL.id}"
    for filter, wanted in {
        f'source = "{name}"': ["dependency-1"],
        f'source = "{name}" OR port = 443': ["dependency-0", "dependency-1"],
        "kind != FLOW": [],
        "-port:*": ["dependency-1"],
    }.items():
        answer = read(["id"], filter, bulk=reading.DEPENDENCIES)
        assert answer.table["id"].to_pylist() == wanted


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["hostnam"], "did you mean `hostname`"),
        (["Memory_Bytes"], "did you mean `memory_bytes`"),
        (["zzz"], "the fields are id, display_name"),
        (["attributes."], "an attribute's key must follow"),
        (["id", "id"], "twice"),
        ([f"attributes.{number}" for number in range(201)], "at most 200"),
    ],
)
def test_unknown_fields_are_refused(read: Reader, fields, said):
    """The message names the nearest field."""
    with pytest.raises(InvalidArgument, match=said) as refusal:
        read(fields)
    assert [each.field for each in refusal.value.violations] == ["fields"]


def test_what_is_not_there_is_refused(database: Database, read: Reader):
    """An absent session, and a wrong filter."""
    with pytest.raises(NotFound):
        read(session_id="absent")
    with pytest.raises(InvalidArgument):
        read(filter="hostname = ")


def test_an_edit_is_another_state(database: Database, read: Reader):
    """After an edit the label is another one and so are the rows, also of a session that was read whole."""
    version = database.write(lambda tx: publish(tx, asset(0), asset(1)))
    assert read().label == version

    def edit(tx: Tx) -> None:
        edited = tx.edits.begin(ENGAGEMENT, "baseline")
        tx.edits.change_asset(edited, asset(1, hostname="edited"))

    def delete(tx: Tx) -> None:
        tx.edits.delete_asset(tx.edits.begin(ENGAGEMENT, "baseline"), asset(0).id)

    database.write(edit)
    answer = read()
    assert (answer.label, answer.row_count) == (f"{version}.1", 2)
    assert answer.table["hostname"].to_pylist() == ["", "edited"]
    database.write(delete)
    answer = read(["hostname"])
    assert (answer.label, answer.row_count) == (f"{version}.2", 1)
    assert answer.table["hostname"].to_pylist() == ["edited"]


@pytest.mark.parametrize("filter", ["", "asset"])
def test_a_read_is_of_one_state(database: Database, read: Reader, filter):
    """Read while it is edited, a version is told by the label that its rows are of."""
    count = 12
    database.write(lambda tx: publish(tx, *(asset(number, owner="0") for number in range(count))))

    def edit(tx: Tx) -> None:
        version = tx.edits.begin(ENGAGEMENT, "baseline")
        for number in range(count):
            tx.edits.change_asset(version, asset(number, owner=str(version.revision + count)))

    async def edits() -> None:
        for _ in range(10):
            await database.store.write(edit)

    async def together() -> list[Answer]:
        editing = asyncio.create_task(edits())
        answers = []
        while not editing.done():
            answers += await asyncio.gather(*(read.whole(["owner"], filter) for _ in range(2)))
        await editing
        return [*answers, await read.whole(["owner"], filter)]

    for answer in database.run(together()):
        revision = answer.label.partition(".")[2] or "0"
        assert answer.table["owner"].to_pylist() == [revision] * count


def test_a_commit_between_two_connections_is_no_failure(database: Database, read: Reader):
    """Connections that do not see the same state are closed and opened again, until they do."""
    database.write(lambda tx: publish(tx, asset(0)))
    arrow_order = database.store.arrow_order
    # Three connections: what each sees differs by chance, nearly always in one of the first tries.
    moving = 'SELECT "t1"."revision" + CAST(random() AS INTEGER) % 3'
    database.store.arrow_order = lambda query: arrow_order(
        replace(query, state_sql=query.state_sql.replace('SELECT "t1"."revision"', moving))
    )
    for _ in range(3):
        assert read().row_count == 1


def test_a_version_that_is_gone_is_told(database: Database, read: Reader):
    """Where it was deleted since it was looked up, the read says that the data changed."""
    database.write(lambda tx: publish(tx, asset(0)))
    arrow_order = database.store.arrow_order
    database.store.arrow_order = lambda query: arrow_order(
        replace(query, state_arguments=["gone", *query.state_arguments[1:]])
    )
    with pytest.raises(Aborted) as refusal:
        read()
    assert refusal.value.reason == "DATA_VERSION_MOVED"


@pytest.mark.parametrize("filter", ["", "asset"])
def test_a_database_that_fails_is_told(database: Database, read: Reader, filter):
    """Also where it fails late; nothing of the cause leaves, and the next read is another try."""
    database.write(lambda tx: publish(tx, *(asset(number) for number in range(9))))
    arrow_order = database.store.arrow_order
    for broken in ({"uri": "nowhere:/absent"}, {"sql": "SELECT no_column FROM nowhere"}):
        database.store.arrow_order = lambda query, broken=broken: {**arrow_order(query), **broken}
        with pytest.raises(Unavailable, match="cannot be read just now"):
            read(filter=filter)
    database.store.arrow_order = arrow_order
    assert read(filter=filter).table.num_rows == 9
