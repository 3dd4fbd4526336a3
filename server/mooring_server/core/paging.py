"""Pages of a list: how many, from where, in which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mooring_server.errors import InvalidArgument
from mooring_server.settings import Settings
from mooring_server.store.records import Order

ORDERS: Mapping[str, Order] = {
    "": Order.DISPLAY_NAME,
    "display_name": Order.DISPLAY_NAME,
    "create_time desc": Order.CREATE_TIME_DESC,
}


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that a page shows: `limit` items after `after_key`, the first `skip` left out."""

    limit: int
    skip: int
    after_key: tuple[Any, ...] | None


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


def order(order_by: str) -> Order:
    """The order that a request asks for; by display name where it asks for none.

    Raises:
        InvalidArgument: for an order that no index serves.
    """
    if order_by not in ORDERS:
        wanted = " or ".join(f"`{name}`" for name in ORDERS if name)
        raise InvalidArgument.field("order_by", f"must be {wanted}")
    return ORDERS[order_by]
