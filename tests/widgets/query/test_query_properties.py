"""Random lives of a client: whatever happens in whatever order, what an observer shows is true."""

import math

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mooring_widgets.query import (
    ManualRuntime,
    QueryClient,
    QueryDefaults,
    QueryObserver,
    QueryOptions,
    keep_previous_data,
)
from support_query import Source

KEYS = [("s", "a"), ("s", "b"), ("t", "a")]
GC_TIME = 50.0

keys = st.sampled_from(KEYS)
prefixes = st.sampled_from([(), ("s",), ("s", "a"), ("t",)])
places = st.integers(0, 2)


class Watch:
    """An observer, the key it was told to observe, and what is wrong with what it heard."""

    def __init__(self, client, options, key):
        self.key = key
        self.observer = QueryObserver(client, options)
        self.unsubscribe = None
        self.problems = []

    def hear(self, result):
        if self.unsubscribe is None:
            self.problems.append("heard after it had unsubscribed")
        self.check(result)

    def check(self, result):
        if result.data is not None and result.data[0] != self.key and not result.is_placeholder_data:
            self.problems.append(f"{self.key} showed {result.data}")


class QueryLife(RuleBasedStateMachine):
    """Data is `(key, moment)`: for which key, and when the fetch or the write that brought it began."""

    @initialize()
    def begin(self):
        self.runtime = ManualRuntime()
        self.errors = []
        self.client = QueryClient(
            runtime=self.runtime,
            default_options=QueryDefaults(gc_time=GC_TIME),
            on_listener_error=self.errors.append,
        )
        self.source = Source(self.runtime)
        self.moment = 0
        self.invalidated = dict.fromkeys(KEYS, -1)
        self.watches = [Watch(self.client, self.options(key), key) for key in KEYS]
        self.futures = []

    def options(self, key, placeholder=None):
        async def fetch(context):
            self.moment += 1
            began = self.moment
            await self.source(context)
            return context.query_key, began

        # Data never grows stale by age here, so that `is_stale` speaks of invalidation alone.
        return QueryOptions(
            query_key=key,
            query_fn=fetch,
            stale_time=math.inf,
            gc_time=GC_TIME,
            retry=1,
            placeholder_data=placeholder,
        )

    @rule(place=places)
    def observe(self, place):
        watch = self.watches[place]
        if watch.unsubscribe is None:
            watch.unsubscribe = watch.observer.subscribe(watch.hear)

    @rule(place=places)
    def unobserve(self, place):
        watch = self.watches[place]
        if watch.unsubscribe is not None:
            watch.unsubscribe()
            watch.unsubscribe = None

    @rule(place=places, key=keys, placeholder=st.sampled_from([None, keep_previous_data]))
    def switch(self, place, key, placeholder):
        watch = self.watches[place]
        watch.key = key
        watch.observer.set_options(self.options(key, placeholder))

    @rule(key=keys)
    def fetch(self, key):
        self.futures.append(self.client.fetch(self.options(key)))

    @rule(place=places, cancel_refetch=st.booleans())
    def refetch(self, place, cancel_refetch):
        self.futures.append(self.watches[place].observer.refetch(cancel_refetch=cancel_refetch))

    @rule(
        prefix=prefixes,
        refetch_type=st.sampled_from(["active", "active", "none", "all", "inactive"]),
        cancel_refetch=st.booleans(),
    )
    def invalidate(self, prefix, refetch_type, cancel_refetch):
        self.moment += 1
        for key in KEYS:
            if key[: len(prefix)] == prefix:
                self.invalidated[key] = self.moment
        self.futures.append(
            self.client.invalidate_queries(prefix, refetch_type=refetch_type, cancel_refetch=cancel_refetch)
        )

    @rule(key=keys)
    def write(self, key):
        self.moment += 1
        self.client.set_query_data(key, (key, self.moment))

    @rule(prefix=prefixes, how=st.sampled_from(["cancel_queries", "remove_queries", "reset_queries"]))
    def end(self, prefix, how):
        getattr(self.client, how)(prefix)

    @rule(which=st.integers(0, 5), fails=st.booleans(), hear=st.booleans())
    @precondition(lambda self: self.source.open)
    def answer(self, which, fails, hear):
        call = self.source.open[which % len(self.source.open)]
        if fails:
            call.future.set_exception(ValueError())
        else:
            call.future.set_result(None)
        if hear:
            self.runtime.run_until_idle()

    @rule()
    def settle(self):
        self.runtime.run_until_idle()

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0, GC_TIME + 1]))
    def wait(self, seconds):
        self.runtime.advance(seconds)

    @invariant()
    def shows_only_its_own_key_and_nothing_outdated_as_fresh(self):
        for watch in self.watches:
            if watch.unsubscribe is None:
                continue  # asking would keep its query from being collected
            result = watch.observer.get_current_result()
            watch.check(result)
            if result.data is not None and not result.is_placeholder_data and not result.is_stale:
                assert result.data[1] > self.invalidated[watch.key]
            assert not watch.problems
        assert not self.errors

    @invariant()
    def fetches_each_key_at_most_once_at_a_time(self):
        for key in KEYS:
            state = self.client.get_query_state(key)
            fetching = state is not None and state.fetch_status == "fetching"
            assert self.client.is_fetching(key) == int(fetching)

    @rule()
    def no_call_is_left_over(self):
        self.runtime.run_until_idle()
        for key in KEYS:
            calls = [call for call in self.source.open if call.key == key]
            assert len(calls) <= self.client.is_fetching(key) <= 1

    def answer_everything(self):
        self.runtime.run_until_idle()
        while self.client.is_fetching():
            for call in self.source.open:
                call.future.set_result(None)
            self.runtime.advance(5)  # for those that wait for their next attempt

    def teardown(self):
        if not hasattr(self, "runtime"):
            return
        self.invalidate((), "active", True)
        self.answer_everything()
        self.shows_only_its_own_key_and_nothing_outdated_as_fresh()
        assert all(future.done() for future in self.futures)
        for watch in self.watches:
            if watch.unsubscribe is not None:
                result = watch.observer.get_current_result()
                assert (result.status, result.fetch_status, result.is_stale) == ("success", "idle", False)
                watch.unsubscribe()
        self.runtime.advance(GC_TIME)
        assert len(self.client.query_cache) == 0
        self.runtime.close()


TestQueryLife = QueryLife.TestCase
TestQueryLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
