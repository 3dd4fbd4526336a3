"""Assets and dependencies in bulk, as Arrow, and from there as data frames.

Arrow is loaded at the first read: it takes its time, and not every notebook reads in bulk.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from mooring.v1 import assets_pb2, dependencies_pb2

from mooring_widgets.client.channel import Channel
from mooring_widgets.errors import Internal

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_DISCOVERY = "mooring.v1.DiscoveryService"
# A mark, and no head.
_END = b"\xff\xff\xff\xff\0\0\0\0"

DATA_VERSION = b"mooring.data_version"
"""The key of the data version in a schema's metadata."""
ROW_COUNT = b"mooring.row_count"
"""The key of how many rows that version has, whatever the filter."""


def read_assets(
    channel: Channel, session: str, fields: Sequence[str] = (), filter: str = ""
) -> AsyncGenerator[pyarrow.RecordBatch, None]:
    """The assets of a session in the order of their ids; at least one batch, which may be empty.

    All of them are of one state of the data; the metadata of each batch's schema says of which. A read that
    breaks off is not begun again: it may be another state by then.

    Args:
        channel: Where the service is.
        session: The session's full name.
        fields: The columns (`id`, `hostname`, `attributes.Rack`), in this order; all of them by default.
        filter: As for lists.

    Raises:
        InvalidArgument: For an unknown field or a wrong filter.
        NotFound: For an absent session.
        Unavailable: Where the service cannot be reached, or breaks off.
    """
    request = assets_pb2.ReadAssetsRequest(parent=session, fields=fields, filter=filter)
    return _read(channel, f"/{_DISCOVERY}/ReadAssets", request, assets_pb2.ReadAssetsResponse)


def read_dependencies(
    channel: Channel, session: str, fields: Sequence[str] = (), filter: str = ""
) -> AsyncGenerator[pyarrow.RecordBatch, None]:
    """The dependencies of a session, as `read_assets` reads its assets."""
    request = dependencies_pb2.ReadDependenciesRequest(parent=session, fields=fields, filter=filter)
    return _read(
        channel, f"/{_DISCOVERY}/ReadDependencies", request, dependencies_pb2.ReadDependenciesResponse
    )


async def to_table(batches: AsyncIterable[pyarrow.RecordBatch]) -> pyarrow.Table:
    """All of a read as one table. Numbers and times that are not known are null."""
    import pyarrow

    return pyarrow.Table.from_batches([batch async for batch in batches])


def to_pandas(table: pyarrow.Table) -> pandas.DataFrame:
    """The table as a frame: times are aware, in UTC; whole numbers some of which are not known become floats
    with NaN. `table.to_pandas(types_mapper=pandas.ArrowDtype)` keeps them whole.
    """
    frame: pandas.DataFrame = table.to_pandas()
    return frame


def to_polars(table: pyarrow.Table) -> polars.DataFrame:
    """The table as a frame of polars. Raises ImportError where that is not installed."""
    try:
        import polars
    except ImportError:
        raise ImportError("polars is not installed; get it with: pip install polars") from None
    frame = polars.from_arrow(table)
    if not isinstance(frame, polars.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame


async def _read(
    channel: Channel, method: str, request: Any, answer: Any
) -> AsyncGenerator[pyarrow.RecordBatch, None]:
    import pyarrow

    schema: pyarrow.Schema | None = None
    header = assets_pb2.ReadHeader()
    decoder = _Messages()
    count = 0
    async with aclosing(channel.read(method, request, answer)) as answers:
        async for part in answers:
            if part.HasField("header"):
                header = part.header
            for message in decoder.feed(part.data):
                buffer = pyarrow.py_buffer(message)
                if schema is None:
                    schema = pyarrow.ipc.read_schema(buffer).with_metadata(
                        {DATA_VERSION: header.data_version, ROW_COUNT: str(header.row_count)}
                    )
                else:
                    count += 1
                    yield pyarrow.ipc.read_record_batch(buffer, schema)
    if schema is None or not decoder.ended:
        raise Internal("the service broke off in the middle of a table; read it again")
    if not count:
        yield pyarrow.record_batch([pyarrow.array([], field.type) for field in schema], schema=schema)


class _Messages:
    """Cuts an Arrow IPC stream, which comes in pieces of any size, into its messages.

    A message is a mark, the length of its head, the head (a flatbuffer, which says how long the body is) and
    its body; one without a head is the end. See https://arrow.apache.org/docs/format/Columnar.html.
    """

    def __init__(self) -> None:
        self.ended = False
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The messages that are whole with this piece."""
        self._buffer += piece
        while not self.ended:
            size = self._size()
            if size is None or size > len(self._buffer):
                return
            with memoryview(self._buffer) as view:
                message = bytes(view[:size])
            del self._buffer[:size]
            self.ended = size == len(_END)
            if not self.ended:
                yield message

    def _size(self) -> int | None:
        """How long the next message is; None where too little of it has come to tell."""
        buffer = self._buffer
        if len(buffer) < len(_END):
            return None
        (head,) = struct.unpack_from("<i", buffer, 4)
        start = len(_END)
        if len(buffer) < start + head:
            return None
        if not head:
            return start
        # A flatbuffer begins with the place of its table, a table with how far before it its own list of
        # places is; the body's length is the fourth field.
        table = start + struct.unpack_from("<I", buffer, start)[0]
        places = table - struct.unpack_from("<i", buffer, table)[0]
        place = struct.unpack_from("<H", buffer, places + 10)[0] if _has_body(buffer, places) else 0
        body = struct.unpack_from("<q", buffer, table + place)[0] if place else 0
        return int(start + head + body)


def _has_body(buffer: bytearray, places: int) -> bool:
    return bool(struct.unpack_from("<H", buffer, places)[0] > 10)
