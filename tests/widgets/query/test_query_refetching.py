"""What makes an observer fetch: mounting, somebody who looks, the network, time."""

import pytest
from mooring_widgets.query import QueryClient, QueryDefaults, QueryObserver
from support_query import Recorder


@pytest.fixture
def fetches(client, source, runtime):
    """Whether an observer with these options fetches data of some age when something happens."""

    def fetches(happen, *, age, **options):
        client.set_query_data(["a"], 1)
        runtime.advance(age)
        observer = QueryObserver(client, source.options("a", **{"refetch_on_mount": False, **options}))
        unsubscribe = observer.subscribe(Recorder())
        happen()
        runtime.run_until_idle()
        fetched = bool(source.open)
        client.cancel_queries()
        unsubscribe()
        client.clear()
        runtime.run_until_idle()
        return fetched

    return fetches


def look_again(client):
    client.focus.set_focused(False)
    client.focus.set_focused(True)


def come_back(client):
    client.online.set_online(False)
    client.online.set_online(True)


@pytest.mark.parametrize(
    ("option", "happen"),
    [
        ("refetch_on_mount", lambda client: None),
        ("refetch_on_window_focus", look_again),
        ("refetch_on_reconnect", come_back),
    ],
)
def test_each_trigger_follows_its_option(client, fetches, option, happen):
    """True fetches what is stale, "always" what is fresh too, False nothing; disabled, none does anything."""
    for wanted, fresh, stale in [(True, False, True), ("always", True, True), (False, False, False)]:
        for age, expected in [(5, fresh), (20, stale)]:
            options = {option: wanted, "stale_time": 10}
            assert fetches(lambda: happen(client), age=age, **options) is expected
            assert not fetches(lambda: happen(client), age=age, enabled=False, **options)


def test_a_query_that_knows_no_network_does_not_care_for_its_return(client, fetches):
    """With `network_mode` "always" a reconnect fetches only what asks for it."""
    assert not fetches(lambda: come_back(client), age=20, network_mode="always")
    assert fetches(lambda: come_back(client), age=20, network_mode="always", refetch_on_reconnect=True)


def test_saying_the_same_again_is_no_return(client, fetches):
    """Focus that was there all along fetches nothing."""
    assert not fetches(lambda: client.focus.set_focused(True), age=20)
    assert not fetches(lambda: client.online.set_online(True), age=20)


def test_nobody_looking_at_a_query_no_return_fetches_it(client, source, runtime):
    """Unobserved data stays as it is when the focus and the network come back."""
    client.fetch(source.options("a"))
    runtime.run_until_idle()
    source.resolve(1)
    look_again(client)
    come_back(client)
    runtime.run_until_idle()
    assert len(source.calls) == 1


def test_managers_tell_of_changes(client, runtime):
    """Listeners hear each change once, until they end it; the state can be asked for."""
    for manager, change, name in [
        (client.focus, client.focus.set_focused, "is_focused"),
        (client.online, client.online.set_online, "is_online"),
    ]:
        heard = []
        end = manager.subscribe(heard.append)
        for on in (False, False, True):
            change(on)
            assert getattr(manager, name) is on
            runtime.run_until_idle()
        end()
        change(False)
        runtime.run_until_idle()
        assert heard == [False, True]
        change(True)


def test_an_observer_polls(client, source, runtime):
    """Every interval another fetch, as long as somebody observes; one that still runs is joined."""
    observer = QueryObserver(client, source.options("a", refetch_interval=10, stale_time=60))
    unsubscribe = observer.subscribe(Recorder())
    runtime.run_until_idle()
    source.resolve(0)
    for number in (1, 2, 3):
        runtime.advance(9)
        assert not source.open
        runtime.advance(1)
        source.resolve(number)
        assert observer.get_current_result().data == number
    runtime.advance(25)
    assert len(source.open) == 1
    source.resolve(4)
    unsubscribe()
    runtime.advance(100)
    assert not source.open


def test_polling_rests_while_nobody_looks(client, source, runtime):
    """Without focus only who polls in the background does; with it the next interval counts again."""
    client.focus.set_focused(False)
    options = {"refetch_interval": 10, "stale_time": 60, "initial_data": 0, "refetch_on_window_focus": False}
    QueryObserver(client, source.options("here", **options)).subscribe(Recorder())
    QueryObserver(client, source.options("back", refetch_interval_in_background=True, **options)).subscribe(
        Recorder()
    )
    runtime.advance(10)
    assert [call.key for call in source.open] == [("back",)]
    client.focus.set_focused(True)
    runtime.advance(10)
    assert {call.key for call in source.open} == {("back",), ("here",)}


def test_the_interval_may_follow_the_result(client, source, runtime):
    """A function of the result ends the polling by returning None, and a new key has its own interval."""

    def interval(result):
        return None if result.data == "done" else 5

    observer = QueryObserver(client, source.options("a", refetch_interval=interval))
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    source.resolve("at work")
    runtime.advance(5)
    source.resolve("done")
    runtime.advance(50)
    assert not source.open
    observer.set_options(source.options("b", refetch_interval=interval))
    runtime.run_until_idle()
    source.resolve("at work")
    runtime.advance(5)
    assert len(source.open) == 1
    observer.set_options(source.options("b", refetch_interval=interval, enabled=False))
    source.resolve("at work")
    runtime.advance(50)
    assert not source.open


def test_a_broken_interval_is_reported(client, source, runtime, problems):
    """An exception in the interval's function ends the polling and hurts nothing else."""
    observer = QueryObserver(client, source.options("a", refetch_interval=lambda result: {}["x"]))
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    source.resolve(1)
    runtime.advance(50)
    assert observer.get_current_result().data == 1
    assert {type(problem) for problem in problems} == {KeyError}


def test_a_failed_query_may_be_left_alone_on_mount(client, source, runtime):
    """With `retry_on_mount` False an observer shows the failure there is, until something else fetches."""
    client.prefetch(source.options("a"))
    runtime.run_until_idle()
    source.fail(ValueError("no"))
    calm = QueryObserver(client, source.options("a", retry_on_mount=False))
    unsubscribe = calm.subscribe(Recorder())
    runtime.run_until_idle()
    assert (calm.get_current_result().is_loading_error, source.open) == (True, [])
    unsubscribe()
    QueryObserver(client, source.options("a")).subscribe(Recorder())
    runtime.run_until_idle()
    assert len(source.open) == 1


def test_initial_data_has_an_age(client, source, runtime):
    """Initial data from some time ago is stale at once, or after what is left of the stale time."""
    when = runtime.wall() - 8
    old = source.options("a", initial_data=lambda: 1, initial_data_updated_at=when, stale_time=5)
    QueryObserver(client, old).subscribe(Recorder())
    runtime.run_until_idle()
    assert len(source.open) == 1
    fresh = source.options("b", initial_data=1, initial_data_updated_at=when, stale_time=10)
    observer = QueryObserver(client, fresh)
    observer.subscribe(Recorder())
    result = observer.get_current_result()
    assert (result.is_stale, result.data_updated_at, result.is_fetched) == (False, when, False)
    runtime.advance(2.01)
    assert observer.get_current_result().is_stale


def test_listeners_may_be_told_of_some_fields_alone(client, source, runtime):
    """With `notify_on_change_props` nothing is told until one of these changes; the result is always new."""
    options = source.options("a", notify_on_change_props=("data", "is_error"), retry=False)
    observer, heard = QueryObserver(client, options), Recorder()
    observer.subscribe(heard)
    runtime.run_until_idle()
    assert not heard.results
    assert observer.get_current_result().is_fetching
    source.resolve([1])
    observer.refetch()
    runtime.run_until_idle()
    source.resolve([1])
    assert heard.data == [[1]]
    observer.refetch()
    runtime.run_until_idle()
    source.fail(ValueError())
    assert [result.is_error for result in heard.results] == [False, True]


def test_a_result_tells_what_was_fetched_since_the_mount(client, source, runtime):
    """`is_fetched` counts any end of a fetch, `is_fetched_after_mount` those this observer saw."""
    client.set_query_data(["a"], 1)
    observer = QueryObserver(client, source.options("a", retry=False))
    observer.subscribe(Recorder())
    result = observer.get_current_result()
    assert (result.is_fetched, result.is_fetched_after_mount, result.is_enabled) == (True, False, True)
    runtime.run_until_idle()
    source.fail(ValueError())
    result = observer.get_current_result()
    assert (result.is_fetched_after_mount, result.is_refetch_error, result.is_loading_error) == (
        True,
        True,
        False,
    )
    assert (result.error_update_count, result.error_updated_at) == (1, runtime.wall())


def test_a_mount_counts_from_the_query_that_is_found(client, source, runtime):
    """When the query of an observer was replaced before it was mounted, what came before does not count."""
    observer = QueryObserver(client, source.options("a", gc_time=1, stale_time=60))
    runtime.advance(2)
    client.set_query_data(["a"], 1)
    observer.subscribe(Recorder())
    assert not observer.get_current_result().is_fetched_after_mount


def test_dependent_queries_wait_for_one_another(client, source, runtime):
    """A query that is disabled until another has data begins when it has."""
    first = QueryObserver(client, source.options("user"))
    second = QueryObserver(client, source.options("projects", None, enabled=False))
    second.subscribe(Recorder())
    first.subscribe(
        lambda result: second.set_options(
            source.options("projects", result.data, enabled=result.data is not None)
        )
    )
    runtime.run_until_idle()
    assert [call.key for call in source.open] == [("user",)]
    source.resolve("ann")
    assert [call.key for call in source.open] == [("projects", "ann")]


def test_the_defaults_of_a_client_hold_for_observers(runtime, source):
    """Whatever options leave open comes of the client's defaults."""
    client = QueryClient(
        runtime=runtime, default_options=QueryDefaults(refetch_interval=5, refetch_on_mount=False)
    )
    client.set_query_data(["a"], 1)
    QueryObserver(client, source.options("a")).subscribe(Recorder())
    runtime.run_until_idle()
    assert not source.open
    runtime.advance(5)
    assert len(source.open) == 1
