import asyncio

import pytest
from mooring_widgets.query import MutationCancelled, MutationObserver, MutationOptions, QueryObserver
from support_query import Recorder, Source


@pytest.fixture
def server(runtime):
    """Answers mutations by hand."""
    source = Source(runtime)

    class Variables:
        def __init__(self, value):
            self.query_key = value

    source.mutate = lambda variables: source(Variables(variables))
    return source


def test_an_optimistic_update_is_there_at_once_and_made_true(client, source, server, runtime):
    """`on_mutate` has taken effect when `mutate` returns; callbacks run in order before the end."""
    observer = QueryObserver(client, source.options("names", stale_time=60, initial_data=["a"]))
    observer.subscribe(Recorder())
    told = []

    async def settled(data, error, variables, context):
        told.append(("settled", data, error, variables, context))
        client.invalidate_queries(["names"])

    options = MutationOptions(
        mutation_fn=server.mutate,
        on_mutate=lambda name: client.set_query_data(["names"], lambda old: [*old, name]),
        on_success=lambda data, variables, context: told.append(("success", data, variables, context)),
        on_settled=settled,
    )
    future = client.mutate(options, "b")
    assert observer.get_current_result().data == ["a", "b"]
    runtime.run_until_idle()
    assert not future.done()
    server.resolve("made")
    assert future.result() == "made"
    assert told == [
        ("success", "made", "b", ["a", "b"]),
        ("settled", "made", None, "b", ["a", "b"]),
    ]
    source.resolve(["a", "b2"])
    assert observer.get_current_result().data == ["a", "b2"]


def test_a_refused_change_is_rolled_back(client, server, runtime):
    """On failure `on_error` gets what `on_mutate` kept, and the future fails with the reason."""
    client.set_query_data(["names", 1], ["a"])
    client.set_query_data(["names", 2], ["a"])

    def expect(name):
        before = client.get_queries_data(["names"])
        client.set_query_data(["names", 1], ["a", name])
        return before

    def roll_back(error, variables, before):
        for key, data in before:
            client.set_query_data(key, data)

    options = MutationOptions(mutation_fn=server.mutate, on_mutate=expect, on_error=roll_back)
    future = client.mutate(options, "b")
    runtime.run_until_idle()
    error = ValueError("taken")
    server.fail(error)
    assert future.exception() is error
    assert client.get_query_data(["names", 1]) == ["a"]


def test_a_failing_on_mutate_makes_no_change(client, server, runtime):
    """When the optimistic update raises, nothing is sent, and the failure is told like any other."""
    told = []
    options = MutationOptions(
        mutation_fn=server.mutate,
        on_mutate=lambda name: {}["x"],
        on_error=lambda error, variables, context: told.append((type(error), context)),
    )
    future = client.mutate(options, "b")
    runtime.run_until_idle()
    assert isinstance(future.exception(), KeyError)
    assert told == [(KeyError, None)]
    assert not server.calls


def test_callbacks_that_fail(client, server, runtime, problems):
    """A failing `on_success` fails the mutation; a failing `on_error` is reported, the reason stays."""

    def broken(*_):
        raise LookupError

    future = client.mutate(MutationOptions(mutation_fn=server.mutate, on_success=broken), 1)
    runtime.run_until_idle()
    server.resolve(1)
    assert isinstance(future.exception(), LookupError)
    future = client.mutate(MutationOptions(mutation_fn=server.mutate, on_error=broken), 1)
    runtime.run_until_idle()
    server.fail(ValueError())
    assert isinstance(future.exception(), ValueError)
    assert [type(problem) for problem in problems] == [LookupError]


def test_a_mutation_that_is_cut_off_is_rolled_back(client, runtime):
    """When the change is cancelled from within, `on_error` runs and the future says so."""

    async def cut_off(variables):
        raise asyncio.CancelledError

    told = []
    options = MutationOptions(mutation_fn=cut_off, on_error=lambda error, *_: told.append(error))
    future = client.mutate(options, 1)
    runtime.run_until_idle()
    assert isinstance(future.exception(), MutationCancelled)
    assert told == [future.exception()]


def test_an_observer_shows_its_last_mutation(client, server, runtime):
    """Pending, failures, error and success are shown; an earlier mutation's end is not."""
    observer = MutationObserver(client, MutationOptions(mutation_fn=server.mutate, retry=1))
    heard = Recorder()
    unsubscribe = observer.subscribe(heard)
    first = observer.mutate("first")
    second = observer.mutate("second")
    assert observer.get_current_result().variables == "second"
    runtime.run_until_idle()
    one, two = server.open
    server.resolve(1, one)
    assert first.result() == 1
    assert observer.get_current_result().status == "pending"
    server.fail(ValueError(), two)
    assert observer.get_current_result().failure_count == 1
    runtime.advance(1)
    server.fail(ValueError("no"))
    assert str(second.exception()) == "no"
    assert [(r.status, r.variables) for r in heard.results] == [
        ("pending", "second"),
        ("pending", "second"),
        ("error", "second"),
    ]
    observer.reset()
    assert observer.get_current_result().status == "idle"
    unsubscribe()
    runtime.run_until_idle()
    assert len(heard.results) == 3
