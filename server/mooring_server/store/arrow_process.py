"""The process that turns rows into Arrow: `python -P …/arrow_process.py`. `background/spools.py` starts it.

Why a process: the SQLite driver brings a SQLite of its own. Two of them in one process do not see each
other's locks on a file, and what one closes drops the locks of both. So a checkpoint would pull the log away
under a read, and other processes could write under the server. Between processes locks hold.

It takes its order as one line of JSON on standard input and writes an Arrow IPC stream into the file `path`.
On standard output it says, each as a line of JSON: `["began", revision, row_count]` once it sees one state of
the database, `["grew", size_bytes]` as the file grows, at the end `["done", crc32]`; `["gone"]` where the
version is not there; `["failed", trace]`. It stands alone, so that it begins in a tenth of a second.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
import zlib
from collections.abc import Iterator, Sequence
from queue import Queue
from typing import IO, Any

# Arrow does without, and loading it would take longer than all else here.
sys.modules["numpy"] = None  # type: ignore[assignment]

import adbc_driver_manager  # noqa: E402 - after that
import pyarrow as pa  # noqa: E402 - after that

# So many batches are read while one is written.
_AHEAD = 1
_BATCH_HINT_BYTES = 8 * 2**20
_BUSY_TIMEOUT_MS = 5_000

# By the kind of a column: its type, and an example of it in SQLite's SQL.
_KINDS: dict[str, tuple[pa.DataType, str]] = {
    "text": (pa.string(), "''"),
    "number": (pa.float64(), "0.5"),
    "whole": (pa.int64(), "0"),
    "small": (pa.int32(), "0"),
    "time": (pa.timestamp("us", tz="UTC"), "0"),
    "flag": (pa.bool_(), "0"),
    "list": (pa.list_(pa.string()), "'[]'"),
}


def main() -> None:
    """Carries out the order on standard input."""
    order = json.loads(sys.stdin.buffer.readline())
    try:
        with open(order["path"], "r+b", buffering=0) as file:
            {"query": _query, "select": _select, "empty": _empty}[order["kind"]](order, _Spool(file))
    except Exception:
        _tell("failed", traceback.format_exc())
    sys.stdout.flush()
    # The drivers' own ends take their time, and the process is theirs too.
    os._exit(0)


def _tell(*words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


class _Spool:
    """The file that grows, as Arrow writes to one."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = self._crc32 = 0

    def write(self, data: Any) -> int:
        view = memoryview(data)
        size = len(view)
        self._crc32 = zlib.crc32(view, self._crc32)
        self._size += size
        while view:
            view = view[self._file.write(view) :]
        return size

    def flush(self) -> None:
        """Nothing waits here."""

    def take(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        """Writes a stream, and says how far it is."""
        with pa.ipc.new_stream(pa.PythonFile(self, mode="w"), schema) as writer:
            for batch in batches:
                if batch.num_rows:
                    writer.write_batch(batch)
                _tell("grew", self._size)
        _tell("grew", self._size)
        _tell("done", self._crc32)


def _schema(columns: Sequence[tuple[str, str]]) -> pa.Schema:
    return pa.schema([(name, _KINDS[kind][0]) for name, kind in columns])


def _empty(order: dict[str, Any], spool: _Spool) -> None:
    """No rows."""
    spool.take(_schema(order["columns"]), iter(()))


def _select(order: dict[str, Any], spool: _Spool) -> None:
    """Some columns of a stream that is in a file already."""
    names = order["names"]
    with pa.memory_map(order["source"]) as source, pa.ipc.open_stream(source) as reader:
        schema = pa.schema([reader.schema.field(name) for name in names])
        spool.take(schema, (batch.select(names) for batch in reader))


def _query(order: dict[str, Any], spool: _Spool) -> None:
    """What a statement answers, in one state of the database."""
    database: _Sqlite | _Postgresql
    if order["database"] == "sqlite":
        database = _Sqlite(order["uri"], order["batch_rows"])
    else:
        database = _Postgresql(order["uri"])
    state = database.row(order["state_sql"], order["state_arguments"])
    if state is None:
        _tell("gone")
        return
    _tell("began", *state)
    schema, kinds = _schema(order["columns"]), [kind for _, kind in order["columns"]]
    read = database.batches(order["sql"], order["arguments"], kinds)
    spool.take(schema, (_converted(batch, schema, kinds) for batch in _ahead(read)))


class _Connection:
    """One transaction, all of whose statements see one state."""

    def __init__(self, database: adbc_driver_manager.AdbcDatabase) -> None:
        self._connection = adbc_driver_manager.AdbcConnection(database)

    def row(self, sql: str, arguments: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of an answer."""
        for batch in self._answer(sql, arguments):
            for row in batch.to_pylist():
                return tuple(row.values())
        return None

    def _answer(self, sql: str, arguments: Sequence[Any] = (), **options: str) -> Iterator[pa.RecordBatch]:
        statement = adbc_driver_manager.AdbcStatement(self._connection)
        statement.set_options(**options)
        statement.set_sql_query(sql)
        if arguments:
            names = [f"{number}" for number in range(len(arguments))]
            row = pa.record_batch([pa.array([value]) for value in arguments], names)
            schema, values = row.__arrow_c_array__()
            statement.prepare()
            statement.bind(values, schema)
        handle, _ = statement.execute_query()
        with pa.RecordBatchReader._import_from_c(handle.address) as reader:
            yield from reader
        statement.close()


class _Sqlite(_Connection):
    def __init__(self, uri: str, batch_rows: int) -> None:
        import adbc_driver_sqlite

        super().__init__(adbc_driver_sqlite.connect(uri))
        self._batch_rows = batch_rows
        self.row(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        self._connection.set_autocommit(False)

    def batches(self, sql: str, arguments: Sequence[Any], kinds: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in order: what they are ordered by, then columns of those kinds."""
        # The driver takes a column's type from its first rows, where all may be unknown. So before them goes
        # an example, which sorts first.
        example = ", ".join(["''", *(_KINDS[kind][1] for kind in kinds)])
        option = {"adbc.sqlite.query.batch_rows": str(self._batch_rows)}
        answer = self._answer(f"SELECT {example} UNION ALL {sql} ORDER BY 1", arguments, **option)
        yield next(answer)[1:]
        yield from answer


class _Postgresql(_Connection):
    def __init__(self, uri: str) -> None:
        import adbc_driver_postgresql

        super().__init__(adbc_driver_postgresql.connect(uri))
        self._connection.set_autocommit(False)
        self.row("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def batches(self, sql: str, arguments: Sequence[Any], kinds: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """As above; the SQL reads its arguments as settings."""
        if arguments:
            places = range(len(arguments))
            set_all = ", ".join(f"set_config('mooring.argument_{n}', ${n + 1}, true)" for n in places)
            self.row(f"SELECT {set_all}", [str(value) for value in arguments])
        option = {"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_HINT_BYTES)}
        yield from self._answer(f"{sql} ORDER BY 1", **option)


def _converted(batch: pa.RecordBatch, schema: pa.Schema, kinds: Sequence[str]) -> pa.RecordBatch:
    # Without the first column, which the rows are ordered by.
    columns = zip(batch.columns[1:], schema, kinds, strict=True)
    arrays = [_lists(array) if kind == "list" else array.cast(field.type) for array, field, kind in columns]
    return pa.record_batch(arrays, schema=schema)


def _lists(texts: pa.Array) -> pa.Array:
    """Lists from their JSON, each different text read once."""
    different = texts.dictionary_encode()
    lists = json.loads(f"[{','.join(different.dictionary.to_pylist())}]")
    return pa.array(lists, pa.list_(pa.string())).take(different.indices)


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, fetched by a thread before they are asked for."""
    fetched: Queue[pa.RecordBatch | BaseException | None] = Queue(_AHEAD)

    def fetch() -> None:
        try:
            for batch in batches:
                fetched.put(batch)
            fetched.put(None)
        except BaseException as failure:
            fetched.put(failure)

    threading.Thread(target=fetch, daemon=True).start()
    while (batch := fetched.get()) is not None:
        if isinstance(batch, BaseException):
            raise batch
        yield batch


if __name__ == "__main__":
    main()
