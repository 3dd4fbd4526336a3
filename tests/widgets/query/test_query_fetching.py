import asyncio
import math

import pytest
from mooring_widgets.query import ManualRuntime, QueryCancelled, QueryClient, QueryDefaults, QueryOptions


def test_a_fetch_ends_with_the_data(client, source, runtime):
    """`fetch` runs the query function once, gives its data and leaves it in the cache."""
    future = client.fetch(source.options("sessions", "e1"))
    runtime.run_until_idle()
    assert not future.done()
    assert client.is_fetching(["sessions"]) == 1
    source.resolve(["a"])
    assert future.result() == ["a"]
    assert client.get_query_data(["sessions", "e1"]) == ["a"]
    assert client.is_fetching() == 0


def test_fetches_of_one_key_under_way_are_one(client, source, runtime):
    """Whoever asks for a key while it is fetched gets that fetch's answer."""
    futures = [
        client.fetch(source.options("a", {"x": 1, "y": 2})),
        client.fetch(source.options("a", {"y": 2, "x": 1})),
    ]
    runtime.run_until_idle()
    assert len(source.calls) == 1
    source.resolve(1)
    assert [future.result() for future in futures] == [1, 1]


def test_cancelling_a_future_leaves_the_fetch_to_others(client, source, runtime):
    """One caller who gives up takes nothing from another."""
    first, second = client.fetch(source.options("a")), client.fetch(source.options("a"))
    first.cancel()
    runtime.run_until_idle()
    source.resolve(1)
    assert second.result() == 1
    assert first.cancelled()


def test_fresh_data_is_not_fetched_again(client, source, runtime):
    """Within the stale time the cache answers; after it, the source."""
    client.fetch(source.options("a"))
    runtime.run_until_idle()
    source.resolve(1)
    runtime.advance(9)
    assert client.fetch(source.options("a", stale_time=10)).result() == 1
    runtime.advance(1)
    client.fetch(source.options("a", stale_time=10))
    runtime.run_until_idle()
    assert len(source.open) == 1


def test_ensure_takes_what_is_there(client, source, runtime):
    """`ensure` fetches only what the cache lacks, however stale that is."""
    client.set_query_data(["a"], 1)
    runtime.advance(100)
    assert client.ensure(source.options("a")).result() == 1
    future = client.ensure(source.options("b"))
    runtime.run_until_idle()
    source.resolve(2)
    assert future.result() == 2


def test_the_coroutine_twins_await_the_same(client, source, runtime):
    """`fetch_query`, `ensure_query_data` and `prefetch_query` are their futures, awaited."""

    async def answer(context):
        return context.query_key, context.meta

    options = QueryOptions(query_key=("a",), query_fn=answer, meta={"who": "me"})

    async def use():
        await client.prefetch_query(options)
        return await client.fetch_query(options), await client.ensure_query_data(options)

    expected = (("a",), {"who": "me"})
    assert runtime.run(use()) == (expected, expected)


def test_a_fetch_reports_failure_at_once(client, source, runtime):
    """Without retries a fetch fails with the first exception, and prefetch keeps that to itself."""
    future, prefetch = client.fetch(source.options("a")), client.prefetch(source.options("a"))
    runtime.run_until_idle()
    error = ValueError("no")
    source.fail(error)
    assert future.exception() is error
    assert prefetch.result() is None
    state = client.get_query_state(["a"])
    assert (state.status, state.error, state.failure_count) == ("error", error, 1)


def test_retries_wait_longer_each_time(client, source, runtime):
    """Three retries after 1, 2 and 4 s, with the failures shown meanwhile; then the error."""
    future = client.fetch(source.options("a", retry=3))
    for count, delay in enumerate([1, 2, 4], start=1):
        runtime.run_until_idle()
        source.fail(ValueError(count))
        state = client.get_query_state(["a"])
        assert (state.status, state.fetch_status, state.failure_count) == ("pending", "fetching", count)
        runtime.advance(delay - 0.01)
        assert not source.open
        runtime.advance(0.01)
        assert len(source.open) == 1
    source.fail(ValueError("last"))
    assert str(future.exception()) == "last"
    assert client.get_query_state(["a"]).failure_count == 4


def test_retry_delay_has_a_ceiling(client, source, runtime):
    """The delay grows to 30 s and no further."""
    client.fetch(source.options("a", retry=True))
    runtime.run_until_idle()
    for _ in range(12):
        source.fail(ValueError())
        runtime.advance(30)
        assert len(source.open) == 1


def test_retry_may_be_a_rule(client, source, runtime):
    """A function of count and error decides, and another one how long to wait."""
    options = source.options(
        "a",
        retry=lambda count, error: isinstance(error, OSError),
        retry_delay=lambda count, error: 10.0 + count,
    )
    future = client.fetch(options)
    runtime.run_until_idle()
    source.fail(OSError())
    runtime.advance(10)
    source.fail(OSError())
    runtime.advance(10.5)
    assert not source.open
    runtime.advance(0.5)
    source.fail(ValueError())
    assert isinstance(future.exception(), ValueError)


def test_a_broken_rule_fails_the_fetch(client, source, runtime):
    """An exception in `retry` is the fetch's failure, not its end without an answer."""
    future = client.fetch(source.options("a", retry=lambda count, error: {}["x"]))
    runtime.run_until_idle()
    source.fail(ValueError())
    assert isinstance(future.exception(), KeyError)


def test_cancel_restores_and_tells_who_waits(client, source, runtime):
    """`cancel_queries` cancels the coroutine, leaves the state as it was and fails the waiting futures."""
    future = client.fetch(source.options("a"))
    runtime.run_until_idle()
    client.cancel_queries(["a"])
    runtime.run_until_idle()
    assert source.calls[0].cancelled
    assert isinstance(future.exception(), QueryCancelled)
    state = client.get_query_state(["a"])
    assert (state.status, state.fetch_status) == ("pending", "idle")


def test_cancel_keeps_data_put_in_meanwhile(client, source, runtime):
    """What was set during the fetch survives its cancellation."""
    client.fetch(source.options("a"))
    client.set_query_data(["a"], 5)
    client.cancel_queries()
    assert client.get_query_data(["a"]) == 5
    assert client.get_query_state(["a"]).status == "success"


def test_cancelling_between_attempts_ends_the_retries(client, source, runtime):
    """A fetch that waits for its next attempt makes none after being cancelled."""
    client.fetch(source.options("a", retry=3))
    runtime.run_until_idle()
    source.fail(ValueError())
    client.cancel_queries()
    runtime.advance(60)
    assert len(source.calls) == 1
    state = client.get_query_state(["a"])
    assert (state.status, state.failure_count) == ("pending", 0)


def test_a_query_function_that_cancels_itself_is_a_cancelled_fetch(client, runtime):
    """A call cancelled from within leaves no query fetching for ever."""

    async def cancelled(context):
        raise asyncio.CancelledError

    future = client.fetch(QueryOptions(query_key=("a",), query_fn=cancelled))
    runtime.run_until_idle()
    assert isinstance(future.exception(), QueryCancelled)
    assert client.is_fetching() == 0


def test_a_query_function_that_does_not_await_fails(client, runtime):
    """A plain function in place of a coroutine function is an error of that query, shown as such."""
    future = client.fetch(QueryOptions(query_key=("a",), query_fn=lambda context: 1))
    runtime.run_until_idle()
    assert isinstance(future.exception(), TypeError)


def test_unobserved_data_is_dropped_after_its_gc_time(client, source, runtime):
    """Five minutes by default, the longest time asked for, never with an infinite one."""
    client.set_query_data(["default"], 1)
    for gc_time in (10, 600, 20):
        client.fetch(source.options("long", gc_time=gc_time))
    client.fetch(source.options("ever", gc_time=math.inf))
    runtime.run_until_idle()
    for call in list(source.open):
        source.resolve(1, call)
    runtime.advance(299)
    assert len(client.query_cache) == 3
    runtime.advance(2)
    assert client.get_query_data(["default"]) is None
    assert client.get_query_data(["long"]) == 1
    runtime.advance(300)
    assert [query.key for query in client.query_cache] == [("ever",)]


def test_gc_waits_for_a_fetch(client, source, runtime):
    """A query is not collected under a running fetch; its time counts from the fetch's end."""
    future = client.fetch(source.options("a", gc_time=10))
    runtime.advance(60)
    source.resolve(1)
    assert future.result() == 1
    runtime.advance(9)
    assert client.get_query_data(["a"]) == 1
    runtime.advance(1)
    assert len(client.query_cache) == 0


def test_set_query_data_updates(client):
    """A value or a function of the old data goes in; None changes nothing and makes no query."""
    assert client.set_query_data(["a"], lambda old: None) is None
    assert len(client.query_cache) == 0
    assert client.set_query_data(["a"], [1]) == [1]
    assert client.set_query_data(["a"], lambda old: [*old, 2]) == [1, 2]
    assert client.set_query_data(["a"], None) is None
    assert client.get_query_data(["a"]) == [1, 2]
    assert client.get_queries_data() == [(("a",), [1, 2])]


def test_equal_answers_keep_their_identity(client, source, runtime):
    """A refetch that brings equal data leaves the old object, unless sharing says otherwise."""
    seen = []
    for sharing in (True, False, lambda old, new: old + new):
        client.fetch(source.options("a", structural_sharing=sharing))
        runtime.run_until_idle()
        source.resolve([1])
        seen.append(client.get_query_data(["a"]))
    client.fetch(source.options("a"))
    runtime.run_until_idle()
    source.resolve([1, 1])
    assert client.get_query_data(["a"]) is seen[2]
    assert seen == [[1], [1], [1, 1]]
    assert seen[0] is not seen[1]


def test_a_broken_sharing_function_fails_the_fetch(client, source, runtime):
    """An exception in `structural_sharing` is that fetch's failure; the old data stays."""
    client.set_query_data(["a"], 1)
    future = client.fetch(source.options("a", structural_sharing=lambda old, new: {}["x"]))
    runtime.run_until_idle()
    source.resolve(2)
    assert isinstance(future.exception(), KeyError)
    assert client.get_query_data(["a"]) == 1


def test_none_is_data(client, source, runtime):
    """A query function may answer None: that is an answer like any other."""
    future = client.fetch(source.options("a"))
    runtime.run_until_idle()
    source.resolve(None)
    assert future.done()
    assert client.get_query_state(["a"]).has_data
    assert client.fetch(source.options("a", stale_time=10)).result() is None


def test_the_clients_defaults_hold_where_options_are_silent(runtime, source):
    """Default options of the client apply, and a query's own come first."""
    client = QueryClient(runtime=runtime, default_options=QueryDefaults(stale_time=10, gc_time=20))
    client.set_query_data(["a"], 1)
    runtime.advance(5)
    assert client.fetch(source.options("a")).done()
    assert not client.fetch(source.options("a", stale_time=5)).done()
    client.cancel_queries()
    runtime.advance(20)
    assert len(client.query_cache) == 0


def test_the_cache_lists_its_queries(client, source, runtime):
    """Iterating gives for each query its key, status, age, observers and last error."""
    client.set_query_data(["a"], 1)
    client.fetch(source.options("b"))
    runtime.advance(3)
    source.fail(ValueError("no"))
    a, b = client.query_cache
    assert (a.key, a.state.status, a.age_s, a.observers, a.is_stale) == (("a",), "success", 3, 0, False)
    assert (b.key, b.state.status, b.age_s, str(b.state.error), b.is_stale) == (
        ("b",),
        "error",
        None,
        "no",
        True,
    )


def test_removing_and_clearing_ends_fetches(client, source, runtime):
    """What is removed is gone at once, and nobody waits for it in vain."""
    client.set_query_data(["b"], 1)
    future = client.fetch(source.options("a"))
    runtime.run_until_idle()
    client.remove_queries(["a"])
    assert [query.key for query in client.query_cache] == [("b",)]
    client.clear()
    runtime.run_until_idle()
    assert isinstance(future.exception(), QueryCancelled)
    assert source.calls[0].cancelled
    assert len(client.query_cache) == 0


def test_refetching_without_a_query_function_is_left_out(client, source, runtime):
    """Data put in by hand cannot be fetched: a refetch of everything passes over it."""
    client.set_query_data(["a"], 1)
    client.fetch(source.options("b"))
    runtime.run_until_idle()
    source.resolve(1)
    done = client.refetch_queries()
    runtime.run_until_idle()
    assert [call.key for call in source.open] == [("b",)]
    source.resolve(2)
    assert done.done()


def test_exact_takes_one_key(client):
    """With `exact` a key is no prefix."""
    client.set_query_data(["a"], 1)
    client.set_query_data(["a", "b"], 2)
    client.invalidate_queries(["a"], exact=True)
    assert client.get_query_state(["a"]).is_invalidated
    assert not client.get_query_state(["a", "b"]).is_invalidated
    client.remove_queries(["x"], exact=True)
    client.remove_queries(["a"], exact=True)
    assert client.get_queries_data() == [(("a", "b"), 2)]


def test_a_runtime_that_has_ended_refuses(client, source, runtime):
    """After the runtime's end a fetch raises, and no query stays fetching."""
    runtime.close()
    with pytest.raises(RuntimeError):
        client.fetch(source.options("a"))
    assert client.is_fetching() == 0
    client.clear()


def test_a_timer_that_could_not_be_stopped_collects_nothing(source):
    """A gc timer already on its way when its query was used again leaves it alone."""

    class Unstoppable(ManualRuntime):
        def call_later(self, delay_s, fn):
            super().call_later(delay_s, fn)
            return super().call_later(math.inf, fn)

    runtime = Unstoppable()
    client = QueryClient(runtime=runtime, default_options=QueryDefaults(gc_time=10))
    client.set_query_data(["a"], 1)
    runtime.advance(9)
    client.set_query_data(["a"], 2)
    runtime.advance(9)
    assert client.get_query_data(["a"]) == 2
    runtime.advance(1)
    assert client.get_query_data(["a"]) is None
    runtime.close()
