"""Mutations as a whole: their order, their pauses, and what is known of them."""

import pytest
from mooring_widgets.query import (
    MissingFunction,
    MutationCancelled,
    MutationDefaults,
    MutationObserver,
    MutationOptions,
    QueryClient,
    QueryObserver,
)
from mooring_widgets.workspace.asked import Queries
from support_query import Recorder


@pytest.fixture
def server(source):
    """Answers mutations by hand; its calls' keys are their variables."""

    class Variables:
        def __init__(self, value):
            self.query_key = value

    source.mutate = lambda variables: source(Variables(variables))
    return source


@pytest.fixture
def options(server):
    return lambda **others: MutationOptions(mutation_fn=server.mutate, **others)


def calls(server):
    return [call.key for call in server.calls]


def states(client):
    return [(m.state.variables, m.state.status, m.state.is_paused) for m in client.mutation_cache]


def test_a_scope_is_a_queue(client, server, runtime, options):
    """Mutations of a scope are made one after the other, as they were called; others beside them."""
    futures = [client.mutate(options(scope="s"), number) for number in (1, 2, 3)]
    client.mutate(options(), "beside")
    runtime.run_until_idle()
    assert calls(server) == [1, "beside"]
    assert states(client)[:2] == [(1, "pending", False), (2, "pending", True)]
    server.fail(ValueError(), server.calls[0])
    assert calls(server) == [1, "beside", 2]
    server.resolve("two", server.calls[2])
    server.resolve("three", server.calls[3])
    assert isinstance(futures[0].exception(), ValueError)
    assert [future.result() for future in futures[1:]] == ["two", "three"]


def test_the_next_waits_for_the_callbacks_and_retries_of_the_one_before(client, server, runtime, options):
    """A mutation's turn ends with its last callback, not with its answer."""
    done = []

    async def settled(*_):
        await runtime.sleep(5)
        done.append(len(server.calls))

    client.mutate(options(scope="s", retry=1, on_settled=settled), 1)
    client.mutate(options(scope="s"), 2)
    runtime.run_until_idle()
    server.fail(ValueError())
    runtime.advance(1)
    server.resolve(1)
    runtime.advance(4)
    assert calls(server) == [1, 1]
    runtime.advance(1)
    assert calls(server) == [1, 1, 2]
    assert done == [2]


def test_a_refused_optimistic_update_lets_the_next_one_go_on(client, server, runtime, options):
    """A mutation that ends before it began blocks nobody."""
    client.mutate(options(scope="s", on_mutate=lambda _: {}["x"]), 1)
    client.mutate(options(scope="s"), 2)
    runtime.run_until_idle()
    assert calls(server) == [2]


def test_mutations_wait_for_the_network_in_order(client, server, runtime, options):
    """Called offline they are shown at once, made on reconnect in the order of their calls, once each."""
    client.online.set_online(False)
    shown = []
    futures = [client.mutate(options(on_mutate=shown.append), number) for number in (1, 2, 3)]
    runtime.advance(100)
    assert (shown, calls(server)) == ([1, 2, 3], [])
    assert (client.is_mutating(), states(client)[0]) == (3, (1, "pending", True))
    assert client.resume_paused_mutations().done()
    client.online.set_online(True)
    client.resume_paused_mutations()
    runtime.run_until_idle()
    assert calls(server) == [1, 2, 3]
    for call in tuple(server.open):
        server.resolve(call.key, call)
    assert [future.result() for future in futures] == [1, 2, 3]
    assert client.is_mutating() == 0
    assert calls(server) == [1, 2, 3]


def test_a_retry_waits_for_the_network(client, server, runtime, options):
    """A change that fails and finds no network goes on later; nobody has to look for that."""
    future = client.mutate(options(retry=1), 1)
    client.focus.set_focused(False)
    runtime.run_until_idle()
    client.online.set_online(False)
    server.fail(ValueError())
    runtime.advance(10)
    state = next(iter(client.mutation_cache)).state
    assert (state.is_paused, state.failure_count, type(state.failure_reason)) == (True, 1, ValueError)
    client.online.set_online(True)
    runtime.run_until_idle()
    server.resolve("made")
    assert future.result() == "made"


def test_what_is_fetched_on_reconnect_shows_the_changes(client, server, runtime, options):
    """Stale data is fetched after the paused mutations have ended; a paused fetch waits as well."""
    observer = QueryObserver(client, server.options("q"))
    observer.subscribe(Recorder())
    runtime.run_until_idle()
    server.resolve(1)
    client.online.set_online(False)
    client.mutate(options(), "change")
    client.prefetch(server.options("other"))
    client.online.set_online(True)
    runtime.run_until_idle()
    assert [call.key for call in server.open] == ["change"]
    server.resolve(None)
    assert [call.key for call in server.open] == [("q",), ("other",)]


def test_always_is_made_without_a_network(client, server, runtime, options):
    """With `network_mode` "always" a mutation is not paused."""
    client.online.set_online(False)
    client.mutate(options(network_mode="always"), 1)
    runtime.run_until_idle()
    assert calls(server) == [1]


def test_ended_mutations_are_listed_for_a_while(client, server, runtime, options):
    """The cache forgets a mutation its gc time after its end, and never one that has not ended."""
    client.mutate(options(gc_time=10, mutation_key=("names", 1)), 1)
    runtime.advance(100)
    assert client.is_mutating(["names"]) == 1
    assert client.is_mutating(["other"]) == 0
    assert "('names', 1): pending" in repr(client)
    server.resolve(1)
    runtime.advance(9)
    assert states(client) == [(1, "success", False)]
    runtime.advance(1)
    assert len(client.mutation_cache) == 0


def test_clearing_ends_what_is_paused(client, server, runtime, options):
    """Nobody waits in vain for a mutation that was paused or queued; what runs goes on to its end."""
    running = client.mutate(options(scope="s"), 1)
    queued = [client.mutate(options(scope="s"), number) for number in (2, 3)]
    runtime.run_until_idle()
    client.clear()
    runtime.run_until_idle()
    assert [type(future.exception()) for future in queued] == [MutationCancelled, MutationCancelled]
    server.resolve("made")
    assert running.result() == "made"
    assert calls(server) == [1]


def test_a_mutation_cleared_by_its_own_optimistic_update_is_not_made(client, server, runtime, options):
    """What ended before it began stays so when the network comes back."""
    client.online.set_online(False)
    future = client.mutate(options(on_mutate=lambda _: client.clear()), 1)
    client.online.set_online(True)
    runtime.run_until_idle()
    assert isinstance(future.exception(), MutationCancelled)
    assert calls(server) == []


def test_defaults_of_keys_and_of_all(runtime, server):
    """Options win over the defaults of their key, and these over those of the client."""
    client = QueryClient(runtime=runtime, default_mutation_options=MutationDefaults(retry=1, retry_delay=0))
    client.set_mutation_defaults(["names"], mutation_fn=server.mutate, scope="names")
    assert client.get_mutation_defaults(["names", 1])["scope"] == "names"
    client.mutate(MutationOptions(mutation_key=("names", 1)), 1)
    client.mutate(MutationOptions(mutation_key=("names", 2), retry=0), 2)
    runtime.run_until_idle()
    for _ in range(3):
        server.fail(ValueError())
    assert calls(server) == [1, 1, 2]
    with pytest.raises(TypeError, match="stale_time cannot be set by key"):
        client.set_mutation_defaults(["names"], stale_time=1)


def test_a_mutation_that_nothing_says_how_to_make_fails(client, runtime):
    """Without a function the failure says what is missing."""
    future = client.mutate(MutationOptions(retry=3), 1)
    runtime.run_until_idle()
    assert isinstance(future.exception(), MissingFunction)


def test_an_observer_shows_a_pause(client, server, runtime, options):
    """Paused and going on are results like any other, and later options hold for the next mutation."""
    observer, heard = MutationObserver(client, options()), Recorder()
    observer.subscribe(heard)
    assert observer.get_current_result().is_idle
    client.online.set_online(False)
    observer.mutate(1)
    runtime.run_until_idle()
    client.online.set_online(True)
    runtime.run_until_idle()
    server.resolve("made")
    result = heard.results[-1]
    assert [r.is_paused for r in heard.results] == [True, False, False]
    assert (result.is_success, result.data, result.submitted_at) == (True, "made", runtime.wall())
    observer.set_options(MutationOptions())
    observer.mutate(2)
    runtime.run_until_idle()
    assert heard.results[-1].is_error


def test_a_mutation_without_a_runtime_is_not_kept(client, runtime, options):
    """Where nothing can run any more, the caller learns so at once."""
    runtime.close()
    with pytest.raises(RuntimeError):
        client.mutate(options(), 1)
    assert len(client.mutation_cache) == 0


def test_a_workspace_lists_what_waits(runtime, options):
    """`ws.queries` in a cell shows the changes that have not ended, with their age, beside the queries."""
    queries = Queries(runtime=runtime)
    assert repr(queries) == "Nothing was asked yet."
    queries.online.set_online(False)
    queries.mutate(options(mutation_key=("rename", "Wave 2")), 1)
    runtime.advance(90)
    assert "change, paused" in repr(queries)
    assert "90 s" in repr(queries)
    assert "Wave 2" in queries._repr_html_()
    queries.online.set_online(True)
    assert "change, under way" in repr(queries)
