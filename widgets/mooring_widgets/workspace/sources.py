"""What can be imported: files, and data frames, which travel as Parquet."""

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from mooring_widgets.errors import InvalidArgument

if TYPE_CHECKING:
    import pyarrow as pa

Inventory: TypeAlias = str | os.PathLike[str] | Any
"""A path, or a data frame: of pandas, polars or pyarrow, or anything that gives an Arrow stream."""

_NAME = "frame.parquet"


@dataclass(frozen=True)
class Source:
    """Something to import; `columns` are its columns' names where they are known here, else None."""

    name: str
    columns: tuple[str, ...] | None
    inventory: Inventory

    @contextlib.contextmanager
    def file(self) -> Iterator[Path]:
        """Its file; that of a data frame is written now and gone afterwards. Takes its time: not on the loop.

        Raises:
            InvalidArgument: Where there is no such file.
        """
        if isinstance(self.inventory, Path):
            if not self.inventory.is_file():
                message = f"there is no file {self.inventory}"
                raise InvalidArgument(message, reason="UNREADABLE_INVENTORY")
            yield self.inventory
            return
        import pyarrow.parquet as pq

        with tempfile.TemporaryDirectory(prefix="mooring-") as folder:
            file = Path(folder) / _NAME
            pq.write_table(_table(self.inventory), file)
            yield file


def source_of(inventory: Inventory, name: str = "") -> Source:
    """What is to be imported, and what it is called in reports.

    Args:
        inventory: A path or a data frame.
        name: Its name; by default the file's, or a frame's `attrs["name"]`, else `frame.parquet`.

    Raises:
        TypeError: For anything else.
    """
    if isinstance(inventory, str | os.PathLike):
        path = Path(inventory).expanduser()
        return Source(name or path.name, None, path)
    if _is_lazy(inventory):
        inventory = inventory.collect()
    if not hasattr(inventory, "__arrow_c_stream__"):
        raise TypeError(
            f"a {type(inventory).__name__} cannot be imported; "
            "give a path, or a data frame of pandas, polars or pyarrow"
        )
    return Source(_frame_name(inventory, name), _column_names(inventory), inventory)


def _is_lazy(frame: Any) -> bool:
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(frame, polars.LazyFrame)


def _is_pandas(frame: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(frame, pandas.DataFrame)


def _frame_name(frame: Any, name: str) -> str:
    given = name or (str(frame.attrs.get("name", "")) if _is_pandas(frame) else "")
    plain = "".join("-" if c in "/\\" or not c.isprintable() else c for c in given).strip()
    if not plain:
        return _NAME
    return plain if plain.endswith(".parquet") else f"{plain}.parquet"


def _column_names(frame: Any) -> tuple[str, ...] | None:
    if _is_pandas(frame):
        return tuple(map(_label, _without_index(frame).columns))
    names = getattr(frame, "column_names", None) or getattr(frame, "columns", None)
    return tuple(map(str, names)) if isinstance(names, list) else None


def _without_index(frame: Any) -> Any:
    """The frame with an index that somebody gave a name as its first columns."""
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index() if named else frame


def _label(name: object) -> str:
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _table(frame: Any) -> "pa.Table":
    """The frame as a table of plain cells, whatever it holds."""
    import pyarrow as pa

    if _is_pandas(frame):
        whole = _without_index(frame)
        names = list(map(_label, whole.columns))
        # By place: names may be there twice.
        return pa.table([_plain(whole.iloc[:, place]) for place in range(len(names))], names=names)
    table = pa.table(frame)
    return pa.table([_plain(column) for column in table.columns], names=table.column_names)


def _plain(values: Any) -> Any:
    """A column of numbers, texts, times or truths; lists, dicts and mixtures become texts."""
    import pyarrow as pa

    column = values
    if not isinstance(values, pa.ChunkedArray):
        # As a struct each dict would have the keys of all.
        if values.dtype == object and any(isinstance(value, dict) for value in values):
            return pa.array(_texts(values), pa.string())
        try:
            column = pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            return pa.array(_texts(values), pa.string())
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return pa.array(_texts(column.to_pylist()), pa.string())
    return column


def _texts(values: Iterable[Any]) -> list[str | None]:
    return list(map(_text, values))


def _text(value: Any) -> str | None:
    if value is None or value != value:  # NaN and NaT are not themselves
        return None
    if isinstance(value, dict):
        known = {key: each for key, each in value.items() if each is not None}
        return json.dumps(known, ensure_ascii=False, default=str) if known else None
    if isinstance(value, list | tuple | set | frozenset):
        return "; ".join(map(str, value))
    return str(value)
