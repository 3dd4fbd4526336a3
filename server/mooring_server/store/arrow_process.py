"""The process that turns rows into Arrow: `python -P …/arrow_process.py`. `background/spools.py` starts it.

Why a process: the SQLite driver brings a SQLite of its own. Two of them in one process do not see each
other's locks on a file, and what one closes drops the locks of both. So a checkpoint would pull the log away
under a read, and other processes could write under the server. Between processes locks hold.

It takes its order as one line of JSON on standard input and writes an Arrow IPC stream, or a session as a zip
(`docs/moving.md` has its format), into the file `path`. On standard output it says, each as a line of JSON:
`["began", revision, row_count]` once it sees one state of the database, `["grew", size_bytes]` as the file
grows, at the end `["done", crc32]`; `["gone"]` where the version is not there; `["failed", trace]`. It stands
alone, so that it begins in a tenth of a second.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType
from typing import IO, Any

# Arrow does without, and loading it would take longer than all else here.
sys.modules["numpy"] = None  # type: ignore[assignment]

import adbc_driver_manager  # noqa: E402 - after that
import pyarrow as pa  # noqa: E402 - after that

# Ranges of a SQLite table that are read side by side: a statement keeps one core busy.
_SIDE_BY_SIDE = 2
_LAST_ID = "\U0010ffff"
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
            kinds = {"query": _query, "select": _select, "empty": _empty, "export": _export}
            kinds[order["kind"]](order, _Spool(file))
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
                self.tell()
        self.end()

    def tell(self) -> None:
        """Says how far it is."""
        _tell("grew", self._size)

    def end(self) -> None:
        """Says that this is all."""
        self.tell()
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
    source = _source(order)
    if source is not None:
        spool.take(_schema(order["columns"]), _batches(source, order))


def _source(order: dict[str, Any]) -> _Sqlite | _Postgresql | None:
    """One state of the database, which is told; None where the version is not there."""
    source: _Sqlite | _Postgresql
    source = _Sqlite(order) if order["database"] == "sqlite" else _Postgresql(order)
    if source.state is None:
        _tell("gone")
        return None
    _tell("began", *source.state)
    return source


def _batches(source: _Sqlite | _Postgresql, order: dict[str, Any]) -> Iterator[pa.RecordBatch]:
    schema, kinds = _schema(order["columns"]), [kind for _, kind in order["columns"]]
    return _ahead(source.parts(order, kinds), source.width, partial(_converted, schema, kinds))


def _export(order: dict[str, Any], spool: _Spool) -> None:
    """A session as one file."""
    tables = order["tables"]
    source = None
    if "sql" in tables[0]:  # else the session shows nothing
        source = _source(tables[0])
        if source is None:
            return
    with _session_file().Writer(spool, order["manifest"]) as file:
        for table in tables:
            batches = iter(()) if source is None else _batches(source, table)
            file.add(table["name"], table["columns"], batches, spool.tell)
    spool.end()


def _session_file() -> ModuleType:
    """`session_file.py`, from beside this file: there is no package here."""
    spec = importlib.util.spec_from_file_location("session_file", Path(__file__).with_name("session_file.py"))
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]  # it is there
    spec.loader.exec_module(module)  # type: ignore[union-attr]  # likewise
    return module


# Reads some batches; called once, by any thread.
_Part = Callable[[], "list[pa.RecordBatch]"]


class _Connection:
    """One transaction, all of whose statements see one state."""

    def __init__(self, database: adbc_driver_manager.AdbcDatabase) -> None:
        self._connection = adbc_driver_manager.AdbcConnection(database)

    def row(self, sql: str, arguments: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of an answer."""
        with closing(self.answer(sql, arguments)) as answer:
            rows = (tuple(row.values()) for batch in answer for row in batch.to_pylist())
            return next(rows, None)

    def begin(self) -> None:
        """Begins the transaction, which lasts as long as the connection."""
        self._connection.set_autocommit(False)

    def close(self) -> None:
        """Lets go of the database."""
        self._connection.close()

    def answer(
        self, sql: str, arguments: Sequence[Any] = (), **options: str
    ) -> Generator[pa.RecordBatch, None, None]:
        """What a statement answers, as it comes."""
        # Closed also where only the first rows are taken: a connection with open statements cannot be.
        with closing(adbc_driver_manager.AdbcStatement(self._connection)) as statement:
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


class _Sqlite:
    """A statement over a table, a range of ids at a time and several side by side; any other as it comes."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self.width = _SIDE_BY_SIDE if order["steps"] else 1
        self.state: tuple[Any, ...] | None = None
        self._idle: SimpleQueue[_Connection] = SimpleQueue()
        self._walker = self._open()

    def _open(self) -> _Connection:
        """Opens every connection, again where a commit came between them: all see one state."""
        while True:
            opened = [self._connect() for _ in range(self.width + 1)]
            states = {each.row(self._order["state_sql"], self._order["state_arguments"]) for each in opened}
            if len(states) == 1:
                break
            for each in opened:
                each.close()
        (self.state,) = states
        for each in opened[1:]:
            self._idle.put(each)
        return opened[0]

    def _connect(self) -> _Connection:
        import adbc_driver_sqlite

        connection = _Connection(adbc_driver_sqlite.connect(self._order["uri"]))
        connection.row(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        connection.begin()
        return connection

    def parts(self, order: dict[str, Any], kinds: Sequence[str]) -> Iterator[_Part]:
        """The rows of an order, sorted: what they are sorted by, then columns of those kinds."""
        # The driver takes a column's type from its first rows, where all may be unknown. So before them goes
        # an example, which sorts first.
        example = ", ".join(["''", *(_KINDS[kind][1] for kind in kinds)])
        sql, arguments = order["sql"], order["arguments"]
        if not order["steps"]:
            return _streamed(
                self._rows(self._walker, f"SELECT {example} UNION ALL {sql} ORDER BY 1", arguments)
            )
        ranged = f"SELECT {example} UNION ALL SELECT * FROM ({sql}) WHERE id > ? AND id <= ? ORDER BY 1"  # noqa: S608 - the server's SQL
        return (partial(self._range, ranged, [*arguments, *ends]) for ends in self._ranges(*order["steps"]))

    def _ranges(self, sql: str, arguments: Sequence[Any]) -> Iterator[tuple[str, str]]:
        """The ids that each range lies after, and those it ends with."""
        after = ""
        while row := self._walker.row(sql, [after if each is None else each for each in arguments]):
            yield after, row[0]
            (after,) = row
        yield after, _LAST_ID

    def _range(self, sql: str, arguments: Sequence[Any]) -> list[pa.RecordBatch]:
        connection = self._idle.get()
        try:
            return list(self._rows(connection, sql, arguments))
        finally:
            self._idle.put(connection)

    def _rows(self, connection: _Connection, sql: str, arguments: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        # One more, for the example.
        option = {"adbc.sqlite.query.batch_rows": str(self._order["batch_rows"] + 1)}
        answer = connection.answer(sql, arguments, **option)
        yield next(answer)[1:]
        yield from answer


class _Postgresql:
    """A statement, streamed by COPY."""

    width = 1

    def __init__(self, order: dict[str, Any]) -> None:
        import adbc_driver_postgresql

        self._connection = _Connection(adbc_driver_postgresql.connect(order["uri"]))
        self._connection.begin()
        self._connection.row("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.state = self._connection.row(order["state_sql"], order["state_arguments"])

    def parts(self, order: dict[str, Any], kinds: Sequence[str]) -> Iterator[_Part]:
        """As above; the SQL reads its arguments as settings."""
        arguments = order["arguments"]
        if arguments:
            places = range(len(arguments))
            set_all = ", ".join(f"set_config('mooring.argument_{n}', ${n + 1}, true)" for n in places)
            self._connection.row(f"SELECT {set_all}", [str(value) for value in arguments])
        option = {"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_HINT_BYTES)}
        return _streamed(self._connection.answer(f"{order['sql']} ORDER BY 1", **option))


def _streamed(batches: Iterator[pa.RecordBatch]) -> Iterator[_Part]:
    """One batch after the other. Only one thread may call the parts."""
    ended = False

    def part() -> list[pa.RecordBatch]:
        nonlocal ended
        found = list(islice(batches, 1))
        ended = not found
        return found

    while not ended:
        yield part


def _ahead(
    parts: Iterator[_Part], width: int, convert: Callable[[pa.RecordBatch], pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The batches of all parts in order, `width` parts being read and converted while one is taken."""

    def read(part: _Part) -> list[pa.RecordBatch]:
        return [convert(batch) for batch in part()]

    with ThreadPoolExecutor(width) as pool:
        reading: deque[Future[list[pa.RecordBatch]]] = deque()
        for part in parts:
            reading.append(pool.submit(read, part))
            if len(reading) > width:
                yield from reading.popleft().result()
        while reading:
            yield from reading.popleft().result()


def _converted(schema: pa.Schema, kinds: Sequence[str], batch: pa.RecordBatch) -> pa.RecordBatch:
    # Without the first column, which the rows are ordered by.
    columns = zip(batch.columns[1:], schema, kinds, strict=True)
    arrays = [_lists(array) if kind == "list" else array.cast(field.type) for array, field, kind in columns]
    return pa.record_batch(arrays, schema=schema)


def _lists(texts: pa.Array) -> pa.Array:
    """Lists from their JSON, each different text read once."""
    different = texts.dictionary_encode()
    lists = json.loads(f"[{','.join(different.dictionary.to_pylist())}]")
    return pa.array(lists, pa.list_(pa.string())).take(different.indices)


if __name__ == "__main__":
    main()
