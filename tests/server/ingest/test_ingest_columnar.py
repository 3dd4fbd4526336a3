"""Parquet and Arrow files."""

import datetime
import io
import uuid
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mooring_server.errors import InvalidArgument, ResourceExhausted
from mooring_server.ingest import Limits, open_inventory
from support_ingest import names, read_bytes

_ID = uuid.UUID("500b85c1-ef0d-37fb-6897-61c47157f858")
_TIME = datetime.datetime(2024, 5, 1, 12, 30)


def packed(table: pa.Table, form: str) -> bytes:
    sink = io.BytesIO()
    if form == "parquet":
        pq.write_table(table, sink, row_group_size=2)
    else:
        new = pa.ipc.new_file if form == "file" else pa.ipc.new_stream
        with new(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=2 if form in ("file", "stream") else None)
    return sink.getvalue()


FORMS = pytest.mark.parametrize("form", ["parquet", "file", "stream"])


@FORMS
def test_types_become_texts(tmp_path: Path, form: str) -> None:
    """Each type of value is the text that a workbook would have; what is nested is flattened as in JSON."""
    columns = {
        "name": pa.array(["a", "b", None]),
        "cpus": pa.array([4.0, None, None]),
        "ratio": pa.array([0.1, float("nan"), None], pa.float32()),
        "seen": pa.array([_TIME, None, None], pa.timestamp("ns")),
        "seen_utc": pa.array([_TIME, None, None], pa.timestamp("ms", "Europe/Berlin")),
        "day": pa.array([_TIME.date(), None, None]),
        "at": pa.array([1_000_000_001, None, None], pa.time64("ns")),
        "live": pa.array([True, False, None]),
        "cost": pa.array([Decimal("1.50"), None, None]),
        "raw": pa.array([b"text", b"\xff\x00", None]),
        "kind": pa.array(["vm", "vm", None]).dictionary_encode(),
        "os": pa.array([{"name": "Linux", "v": {"major": 6}}, None, None]),
        "ips": pa.array([["10.0.0.1", None, "10.0.0.2"], [], None]),
        "nics": pa.array([[{"mtu": 9000, "at": _TIME}], None, None]),
    }
    inventory, rows = read_bytes(tmp_path, packed(pa.table(columns), form))
    assert inventory.row_total == len(rows) == 2
    assert rows[0].fields == {
        "display_name": "a",
        "cpu_cores": 4.0,
        "operating_system": "Linux",
        "ip_addresses": ("10.0.0.1", "10.0.0.2"),
    }
    assert rows[0].attributes == {
        "ratio": "0.1",
        "seen": "2024-05-01T12:30:00",
        "seen_utc": "2024-05-01T12:30:00+00:00",
        "day": "2024-05-01",
        "at": "00:00:01",
        "live": "True",
        "cost": "1.50",
        "raw": "text",
        "kind": "vm",
        "os.v.major": "6",
        "nics": '[{"mtu":9000,"at":"2024-05-01T12:30:00"}]',
    }
    assert rows[1].attributes == {"live": "False", "raw": "ff00", "kind": "vm"}


def test_types_of_arrow_alone(tmp_path: Path) -> None:
    """Types that Parquet does not have are read too."""
    columns = {
        "id": pa.array([_ID.bytes], pa.uuid()),
        "name": pa.array(["a"], pa.string_view()),
        "zone": pa.RunEndEncodedArray.from_arrays([1], ["x"]),
        "tags": pa.array([[("k", "v")]], pa.map_(pa.string(), pa.string())),
        "for": pa.array([datetime.timedelta(hours=1)], pa.duration("ns")),
        "pair": pa.array([[1, 2]], pa.list_(pa.int64(), 2)),
        "none": pa.nulls(1),
        "far": pa.array([2**60], pa.timestamp("s")),
    }
    _, rows = read_bytes(tmp_path, packed(pa.table(columns), "stream"))
    assert rows[0].identity == f"id:{_ID}"
    assert rows[0].fields["location"] == "x"
    assert rows[0].attributes == {
        "tags": '{"k":"v"}',
        "for": "1:00:00",
        "pair": "1;2",
        "far": str(2**60),
    }


@FORMS
def test_rows_are_numbered(tmp_path: Path, form: str) -> None:
    """Rows count from 1 through all batches, blank ones included."""
    table = pa.table({"name": ["a", None, "b", "", "c"] * 600, "x": pa.nulls(3000)})
    inventory, rows = read_bytes(tmp_path, packed(table, form))
    assert inventory.row_total == len(rows) == 1800
    assert [row.row for row in rows[-3:]] == [2996, 2998, 3000]


@FORMS
def test_columns_of_one_name(tmp_path: Path, form: str) -> None:
    """Columns may share a name, and may look like a part of another."""
    table = pa.Table.from_arrays(
        [pa.array(["a"]), pa.array(["b"]), pa.array(["c"]), pa.array([{"y": "d"}])], ["name", "x", "x.y", "x"]
    )
    _, rows = read_bytes(tmp_path, packed(table, form))
    assert rows[0].attributes == {"x": "b", "x.y": "c", "x.y (2)": "d"}


@FORMS
@pytest.mark.parametrize(
    ("table", "limits", "limit"),
    [
        (pa.table({f"c{number}": ["a"] for number in range(2_001)}), Limits(), "columns_max"),
        (
            pa.table({"x": pa.array([{f"c{number}": 1 for number in range(2_001)}])}),
            Limits(),
            "columns_max",
        ),
        (pa.table({"name": ["a"] * 200}), Limits(cells_max=100), "cells_max"),
        (pa.table({"name": ["x" * 1_000] * 100}), Limits(expanded_size_max_bytes=50_000), "expanded_size"),
        (
            pa.table({"name": pa.array(["x" * 1_000] * 100).dictionary_encode()}),
            Limits(expanded_size_max_bytes=50_000),
            "expanded_size",
        ),
    ],
    ids=["columns", "nested columns", "cells", "texts", "one text"],
)
def test_limits(tmp_path: Path, form: str, table: pa.Table, limits: Limits, limit: str) -> None:
    """Columns, cells and texts are counted as in any table, one text in many rows as often as it is there."""
    path = tmp_path / "upload"
    path.write_bytes(packed(table, form))
    with pytest.raises(ResourceExhausted, match=limit):
        open_inventory(path, path.name, limits)


def nulls(count: int) -> pa.Array:
    return pa.Array.from_buffers(pa.null(), count, [None])


@pytest.mark.parametrize(
    "column",
    [
        nulls(2**31 - 1),
        pa.FixedSizeListArray.from_arrays(nulls(2**31 - 1), 2**31 - 1),
        pa.RunEndEncodedArray.from_arrays(pa.array([2**31 - 1], pa.int32()), ["x"]),
    ],
    ids=["nulls", "a list of nulls", "one run"],
)
def test_much_that_takes_no_room(tmp_path: Path, column: pa.Array) -> None:
    """Arrow can hold billions of values in a few bytes; they count all the same."""
    path = tmp_path / "upload"
    path.write_bytes(packed(pa.Table.from_arrays([column], ["name"]), "whole stream"))
    with pytest.raises(ResourceExhausted, match="cells_max"):
        open_inventory(path, path.name, Limits())


def test_deep_nesting(tmp_path: Path) -> None:
    """What nests without end is refused."""
    column: object = 1
    for _ in range(30):
        column = {"x": column}
    with pytest.raises(InvalidArgument, match="20 levels"):
        read_bytes(tmp_path, packed(pa.table({"name": pa.array([column])}), "stream"))


@pytest.mark.parametrize("form", ["parquet", "file"])
def test_cut_files(tmp_path: Path, form: str) -> None:
    """A file that was cut off is damaged, wherever the cut is."""
    content = packed(pa.table({"name": [f"s{number}" for number in range(50)]}), form)
    for length in range(9, len(content), len(content) // 15):
        with pytest.raises(InvalidArgument, match="damaged"):
            read_bytes(tmp_path, content[:length])


def test_cut_stream(tmp_path: Path) -> None:
    """A stream may end after any batch, so that only a cut within one is damage."""
    content = packed(pa.table({"name": ["a", "b", "c", "d"]}), "stream")
    _, rows = read_bytes(tmp_path, content.removesuffix(b"\xff\xff\xff\xff\0\0\0\0"))
    assert names(rows) == ["a", "b", "c", "d"]
    with pytest.raises(InvalidArgument, match="damaged"):
        read_bytes(tmp_path, content[:-20])
