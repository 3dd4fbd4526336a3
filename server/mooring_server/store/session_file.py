"""The file that a session moves in: its format, and how it is written. `core/session_files.py` reads it.

A zip of `assets.parquet`, `dependencies.parquet` and `manifest.json`, stored as they are. Its last 64 bytes,
which a zip calls its comment, are the SHA-256 of all bytes before them: what was altered anywhere is found.
The same rows make the same bytes: no time of writing is in it.

The manifest also has a digest of the content, which is the same for the same data under other ids: the sum of
the rows' hashes, so that their order does not count either.

It stands alone, since `arrow_process` does, which writes it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from types import TracebackType
from typing import IO, Any, Protocol, Self

import pyarrow as pa

FORMAT = "mooring-session"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
SEAL_LENGTH = 64
# What other ids would change. Dependencies have the identities of their ends besides.
IDS = frozenset({"id", "source_id", "target_id"})

_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "number": pa.float64(),
    "whole": pa.int64(),
    "small": pa.int32(),
    "time": pa.timestamp("us", tz="UTC"),
    "flag": pa.bool_(),
    "list": pa.list_(pa.string()),
}
_GROUP_ROWS = 16_384
_FIRST_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def schema(columns: Sequence[tuple[str, str]]) -> pa.Schema:
    """The schema of a table's Parquet, by the names and kinds of its columns (`reading.py`)."""
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns])


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: Any) -> int:
        """Takes all of them; how many they were."""


class Writer:
    """Writes one file, in a `with` block. `manifest` is plain JSON values."""

    def __init__(self, sink: Sink, manifest: Mapping[str, Any]) -> None:
        self._manifest = manifest
        self._parts: dict[str, Any] = {}
        self._content = 0
        self._sealed = _Sealed(sink)
        self._archive = zipfile.ZipFile(self._sealed, "w")  # type: ignore[call-overload]  # it is only written

    def add(
        self,
        name: str,
        columns: Sequence[tuple[str, str]],
        batches: Iterable[pa.RecordBatch],
        tell: Callable[[], None],
    ) -> None:
        """The next table; `tell` hears of each group of rows that is in."""
        # Here, since it would take a third of the time of every bulk read.
        import pyarrow.parquet as pq

        member = f"{name}.parquet"
        rows = 0
        with self._archive.open(_info(member), "w", force_zip64=True) as raw:
            part = _Part(raw)
            with pq.ParquetWriter(
                pa.PythonFile(part, mode="w"), schema(columns), compression="zstd"
            ) as writer:
                for group in _groups(batches):
                    writer.write_batch(group)
                    self._content += _content(name, group)
                    rows += group.num_rows
                    tell()
        self._parts[member] = {"rows": rows, "size_bytes": part.size, "sha256": part.hash.hexdigest()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            digest = f"{self._content % 2**256:064x}"
            manifest = {**self._manifest, "parts": self._parts, "content_digest": digest}
            text = json.dumps(manifest, ensure_ascii=False, indent=1)
            self._archive.writestr(_info(MANIFEST), text.encode("utf-8", "surrogatepass"))
            self._archive.comment = bytes(SEAL_LENGTH)
            self._archive.close()
            self._sealed.end()


class _Sealed:
    """Passes bytes on, but for the last ones: in their place goes the hash of all before."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._hash = sha256()
        self._held = b""

    def write(self, data: Any) -> int:
        held = self._held + bytes(data)
        cut = max(len(held) - SEAL_LENGTH, 0)
        self._held = held[cut:]
        self._hash.update(held[:cut])
        self._sink.write(held[:cut])
        return len(data)

    def flush(self) -> None:
        """Nothing waits here that may go."""

    def end(self) -> None:
        self._sink.write(self._hash.hexdigest().encode())


class _Part:
    """A member of the zip, as Arrow writes to one."""

    closed = False

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self.hash = sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self._raw.write(data)

    def flush(self) -> None:
        """Nothing waits here."""


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows in groups of one length, the last aside: databases batch them each in its own way."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        while batch.num_rows:
            taken = batch[: _GROUP_ROWS - rows]
            held.append(taken)
            rows += taken.num_rows
            batch = batch[taken.num_rows :]
            if rows == _GROUP_ROWS:
                yield pa.concat_batches(held)
                held, rows = [], 0
    if held:
        yield pa.concat_batches(held)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _FIRST_TIME)
    info.create_system = _UNIX  # on whichever it is
    info.external_attr = 0o644 << 16
    return info


def _content(name: str, batch: pa.RecordBatch) -> int:
    """The sum of the hashes of a batch's rows."""
    columns = [_plain(batch.column(field.name)) for field in batch.schema if field.name not in IDS]
    encoded = (_ENCODE([name, *row]).encode("utf-8", "surrogatepass") for row in zip(*columns, strict=True))
    return sum(int.from_bytes(sha256(row).digest()) for row in encoded)


def _plain(column: pa.Array) -> list[Any]:
    """A column's values, times as microseconds."""
    plain: list[Any] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return plain
