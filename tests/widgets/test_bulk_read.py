"""Bulk reads of the client: from messages cut anywhere to batches, tables and frames."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import grpc
import grpc.aio
import pandas as pd
import polars
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mooring import local
from mooring.v1 import assets_pb2, dependencies_pb2
from mooring_widgets.client import channel as channels
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.reading import (
    DATA_VERSION,
    ROW_COUNT,
    _Messages,
    read_assets,
    read_dependencies,
    to_pandas,
    to_polars,
    to_table,
)
from mooring_widgets.errors import Internal, Unavailable

SESSION = "engagements/e/sessions/s"
TABLE = pa.table(
    {
        "id": ["a", "b", "c"],
        "memory_bytes": pa.array([1, None, 2**40], pa.int64()),
        "ip_addresses": pa.array([[], ["10.0.0.1"], ["x", "y"]], pa.list_(pa.string())),
        "create_time": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 3, pa.timestamp("us", tz="UTC")),
    }
)


def stream(table: pa.Table, rows: int = 2) -> bytes:
    """The table as an Arrow IPC stream of small batches."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return sink.getvalue().to_pybytes()


class Service(grpc.GenericRpcHandler):
    """Sends what it was made with, `piece` bytes in a message, and breaks off after `sent_max` messages.

    Its first `refusals` calls say that it is not there.
    """

    def __init__(self, data: bytes, *, piece: int = 100, sent_max: int = 2**30, refusals: int = 0) -> None:
        self.data = data
        self.piece = piece
        self.sent_max = sent_max
        self.refusals = refusals
        self.asked: list[tuple[str, bytes]] = []

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        async def read(request: bytes, context: Any) -> AsyncIterator[bytes]:
            self.asked.append((details.method, request))
            if self.refusals:
                self.refusals -= 1
                await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            header = assets_pb2.ReadHeader(data_version="v.1", row_count=7)
            yield assets_pb2.ReadAssetsResponse(header=header).SerializeToString()
            for number, start in enumerate(range(0, len(self.data), self.piece)):
                if number == self.sent_max:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
                part = self.data[start : start + self.piece]
                yield assets_pb2.ReadAssetsResponse(data=part).SerializeToString()

        return grpc.unary_stream_rpc_method_handler(read)


Run = Callable[[Service, Callable[[Channel], Any]], Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a coroutine function with a channel to a user's own service; what it answers."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        address = f"unix:{os.path.join(folder, 's')}"
        monkeypatch.setenv("MOORING_DATA_DIR", os.path.join(folder, "data"))
        monkeypatch.setattr(local, "find_or_start", lambda _: address)
        monkeypatch.setattr(channels, "_RETIRE_GRACE_S", 0.01)

        def run(service: Service, test: Callable[[Channel], Any]) -> Any:
            async def main() -> Any:
                server = grpc.aio.server()
                server.add_generic_rpc_handlers((service,))
                server.add_insecure_port(address)
                await server.start()
                channel = Channel(None)
                try:
                    return await test(channel)
                finally:
                    await channel.close()
                    await server.stop(None)

            return asyncio.run(main())

        yield run


def test_a_read_becomes_a_table(run: Run) -> None:
    """What was asked for, cut into small pieces, is the same table; its schema says of what state it is."""
    service = Service(stream(TABLE))
    table = run(service, lambda channel: to_table(read_assets(channel, SESSION, ["id"], "x")))
    assert table.replace_schema_metadata() == TABLE
    assert table.schema.metadata == {DATA_VERSION: b"v.1", ROW_COUNT: b"7"}
    ((method, request),) = service.asked
    assert method == "/mooring.v1.DiscoveryService/ReadAssets"
    assert assets_pb2.ReadAssetsRequest.FromString(request) == assets_pb2.ReadAssetsRequest(
        parent=SESSION, fields=["id"], filter="x"
    )


def test_dependencies_are_read_alike(run: Run) -> None:
    """By their own method."""
    service = Service(stream(TABLE))
    table = run(service, lambda channel: to_table(read_dependencies(channel, SESSION, ["id"])))
    assert table.num_rows == 3
    ((method, request),) = service.asked
    assert method == "/mooring.v1.DiscoveryService/ReadDependencies"
    assert dependencies_pb2.ReadDependenciesRequest.FromString(request).fields == ["id"]


def test_no_rows_are_one_empty_batch(run: Run) -> None:
    """So that the columns are known."""

    async def batches(channel: Channel) -> list[pa.RecordBatch]:
        return [batch async for batch in read_assets(channel, SESSION)]

    (batch,) = run(Service(stream(TABLE.slice(0, 0))), batches)
    assert (batch.num_rows, batch.schema.names) == (0, TABLE.schema.names)
    assert batch.schema.metadata[DATA_VERSION] == b"v.1"


def test_a_service_that_has_gone_is_asked_once_more(run: Run) -> None:
    """The user's own, as long as nothing has come of the read."""
    service = Service(stream(TABLE), refusals=1)
    assert run(service, lambda channel: to_table(read_assets(channel, SESSION))).num_rows == 3
    assert len(service.asked) == 2
    with pytest.raises(Unavailable):
        run(Service(b"", refusals=2), lambda channel: to_table(read_assets(channel, SESSION)))


def test_a_read_that_breaks_off_is_not_begun_again(run: Run) -> None:
    """It might be of another state: the batches that came are there, then it fails."""
    service = Service(stream(TABLE, 1), piece=500, sent_max=3)
    batches: list[pa.RecordBatch] = []

    async def read(channel: Channel) -> None:
        async for batch in read_assets(channel, SESSION):
            batches.append(batch)  # noqa: PERF401 - those before the failure count

    with pytest.raises(Unavailable):
        run(service, read)
    assert batches
    assert len(service.asked) == 1


@pytest.mark.parametrize("kept", [0, 4, 100, 700, -8, -1])
def test_a_read_without_its_end_fails(run: Run, kept: int) -> None:
    """A table of which the end is missing is none, even where the call ended well."""
    service = Service(stream(TABLE)[:kept])
    with pytest.raises(Internal, match="read it again"):
        run(service, lambda channel: to_table(read_assets(channel, SESSION)))


@given(cuts=st.lists(st.integers(0, 3_000), max_size=30), rows=st.integers(1, 4))
def test_messages_are_found_however_they_are_cut(cuts: list[int], rows: int) -> None:
    """The same messages come, whatever the pieces are."""
    data = stream(TABLE, rows)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    messages = _Messages()
    found = []
    for start, end in pairwise(places):
        found += messages.feed(data[start:end])
    assert messages.ended
    schema = pa.ipc.read_schema(pa.py_buffer(found[0]))
    batches = [pa.ipc.read_record_batch(pa.py_buffer(each), schema) for each in found[1:]]
    assert pa.Table.from_batches(batches) == TABLE


def test_frames_of_pandas() -> None:
    """Times are aware, an unknown whole number is NaN among floats."""
    frame = to_pandas(TABLE)
    assert isinstance(frame["create_time"].dtype, pd.DatetimeTZDtype)
    assert frame["memory_bytes"].isna().tolist() == [False, True, False]
    assert [list(each) for each in frame["ip_addresses"]] == [[], ["10.0.0.1"], ["x", "y"]]


def test_frames_of_polars() -> None:
    """Numbers stay whole, lists stay lists."""
    frame = to_polars(TABLE)
    assert frame.schema["memory_bytes"] == polars.Int64
    assert frame["memory_bytes"].to_list() == [1, None, 2**40]
    assert frame["ip_addresses"].to_list() == [[], ["10.0.0.1"], ["x", "y"]]


def test_without_polars_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the command."""
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match="pip install polars"):
        to_polars(TABLE)
