"""Any table that somebody could have: it is read whole, or refused."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from mooring_server.errors import InvalidArgument, ResourceExhausted
from mooring_server.ingest import Limits, ReadOptions, open_inventory
from mooring_server.ingest.preview import preview
from support_ingest import weight

_HEADERS = st.sampled_from([
    "Name", "hostname", "FQDN", "UUID", "id", "VM", "Server name", "RAM", "Memory (MB)", "Memory GiB",
    "Disk TB", "CPU", "vCPUs", "CPU millicores", "IP Addresses", "MAC", "VLAN", "Serial number", "Type",
    "Role", "Cluster", "Wave", "Rechner", "Note", "", "Größe", "column_3", "Name (2)", "=1+1",
])  # fmt: skip
_TEXTS = st.sampled_from([
    "a", "web-1", "web-2", "db.corp.example", "500b85c1-ef0d-37fb-6897-61c47157f858", "4", "4.0",
    "16 GB", "1.024", "512Mi", "500m", "-1", "N/A", "10.0.0.1", "[10.0.0.1;fe80::1]",
    "00:50:56:aa:bb:cc", "Müller", "é", "VM", "server", "=cmd()", "True", "2024-05-01", "1e400", "9",
])  # fmt: skip
_TEXTS |= st.text(st.characters(codec="utf-8"), max_size=8)
_CELLS = _TEXTS | st.just("") | st.just("")
_ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp1251", "gb18030"])


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Rows with or without a header, ragged, repeated and blank ones among them."""
    width = draw(st.integers(1, 6))
    row = st.lists(_CELLS, min_size=width, max_size=width) | st.lists(_CELLS, max_size=8)
    rows = draw(st.lists(row, max_size=12))
    header = draw(st.lists(_HEADERS, min_size=width, max_size=width))
    if draw(st.booleans()):
        rows.insert(draw(st.integers(0, len(rows))), header)
    if draw(st.booleans()):
        rows.append(header)
    return [draw(st.sampled_from(rows)) if rows and draw(st.integers(0, 5)) == 0 else each for each in rows]


def as_text(rows: list[list[str]], delimiter: str, encoding: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(encoding, "replace")


def as_columns(rows: list[list[str]]) -> pa.Table:
    width = max(map(len, rows), default=0)
    padded = [[*row, *[""] * (width - len(row))] for row in rows[1:]]
    header = [*(rows[0] if rows else []), *[""] * width][:width]
    return pa.Table.from_arrays(
        [pa.array(column) for column in zip(*padded, strict=True)] or [], header[: width if padded else 0]
    )


def check(content: bytes, options: ReadOptions) -> None:
    """Reads a file; every row that is not blank is accounted for, and a preview sees the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        try:
            inventory = open_inventory(path, "upload", Limits(), options)
        except (InvalidArgument, ResourceExhausted):
            return
        rows = list(inventory.rows())
        assert sum(map(weight, rows)) == inventory.row_total
        shown = preview(path, "upload", Limits(), options, 5)
    assert (shown.kind, shown.rows_examined) == (inventory.kind, inventory.row_total)
    assert [use for use, _ in shown.columns] == [*inventory.columns]
    assert [*shown.notes] == inventory.notes


_OPTIONS = st.builds(
    ReadOptions,
    kind=st.sampled_from(["", "", "table"]),
    asset_type=st.sampled_from(["", "database"]),
    encoding=st.sampled_from(["", "", "", "cp1252"]),
)


@given(tables(), st.sampled_from(",;\t|"), _ENCODINGS, _OPTIONS)
@settings(deadline=None, max_examples=200)
def test_any_text(rows: list[list[str]], delimiter: str, encoding: str, options: ReadOptions) -> None:
    """A text file of any table gives each row once, or is refused."""
    check(as_text(rows, delimiter, encoding), options)


@given(tables(), st.sampled_from(["list", "lines"]), _OPTIONS)
@settings(deadline=None, max_examples=100)
def test_any_json(rows: list[list[str]], form: str, options: ReadOptions) -> None:
    """A JSON file of any table gives each row once, or is refused."""
    header = rows[0] if rows else []
    objects = [dict(zip(header, row, strict=False)) for row in rows[1:]]
    text = json.dumps(objects) if form == "list" else "\n".join(map(json.dumps, objects))
    check(text.encode(), options)


@given(tables(), st.booleans(), _OPTIONS)
@settings(deadline=None, max_examples=100)
def test_any_columns(rows: list[list[str]], parquet: bool, options: ReadOptions) -> None:
    """A Parquet or Arrow file of any table gives each row once, or is refused."""
    table, sink = as_columns(rows), io.BytesIO()
    if parquet:
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    check(sink.getvalue(), options)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_HEADERS | _TEXTS, inner, max_size=3),
        max_leaves=12,
    )
)
@settings(deadline=None, max_examples=200)
def test_any_values(value: object) -> None:
    """Whatever JSON holds beside a name is read, or refused."""
    check(json.dumps([{"name": "a", "x": value}, {"name": "b", "y": [value]}]).encode(), ReadOptions())
