import pytest
from mooring_widgets.query import QueryObserver
from support_query import Recorder


@pytest.fixture
def observer(client, source):
    observer = QueryObserver(client, source.options("sessions", "e1", stale_time=60))
    observer.subscribe(Recorder())
    return observer


def test_active_queries_are_fetched_and_inactive_ones_marked(client, source, runtime, observer):
    """Invalidation by prefix refetches what somebody looks at, and makes the rest stale for whoever comes."""
    runtime.run_until_idle()
    source.resolve(1)
    client.set_query_data(["sessions", "e2"], 1)
    client.set_query_data(["other"], 1)
    done = client.invalidate_queries(["sessions"])
    runtime.run_until_idle()
    assert [call.key for call in source.open] == [("sessions", "e1")]
    assert client.get_query_state(["sessions", "e2"]).is_invalidated
    assert not client.get_query_state(["other"]).is_invalidated
    assert not done.done()
    source.resolve(2)
    assert done.done()
    assert (observer.get_current_result().data, observer.get_current_result().is_stale) == (2, False)
    observer.set_options(source.options("sessions", "e2", stale_time=60))
    runtime.run_until_idle()
    assert [call.key for call in source.open] == [("sessions", "e2")]


def test_an_invalidation_replaces_the_fetch_under_way(client, source, runtime, observer):
    """The first fetch is cancelled even when there is nothing to show yet; its late answer is nothing."""
    future = client.fetch(source.options("sessions", "e1"))
    runtime.run_until_idle()
    client.invalidate_queries()
    runtime.run_until_idle()
    assert source.calls[0].cancelled
    source.resolve("new")
    assert future.result() == "new"
    assert (observer.get_current_result().data, observer.get_current_result().is_stale) == ("new", False)


def test_an_answer_on_its_way_is_not_taken_for_fresh(client, source, runtime, observer):
    """An answer given just before the invalidation, but not yet heard, does not count."""
    runtime.run_until_idle()
    source.open[0].future.set_result("old")
    client.invalidate_queries()
    runtime.run_until_idle()
    assert observer.get_current_result().data is None
    source.resolve("new")
    assert observer.get_current_result().data == "new"


def test_without_cancelling_the_old_answer_is_shown_and_one_more_fetch_follows(
    client, source, runtime, observer
):
    """Any number of invalidations during a fetch lead to one more after it; data is shown meanwhile."""
    early = client.fetch(source.options("sessions", "e1"))
    runtime.run_until_idle()
    for _ in range(3):
        client.invalidate_queries(cancel_refetch=False)
    late = client.fetch(source.options("sessions", "e1"))
    runtime.run_until_idle()
    assert len(source.calls) == 1
    source.resolve("old")
    result = observer.get_current_result()
    assert (result.data, result.is_stale, result.is_refetching) == ("old", True, True)
    assert early.result() == "old"
    assert not late.done()
    assert len(source.calls) == 2
    source.resolve("new")
    assert late.result() == "new"
    assert (observer.get_current_result().data, observer.get_current_result().is_stale) == ("new", False)
    assert len(source.calls) == 2


def test_a_failure_does_not_swallow_the_fetch_that_follows(client, source, runtime):
    """When the outdated fetch fails, the next one is made all the same."""
    observer = QueryObserver(client, source.options("a", retry=False))
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    client.invalidate_queries(cancel_refetch=False)
    source.fail(ValueError())
    assert len(source.open) == 1
    source.resolve("new")
    assert observer.get_current_result().data == "new"


def test_an_unobserved_fetch_that_was_outdated_ends_stale(client, source, runtime):
    """The answer to a prefetch that began before the invalidation is kept, as stale."""
    client.prefetch(source.options("a"))
    runtime.run_until_idle()
    client.invalidate_queries()
    source.resolve("old")
    assert client.get_query_state(["a"]).is_invalidated
    client.fetch(source.options("a", stale_time=60))
    runtime.run_until_idle()
    assert len(source.open) == 1


def test_a_new_observer_does_not_join_an_outdated_fetch(client, source, runtime):
    """Whoever begins to look after the invalidation ends with an answer from after it."""
    client.prefetch(source.options("a"))
    runtime.run_until_idle()
    client.invalidate_queries()
    observer = QueryObserver(client, source.options("a"))
    unsubscribe = observer.subscribe(Recorder())
    source.resolve("old")
    assert len(source.open) == 1
    source.resolve("new")
    assert observer.get_current_result().data == "new"
    unsubscribe()


def test_which_are_fetched_again_can_be_chosen(client, source, runtime, observer):
    """`refetch_type` none only marks; inactive and all fetch what nobody looks at."""
    runtime.run_until_idle()
    source.resolve(1)
    client.fetch(source.options("sessions", "e2"))
    runtime.run_until_idle()
    source.resolve(1)
    expected = {"none": [], "inactive": ["e2"], "all": ["e1", "e2"]}
    for refetch_type, keys in expected.items():
        client.invalidate_queries(["sessions"], refetch_type=refetch_type)
        runtime.run_until_idle()
        assert [call.key[1] for call in source.open] == keys
        assert client.get_query_state(["sessions", "e1"]).is_invalidated
        client.cancel_queries()
        runtime.run_until_idle()


def test_retries_of_the_options_hold_after_a_fetch_without_any(client, source, runtime):
    """A fetch's own lack of retries is not taken over by the observers' refetches."""
    observer = QueryObserver(client, source.options("a"))
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    source.resolve(1)
    client.fetch(source.options("a"))
    runtime.run_until_idle()
    source.resolve(2)
    client.invalidate_queries()
    runtime.run_until_idle()
    source.fail(ValueError())
    runtime.advance(1)
    source.resolve(3)
    assert observer.get_current_result().data == 3
