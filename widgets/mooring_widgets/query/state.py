"""What is known of one key, and who wants to know."""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mooring_widgets.query.options import Direction, FetchStatus, Status, Trigger

T = TypeVar("T")


class QueryCancelled(Exception):
    """The fetch was cancelled before it had an answer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class QueryState(Generic[T]):
    """What is known of one key; `QueryResult` tells what most of it means.

    Attributes:
        has_data: Whether `data` counts; None may be data.
        data_update_count: How often data was fetched or set.
        error_update_count: How many fetches failed.
        is_invalidated: The data was said to be out of date, or the last fetch failed.
        fetch_direction: Which page the running fetch, or the last one, was to add; None when all of the data
            was asked for.
    """

    status: Status = "pending"
    fetch_status: FetchStatus = "idle"
    has_data: bool = False
    data: T | None = None
    data_updated_at: float = 0.0
    data_update_count: int = 0
    error: Exception | None = None
    error_updated_at: float = 0.0
    error_update_count: int = 0
    failure_count: int = 0
    failure_reason: Exception | None = None
    is_invalidated: bool = False
    fetch_direction: Direction | None = None

    @property
    def is_fetched(self) -> bool:
        """Whether a fetch has ended, well or not, or data was set."""
        return self.data_update_count + self.error_update_count > 0


class Watcher(Protocol):
    """A subscribed observer, as its query sees it."""

    @property
    def enabled(self) -> bool:
        """Whether it wants data; a query is active while one does."""

    @property
    def stale_time(self) -> float:
        """Seconds for which it takes data as fresh."""

    def wants_fetch(self, trigger: Trigger) -> bool:
        """Whether its options ask for a fetch when this happens, as the data now is."""

    def on_query_update(self) -> None:
        """The state changed. Called under the lock."""


@dataclass(frozen=True, eq=False)
class Waiter(Generic[T]):
    """Somebody who waits for the end of a fetch; one who `holds` it keeps it going without any observer."""

    future: Future[T]
    holds: bool

    @property
    def holding(self) -> bool:
        """Whether the fetch goes on for this one's sake."""
        return self.holds and not self.future.cancelled()
