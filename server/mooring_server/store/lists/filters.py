"""Conditions as SQL, the same on both databases.

A statement is compiled once for each *shape* of a condition: the condition with the names of parameters in
the place of its values (`shaped`). Every expression is true or false, never NULL, so that NOT means the same
here and in `conditions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, or_
from typing import Any, TypeVar

from peewee import SQL, NodeList, Value, fn

from mooring_server.store.lists.conditions import (
    And,
    Begins,
    Beside,
    Compare,
    Condition,
    Label,
    Not,
    Op,
    Or,
    Present,
    Standing,
    Word,
)
from mooring_server.store.lists.pairs import Pair, Pairs
from mooring_server.store.statements import param
from mooring_server.store.tables import indexed_part
from mooring_server.store.values import WORD_MARKS, after_prefix

T = TypeVar("T")

# How a column of the rows that a condition is about is written, by its name.
Of = Callable[[str], Any]

# In so many words: an argument would not show that a partial index holds the row.
_EMPTY = SQL("''")
_OPERATORS: Mapping[Op, Callable[[Any, Any], Any]] = {Op.EQ: eq, Op.LT: lt, Op.LE: le, Op.GT: gt, Op.GE: ge}


@dataclass(frozen=True, slots=True)
class Column:
    """What stands for a field in the table.

    `names` are the columns that a value is compared with: one, or one for each id in a resource name. `null`:
    they may be unknown. `text`: it is without a value where it is empty. `long`: its index holds the first
    `tables.INDEXED_LENGTH` characters, and no empty text. `indexed`: an index leads with the list's scope and
    the last of the names; what may be unknown is in it only where it is known.
    """

    names: tuple[str, ...]
    null: bool = False
    text: bool = False
    long: bool = False
    indexed: bool = True


@dataclass(frozen=True, slots=True)
class Labels:
    """A table with a row for each label, and which of its columns are which of the list's."""

    table: Any
    joined: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Filterable:
    """What conditions can be about. `searched` has the fields in the order of `values.searched_text`."""

    columns: Mapping[str, Column]
    searched: tuple[str, ...] = ()
    labels: Labels | None = None
    pairs: Pairs | None = None


@dataclass
class _Values:
    """The values of a shape, by the names that stand for them in it."""

    prefix: str
    named: dict[str, Any] = field(default_factory=dict)

    def slot(self, value: Any) -> str:
        name = f"{self.prefix}{len(self.named)}"
        self.named[name] = value
        return name


def shaped(
    condition: Condition, filterable: Filterable, prefix: str = "value"
) -> tuple[Condition, dict[str, Any]]:
    """The condition with names, which begin so, in the place of its values; and the values by those names."""
    values = _Values(prefix)
    return _shape(condition, filterable, values.slot), values.named


def _shape(node: Condition, filterable: Filterable, slot: Callable[[Any], str]) -> Condition:
    match node:
        case And(parts):
            return And(tuple(_shape(part, filterable, slot) for part in parts))
        case Or(parts):
            return Or(tuple(_shape(part, filterable, slot) for part in parts))
        case Not(part):
            return Not(_shape(part, filterable, slot))
        case Compare(_, _, bool()) | Present():
            return node
        case Compare(_, _, tuple() as ids):
            return replace(node, value=tuple(None if id is None else slot(id) for id in ids))
        case Compare(_, _, value):
            return replace(node, value=slot(value))
        case Begins(_, text):
            until = after_prefix(text)
            return replace(node, text=slot(text) if until is None else f"{slot(text)} {slot(until)}")
        case Beside(version_id):
            return replace(node, version_id=slot(version_id))
        case Label(key, value):
            return Label(slot(key) if key else "", None if value is None else slot(value))
        case Word(word, field_name):
            mark = "_" if field_name is None else WORD_MARKS[filterable.searched.index(field_name)]
            return Word(slot(f"% {mark}{word}%"))


def where(shape: Condition, filterable: Filterable, of: Of) -> Any:
    """The expression of a shape over rows whose columns `of` writes."""
    match shape:
        case And(parts):
            return reduce(and_, (where(part, filterable, of) for part in parts))
        case Or(parts):
            return reduce(or_, (where(part, filterable, of) for part in parts))
        case Not(part):
            return ~where(part, filterable, of)
        case Word(pattern):
            # Not peewee's LIKE, which is another operator on each database.
            return NodeList((of("words"), SQL("LIKE"), param(pattern)), parens=True)
        case Beside(name, standing):
            return _beside(given(filterable.pairs)(param(name)), standing, of)
        case Label():
            return _labelled(given(filterable.labels), shape, of)
        case Compare(name):
            return _compared(filterable.columns[name], shape, of)
        case Begins(name, names):
            return _begins(of(filterable.columns[name].names[0]), names)
        case Present(name):
            return _present(filterable.columns[name], of)


def columns_of(shape: Condition | None, filterable: Filterable) -> set[str] | None:
    """The columns that a condition is about; None where it is about more than a row's columns."""
    match shape:
        case None:
            return set()
        case And(parts) | Or(parts):
            about = [columns_of(part, filterable) for part in parts]
            return None if None in about else {name for names in about for name in names or ()}
        case Not(part):
            return columns_of(part, filterable)
        case Compare(name) | Begins(name) | Present(name):
            return set(filterable.columns[name].names)
        case Word():
            return {"words"}
        case Label() | Beside():
            return None


def indexed(condition: Condition, filterable: Filterable) -> Column | None:
    """The column whose index finds the rows that a single comparison is true of; None where none does."""
    match condition:
        case Compare(name, op, value):
            column = filterable.columns[name]
            # No index holds what is without a value, or what is not so.
            found = column.indexed and value is not False and value != ""
            found = found and (op is Op.EQ or not column.text)
        case Begins(name, text):
            column = filterable.columns[name]
            found = column.indexed and text != ""
        case Present(name):
            column = filterable.columns[name]
            found = column.indexed and (column.null or column.long)
        case _:
            return None
    return column if found else None


def indexed_where(shape: Condition, filterable: Filterable, column: Column, of: Of) -> Any:
    """What the index of a column answers of a single comparison: it may find more rows, never fewer.

    The comparison itself is not in it. SQLite would put its constant in the place of the column, and then not
    know the index's expression again.
    """
    if not column.long:
        return where(shape, filterable, of)
    own = of(column.names[-1])
    start = indexed_part(own)
    match shape:
        case Compare(_, _, str() as name):
            return (own != _EMPTY) & (start == indexed_part(param(name).cast("TEXT")))
        case Begins(_, names):
            first, _, until = names.partition(" ")
            bound = start >= indexed_part(param(first).cast("TEXT"))
            return (own != _EMPTY) & bound & (start < param(until)) if until else (own != _EMPTY) & bound
    return (own != _EMPTY) & (start > _EMPTY)


def _compared(column: Column, shape: Compare, of: Of) -> Any:
    value: Any = shape.value
    if isinstance(value, bool):
        flag = of(column.names[0])
        return flag if value else ~flag
    names = value if isinstance(value, tuple) else (value,)
    pairs = [(of(own), name) for own, name in zip(column.names, names, strict=True) if name is not None]
    known = [own.is_null(False) for own, _ in pairs] if column.null else []
    return reduce(and_, known + [_OPERATORS[shape.op](own, param(name)) for own, name in pairs])


def _begins(own: Any, names: str) -> Any:
    first, _, until = names.partition(" ")
    return (own >= param(first)) & (own < param(until)) if until else own >= param(first)


def _present(column: Column, of: Of) -> Any:
    own = of(column.names[-1])
    if column.text:
        return own != _EMPTY
    return own.is_null(False) if column.null else Value(1) == Value(1)


def _beside(pair: Pair, standing: Standing, of: Of) -> Any:
    own, other = pair.own, pair.other
    query = pair.select(SQL("1")).where((own.version_id == of("version_id")) & (own.id == of("id")))
    if standing is Standing.ALONE:
        return ~exists(query)
    is_changed = other.digest != own.digest
    return exists(query.where(is_changed if standing is Standing.CHANGED else ~is_changed))


def _labelled(labels: Labels, shape: Label, of: Of) -> Any:
    table = labels.table
    pairs = (getattr(table, own) == of(theirs) for own, theirs in labels.joined.items())
    return exists(table.select(SQL("1")).where(reduce(and_, pairs) & label_where(table, shape)))


def given(part: T | None) -> T:
    """A part of a list that its conditions have made sure of."""
    if part is None:
        raise TypeError("a condition is about what this list does not have")
    return part


def exists(query: Any) -> Any:
    """Whether a query finds a row, looked up for one row at a time.

    PostgreSQL would rather read all that the query could find for any row; an OFFSET keeps it from that.
    """
    return fn.EXISTS(query.limit(SQL("1")).offset(SQL("0")))


def label_where(table: Any, shape: Label) -> Any:
    """The expression of a label over the rows of the labels' own table."""
    expression = table.key == param(shape.key) if shape.key else SQL("1") == SQL("1")
    return expression if shape.value is None else expression & (table.value == param(shape.value))
