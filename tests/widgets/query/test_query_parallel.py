"""Several queries seen as one."""

import pytest
from mooring_widgets.query import QueriesObserver
from support_query import Recorder


@pytest.fixture
def answer(source):
    """Resolves the open call of a key."""

    def answer(key, data):
        source.resolve(data, next(call for call in source.open if call.key == (key,)))

    return answer


def shown(results):
    return [result.data for result in results]


def test_queries_are_fetched_side_by_side(client, source, runtime, answer):
    """One subscription fetches all; results come in the order of the options, whatever answers first."""
    observer, heard = QueriesObserver(client, [source.options("a"), source.options("b")]), Recorder()
    unsubscribe = observer.subscribe(heard)
    runtime.run_until_idle()
    assert len(source.open) == 2
    answer("b", 2)
    answer("a", 1)
    assert shown(heard.results[-1]) == [1, 2]
    assert [shown(results) for results in heard.results] == [[None, None], [None, 2], [1, 2]]
    unsubscribe()
    unsubscribe()
    client.invalidate_queries()
    runtime.run_until_idle()
    assert not source.open
    assert [query.observers for query in client.query_cache] == [0, 0]


def test_results_are_combined(client, source, runtime, answer):
    """`combine` makes one value, again only for other results; an equal one is not told."""
    calls = []

    def combine(results):
        calls.append(results)
        return {"ready": all(result.is_success for result in results)}

    observer, heard = QueriesObserver(client, [source.options("a"), source.options("b")], combine=combine), []
    observer.subscribe(heard.append)
    runtime.run_until_idle()
    answer("a", 1)
    answer("b", 1)
    assert heard == [{"ready": False}, {"ready": True}]
    made = len(calls)
    assert observer.get_current_result() is observer.get_current_result() is heard[-1]
    assert len(calls) == made


def test_a_changed_list_goes_on_with_what_stays(client, source, runtime, answer):
    """Reordered, added and dropped queries: what stays is not fetched anew, what is gone is let go."""
    observer, heard = QueriesObserver(client, [source.options("a"), source.options("b")]), Recorder()
    observer.subscribe(heard)
    runtime.run_until_idle()
    answer("a", 1)
    answer("b", 2)
    observer.set_queries([source.options("c"), source.options("b")])
    assert shown(observer.get_current_result()) == [None, 2]
    runtime.run_until_idle()
    assert [call.key for call in source.open] == [("c",)]
    answer("c", 3)
    assert shown(heard.results[-1]) == [3, 2]
    assert {query.key: query.observers for query in client.query_cache} == {("a",): 0, ("b",): 1, ("c",): 1}
    observer.set_queries([])
    runtime.run_until_idle()
    assert heard.results[-1] == ()


def test_one_key_twice_is_one_fetch(client, source, runtime):
    """Two selections of one key are two results of one query."""
    twice = [source.options("a", select=len), source.options("a", select=max)]
    observer = QueriesObserver(client, twice)
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    source.resolve([1, 5])
    assert shown(observer.get_current_result()) == [2, 5]
    assert len(source.calls) == 1
    observer.set_queries(twice[::-1])
    assert shown(observer.get_current_result()) == [5, 2]


def test_without_listeners_nothing_is_fetched(client, source, runtime):
    """What is in the cache shows all the same."""
    client.set_query_data(["a"], 1)
    observer = QueriesObserver(client, [source.options("a"), source.options("b")])
    observer.set_queries([source.options("b"), source.options("a")])
    runtime.run_until_idle()
    assert shown(observer.get_current_result()) == [None, 1]
    assert not source.calls


def test_a_broken_combine_is_told_to_who_asks(client, source, runtime, problems):
    """Its exception is raised by `get_current_result`, and reported where a listener was to hear."""
    observer = QueriesObserver(client, [source.options("a")], combine=lambda results: results[0].data["x"])
    observer.subscribe(Recorder())
    with pytest.raises(TypeError):
        observer.get_current_result()
    runtime.run_until_idle()
    source.resolve({"x": 5})
    assert observer.get_current_result() == 5
    assert {type(problem) for problem in problems} == {TypeError}
