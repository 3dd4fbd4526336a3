"""Pages of lists: one mechanism for every list that is filtered and ordered.

A page never looks at more than `Window.examined_max` rows, whatever the filter; where these are too few to
fill it, it comes short, perhaps empty, with a key to go on from. Two ways lead to its rows, both through an
index:

- The *order's* index, from where the last page ended, a growing number of rows at a time: what the filter
  leaves of them is the page.
- A *lead* (`leads.py`), where a look at a part of `examined_max` entries finds that they are few: they are
  read whole, and sorted.

Rows that are skipped cost less: where the order's index itself tells which are wanted, they are passed over
in it, unread.

Either way the rows are cut off inside a subquery with a LIMIT of its own. The id is last in every order,
which makes it total: no page repeats or loses a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from peewee import SQL, Node, NodeList, Tuple, fn

from mooring_server.store.lists.conditions import Condition, Word, conjuncts
from mooring_server.store.lists.filters import Filterable, Of, columns_of, exists, shaped, where
from mooring_server.store.lists.leads import Home, Lead, LeadKind, Leads
from mooring_server.store.lists.search import WordIndex
from mooring_server.store.records import Order, Page
from mooring_server.store.statements import Statement, param, statement_family

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

T = TypeVar("T")

_LEADS_MAX = 4
# The share of `examined_max` that a lead may have; each of them is looked at before one is taken.
_LEAD_SHARE = 4
_GROWTH = 4
# Where all rows are wanted, a lead with less than a share of so many beats walking the list.
_WHOLE_EXAMINED_MAX = 20_000
_ALL = 2**62
# PostgreSQL's planner would take a whole table, an index and a sort, or all that another index has of the
# list as a bitmap, where it thinks that little is left out: then the LIMIT comes after rows that nobody has
# counted. The index of words has no other way than a bitmap.
_STEER = Statement(
    NodeList(
        (
            SQL("SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),"),
            SQL("set_config('enable_bitmapscan',"),
            param("bitmaps"),
            SQL(", true)"),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that a page shows: `limit` items after `after_key`, the first `skip` left out.

    `after_key` is the `next_key` of the page before. At most `examined_max` rows are looked at for the page,
    and for a total, of which `counted_max` are counted. At most `passed_max` are passed over before it.
    """

    limit: int
    skip: int
    after_key: Sequence[Any] | None
    examined_max: int = 20_000
    counted_max: int = 10_000
    passed_max: int = 1_000_000


class Total(NamedTuple):
    """How many there are in all, or at least."""

    rows: int
    at_least: bool


class Listing(Generic[T]):
    """One list: the rows of a table within a scope, in some orders.

    `scope` names the columns whose values every call gives by keyword; the indexes of the orders begin with
    them. `orders` names the columns of each order, the id last; in a `desc` order all of them descend.
    `listed` are columns that those indexes hold besides. `filterable` is what conditions can be about,
    `words` the index of the words. `home`, where another table decides which rows are in the list. `columns`
    writes what a record is made of: all columns by default.
    """

    def __init__(
        self,
        table: Any,
        *,
        scope: tuple[str, ...],
        orders: Mapping[Order, tuple[str, ...]],
        filterable: Filterable,
        listed: tuple[str, ...] = (),
        columns: Callable[[Of], Sequence[Node]] | None = None,
        words: WordIndex | None = None,
        home: Home | None = None,
    ) -> None:
        self._table = table
        self._scope = scope
        self._orders = orders
        self._filterable = filterable
        self._listed = listed
        self._home = home
        self._names = tuple(field.name for field in table._meta.sorted_fields)
        self._columns = columns or (lambda of: [of(name) for name in self._names])
        self._leads = Leads(table, scope, filterable, words, home)
        self._rows = statement_family(self._rows_query)
        self._counts = statement_family(self._counts_query)
        self._cut = statement_family(self._cut_query)
        self._probe = statement_family(self._probe_query)

    def page(
        self,
        tx: Tx,
        record: Callable[[Any], T],
        condition: Condition | None,
        order: Order,
        window: Window,
        **scope: Any,
    ) -> Page[T]:
        """The rows that the condition (None: all) is true of, from `window.after_key` on.

        Fewer than `window.limit` of them with a `next_key` is a page that had to stop looking.
        """
        shape, arguments = self._begin(tx, condition, scope)
        after, owed = self._opened(window, order)
        lead = self._lead(tx, condition, arguments, window.examined_max)
        if lead is None:
            rows, cut = self._walked(tx, shape, order, window, arguments, after, owed)
        else:
            arguments |= {**lead.arguments, **_key(after), "examined": window.examined_max}
            statement = self._rows(shape, order, after is not None, lead[:2], tx.is_sqlite)
            rows, cut = tx.rows(statement, **arguments, limit=window.limit + 1, skip=owed), None
        length = len(self._orders[order])
        items = tuple(record(row[:-length]) for row in rows[: window.limit])
        if len(rows) > window.limit:
            cut = (*rows[window.limit - 1][-length:], 0)
        return Page(items, cut)

    def total(self, tx: Tx, condition: Condition | None, window: Window, **scope: Any) -> Total:
        """How many rows the condition is true of, counted to `counted_max` among `examined_max` rows."""
        shape, arguments = self._begin(tx, condition, scope)
        lead = self._lead(tx, condition, arguments, window.examined_max)
        arguments |= {"examined": window.examined_max, **(lead.arguments if lead else {})}
        statement = self._counts(shape, next(iter(self._orders)), False, lead and lead[:2], tx.is_sqlite)
        seen, found = tx.row(statement, **arguments)
        more = (lead is None and seen >= window.examined_max) or found > window.counted_max
        return Total(min(found, window.counted_max), more)

    def whole(
        self, tx: Tx, columns: Callable[[Of], Sequence[Node]], condition: Condition | None, **scope: Any
    ) -> tuple[Any, dict[str, Any], bool]:
        """A query for columns of all rows that the condition is true of, in no order, and its arguments.

        The third says whether it walks through the whole table, so that `step` can divide it.
        """
        shape, arguments = self._begin(tx, condition, scope)
        lead = self._lead(tx, condition, arguments, _WHOLE_EXAMINED_MAX)
        if lead is None:
            of = self._of_table
            wanted = [of(name) == param(name) for name in self._scope] + self._wanted(shape, of)
            return self._table.select(*columns(of)).where(*wanted), arguments, True
        arguments |= {**lead.arguments, "examined": _ALL}
        part = self._leads.rows(*lead[:2], sqlite=tx.is_sqlite).alias("part")
        query = part.select_from(*columns(lambda name: getattr(part.c, name)))
        return query.where(*self._wanted(shape, lambda name: getattr(part.c, name))), arguments, False

    def step(self) -> Any:
        """A query for the id that comes, in the order of ids, after the one `after` and `passed` more."""
        of = self._of_table
        scope = [of(name) == param(name) for name in self._scope]
        query = self._table.select(of("id")).where(*scope, of("id") > param("after")).order_by(of("id"))
        return query.limit(1).offset(param("passed"))

    def _begin(
        self, tx: Tx, condition: Condition | None, scope: Mapping[str, Any]
    ) -> tuple[Condition | None, dict[str, Any]]:
        """The shape of a condition, and the arguments of every statement about it."""
        if not tx.is_sqlite:
            searched = any(isinstance(part, Word) for part in conjuncts(condition))
            tx.rows(_STEER, bitmaps="on" if searched else "off")
        if condition is None:
            return None, dict(scope)
        shape, values = shaped(condition, self._filterable)
        return shape, {**scope, **values}

    def _opened(self, window: Window, order: Order) -> tuple[Sequence[Any] | None, int]:
        """Where the page starts, and how many rows from there are passed over: also what a page before it,
        which had to stop looking, did not get to.
        """
        if window.after_key is None:
            return None, window.skip
        length = len(self._orders[order])
        return window.after_key[:length], window.skip + sum(window.after_key[length:])

    def _walked(
        self,
        tx: Tx,
        shape: Condition | None,
        order: Order,
        window: Window,
        arguments: dict[str, Any],
        after: Sequence[Any] | None,
        owed: int,
    ) -> tuple[list[Any], tuple[Any, ...] | None]:
        """The page's rows by the order's index, and where a page that had to stop looking goes on."""
        if owed and self._tells(shape, order):
            passed = min(owed, window.passed_max)
            arguments |= _key(after)
            after = tx.row(self._cut(shape, order, after is not None), **arguments, skip=passed - 1)
            owed -= passed
            if after is None or owed:
                return [], None if after is None else (*after, owed)
        rows: list[Any] = []
        left = window.examined_max
        narrowed = shape is not None or self._home is not None
        size = (window.limit + 1) * (2 if narrowed else 1) + owed
        while True:
            counted = owed > 0  # to skip those that are found takes their number
            size = min(size, left)
            arguments |= {**_key(after), "examined": size, "limit": window.limit + 1 - len(rows)}
            variant = (shape, order, after is not None, None, tx.is_sqlite)
            found = tx.row(self._counts(*variant), **arguments)[1] if counted else owed
            if found > owed or not counted:
                rows += tx.rows(self._rows(*variant), **arguments, skip=owed)
            owed -= min(owed, found)
            if len(rows) > window.limit:
                return rows, None
            left -= size
            cut = tx.row(self._cut(None, order, after is not None), **arguments, skip=size - 1)
            if cut is None or left <= 0:
                return rows, cut and (*cut, owed)
            after, size = cut, size * _GROWTH

    def _tells(self, shape: Condition | None, order: Order) -> bool:
        """Whether the order's index holds all that a condition is about."""
        about = columns_of(shape, self._filterable)
        held = {*self._scope, *self._orders[order], *self._listed}
        return self._home is None and about is not None and about <= held

    def _lead(
        self, tx: Tx, condition: Condition | None, arguments: Mapping[str, Any], examined_max: int
    ) -> Lead | None:
        """The lead with the fewest rows; None where each has too many."""
        best, fewest = None, examined_max // _LEAD_SHARE
        looks = _LEADS_MAX
        for lead in self._leads.of(condition, arguments, sqlite=tx.is_sqlite):
            looks -= lead.indexes
            if looks < 0:
                break
            probe = self._probe(lead.kind, lead.shape, tx.is_sqlite)
            (found,) = tx.row(probe, **{**arguments, **lead.arguments, "examined": fewest})
            if found < fewest:
                best, fewest = lead, max(found, 1)
        return best

    def _rows_query(
        self,
        shape: Condition | None,
        order: Order,
        after: bool,
        lead: tuple[LeadKind, Condition | None] | None,
        sqlite: bool,
    ) -> Any:
        if shape is None and self._home is None and lead is None:
            # Every row counts: nothing has to be cut off but the page itself.
            own = self._of_table
            query = self._in_order(order, after).select(*self._columns(own), *self._key(order, own))
            return query.limit(param("limit")).offset(param("skip"))
        part, of = self._source(order, after, lead, sqlite)
        query = part.select_from(*self._columns(of), *self._key(order, of))
        wanted = self._wanted(shape, of)
        if after and lead is not None:
            wanted.append(self._beyond(order, of))
        query = query.where(*wanted) if wanted else query
        return query.order_by(*self._sorting(order, of)).limit(param("limit")).offset(param("skip"))

    def _counts_query(
        self,
        shape: Condition | None,
        order: Order,
        after: bool,
        lead: tuple[LeadKind, Condition | None] | None,
        sqlite: bool,
    ) -> Any:
        """How many rows are looked at, and how many of them are wanted."""
        part, of = self._source(order, after, lead, sqlite)
        wanted = self._wanted(shape, of)
        found = fn.COUNT(SQL("*"))
        if wanted:
            found = found.filter(reduce(and_, wanted))
        return part.select_from(fn.COUNT(SQL("*")), found)

    def _cut_query(self, shape: Condition | None, order: Order, after: bool) -> Any:
        """The key of the row behind some others."""
        query = self._in_order(order, after).select(*self._key(order, self._of_table))
        if shape is not None:
            query = query.where(where(shape, self._filterable, self._of_table))
        return query.limit(SQL("1")).offset(param("skip"))

    def _probe_query(self, kind: LeadKind, shape: Condition | None, sqlite: bool) -> Any:
        part = self._leads.entries(kind, shape, sqlite=sqlite).alias("part")
        return part.select_from(fn.COUNT(SQL("*")))

    def _source(
        self, order: Order, after: bool, lead: tuple[LeadKind, Condition | None] | None, sqlite: bool
    ) -> tuple[Any, Of]:
        """The rows that are looked at, and how their columns are written."""
        if lead is None:
            query = self._in_order(order, after).limit(param("examined"))
        else:
            query = self._leads.rows(*lead, sqlite=sqlite)
        part = query.alias("part")
        return part, lambda name: getattr(part.c, name)

    def _in_order(self, order: Order, after: bool) -> Any:
        """The rows by the order's index."""
        of = self._of_table
        wanted = [of(name) == param(name) for name in self._scope]
        if after:
            wanted.append(self._beyond(order, of))
        query = self._table.select(*map(of, self._names)).order_by(*self._sorting(order, of))
        return query.where(*wanted) if wanted else query

    def _wanted(self, shape: Condition | None, of: Of) -> list[Any]:
        wanted = [] if shape is None else [where(shape, self._filterable, of)]
        if self._home is not None:
            home = self._home.table
            own = [getattr(home, name) == param(name) for name in self._home.scope]
            this = home.select(SQL("1")).where(getattr(home, self._home.id) == of("id"), *own)
            wanted.append(exists(this))
        return wanted

    def _of_table(self, name: str) -> Any:
        return getattr(self._table, name)

    def _key(self, order: Order, of: Of) -> list[Any]:
        return [of(name) for name in self._orders[order]]

    def _beyond(self, order: Order, of: Of) -> Any:
        own = Tuple(*self._key(order, of))
        last = Tuple(*(param(f"key_{number}") for number in range(len(self._orders[order]))))
        return own < last if order.descends else own > last

    def _sorting(self, order: Order, of: Of) -> list[Any]:
        return [column.desc() if order.descends else column for column in self._key(order, of)]


def _key(after: Sequence[Any] | None) -> dict[str, Any]:
    return {f"key_{number}": value for number, value in enumerate(after or ())}
