"""Keyset paging: a page starts after the last key of the page before, found through an index."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from peewee import Query, Tuple

from mooring_server.store.records import Order, Page
from mooring_server.store.statements import param
from mooring_server.store.values import sort_key, to_us

T = TypeVar("T")


def ordered(query: Query, table: Any, order: Order, *, after: bool) -> Query:
    """The query in an order of engagements or sessions, from `key` and `tie` on where `after` says so.

    The id breaks ties, so that the order is total and a page never repeats or loses a row.
    """
    if order is Order.CREATE_TIME_DESC:
        descending = (table.create_time.desc(), table.id.desc())
        query = query.order_by(*descending)
        beyond = Tuple(table.create_time, table.id) < Tuple(param("key"), param("tie"))
    else:
        query = query.order_by(table.sort_name, table.id)
        beyond = Tuple(table.sort_name, table.id) > Tuple(param("key"), param("tie"))
    if after:
        query = query.where(beyond)
    return query.limit(param("limit")).offset(param("skip"))


def page_arguments(after_key: Sequence[Any] | None, skip: int, limit: int) -> dict[str, Any]:
    """The arguments of an `ordered` query: one row more than asked for tells whether there is a next page."""
    key, tie = after_key or (None, None)
    return {"key": key, "tie": tie, "skip": skip, "limit": limit + 1}


def page_of(rows: Sequence[Any], limit: int, record: Callable[[Any], T], order: Order) -> Page[T]:
    """The page that the rows of an `ordered` query make."""
    items = tuple(record(row) for row in rows[:limit])
    return Page(items, _key(items[-1], order) if items and len(rows) > limit else None)


def _key(item: Any, order: Order) -> tuple[Any, ...]:
    if order is Order.CREATE_TIME_DESC:
        return to_us(item.create_time), item.id
    return sort_key(item.display_name), item.id
