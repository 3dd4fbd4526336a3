"""Pages of what a session's data holds: assets and dependencies, a walk within one data version."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from mooring_server.core import sessions
from mooring_server.core.paging import Query, Total, Window
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.lists.conditions import Condition
from mooring_server.store.records import DataVersion, Order, Page

T = TypeVar("T")


class Rows(Protocol[T]):
    """The rows of data versions: `tx.assets`, `tx.dependencies`."""

    def page(
        self, version_id: str, order: Order, window: Window, condition: Condition | None = None
    ) -> Page[T]:
        """Those of a version that the condition is true of."""

    def total(self, version_id: str, window: Window, condition: Condition) -> Total:
        """How many there are of those."""


@dataclass(frozen=True, slots=True)
class VersionPage(Generic[T]):
    """A page of one data version, and how many there are of the kind; without a version there are none.

    `data_version` is the version's label.
    """

    data_version: str
    items: tuple[T, ...]
    next_key: tuple[Any, ...] | None
    total: Total


def walked(tx: Tx, version_id: str) -> DataVersion:
    """The version that a walk began in.

    Raises:
        InvalidArgument: INVALID_PAGE_TOKEN; it is no longer kept.
    """
    version = tx.versions.get(version_id)
    if version is None:
        raise InvalidArgument(
            "page_token: the data that it walks through is no longer kept; leave it empty to start again",
            reason="INVALID_PAGE_TOKEN",
        )
    return version


def page(
    tx: Tx,
    rows: Rows[T],
    count: Callable[[DataVersion], int],
    engagement_id: str,
    session_id: str,
    query: Query,
    window: Window,
) -> VersionPage[T]:
    """A page of a session's rows that a request asks for; `count` is how many a version has in all.

    The first page is of what the session shows now; its `next_key` names the data version, so that a walk
    stays within one. Edits of that version show in the pages that come after them.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: INVALID_PAGE_TOKEN; the data version that the walk began in is no longer kept.
    """
    version_id = sessions.get(tx, engagement_id, session_id).data_version_id
    after_key = None
    if window.after_key is not None:
        version_id, *after_key = window.after_key
    if version_id is None:
        return VersionPage("", (), None, Total(0, False))
    version = walked(tx, version_id)
    found = rows.page(version_id, query.order, replace(window, after_key=after_key), query.condition)
    total = Total(count(version), False)
    if query.condition is not None:
        total = rows.total(version_id, window, query.condition)
    next_key = None if found.next_key is None else (version_id, *found.next_key)
    return VersionPage(version.label, found.items, next_key, total)
