"""What a fake service makes of a file: a row a server, by columns that are called as the fields."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mooring_widgets.client import ASSET_FIELDS, Asset, ColumnMapping, ColumnPreview, Columns, ImportOptions
from mooring_widgets.errors import FieldViolation, InvalidArgument

_NUMBERS = ("cpu_cores", "memory_bytes", "storage_bytes")
_LISTS = ("ip_addresses", "mac_addresses", "networks")
_NAMES = {"name": "display_name"}
_BYTES = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


@dataclass(frozen=True)
class FakeFile:
    """A table of texts, and where its columns go."""

    columns: tuple[ColumnMapping, ...]
    rows: list[tuple[str, ...]]

    def preview(self) -> Columns:
        """Its columns, with their first values."""
        return Columns(
            ColumnPreview(
                use.column,
                use.field,
                use.unit,
                False,
                tuple(row[place] for row in self.rows[:3] if row[place]),
            )
            for place, use in enumerate(self.columns)
        )

    def assets(self, session: str, options: ImportOptions) -> list[Asset]:
        """An asset a row; with a session they have names in it."""
        made = []
        for row in self.rows:
            values: dict[str, Any] = {}
            attributes: dict[str, str] = {}
            for use, text in zip(self.columns, row, strict=True):
                if text and use.field:
                    values[use.field] = _value(use, text)
                elif text:
                    attributes[use.column] = text
            shown = values.setdefault("display_name", values.get("hostname", ""))
            values.setdefault("type", options.asset_type or "server")
            name = f"{session}/assets/{shown}" if session else ""
            made.append(Asset(name, attributes=attributes, **values))
        return made


def read_file(content: bytes, options: ImportOptions) -> FakeFile:
    """Reads Parquet, CSV with a header, or a list of names, one a line.

    Raises:
        InvalidArgument: For a column that there is not.
    """
    header, rows = _parquet(content) if content.startswith(b"PAR1") else _text(content.decode("utf-8"))
    asked: Mapping[str, ColumnMapping] = {use.column: use for use in options.columns}
    for column in asked:
        if column not in header:
            message = f"the file has no column {column!r}"
            raise InvalidArgument(message, violations=[FieldViolation("options.columns", message)])
    return FakeFile(tuple(asked.get(column) or _guessed(column) for column in header), rows)


def _guessed(column: str) -> ColumnMapping:
    word = column.casefold().replace(" ", "_")
    field = _NAMES.get(word, word)
    return ColumnMapping(column, field if field in ASSET_FIELDS and field != "attributes" else "")


def _text(text: str) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    lines = text.splitlines()
    if not lines or "," not in lines[0]:
        return ["display_name"], [(line,) for line in lines]
    header, *rows = csv.reader(io.StringIO(text))
    return header, [tuple(row) for row in rows if row]


def _parquet(content: bytes) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(content))
    columns = [
        ["" if value is None else str(value) for value in column.to_pylist()] for column in table.columns
    ]
    return table.column_names, list(zip(*columns, strict=True))


def _value(use: ColumnMapping, text: str) -> Any:
    if use.field in _LISTS:
        return tuple(text.split("; "))
    if use.field not in _NUMBERS:
        return text
    number = float(text)
    return number if use.field == "cpu_cores" else int(number * _BYTES[use.unit.casefold()])
