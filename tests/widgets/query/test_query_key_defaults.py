"""Defaults by key prefix and of all queries."""

import pytest
from mooring_widgets.query import MissingFunction, QueryDefaults, QueryObserver, QueryOptions, skip_token
from support_query import Recorder


def test_options_win_over_their_keys_defaults_and_these_over_the_clients(client, source, runtime):
    """Of several prefixes that match, what was set later wins, option by option."""
    client.set_default_options(QueryDefaults(stale_time=100, retry=0))
    client.set_query_defaults(["s"], stale_time=50, retry=1, retry_delay=0)
    client.set_query_defaults(["s", "x"], stale_time=20)
    client.set_query_defaults(["s"], stale_time=10, retry=1, retry_delay=0)
    assert client.get_query_defaults(["s", "x", 1]) == {"stale_time": 20, "retry": 1, "retry_delay": 0}
    assert client.get_query_defaults(["t"]) == {}
    for key, options, expected in [
        (("t",), {}, 100),
        (("s",), {}, 10),
        (("s", "x"), {}, 20),
        (("s", "x"), {"stale_time": 5}, 5),
    ]:
        assert QueryObserver(client, source.options(*key, **options)).stale_time == expected
    client.fetch(source.options("s"))
    runtime.run_until_idle()
    source.fail(ValueError())
    runtime.run_until_idle()
    assert len(source.open) == 1


def test_an_unknown_option_is_refused(client):
    """A name that is no option is told at once."""
    with pytest.raises(TypeError, match="fresh_time cannot be set by key, only enabled, "):
        client.set_query_defaults(["s"], fresh_time=1)


def test_a_query_function_may_come_of_the_key(client, source, runtime):
    """Options without one use that of their key; data put in by hand can then be fetched again."""
    client.set_query_defaults(["s"], query_fn=source)
    client.set_query_data(["s", 1], "by hand")
    client.refetch_queries(["s"])
    QueryObserver(client, QueryOptions(query_key=("s", 2))).subscribe(Recorder())
    runtime.run_until_idle()
    assert [call.key for call in source.open] == [("s", 1), ("s", 2)]


def test_without_a_function_a_fetch_says_what_is_missing(client, runtime):
    """It fails at once, however many retries are allowed, and refetching all leaves it out."""
    observer = QueryObserver(client, QueryOptions(query_key=("a",)))
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    assert isinstance(observer.get_current_result().error, MissingFunction)
    assert client.refetch_queries().done()


def test_a_skipped_query_waits_for_its_function(client, source, runtime):
    """`skip_token` disables, and the key's defaults do not fill it in; a function enables."""
    client.set_query_defaults(["a"], query_fn=source)
    observer = QueryObserver(client, QueryOptions(query_key=("a",), query_fn=skip_token))
    observer.subscribe(Recorder())
    client.invalidate_queries()
    runtime.run_until_idle()
    assert (observer.get_current_result().is_enabled, source.calls) == (False, [])
    with pytest.raises(MissingFunction):
        runtime.run(client.fetch_query(observer.options))
    observer.set_options(source.options("a"))
    runtime.run_until_idle()
    assert len(source.open) == 1
