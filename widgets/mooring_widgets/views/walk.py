"""A list that is read page after page, on and back again."""

from collections.abc import Callable
from typing import Any

from mooring_widgets.bridge import failure
from mooring_widgets.client import PageOf
from mooring_widgets.query import QueryObserver, QueryOptions, QueryResult
from mooring_widgets.surface import Host
from mooring_widgets.views.dependent import away

Options = QueryOptions[PageOf[Any], PageOf[Any]]
PageQuery = Callable[[str], Options]
"""The query of the page that a token leads to; the first has an empty one."""

_BEYOND_THE_WALK = "INVALID_PAGE_TOKEN"


class Walk:
    """One page at a time of a list that its service only reads forward; the way back is remembered.

    Lives on the loop.
    """

    def __init__(self, host: Host, changed: Callable[[], None]) -> None:
        """`changed` is called whenever `shown` would say something else."""
        self._host = host
        self._changed = changed
        self._query: PageQuery | None = None
        self._observer: QueryObserver[PageOf[Any], PageOf[Any]] | None = None
        self._end: Callable[[], None] = lambda: None
        self._tokens = [""]

    @property
    def number(self) -> int:
        """Which page is shown; the first is 1."""
        return len(self._tokens)

    @property
    def rows(self) -> tuple[Any, ...]:
        """What the page holds, as far as it is here."""
        page = self._result.data if self._result else None
        return page.items if page else ()

    def begin(self, query: PageQuery) -> None:
        """Begins a list at its first page; what was there before is let go of."""
        self._query = query
        self._tokens = [""]
        self._follow()

    def on(self) -> None:
        """Goes on to the next page, where this one says that there is one."""
        result = self._result
        # Where the page before stands in for one that is on its way, its token was used already.
        if result and result.data and result.data.next_token and not result.is_placeholder_data:
            self._tokens.append(result.data.next_token)
            self._follow()

    def back(self) -> None:
        """Goes back to the page before."""
        if len(self._tokens) > 1:
            self._tokens.pop()
            self._follow()

    def retry(self, anew: Callable[[], None]) -> None:
        """Asks again for what could not be had; `anew` begins another walk where this one's data is gone."""
        error = self._result.error if self._result else None
        if getattr(error, "reason", "") == _BEYOND_THE_WALK:
            anew()
        elif error is not None and self._observer is not None:
            self._observer.refetch()

    def close(self) -> None:
        """Follows nothing any more."""
        end, self._end = self._end, lambda: None
        self._observer = None
        end()

    def shown(self, row: Callable[[Any], Any]) -> dict[str, Any]:
        """For the front end, each row as `row` has it; `items` is None while there are none of this list."""
        result = self._result
        page = result.data if result else None
        error = (result.error or away(result)) if result else None
        return {
            "number": self.number,
            "items": None if page is None else [row(each) for each in page.items],
            "more": bool(page and page.next_token),
            "refreshing": bool(result and page is not None and result.is_fetching),
            "error": None if error is None else failure(error),
        }

    @property
    def _result(self) -> QueryResult[PageOf[Any]] | None:
        return self._observer.get_current_result() if self._observer else None

    def _follow(self) -> None:
        if self._query is None:
            return
        options = self._query(self._tokens[-1])
        if self._observer is None:
            self._observer = QueryObserver(self._host.queries, options)
            self._end = self._observer.subscribe(lambda _: self._changed())
        else:
            self._observer.set_options(options)
        self._changed()
