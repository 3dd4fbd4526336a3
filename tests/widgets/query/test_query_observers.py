import gc
import weakref

import pytest
from mooring_widgets.query import QueryObserver, keep_previous_data
from support_query import Recorder


def observe(client, options):
    observer, heard = QueryObserver(client, options), Recorder()
    return observer, heard, observer.subscribe(heard)


def test_an_observer_fetches_when_subscribed(client, source, runtime):
    """Nothing is fetched before the first listener; then it loads, and shows what comes."""
    observer = QueryObserver(client, source.options("a"))
    runtime.run_until_idle()
    assert not source.calls
    assert observer.get_current_result().is_pending
    heard = Recorder()
    observer.subscribe(heard)
    assert observer.get_current_result().is_loading
    runtime.run_until_idle()
    source.resolve([1])
    assert [(r.status, r.fetch_status, r.data) for r in heard.results] == [
        ("pending", "fetching", None),
        ("success", "idle", [1]),
    ]
    assert heard.results[-1].data_updated_at == runtime.wall()
    assert heard.results[-1].is_stale


def test_an_error_keeps_the_data(client, source, runtime):
    """A failed refetch shows the error beside the last good data, and recovers."""
    observer, heard, _ = observe(client, source.options("a", retry=False))
    runtime.run_until_idle()
    source.resolve(1)
    observer.refetch()
    runtime.run_until_idle()
    assert heard.results[-1].is_refetching
    source.fail(ValueError("no"))
    result = heard.results[-1]
    assert (result.is_error, result.data, str(result.error), result.failure_count) == (True, 1, "no", 1)
    again = observer.refetch()
    runtime.run_until_idle()
    source.resolve(2)
    assert (again.result().data, again.result().error) == (2, None)
    assert again.result().is_success


def test_refetch_tells_an_error_in_its_result(client, source, runtime):
    """The future of `refetch` does not fail; the result has the error."""
    observer = QueryObserver(client, source.options("a", retry=False, enabled=False))
    done = observer.refetch()
    runtime.run_until_idle()
    source.fail(ValueError("no"))
    assert done.result().is_error


def test_equal_answers_tell_nobody(client, source, runtime):
    """A refetch that brings the same is heard as a fetch, and its data is the same object."""
    observer, heard, _ = observe(client, source.options("a"))
    runtime.run_until_idle()
    source.resolve([1, {"x": 2}])
    first = heard.results[-1].data
    observer.refetch()
    runtime.run_until_idle()
    source.resolve([1, {"x": 2}])
    assert all(data is first for data in heard.data[1:])


def test_observers_share_a_query(client, source, runtime):
    """Two observers of a key make one fetch; each has its own select and stale time."""
    one, heard_one, _ = observe(client, source.options("a"))
    two, heard_two, _ = observe(client, source.options("a", select=len, stale_time=60))
    runtime.run_until_idle()
    assert len(source.calls) == 1
    source.resolve(["x", "y"])
    assert (heard_one.data[-1], heard_two.data[-1]) == (["x", "y"], 2)
    assert (one.get_current_result().is_stale, two.get_current_result().is_stale) == (True, False)


def test_mounting_refetches_only_what_is_stale(client, source, runtime):
    """A new observer shows cached data at once and fetches again if it finds it stale."""
    client.set_query_data(["a"], 1)
    runtime.advance(5)
    fresh, _, _ = observe(client, source.options("a", stale_time=10))
    runtime.run_until_idle()
    assert not source.calls
    assert fresh.get_current_result().data == 1
    stale, _, _ = observe(client, source.options("a"))
    assert stale.get_current_result().data == 1
    assert stale.get_current_result().is_refetching


def test_data_grows_stale_with_time(client, source, runtime):
    """A listener hears when the stale time has passed."""
    client.set_query_data(["a"], 1)
    _, heard, _ = observe(client, source.options("a", stale_time=10))
    runtime.advance(9)
    assert not heard.results
    runtime.advance(2)
    assert [result.is_stale for result in heard.results] == [True]
    assert not source.calls


def test_a_disabled_observer_waits(client, source, runtime):
    """Disabled: nothing is fetched on mount or by invalidation; enabling fetches."""
    observer, _, _ = observe(client, source.options("a", enabled=False))
    client.invalidate_queries()
    client.refetch_queries()
    runtime.run_until_idle()
    assert not source.calls
    assert not observer.get_current_result().is_stale
    observer.set_options(source.options("a"))
    runtime.run_until_idle()
    source.resolve(1)
    assert observer.get_current_result().data == 1


def test_switching_keys_shows_nothing_of_the_old_one(client, source, runtime):
    """After a switch the old key's data and late answers are never shown; they stay in the cache."""
    observer, heard, _ = observe(client, source.options("a"))
    runtime.run_until_idle()
    source.resolve("A")
    observer.refetch()
    runtime.run_until_idle()
    observer.set_options(source.options("b"))
    assert observer.get_current_result().data is None
    runtime.run_until_idle()
    late, new = source.open
    source.resolve("A2", late)
    assert observer.get_current_result().data is None
    source.resolve("B", new)
    assert heard.data == [None, "A", "A", None, "B"]
    assert client.get_query_data(["a"]) == "A2"
    observer.set_options(source.options("a", stale_time=60))
    assert observer.get_current_result().data == "A2"


def test_a_listener_that_lags_hears_only_the_newest(client, source, runtime):
    """A result that was on its way when the key was switched is not told any more."""
    client.set_query_data(["b"], "B")
    observer, heard, _ = observe(client, source.options("a"))
    runtime.run_until_idle()
    client.set_query_data(["a"], "A")
    observer.set_options(source.options("b", stale_time=60))
    runtime.run_until_idle()
    assert "A" not in heard.data
    assert heard.data[-1] == "B"


def test_the_last_observer_cancels_a_fetch_that_shows_nothing_yet(client, source, runtime):
    """A superseded first fetch is cancelled; one that others wait for, and a refetch, go on."""
    observer, _, unsubscribe = observe(client, source.options("a"))
    runtime.run_until_idle()
    observer.set_options(source.options("b"))
    runtime.run_until_idle()
    assert source.calls[0].cancelled
    future = client.fetch(source.options("b"))
    unsubscribe()
    runtime.run_until_idle()
    source.resolve("B")
    assert future.result() == "B"
    unsubscribe = observer.subscribe(Recorder())
    runtime.run_until_idle()
    unsubscribe()
    runtime.run_until_idle()
    source.resolve("B2")
    assert client.get_query_data(["b"]) == "B2"


def test_previous_data_may_stand_in(client, source, runtime):
    """With `keep_previous_data` the old key's data is shown, marked, until the new key has its own."""
    observer, heard, _ = observe(client, source.options("a", select=str.upper))
    runtime.run_until_idle()
    source.resolve("a")
    for key in ("b", "c"):
        observer.set_options(source.options(key, select=str.upper, placeholder_data=keep_previous_data))
        result = observer.get_current_result()
        assert (result.data, result.status, result.is_placeholder_data) == ("A", "success", True)
    runtime.run_until_idle()
    source.resolve("c")
    assert (heard.data[-1], heard.results[-1].is_placeholder_data) == ("C", False)
    assert client.get_query_data(["b"]) is None


def test_a_placeholder_is_not_cached(client, source, runtime):
    """A placeholder value is shown until there is data or a failure, and never stored."""
    observer, _, _ = observe(client, source.options("a", placeholder_data=[], retry=False))
    assert (observer.get_current_result().data, observer.get_current_result().is_success) == ([], True)
    assert client.get_query_data(["a"]) is None
    runtime.run_until_idle()
    source.fail(ValueError())
    assert (observer.get_current_result().data, observer.get_current_result().is_error) == (None, True)


def test_initial_data_is_cached(client, source, runtime):
    """Initial data counts as fetched when put in and replaces no data; a reset puts the latest back."""
    observer, _, _ = observe(client, source.options("a", initial_data=1, stale_time=10))
    runtime.run_until_idle()
    assert not source.calls
    assert client.get_query_data(["a"]) == 1
    observe(client, source.options("a", initial_data=2, stale_time=10))
    assert observer.get_current_result().data == 1
    client.set_query_data(["a"], 3)
    client.reset_queries(["a"])
    assert observer.get_current_result().data == 2


def test_select_runs_once_for_the_same_data(client, source, runtime):
    """A selection is made again only from other data or by another function; equal ones stay the same."""
    calls = []

    def select(rows):
        calls.append(rows)
        return {"count": len(rows)}

    options = source.options("a", select=select)
    observer, heard, _ = observe(client, options)
    runtime.run_until_idle()
    source.resolve(["x"])
    first = heard.results[-1].data
    observer.refetch()
    runtime.run_until_idle()
    source.resolve(["x"])
    assert len(calls) == 1
    client.set_query_data(["a"], ["y"])
    assert len(calls) == 2
    assert observer.get_current_result().data is first
    observer.set_options(source.options("a", select=len))
    assert observer.get_current_result().data == 1


def test_a_broken_select_is_an_error_of_that_observer(client, source, runtime, problems):
    """An exception in select shows in the result beside the last good selection, and nowhere else."""
    broken, heard, _ = observe(client, source.options("a", select=lambda rows: rows["total"]))
    sound, _, _ = observe(client, source.options("a"))
    runtime.run_until_idle()
    source.resolve({"total": 1})
    client.set_query_data(["a"], {})
    runtime.run_until_idle()
    result = broken.get_current_result()
    assert (result.status, type(result.error), result.data) == ("error", KeyError, 1)
    assert (sound.get_current_result().status, sound.get_current_result().data) == ("success", {})
    told = len(heard.results)
    broken.get_current_result()
    runtime.run_until_idle()
    assert len(heard.results) == told
    broken.set_options(source.options("b", select=lambda rows: rows["total"]))
    client.set_query_data(["b"], {})
    assert broken.get_current_result().data is None
    assert not problems


def test_a_broken_placeholder_is_an_error_of_that_observer(client, source, runtime):
    """An exception in a placeholder function shows until there is data."""
    observer, _, _ = observe(client, source.options("a", placeholder_data=lambda previous: previous["x"]))
    assert isinstance(observer.get_current_result().error, TypeError)
    runtime.run_until_idle()
    source.resolve(1)
    assert (observer.get_current_result().data, observer.get_current_result().error) == (1, None)


def test_a_broken_listener_hurts_nobody(client, source, runtime, problems):
    """An exception in a listener is reported; the other listeners and observers hear all the same."""
    observer = QueryObserver(client, source.options("a"))
    observer.subscribe(lambda result: {}["x"])
    heard = Recorder()
    observer.subscribe(heard)
    runtime.run_until_idle()
    source.resolve(1)
    assert heard.data == [None, 1]
    assert [type(problem) for problem in problems] == [KeyError, KeyError]


def test_a_broken_hook_is_logged(client, source, runtime, problems, caplog):
    """Not even an exception in the hook for exceptions stops the news."""
    client.query_cache.notifier._on_listener_error = lambda error: 1 / 0
    observer = QueryObserver(client, source.options("a"))
    observer.subscribe(lambda result: {}["x"])
    runtime.run_until_idle()
    source.resolve(1)
    assert "ZeroDivisionError" in caplog.text
    assert observer.get_current_result().data == 1


def test_a_listener_may_act(client, source, runtime):
    """A listener may switch, write and unsubscribe: it holds no lock, and hears what follows."""
    observer, heard = QueryObserver(client, source.options("a", stale_time=60)), Recorder()

    def follow(result):
        if result.data == "A":
            client.set_query_data(["b"], "B")
            observer.set_options(source.options("b", stale_time=60))
        if result.data == "B":
            unsubscribe()

    unsubscribe = observer.subscribe(follow)
    observer.subscribe(heard)
    runtime.run_until_idle()
    source.resolve("A")
    client.set_query_data(["b"], "B2")
    runtime.run_until_idle()
    assert heard.data == [None, "A", "B", "B2"]


def test_several_changes_in_one_go_are_told_once(client, source, runtime):
    """What changes before the runtime comes round is one notification with the newest result."""
    _, heard, _ = observe(client, source.options("a", enabled=False))
    for number in range(5):
        client.set_query_data(["a"], number)
    runtime.run_until_idle()
    assert heard.data == [4]


def test_unsubscribing_is_final_and_idempotent(client, source, runtime):
    """After unsubscribe nothing is heard, not even what was on its way; a second call does nothing."""
    observer, heard, unsubscribe = observe(client, source.options("a", stale_time=60))
    other = observer.subscribe(Recorder())
    unsubscribe()
    unsubscribe()
    runtime.run_until_idle()
    source.resolve(1)
    assert not heard.results
    other()
    assert [query.observers for query in client.query_cache] == [0]


@pytest.mark.parametrize("subscribed", [True, False])
def test_nothing_keeps_an_observer_alive_that_nobody_listens_to(client, source, runtime, subscribed):
    """Once unsubscribed, or never subscribed, an observer goes with its last reference."""
    client.set_query_data(["a"], 1)
    observer = QueryObserver(client, source.options("a", stale_time=60))
    if subscribed:
        observer.subscribe(lambda result: None)()
    runtime.run_until_idle()
    gone = weakref.ref(observer)
    del observer
    gc.collect()
    assert gone() is None


def test_an_unsubscribed_observer_finds_its_query_again(client, source, runtime):
    """After its query was collected, an observer shows and observes the one that took its place."""
    observer = QueryObserver(client, source.options("a", gc_time=1))
    runtime.advance(2)
    assert len(client.query_cache) == 0
    client.set_query_data(["a"], 1)
    assert observer.get_current_result().data == 1
    runtime.advance(2)
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    source.resolve(2)
    assert observer.get_current_result().data == 2
    assert client.get_query_data(["a"]) == 2


def test_an_observed_query_is_not_collected(client, source, runtime):
    """The gc time counts from the last observer's leaving."""
    _, _, unsubscribe = observe(client, source.options("a", gc_time=10, stale_time=60))
    runtime.run_until_idle()
    source.resolve(1)
    runtime.advance(100)
    assert client.get_query_data(["a"]) == 1
    unsubscribe()
    runtime.advance(9)
    assert client.get_query_data(["a"]) == 1
    runtime.advance(1)
    assert len(client.query_cache) == 0


def test_removing_an_observed_query_empties_it(client, source, runtime):
    """An observer of removed data shows none and rests; an invalidation fetches again."""
    observer, _, _ = observe(client, source.options("a"))
    runtime.run_until_idle()
    source.resolve(1)
    client.remove_queries(["a"])
    result = observer.get_current_result()
    assert (result.status, result.fetch_status, result.data) == ("pending", "idle", None)
    client.invalidate_queries(["a"])
    runtime.run_until_idle()
    source.resolve(2)
    assert observer.get_current_result().data == 2


def test_resetting_fetches_what_is_observed(client, source, runtime):
    """A reset forgets data, and fetches it anew where an enabled observer looks."""
    observer, _, _ = observe(client, source.options("a"))
    runtime.run_until_idle()
    source.resolve(1)
    client.set_query_data(["b"], 1)
    done = client.reset_queries()
    assert observer.get_current_result().is_loading
    assert client.get_query_data(["b"]) is None
    runtime.run_until_idle()
    source.resolve(2)
    assert observer.get_current_result().data == 2
    assert done.done()
