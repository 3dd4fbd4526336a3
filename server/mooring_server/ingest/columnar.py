"""Parquet and Arrow IPC (files and streams) -> one sheet.

Their columns have names and types; a value becomes the text that a workbook's cell of that type would be, and
what is nested is flattened as in JSON. A batch of rows is in memory at a time. What a file says about itself
is checked before it is believed, and each batch is validated before it is used: its offsets are the file's.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mooring_server.ingest.limits import Limits, damage_reported
from mooring_server.ingest.nested import DEPTH_MAX, check_depth, text_of

_PARQUET = b"PAR1"
_ARROW_FILE = b"ARROW1"

_BATCH_ROWS = 1024
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH = datetime(1970, 1, 1)
_DAMAGED = (
    "the file is a damaged or incomplete Parquet or Arrow file; "
    "copy it once more, or export the inventory again"
)


class ColumnarSheet:
    """The sheet of a Parquet or Arrow file.

    Raises InvalidArgument (UNREADABLE_INVENTORY) and ResourceExhausted, both when it is made.
    """

    name = ""
    is_named = True

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        with damage_reported(_DAMAGED), closing(self._batches()) as batches:
            self._columns = next(batches)
        limits.check_columns(len(self._columns))
        self.row_total = 1
        size = 0
        for _, cells in self._rows():
            self.row_total += any(cells)
            size += sum(map(len, cells))
            limits.check_expanded_size(size)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The names of the columns as row 0, then each row that is not blank."""
        yield 0, self._columns
        for row, cells in self._rows():
            if any(cells):
                yield row, cells

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        row = 0
        with closing(self._batches()) as batches:
            next(batches)
            while True:
                with damage_reported(_DAMAGED):
                    batch = next(batches, None)
                    if batch is None or not self._columns:
                        return
                    leaves = [leaf for column in batch.columns for leaf in _leaves(column, DEPTH_MAX)]
                    columns = [self._texts(leaf) for leaf in leaves]
                for cells in zip(*columns, strict=True):
                    row += 1
                    yield row, list(cells)

    def _batches(self) -> Generator[Any, None, None]:
        """The names of the columns, then batches of few rows."""
        with self._path.open("rb") as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
        batches = self._parquet() if is_parquet else self._arrow()
        with closing(batches):
            schema = next(batches)
            names = [name for field in schema for name in _names(field, "", DEPTH_MAX)]
            yield names
            rows = 0
            for batch in batches:
                rows += batch.num_rows
                self._limits.check_cells(rows * len(names))
                for start in range(0, batch.num_rows, _BATCH_ROWS):
                    yield batch.slice(start, _BATCH_ROWS)

    def _parquet(self) -> Generator[Any, None, None]:
        """The schema, then batches."""
        about = pq.read_metadata(self._path)
        self._limits.check_columns(about.num_columns)
        self._limits.check_cells(about.num_rows * about.num_columns)
        groups = map(about.row_group, range(about.num_row_groups))
        self._limits.check_expanded_size(sum(max(group.total_byte_size, 0) for group in groups))
        schema = about.schema.to_arrow_schema()
        # A long text in many rows stays one text.
        texts = [field.name for field in schema if _is_text(field.type) and "." not in field.name]
        yield schema
        with pq.ParquetFile(self._path, read_dictionary=texts) as file:
            yield from file.iter_batches(_BATCH_ROWS, use_threads=False)

    def _arrow(self) -> Generator[Any, None, None]:
        """The schema, then batches."""
        with pa.memory_map(str(self._path)) as file:
            if file.read(len(_ARROW_FILE)) == _ARROW_FILE:
                reader = pa.ipc.open_file(file)
                yield reader.schema
                batches = map(reader.get_batch, range(reader.num_record_batches))
            else:
                file.seek(0)
                batches = pa.ipc.open_stream(file)
                yield batches.schema
            for batch in batches:
                self._limits.check_expanded_size(batch.get_total_buffer_size())
                batch.validate(full=True)
                yield batch

    def _texts(self, array: Any) -> list[str]:
        """The texts of a column without columns of its own."""
        if isinstance(array.type, pa.DictionaryType):
            # The dictionary is that of all rows, and may be long.
            used = pc.unique(array.indices.drop_null())
            texts = dict(zip(used.to_pylist(), self._texts(array.dictionary.take(used)), strict=True))
            return [texts.get(index, "") for index in array.indices.to_pylist()]
        if isinstance(array.type, pa.RunEndEncodedType):
            return self._texts(pc.run_end_decode(array))
        if isinstance(array, pa.ExtensionArray) and array.type.extension_name != "arrow.uuid":
            return self._texts(array.storage)
        if pa.types.is_timestamp(array.type):
            return _moments(array, _PER_SECOND[array.type.unit], is_local=array.type.tz is None)
        if pa.types.is_date(array.type):
            per_day = 1 if pa.types.is_date32(array.type) else 86_400_000
            ints = array.cast(pa.int32() if per_day == 1 else pa.int64()).to_pylist()
            return [
                "" if each is None else _moment(each // per_day * 86_400, 1).partition("T")[0]
                for each in ints
            ]
        self._check_length(array)
        coarse = _coarse(array.type)
        if coarse != array.type:
            array = array.cast(coarse, safe=False)
        if pa.types.is_float32(array.type):
            return [text_of(each and float(f"{each:.7g}")) for each in array.to_pylist()]
        return [text_of(each) for each in array.to_pylist(maps_as_pydicts="lossy")]

    def _check_length(self, array: Any) -> None:
        """Refuses lists that are long without taking room in the file, as those of nothing are."""
        self._limits.check_cells(len(array))
        if pa.types.is_nested(array.type) and hasattr(array, "flatten"):
            inner = [array.items] if pa.types.is_map(array.type) else array.flatten()
            for each in inner if isinstance(inner, list) else [inner]:
                self._check_length(each)


def _is_text(type_: Any) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _names(field: Any, prefix: str, depth: int) -> Iterator[str]:
    check_depth(depth)
    type_ = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
    if isinstance(type_, pa.StructType):
        for each in type_:
            yield from _names(each, f"{prefix}{field.name}.", depth - 1)
    else:
        yield text_of(prefix + field.name)


def _leaves(array: Any, depth: int) -> Iterator[Any]:
    """The columns of a column, as many as it has names."""
    if isinstance(array, pa.ExtensionArray) and isinstance(array.type.storage_type, pa.StructType):
        array = array.storage
    if isinstance(array.type, pa.StructType):
        for each in array.flatten():
            yield from _leaves(each, depth - 1)
    else:
        yield array


def _moments(array: Any, per_second: int, *, is_local: bool) -> list[str]:
    """Points in time as ISO 8601. Those of a zone are kept as UTC, which needs no table of zones."""
    zone = "" if is_local else "+00:00"
    ints = array.cast(pa.int64()).to_pylist()
    return ["" if each is None else _moment(each, per_second) + zone for each in ints]


def _moment(count: int, per_second: int) -> str:
    seconds, part = divmod(count, per_second)
    try:
        moment = _EPOCH + timedelta(seconds=seconds, microseconds=part * 10**6 // per_second)
    except OverflowError:  # after the year 9999
        return str(count)
    return moment.isoformat()


def _coarse(type_: Any) -> Any:
    """A type whose times Python knows: none counts nanoseconds."""
    if pa.types.is_timestamp(type_) and type_.unit == "ns":
        return pa.timestamp("us", type_.tz)
    if pa.types.is_time64(type_):
        return pa.time64("us")
    if pa.types.is_duration(type_) and type_.unit == "ns":
        return pa.duration("us")
    if isinstance(type_, pa.ListType):
        return pa.list_(_coarse(type_.value_type))
    if isinstance(type_, pa.StructType):
        return pa.struct([(field.name, _coarse(field.type)) for field in type_])
    return type_
