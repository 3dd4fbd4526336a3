"""What a client knows, kept and put back."""

import pytest
from mooring_widgets.query import (
    ManualRuntime,
    MutationCancelled,
    MutationOptions,
    QueryClient,
    QueryObserver,
    dehydrate,
    hydrate,
    persist,
    restore,
)
from support_query import Recorder, Source


@pytest.fixture
def later():
    """Another program, an hour after the first one began."""
    runtime = ManualRuntime(wall=1_700_000_000.0 + 3600)
    yield runtime
    runtime.close()


@pytest.fixture
def other(later):
    return QueryClient(runtime=later)


def test_data_is_as_old_as_it_is(client, other, runtime, later):
    """By the clock on the wall: what has grown stale meanwhile is stale, the rest is not fetched."""
    client.set_query_data(["a", {"x": 1}], [1])
    runtime.advance(60)
    hydrate(other, dehydrate(client))
    source = Source(later)
    state = other.get_query_state(["a", {"x": 1}])
    assert (state.data, state.data_updated_at) == ([1], 1_700_000_000.0)
    for stale_time, fetched in [(3700, False), (3500, True)]:
        observer = QueryObserver(other, source.options("a", {"x": 1}, stale_time=stale_time))
        end = observer.subscribe(Recorder())
        later.run_until_idle()
        assert (observer.get_current_result().data, bool(source.open)) == ([1], fetched)
        end()


def test_only_good_data_is_kept(client, source, runtime):
    """Failures and queries without data are left out; the caller may choose otherwise."""
    client.set_query_data(["good"], 1)
    client.set_query_data(["bad"], 2)
    client.prefetch(source.options("bad"))
    client.prefetch(source.options("empty"))
    runtime.run_until_idle()
    source.fail(ValueError(), source.calls[0])
    assert [query["key"] for query in dehydrate(client)["queries"]] == [("good",)]
    every = dehydrate(client, should_dehydrate_query=lambda query: True)["queries"]
    assert [(query["data"], query["is_invalidated"]) for query in every] == [(1, False), (2, True)]


def test_newer_data_is_never_overwritten(client, other, later):
    """What the client has read itself since is not replaced by what was kept; older data is."""
    client.set_query_data(["a"], "kept")
    other.set_query_data(["a"], "newer")
    hydrate(other, dehydrate(client))
    assert other.get_query_data(["a"]) == "newer"
    hydrate(client, dehydrate(other))
    assert client.get_query_data(["a"]) == "newer"
    same = dehydrate(other)
    other.set_query_data(["a"], "of the same moment")
    hydrate(other, same)
    assert other.get_query_data(["a"]) == "of the same moment"


def test_data_of_tomorrow_is_of_today(client, other, later):
    """A clock that was wrong makes nothing fresh for longer than its stale time."""
    other.set_query_data(["a"], 1)
    hydrate(client, dehydrate(other))
    [query] = client.query_cache
    assert query.age_s == 0


def test_paused_changes_are_made_by_another_program(client, other, runtime, later):
    """Kept in order with what a rollback needs, made once each when it is known how; not shown again."""
    client.online.set_online(False)
    options = MutationOptions(mutation_key=("names",), scope="s", on_mutate=lambda name: f"before {name}")
    for name in ("ann", "bob"):
        client.mutate(options, name)
    client.mutate(MutationOptions(), "without a key")
    state = dehydrate(client)
    assert [change["variables"] for change in state["mutations"]] == ["ann", "bob"]

    made, settled = [], []

    async def make(name):
        made.append(name)

    hydrate(other, state)
    assert other.resume_paused_mutations().done()
    assert other.is_mutating(["names"]) == 2
    other.set_mutation_defaults(
        ["names"],
        mutation_fn=make,
        on_mutate=lambda name: pytest.fail("shown twice"),
        on_settled=lambda data, error, name, context: settled.append(context),
    )
    resumed = other.resume_paused_mutations()
    other.resume_paused_mutations()
    later.run_until_idle()
    assert resumed.done()
    assert (made, settled) == (["ann", "bob"], ["before ann", "before bob"])
    assert {mutation.state.status for mutation in other.mutation_cache} == {"success"}


def test_a_reconnect_does_not_wait_for_what_nobody_can_make(client, other, runtime, later):
    """A kept change without a function stays, and keeps no data from being fetched."""
    client.online.set_online(False)
    client.mutate(MutationOptions(mutation_key=("names",)), "ann")
    hydrate(other, dehydrate(client))
    source = Source(later)
    QueryObserver(other, source.options("a")).subscribe(Recorder())
    later.run_until_idle()
    source.resolve(1)
    other.online.set_online(False)
    other.online.set_online(True)
    later.run_until_idle()
    assert len(source.open) == 1
    assert other.is_mutating() == 1


def test_clearing_makes_nothing_on_its_way(client, other, runtime, later):
    """When a client is cleared, the end of a kept change does not let the next of its scope go on."""
    client.online.set_online(False)
    client.mutate(MutationOptions(mutation_key=("names",), scope="s"), "ann")
    hydrate(other, dehydrate(client))
    made = []

    async def make(name):
        made.append(name)

    future = other.mutate(MutationOptions(mutation_fn=make, scope="s"), "bob")
    other.clear()
    later.run_until_idle()
    assert isinstance(future.exception(), MutationCancelled)
    assert not made


@pytest.mark.parametrize(
    ("options", "good"),
    [
        ({}, True),
        ({"max_age": 3600}, True),
        ({"max_age": 3599}, False),
        ({"buster": "2"}, False),
    ],
)
def test_what_is_too_old_or_of_another_version_is_not_put_back(client, other, options, good):
    """`restore` says whether it took what `persist` gave."""
    client.set_query_data(["a"], 1)
    assert restore(other, persist(client), **options) is good
    assert other.get_query_data(["a"]) == (1 if good else None)


def test_the_default_age_is_a_day(client, runtime):
    """After 24 hours nothing is put back."""
    client.set_query_data(["a"], 1)
    kept = persist(client)
    runtime.advance(24 * 3600)
    assert restore(client, kept)
    runtime.advance(1)
    assert not restore(client, kept)
