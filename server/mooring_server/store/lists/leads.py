"""Leads: indexes that answer a part of a filter by themselves, and the rows that they find.

The rows of a lead are cut off by a LIMIT of their own (the parameter `examined`), with nothing else beside
the comparison that the index answers: so neither planner can trade the index for another one over more rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from peewee import JOIN, SQL, Join, Select

from mooring_server.store.lists.conditions import Condition, Label, Or, Word, conjuncts
from mooring_server.store.lists.filters import Filterable, given, indexed, indexed_where, label_where, shaped
from mooring_server.store.lists.search import WordIndex, search_arguments
from mooring_server.store.statements import param


@dataclass(frozen=True)
class Home:
    """Another table that says which rows are in a list at all, as members say which engagements a user has.

    `id` is its column with the list's id; `scope` its columns that equal arguments of the list.
    """

    table: Any
    id: str
    scope: tuple[str, ...]


class LeadKind(StrEnum):
    """Whose index leads."""

    HOME = "home"
    WORDS = "words"
    LABELS = "labels"
    COLUMN = "column"
    COLUMNS = "columns"


class Lead(NamedTuple):
    """A lead: its kind and shape, which its statements vary by; its arguments; how many indexes it reads."""

    kind: LeadKind
    shape: Condition | None
    arguments: dict[str, Any]
    indexes: int = 1


class Leads:
    """The leads of one list."""

    def __init__(
        self,
        table: Any,
        scope: tuple[str, ...],
        filterable: Filterable,
        words: WordIndex | None,
        home: Home | None,
    ) -> None:
        self._table = table
        self._scope = scope
        self._filterable = filterable
        self._words = words
        self._home = home
        self._columns = [getattr(table, field.name) for field in table._meta.sorted_fields]

    def of(self, condition: Condition | None, arguments: Mapping[str, Any], *, sqlite: bool) -> list[Lead]:
        """What can lead to the rows that the condition is true of; arguments are those of the list."""
        leads = [] if self._home is None else [Lead(LeadKind.HOME, None, {})]
        for part in conjuncts(condition):
            if isinstance(part, Word):
                if self._words is not None:
                    scope = arguments[self._words.scope]
                    search = search_arguments(scope, part.word, sqlite=sqlite)
                    leads.append(Lead(LeadKind.WORDS, None, search))
            elif isinstance(part, Label):
                # By its key: a row has each once.
                if part.key:
                    leads.append(Lead(LeadKind.LABELS, *shaped(part, self._filterable, "lead")))
            elif isinstance(part, Or):
                # Each of its parts by an index of its own, or none of it.
                if all(indexed(each, self._filterable) is not None for each in part.parts):
                    shape, values = shaped(part, self._filterable, "lead")
                    leads.append(Lead(LeadKind.COLUMNS, shape, values, len(part.parts)))
            elif indexed(part, self._filterable) is not None:
                leads.append(Lead(LeadKind.COLUMN, *shaped(part, self._filterable, "lead")))
        return leads

    def rows(self, kind: LeadKind, shape: Any, *, sqlite: bool) -> Any:
        """The rows that such a lead finds, with all columns of the list's table."""
        if kind is LeadKind.COLUMN:
            query = self._table.select(*self._columns).where(*self._found(shape))
        elif kind is LeadKind.WORDS and not sqlite:
            # What is indexed names the scope: to ask for it too would offer other indexes.
            query = self._table.select(*self._columns).where(given(self._words).matches())
        else:
            ids = self._ids(kind, shape)
            query = self._by_id(ids.distinct() if kind is LeadKind.WORDS else ids, sqlite)
        return query.limit(param("examined"))

    def entries(self, kind: LeadKind, shape: Any, *, sqlite: bool) -> Any:
        """What the index itself holds of them: a row may have several words that begin so."""
        if kind is LeadKind.COLUMN or (kind is LeadKind.WORDS and not sqlite):
            return self.rows(kind, shape, sqlite=sqlite)
        return self._ids(kind, shape)

    def _found(self, shape: Any) -> list[Any]:
        """What the index answers of a single comparison, within the list."""
        column = given(indexed(shape, self._filterable))
        found = indexed_where(shape, self._filterable, column, lambda name: getattr(self._table, name))
        return [*self._within(), found]

    def _within(self) -> list[Any]:
        return [getattr(self._table, name) == param(name) for name in self._scope]

    def _ids(self, kind: LeadKind, shape: Any) -> Any:
        """The ids that another table's index finds, or several of this one's, once for each."""
        if kind is LeadKind.WORDS:
            return given(self._words).ids()
        if kind is LeadKind.COLUMNS:
            return self._ids_of_any(shape)
        if kind is LeadKind.HOME:
            home = given(self._home)
            table, id_name, scope, wanted = home.table, home.id, home.scope, []
        else:
            labels = given(self._filterable.labels)
            table, wanted = labels.table, [label_where(labels.table, shape)]
            id_name = next(own for own, theirs in labels.joined.items() if theirs == "id")
            scope = tuple(own for own in labels.joined if own != id_name)
        wanted = [*(getattr(table, name) == param(name) for name in scope), *wanted]
        return table.select(getattr(table, id_name).alias("id")).where(*wanted).limit(param("examined"))

    def _ids_of_any(self, shape: Any) -> Any:
        cut = []
        for each in shape.parts:
            found = self._table.select(self._table.id).where(*self._found(each)).limit(param("examined"))
            # SQLite takes a LIMIT in a part of a UNION only where that is a subquery.
            part = found.alias("part")
            cut.append(part.select_from(part.c.id.alias("id")))
        return reduce(or_, cut)

    def _by_id(self, ids: Any, sqlite: bool) -> Any:
        """The rows of those ids, one look by key for each."""
        found = ids.alias("led")
        this = self._table.id == found.c.id
        if sqlite:
            # CROSS JOIN keeps SQLite from turning the two round; so does LATERAL on PostgreSQL.
            return Select([Join(found, self._table, JOIN.CROSS)], self._columns).where(*self._within(), this)
        one = self._table.select(*self._columns).where(*self._within(), this).limit(SQL("1")).alias("one")
        columns = [getattr(one.c, column.name) for column in self._columns]
        return Select([Join(found, one, JOIN.LATERAL, SQL("TRUE"))], columns)
