"""Fetches without a network, or without anybody who looks."""

import pytest
from mooring_widgets.query import QueryCancelled, QueryObserver
from support_query import Recorder


@pytest.fixture
def offline(client):
    client.online.set_online(False)


def status(client, *key):
    return client.get_query_state(key).fetch_status


@pytest.mark.usefixtures("offline")
def test_a_fetch_without_a_network_waits_for_it(client, source, runtime):
    """It is paused, counts as no fetch under way, and goes on when the network is there."""
    observer = QueryObserver(client, source.options("a"))
    observer.subscribe(Recorder())
    future = client.fetch(source.options("a"))
    runtime.advance(100)
    result = observer.get_current_result()
    assert (result.is_paused, result.is_pending, result.is_loading) == (True, True, False)
    assert (client.is_fetching(), source.calls) == (0, [])
    client.online.set_online(True)
    assert observer.get_current_result().is_loading
    runtime.run_until_idle()
    assert len(source.calls) == 1
    source.resolve(1)
    assert future.result() == 1


@pytest.mark.parametrize(
    ("mode", "starts", "retries"), [("always", True, True), ("offline_first", True, False)]
)
@pytest.mark.usefixtures("offline")
def test_network_modes(client, source, runtime, mode, starts, retries):
    """ "always" knows of no network; "offline_first" tries once and pauses before it tries again."""
    client.fetch(source.options("a", network_mode=mode, retry=1))
    runtime.run_until_idle()
    assert bool(source.open) is starts
    source.fail(ValueError())
    runtime.advance(1)
    assert bool(source.open) is retries
    assert status(client, "a") == ("fetching" if retries else "paused")
    client.online.set_online(True)
    runtime.run_until_idle()
    assert len(source.open) == 1


def test_a_retry_waits_for_the_network(client, source, runtime):
    """What fails and finds no network is paused; its failures still count when it goes on."""
    future = client.fetch(source.options("a", retry=1))
    runtime.run_until_idle()
    source.fail(ValueError("first"))
    client.online.set_online(False)
    runtime.advance(100)
    assert (status(client, "a"), client.get_query_state(["a"]).failure_count) == ("paused", 1)
    client.online.set_online(True)
    runtime.run_until_idle()
    source.fail(ValueError("last"))
    assert str(future.exception()) == "last"


def test_a_retry_waits_for_somebody_who_looks(client, source, runtime):
    """An observer's fetch is not tried again while nobody looks; one that a caller waits for is."""
    QueryObserver(client, source.options("seen")).subscribe(Recorder())
    client.fetch(source.options("wanted", retry=3))
    runtime.run_until_idle()
    client.focus.set_focused(False)
    for call in source.open:
        source.fail(ValueError(), call)
    runtime.advance(1)
    assert [call.key for call in source.open] == [("wanted",)]
    assert status(client, "seen") == "paused"
    client.fetch(source.options("seen"))
    runtime.run_until_idle()
    assert [call.key for call in source.open] == [("wanted",), ("seen",)]


def test_focus_ends_a_pause(client, source, runtime):
    """When somebody looks again the retry is made, and no second fetch beside it."""
    QueryObserver(client, source.options("a")).subscribe(Recorder())
    runtime.run_until_idle()
    client.focus.set_focused(False)
    source.fail(ValueError())
    runtime.advance(1)
    client.focus.set_focused(True)
    runtime.run_until_idle()
    assert len(source.open) == 1
    assert len(source.calls) == 2


@pytest.mark.usefixtures("offline")
def test_a_paused_fetch_can_be_cancelled(client, source, runtime):
    """It does not go on later; who waits learns of it; what nobody waits for ends with its observer."""
    future = client.fetch(source.options("a"))
    client.cancel_queries()
    unsubscribe = QueryObserver(client, source.options("b")).subscribe(Recorder())
    unsubscribe()
    runtime.run_until_idle()
    assert isinstance(future.exception(), QueryCancelled)
    assert status(client, "a") == status(client, "b") == "idle"
    client.online.set_online(True)
    runtime.run_until_idle()
    assert not source.calls


@pytest.mark.usefixtures("offline")
def test_invalidation_does_not_wait_for_the_network(client, source, runtime):
    """Its future ends at once where the fetch is paused; the answer that comes later is fresh."""
    client.set_query_data(["a"], 1)
    observer = QueryObserver(client, source.options("a", stale_time=60))
    observer.subscribe(Recorder())
    assert client.invalidate_queries().done()
    assert client.invalidate_queries(cancel_refetch=False).done()
    assert observer.get_current_result().is_paused
    client.online.set_online(True)
    runtime.run_until_idle()
    source.resolve(2)
    result = observer.get_current_result()
    assert (result.data, result.is_stale, len(source.calls)) == (2, False, 1)


@pytest.mark.usefixtures("offline")
def test_a_paused_query_is_kept(client, source, runtime):
    """What waits for the network is not collected, however long it takes."""
    future = client.fetch(source.options("a", gc_time=10))
    runtime.advance(100)
    client.online.set_online(True)
    runtime.run_until_idle()
    source.resolve(1)
    assert future.result() == 1
    runtime.advance(10)
    assert len(client.query_cache) == 0
