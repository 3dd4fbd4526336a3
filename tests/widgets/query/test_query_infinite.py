"""Queries whose data comes page by page."""

import pytest
from mooring_widgets.query import (
    InfiniteData,
    InfiniteQueryObserver,
    InfiniteQueryOptions,
)
from support_query import Recorder


class Book:
    """Pages from 0 to 9; asked for, they are answered at once."""

    def __init__(self):
        self.asked = []
        self.edition = 1
        self.broken = set()

    async def read(self, context):
        self.asked.append((context.page_param, context.direction))
        if context.page_param in self.broken:
            raise ValueError(context.page_param)
        return f"{context.page_param}.{self.edition}"

    def options(self, **others):
        return InfiniteQueryOptions(
            query_key=("book",),
            query_fn=self.read,
            initial_page_param=others.pop("at", 0),
            get_next_page_param=lambda page, pages, param, params: param + 1 if param < 9 else None,
            get_previous_page_param=lambda page, pages, param, params: param - 1 if param else None,
            **others,
        )


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def reader(client, book, runtime):
    """An observer that has read its first page, and turns pages at once."""

    class Reader:
        def __init__(self, **options):
            self.observer = InfiniteQueryObserver(client, book.options(**options))
            self.heard = Recorder()
            self.observer.subscribe(self.heard)
            runtime.run_until_idle()

        @property
        def result(self):
            return self.observer.get_current_result()

        def next(self):
            future = self.observer.fetch_next_page()
            runtime.run_until_idle()
            return future.result()

        def previous(self):
            future = self.observer.fetch_previous_page()
            runtime.run_until_idle()
            return future.result()

    return Reader


def test_pages_are_added_at_both_ends(reader, book):
    """The first page by the initial parameter, the others by those found from their neighbours."""
    mine = reader(at=4)
    assert mine.next().data == InfiniteData(("4.1", "5.1"), (4, 5))
    assert mine.previous().data == InfiniteData(("3.1", "4.1", "5.1"), (3, 4, 5))
    assert book.asked == [(4, "forward"), (5, "forward"), (3, "backward")]
    assert mine.result.has_next_page
    assert mine.result.has_previous_page


def test_which_page_is_under_way_shows(reader, client, runtime):
    """Fetching one more page is told apart from fetching all of them again."""
    mine = reader(at=4)
    mine.observer.fetch_next_page()
    assert (mine.result.is_fetching_next_page, mine.result.is_refetching) == (True, False)
    mine.observer.fetch_previous_page()
    assert (mine.result.is_fetching_next_page, mine.result.is_fetching_previous_page) == (False, True)
    runtime.run_until_idle()
    mine.observer.refetch()
    assert (mine.result.is_refetching, mine.result.is_fetching_previous_page) == (True, False)
    runtime.run_until_idle()
    assert mine.result.data.page_params == (3, 4)


def test_there_is_an_end(reader, book):
    """Beyond the last and before the first page nothing is fetched."""
    mine = reader(at=9)
    assert not mine.result.has_next_page
    assert mine.next().data.page_params == (9,)
    first = reader(at=9)
    assert first.result.has_previous_page
    assert len(book.asked) == 2  # the mounts alone


def test_a_refetch_asks_for_all_pages_in_order(reader, book, client, runtime):
    """Each page again, one after the other; the first by the parameter it had, whatever is initial."""
    mine = reader(at=4)
    mine.next()
    mine.previous()
    book.asked.clear()
    book.edition = 2
    client.invalidate_queries(["book"])
    runtime.run_until_idle()
    assert book.asked == [(3, "forward"), (4, "forward"), (5, "forward")]
    assert mine.result.data == InfiniteData(("3.2", "4.2", "5.2"), (3, 4, 5))


def test_pages_that_are_gone_are_not_asked_for(reader, book, client, runtime):
    """A refetch ends where the new pages end."""
    mine = reader(at=8)
    mine.next()
    mine.observer.set_options(
        InfiniteQueryOptions(
            query_key=("book",),
            query_fn=book.read,
            initial_page_param=8,
            get_next_page_param=lambda *_: None,
        )
    )
    mine.observer.refetch()
    runtime.run_until_idle()
    assert mine.result.data.page_params == (8,)


def test_pages_are_kept_up_to_a_number(reader):
    """With `max_pages` those at the other end go."""
    mine = reader(at=4, max_pages=2)
    mine.next()
    assert mine.next().data.page_params == (5, 6)
    assert mine.previous().data == InfiniteData(("4.1", "5.1"), (4, 5))


def test_unchanged_pages_stay_the_same(reader, runtime):
    """Equal pages keep their identity through a refetch, so nothing is painted anew."""
    mine = reader()
    before = mine.next().data
    mine.observer.refetch()
    runtime.run_until_idle()
    assert mine.result.data is before


def test_a_page_that_fails_leaves_the_others(reader, book, client, runtime):
    """The failure of one page shows as such beside the pages there are; a retry goes on with it."""
    mine = reader(retry=1)
    book.broken = {1}
    mine.observer.fetch_next_page()
    runtime.advance(1)
    assert (mine.result.is_fetch_next_page_error, mine.result.is_refetch_error) == (True, False)
    assert mine.result.data.page_params == (0,)
    book.broken = set()
    mine.next()
    assert mine.next().data.page_params == (0, 1, 2)
    book.asked.clear()
    book.broken = {2}
    mine.observer.refetch()
    runtime.run_until_idle()
    book.broken = set()
    runtime.advance(1)
    assert [param for param, _ in book.asked] == [0, 1, 2, 2]
    assert mine.result.is_success


def test_select_sees_all_pages(reader):
    """What an observer shows may be made of the pages."""
    mine = reader(select=lambda data: "".join(data.pages))
    assert mine.next().data == "0.11.1"


def test_a_broken_parameter_is_an_error_of_that_observer(client, book, runtime, problems):
    """An exception in `get_next_page_param` shows in the result."""
    options = InfiniteQueryOptions(
        query_key=("book",),
        query_fn=book.read,
        initial_page_param=0,
        get_next_page_param=lambda page, *_: page["next"],
    )
    observer = InfiniteQueryObserver(client, options)
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    result = observer.get_current_result()
    assert (result.is_error, type(result.error), result.has_next_page) == (True, TypeError, False)
    assert not problems


def test_pages_can_be_fetched_without_an_observer(client, book, runtime):
    """`fetch_infinite_query` gets as many pages as asked for, fewer at the end; prefetch fills the cache."""
    data = runtime.run(client.fetch_infinite_query(book.options(pages=3)))
    assert data.page_params == (0, 1, 2)
    assert runtime.run(client.ensure_infinite_query_data(book.options())) is data
    client.clear()
    runtime.run(client.prefetch_infinite_query(book.options(at=8, pages=5)))
    assert client.get_query_data(["book"]).page_params == (8, 9)


def test_a_first_page_may_be_asked_for_as_the_next(client, book, runtime):
    """Without any pages, `fetch_next_page` gets the first one."""
    observer = InfiniteQueryObserver(client, book.options(enabled=False))
    future = observer.fetch_next_page()
    runtime.run_until_idle()
    assert future.result().data.page_params == (0,)
