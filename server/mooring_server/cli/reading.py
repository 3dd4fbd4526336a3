"""`mooring assets read` and `mooring dependencies read`: all data of a session into a file, in batches."""

import csv
import io
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from mooring_server.cli.client import Client
from mooring_server.cli.console import ExitCode, Failure, say
from mooring_server.cli.files import new_file
from mooring_server.cli.places import Place, opened
from mooring_server.cli.progress import progress
from mooring_server.cli.spreadsheets import xlsx
from mooring_server.cli.tables import cell, counted, size

# What a spreadsheet takes for a formula, at the beginning of a cell.
_FORMULA = r"^[=+\-@\t\r]"
_BUFFER_BYTES = 2**20
_SINGULAR = {"assets": "asset", "dependencies": "dependency"}


def read_to_file(
    place: Place, noun: str, file: Path, *, fields: str, filter: str, force: bool, as_json: bool
) -> None:
    """Write a session's `noun` (assets or dependencies) to a file, and say how many.

    `fields` are separated by commas, quoted where one has a comma in it. There is never more in memory than a
    batch of the server's.

    Raises:
        Failure: the file cannot be written, or has another ending than those that can be.
        Refused: the server refused, or ended midway; there is no file then.
    """
    writer = _WRITERS.get(file.suffix.lower())
    if writer is None:
        endings = ", ".join(_WRITERS)
        raise Failure(f"what is {file.name!r} to be? Its name must end in one of {endings}", ExitCode.USAGE)
    wanted = [name.strip() for name in next(csv.reader([fields]), []) if name.strip()]
    with opened(place) as (client, session), new_file(file, "file", force=force) as target:
        pieces = _pieces(client, noun)(session.name, fields=wanted, filter=filter)
        with closing(pieces), progress(shown=not as_json) as on_progress:
            source = _Pieces(pieces)
            total = 0 if filter else source.header.row_count
            rows = _copy(source, target, writer, lambda done: on_progress("reading", done, total))
    size_bytes = file.stat().st_size
    if as_json:
        account = {
            "file": str(file),
            "session": session.name,
            "rows": rows,
            "size_bytes": size_bytes,
            "data_version": source.header.data_version,
        }
        say(json.dumps(account))
    else:
        found = counted(rows, _SINGULAR[noun], noun)
        say(f"{file}: {found} of {cell(session.display_name)}, {size(size_bytes)}")


def _pieces(client: Client, noun: str) -> Callable[..., Generator[Any]]:
    return client.assets.read if noun == "assets" else client.dependencies.read


class _Pieces(io.RawIOBase):
    """The bytes in the messages of an answer, as a file; `header` is what the first one says."""

    def __init__(self, messages: Iterator[Any]) -> None:
        self._messages = messages
        first = next(messages)
        self.header = first.header
        self._left = memoryview(first.data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            message = next(self._messages, None)
            if message is None:
                return 0
            self._left = memoryview(message.data)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _copy(
    source: _Pieces, target: IO[bytes], writer: Callable[..., Any], on_rows: Callable[[int], None]
) -> int:
    import pyarrow as pa

    rows = 0
    batches = pa.ipc.open_stream(io.BufferedReader(source, _BUFFER_BYTES))
    with writer(target, batches.schema) as write:
        for batch in batches:
            write(batch)
            rows += batch.num_rows
            on_rows(rows)
    return rows


@contextmanager
def _parquet(target: IO[bytes], schema: Any) -> Iterator[Callable[[Any], None]]:
    from pyarrow import parquet

    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        yield writer.write_batch


@contextmanager
def _arrow(target: IO[bytes], schema: Any) -> Iterator[Callable[[Any], None]]:
    import pyarrow as pa

    with pa.ipc.new_file(target, schema) as writer:
        yield writer.write_batch


@contextmanager
def _csv(target: IO[bytes], schema: Any) -> Iterator[Callable[[Any], None]]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    flat = pa.schema([_flat_field(field) for field in schema])
    with arrow_csv.CSVWriter(target, flat) as writer:
        yield lambda batch: writer.write_batch(
            pa.record_batch([_flat(column) for column in batch.columns], schema=flat)
        )


def _flat_field(field: Any) -> Any:
    import pyarrow as pa

    return pa.field(field.name, pa.string()) if pa.types.is_list(field.type) else field


def _flat(column: Any) -> Any:
    """A column as CSV has it: lists as `a;b`, and texts that a spreadsheet does not run."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(column.type):
        column = pc.binary_join(column, ";")
    if not pa.types.is_string(column.type):
        return column
    risky = pc.match_substring_regex(column, _FORMULA)
    return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)


_WRITERS: dict[str, Callable[..., Any]] = {
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".csv": _csv,
    ".xlsx": xlsx,
}
