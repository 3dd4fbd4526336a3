"""Pages of a list: how many, from where, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mooring_server.errors import InvalidArgument
from mooring_server.settings import Settings
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.lists.paging import Total, Window
from mooring_server.store.records import Order

__all__ = ["Listed", "Query", "Total", "Window", "limit", "order", "skip"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks of a list: which of its rows, in which order. `text` is the filter as it came."""

    order: Order
    text: str = ""
    condition: Condition | None = None
    archived: bool = False
    deleted: bool = False

    @property
    def scope(self) -> tuple[str, ...]:
        """What a page token is bound to, besides the caller and the parent."""
        return self.order, self.text, str(self.archived), str(self.deleted)


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A page of a list, and how many there are in all."""

    items: tuple[T, ...]
    next_key: tuple[Any, ...] | None
    total: Total


def limit(page_size: int, settings: Settings) -> int:
    """How many items a page has: the default for 0, never more than the most.

    Raises:
        InvalidArgument: for a size below 0.
    """
    if page_size < 0:
        raise InvalidArgument.field("page_size", "must not be below 0")
    return min(page_size or settings.page_size_default, settings.page_size_max)


def skip(count: int) -> int:
    """How many items are passed over.

    Raises:
        InvalidArgument: for a count below 0.
    """
    if count < 0:
        raise InvalidArgument.field("skip", "must not be below 0")
    return count


def order(order_by: str, orders: Sequence[Order]) -> Order:
    """The order that a request asks for; the first of the list's orders where it asks for none.

    Raises:
        InvalidArgument: for an order that no index serves.
    """
    wanted = " ".join(order_by.split())
    if not wanted:
        return orders[0]
    if wanted not in orders:
        raise InvalidArgument.field("order_by", f"must be {' or '.join(f'`{order}`' for order in orders)}")
    return Order(wanted)
