"""What columns are, by what they hold: for tables without a header, or with one in words that nobody knows.

A column of UUIDs holds ids, one of addresses those, and one of words like host names, hardly any of them
twice, holds names. Whatever is less plain is no guess: numbers, sizes and prose say nothing, and neither does
a table with two columns that could be the name, or with names in two columns, as a list of connections has.
A row is a header where some column's cell is unlike all that follows in it: `Rechner` above `srv-01`,
`srv-02`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mooring_server.ingest import values
from mooring_server.ingest.options import ColumnUse
from mooring_server.ingest.tables import Row, Sheet, Source, Table

# A single row proves nothing.
_ROWS_MIN = 2
_MOST = 0.9
_LONGEST = 253

_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_UUID = re.compile(r"\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)
_HOST = re.compile(f"(?=.*[a-z])(?:{_LABEL}[.])*{_LABEL}", re.IGNORECASE)
_MERE_WORD = re.compile("[a-z]+", re.IGNORECASE)
# Numbers, dates, and numbers with a unit.
_NUMBER = re.compile("[0-9][0-9.,:/ TZ+-]*[a-z%]{0,5}", re.IGNORECASE)

Shape = Callable[[str], bool]


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _is_address(text: str) -> bool:
    return bool(values.ip_addresses(text))


def _is_mac(text: str) -> bool:
    return bool(values.mac_addresses(text))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_host(text: str) -> bool:
    return (
        _HOST.fullmatch(text) is not None
        and not any(shape(text) for shape in (_is_uuid, _is_address, _is_mac, _is_number))
    )  # fmt: skip


def _is_plain_host(text: str) -> bool:
    """Whether it cannot be a mere word."""
    return _is_host(text) and _MERE_WORD.fullmatch(text) is None


_SHAPES: tuple[Shape, ...] = (_is_uuid, _is_address, _is_mac, _is_number, _is_plain_host)
_FIELDS: Mapping[str, Shape] = {
    "external_id": _is_uuid,
    "ip_addresses": _is_address,
    "mac_addresses": _is_mac,
}


@dataclass(frozen=True, slots=True)
class Guess:
    """A table without a known name, where its recognised columns go, and what to say about that."""

    table: Table
    uses: Mapping[str, ColumnUse]
    notes: tuple[str, ...]


def guess(source: Source) -> Guess | None:
    """The first table of a file that tells its assets by what its columns hold; None where none does."""
    guesses = (_guess(sheet, source.head(sheet)) for sheet in source.sheets)
    return next((each for each in guesses if each is not None), None)


def _guess(sheet: Sheet, head: Sequence[Row]) -> Guess | None:
    if len(head) < _ROWS_MIN + sheet.is_named or len({len(cells) for _, cells in head}) > 1:
        return None
    columns = [
        [_short(text) for text in column] for column in zip(*(cells for _, cells in head), strict=True)
    ]
    is_headed = sheet.is_named or (len(head) > _ROWS_MIN and _is_headed(columns))
    fields = _fields_of([column[is_headed:] for column in columns])
    if not fields:
        return None
    table = Table.under(sheet, head, 0, 1) if is_headed else Table.headless(sheet, head)
    names = {table.columns[index].name: field for index, field in fields.items()}
    said = ", ".join(f"`{name}` as {field}" for name, field in names.items())
    called = "" if is_headed else "No row names the columns, so they have numbers. "
    note = f"{called}Columns that were recognised by what they hold: {said}."
    return Guess(table, {name: ColumnUse(name, field) for name, field in names.items()}, (note,))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else ""


def _is_headed(columns: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is no row like the others, but names them."""
    first = [column[0] for column in columns]
    if not all(first) or len(set(first)) < len(first):
        return False
    regular = [
        (column[0], shape) for column in columns for shape in _SHAPES if _are_mostly(column[1:], shape)
    ]
    return bool(regular) and not any(shape(text) for text, shape in regular)


def _fields_of(columns: Sequence[Sequence[str]]) -> dict[int, str]:
    """The fields of the columns that are recognised; none where nothing names the rows."""
    fields: dict[int, str] = {}
    for index, column in enumerate(columns):
        field = next((field for field, shape in _FIELDS.items() if _are_mostly(column, shape)), "")
        if field and (field != "external_id" or _are_distinct(column)):
            fields[index] = field
    hosts = [
        index
        for index, column in enumerate(columns)
        if index not in fields and _are_mostly(column, _is_host) and _are_distinct(column)
    ]
    plain = [index for index in hosts if _are_mostly(columns[index], _is_plain_host)]
    # Mere words are names where something else says that the rows are machines.
    names = plain or (hosts if fields else [])
    if names:
        name = columns[names[0]]
        others = [column for index, column in enumerate(columns) if index != names[0]]
        rivals = [columns[index] for index in names[1:]]
        rivals += [column for column in others if not set(name).isdisjoint(filter(None, column))]
        if not all(_are_alike(name, rival) for rival in rivals):
            return {}
        fields[names[0]] = "display_name"
    return fields if not {"display_name", "external_id"}.isdisjoint(fields.values()) else {}


def _are_mostly(column: Sequence[str], shape: Shape) -> bool:
    known = [text for text in column if not values.is_unknown(text)]
    return 2 * len(known) > len(column) and sum(map(shape, known)) >= _MOST * len(known)


def _are_distinct(column: Sequence[str]) -> bool:
    known = [text for text in column if not values.is_unknown(text)]
    return len(set(known)) >= _MOST * len(known)


def _are_alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether both columns name the same machine in most rows, with its domain or without."""
    alike = sum(
        not b or a.casefold().partition(".")[0] == b.casefold().partition(".")[0]
        for a, b in zip(one, other, strict=True)
    )
    return alike >= _MOST * len(one)
