"""One subscriber's view of a query whose data comes page by page."""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from mooring_widgets.query.infinite import InfiniteData, InfiniteQueryOptions, P, R
from mooring_widgets.query.observing import BaseObserver
from mooring_widgets.query.options import Direction
from mooring_widgets.query.result import QueryResult
from mooring_widgets.query.state import QueryState

D = TypeVar("D")


@dataclass(frozen=True, kw_only=True, eq=False)
class InfiniteQueryResult(QueryResult[D], Generic[D]):
    """What an `InfiniteQueryObserver` shows; `is_refetching` speaks of all pages.

    Attributes:
        has_next_page: There is a page after the last.
        has_previous_page: There is a page before the first.
        direction: Which page the running fetch, or the last one, was to add; None for a fetch of all.
    """

    has_next_page: bool = False
    has_previous_page: bool = False
    direction: Direction | None = None

    @property
    def is_fetching_next_page(self) -> bool:
        """The page after the last is under way."""
        return self.is_fetching and self.direction == "forward"

    @property
    def is_fetching_previous_page(self) -> bool:
        """The page before the first is under way."""
        return self.is_fetching and self.direction == "backward"

    @property
    def is_fetch_next_page_error(self) -> bool:
        """The page after the last could not be had."""
        return self.is_error and self.direction == "forward"

    @property
    def is_fetch_previous_page_error(self) -> bool:
        """The page before the first could not be had."""
        return self.is_error and self.direction == "backward"

    @property
    def is_refetching(self) -> bool:
        """A fetch of all pages is under way while there is something to show."""
        return super().is_refetching and self.direction is None

    @property
    def is_refetch_error(self) -> bool:
        """A fetch of all pages failed, and what was there before still shows."""
        return super().is_refetch_error and self.direction is None


class InfiniteQueryObserver(BaseObserver[InfiniteData[P], R, InfiniteQueryResult[R]], Generic[P, R]):
    """A `QueryObserver` that can ask for one more page, at either end."""

    def fetch_next_page(self, *, cancel_refetch: bool = True) -> Future[InfiniteQueryResult[R]]:
        """Add the page after the last, or fetch the first; nothing is fetched when there is none after it.

        See `refetch` for the argument and the future.
        """
        return self._fetch_page("forward", cancel_refetch)

    def fetch_previous_page(self, *, cancel_refetch: bool = True) -> Future[InfiniteQueryResult[R]]:
        """Add the page before the first; as `fetch_next_page`."""
        return self._fetch_page("backward", cancel_refetch)

    def _fetch_page(self, direction: Direction, cancel_refetch: bool) -> Future[InfiniteQueryResult[R]]:
        with self._notifier.batch():
            result = self.get_current_result()
            there = result.has_next_page if direction == "forward" else result.has_previous_page
            if self._query.state.has_data and not there:
                settled: Future[InfiniteQueryResult[R]] = Future()
                settled.set_result(result)
                return settled
            return self._fetch(cancel_refetch=cancel_refetch, direction=direction)

    def _more(self, state: QueryState[InfiniteData[P]]) -> dict[str, Any]:
        options = cast(InfiniteQueryOptions[P, R], self._options)
        data = state.data if state.data is not None else InfiniteData[P]()
        return {
            "has_next_page": options.next_param(data) is not None,
            "has_previous_page": options.previous_param(data) is not None,
            "direction": state.fetch_direction,
        }

    def _picture(self, **shown: Any) -> InfiniteQueryResult[R]:
        return InfiniteQueryResult(**shown)
