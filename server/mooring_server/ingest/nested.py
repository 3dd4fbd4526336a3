"""Values that hold values, as in JSON, -> the flat texts of a row."""

import json
from collections.abc import Iterator, Mapping

from mooring_server.ingest.limits import unreadable
from mooring_server.ingest.values import cell_text

DEPTH_MAX = 20


def flat(record: Mapping[str, object]) -> dict[str, str]:
    """The cells of a record by the names of their columns: what `os` holds under `name` is in `os.name`.

    Raises InvalidArgument (UNREADABLE_INVENTORY) where it is nested too deep.
    """
    cells: dict[str, str] = {}
    for path, value in _leaves(record, "", DEPTH_MAX):
        name, copy = path, 1
        while name in cells:  # `os.name` can be one key or two
            copy += 1
            name = f"{path} ({copy})"
        cells[name] = text_of(value)
    return cells


def _leaves(record: Mapping[str, object], prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    check_depth(depth)
    for key, value in record.items():
        path = prefix + cell_text(key)
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}.", depth - 1)
        else:
            yield path, value


def text_of(value: object) -> str:
    """A value as the text of a cell: a list of scalars with `;` between, other nested values as JSON.

    Raises InvalidArgument (UNREADABLE_INVENTORY) where it is nested too deep.
    """
    if isinstance(value, str):
        return cell_text(value if value.isascii() else _sound(value))
    if isinstance(value, Mapping):
        return _json(value)
    if isinstance(value, list):
        if any(isinstance(each, Mapping | list) for each in value):
            return _json(value)
        return ";".join(filter(None, map(text_of, value)))
    if isinstance(value, bytes):
        try:
            return cell_text(value.decode())
        except UnicodeDecodeError:
            return value.hex()
    return cell_text(value)


def check_depth(left: int) -> None:
    """Refuses what is nested deeper than by so many more levels."""
    if left <= 0:
        raise unreadable(
            f"the file nests values deeper than {DEPTH_MAX} levels; flatten it before the export"
        )


def _json(value: object) -> str:
    _check_nesting(value, DEPTH_MAX)
    return cell_text(_sound(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=cell_text)))


def _check_nesting(value: object, left: int) -> None:
    if isinstance(value, Mapping | list):
        check_depth(left)
        for each in value.values() if isinstance(value, Mapping) else value:
            _check_nesting(each, left - 1)


def _sound(text: str) -> str:
    """JSON can hold halves of characters, which no database takes."""
    return text.encode("utf-8", "replace").decode()
