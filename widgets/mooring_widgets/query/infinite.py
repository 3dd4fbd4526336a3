"""Data that comes page by page, each one found from the one beside it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from typing_extensions import TypeVar as TypeVarWithDefault

from mooring_widgets.query.options import Direction, QueryFunctionContext, QueryOptions

P = TypeVar("P")


@dataclass(frozen=True)
class InfiniteData(Generic[P]):
    """The pages so far, in their order, and what each was asked for with."""

    pages: tuple[P, ...] = ()
    page_params: tuple[Any, ...] = ()


R = TypeVarWithDefault("R", default=InfiniteData[P])
NextParam = Callable[[P, tuple[P, ...], Any, tuple[Any, ...]], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class InfiniteQueryOptions(QueryOptions[InfiniteData[P], R], Generic[P, R]):
    """One query whose data is `InfiniteData`; see `QueryOptions` for the rest.

    `query_fn` fetches one page: that of its context's `page_param`. A refetch asks for all pages again, the
    first by the parameter it had, the others by those that come of the new pages.

    Attributes:
        initial_page_param: That of the first page.
        get_next_page_param: Finds the parameter of the page after the last, from that page, all pages, its
            parameter and all parameters. None: there is no such page.
        get_previous_page_param: The same for the page before the first; without it there is none.
        max_pages: How many pages are kept at most; 0 for all. Those at the other end are dropped.
        pages: How many pages a first fetch gets; 1 when not given. More only as long as there is a next one.
    """

    initial_page_param: Any
    get_next_page_param: NextParam[P]
    get_previous_page_param: NextParam[P] | None = None
    max_pages: int = 0
    pages: int | None = None

    def next_param(self, data: InfiniteData[P]) -> Any:
        """Return the parameter of the page after the last; None if there is none."""
        if not data.pages:
            return None
        return self.get_next_page_param(data.pages[-1], data.pages, data.page_params[-1], data.page_params)

    def previous_param(self, data: InfiniteData[P]) -> Any:
        """Return the parameter of the page before the first; None if there is none."""
        if not data.pages or self.get_previous_page_param is None:
            return None
        return self.get_previous_page_param(data.pages[0], data.pages, data.page_params[0], data.page_params)

    def attempts(
        self,
        query_fn: Callable[[QueryFunctionContext], Awaitable[Any]],
        previous: InfiniteData[P] | None,
        direction: Direction | None,
    ) -> Callable[[], Awaitable[InfiniteData[P]]]:
        """See `QueryOptions`."""
        return _Pages(self, query_fn, previous or InfiniteData(), direction)


class _Pages(Generic[P]):
    """One fetch; tried again, it goes on with the page that failed."""

    def __init__(
        self,
        options: InfiniteQueryOptions[P, Any],
        query_fn: Callable[[QueryFunctionContext], Awaitable[P]],
        before: InfiniteData[P],
        direction: Direction | None,
    ) -> None:
        self._options = options
        self._query_fn = query_fn
        self._before = before
        self._direction: Direction | None = direction if before.pages else None
        self._got: InfiniteData[P] = InfiniteData()
        self._left = len(before.pages) or options.pages or 1

    async def __call__(self) -> InfiniteData[P]:
        if self._direction is not None:
            return await self._one_more(self._direction)
        while self._left:
            if not self._got.pages:
                param = (*self._before.page_params, self._options.initial_page_param)[0]
            elif (param := self._options.next_param(self._got)) is None:
                break
            self._got = self._joined(self._got, await self._page(param, "forward"), param)
            self._left -= 1
        return self._got

    async def _one_more(self, direction: Direction) -> InfiniteData[P]:
        backward = direction == "backward"
        find = self._options.previous_param if backward else self._options.next_param
        param = find(self._before)
        if param is None:
            return self._before
        page = await self._page(param, direction)
        return self._joined(self._before, page, param, backward=backward)

    async def _page(self, param: Any, direction: Direction) -> P:
        context = QueryFunctionContext(
            query_key=tuple(self._options.query_key),
            meta=self._options.meta,
            page_param=param,
            direction=direction,
        )
        return await self._query_fn(context)

    def _joined(
        self, data: InfiniteData[P], page: P, param: Any, *, backward: bool = False
    ) -> InfiniteData[P]:
        limit = self._options.max_pages or None
        if backward:
            return InfiniteData((page, *data.pages)[:limit], (param, *data.page_params)[:limit])
        kept = slice(-limit if limit else None, None)
        return InfiniteData((*data.pages, page)[kept], (*data.page_params, param)[kept])
