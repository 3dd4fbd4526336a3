"""Peewee queries, compiled once for each dialect.

Building a query with peewee costs more than running it, so every statement of the store is built when its
module is imported, with `param` in place of what differs from call to call, and sent as plain SQL afterwards.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from peewee import Database, Model, Node, Value


class _Param:
    """Marks the place of an argument."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def param(name: str) -> Any:
    """An argument of a statement. It reaches the driver unconverted: the caller gives what is stored."""
    return Value(_Param(name), converter=False)


class Statement:
    """One statement; `bind` gives what the driver takes."""

    def __init__(self, query: Node) -> None:
        self._query = query
        # By the dialect's class. Two threads may both compile; they get the same.
        self._compiled: dict[type[Database], tuple[str, tuple[Any, ...]]] = {}

    def sql(self, database: Database) -> str:
        """The SQL in the database's dialect."""
        return self._compile(database)[0]

    def bind(self, database: Database, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """The SQL in the database's dialect and its arguments in order."""
        sql, slots = self._compile(database)
        return sql, [values[slot.name] if type(slot) is _Param else slot for slot in slots]

    def _compile(self, database: Database) -> tuple[str, tuple[Any, ...]]:
        compiled = self._compiled.get(type(database))
        if compiled is None:
            sql, slots = database.get_sql_context().parse(self._query)
            compiled = self._compiled[type(database)] = (sql, tuple(slots))
        return compiled


def statement_family(build: Callable[..., Node]) -> Callable[..., Statement]:
    """Statements that vary in shape (fields, order, the length of a list): compiled once for each shape."""

    @lru_cache(maxsize=256)
    def shaped(*shape: Any) -> Statement:
        return Statement(build(*shape))

    return shaped


# So many rows are added at once, so that few statements are built. A hundred assets have 3,800 arguments:
# SQLite takes 32,766, PostgreSQL 65,535.
_ROWS = (100, 30, 10, 1)


@statement_family
def _insert(table: type[Model], count: int) -> Node:
    fields = table._meta.sorted_fields
    return table.insert_many([[param(field.name) for field in fields]] * count, fields)


def insertions(
    table: type[Model], rows: Sequence[Sequence[Any]]
) -> Iterator[tuple[Statement, Sequence[Sequence[Any]]]]:
    """Statements that add rows, each with those that it adds."""
    start = 0
    for count in _ROWS:
        while len(rows) - start >= count:
            yield _insert(table, count), rows[start : start + count]
            start += count


# Lists come in few lengths, so that few statements are built.
_LENGTHS = (1, 16, 256)


def slots(count: int, name: str = "text") -> list[Any]:
    """The arguments of an IN: `text_0`, `text_1`, …"""
    return [param(f"{name}_{place}") for place in range(count)]


def filled(values: Sequence[str], name: str = "text") -> dict[str, str]:
    """The values by the names that `slots` gives them."""
    return {f"{name}_{place}": value for place, value in enumerate(values)}


def lists(values: Sequence[str]) -> Iterator[list[str]]:
    """The values for an IN, in lists of few lengths: the last value is repeated until its list is full."""
    for start in range(0, len(values), _LENGTHS[-1]):
        part = values[start : start + _LENGTHS[-1]]
        length = next(length for length in _LENGTHS if length >= len(part))
        yield [*part, *[part[-1]] * (length - len(part))]
