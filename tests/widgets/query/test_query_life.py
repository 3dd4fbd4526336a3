"""Random lives of a client whose network and whose user come and go."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from mooring_widgets.query import (
    ManualRuntime,
    MutationDefaults,
    MutationOptions,
    QueryClient,
    QueryDefaults,
    QueryObserver,
    QueryOptions,
)
from support_query import Source

KEYS = [("a",), ("b",), ("c",)]
SCOPES = ["s", "t", None]
STALE_TIME = 10.0
GC_TIME = 50.0

keys = st.sampled_from(KEYS)
places = st.integers(0, 5)


class Variables:
    """What a mutation is called with, as `Source` sees it."""

    def __init__(self, number):
        self.query_key = number


class Life(RuleBasedStateMachine):
    """After each step all that is ready has run."""

    @initialize(poll=st.sampled_from([0, 7.0]), on_return=st.sampled_from([True, False, "always"]))
    def begin(self, poll, on_return):
        self.runtime = ManualRuntime()
        self.errors = []
        self.client = QueryClient(
            runtime=self.runtime,
            default_options=QueryDefaults(
                gc_time=GC_TIME,
                stale_time=STALE_TIME,
                retry=1,
                refetch_interval=poll,
                refetch_on_window_focus=on_return,
                refetch_on_reconnect=on_return,
            ),
            default_mutation_options=MutationDefaults(gc_time=GC_TIME, retry=1),
            on_listener_error=self.errors.append,
        )
        self.source = Source(self.runtime)
        self.changes = Source(self.runtime)
        self.wrong = []
        self.futures = []
        self.waits = {key: [] for key in KEYS}
        self.called = {scope: [] for scope in SCOPES}
        self.begun = {scope: [] for scope in SCOPES}
        self.mutations = {}
        self.observers = [QueryObserver(self.client, self.options(key)) for key in KEYS * 2]
        self.ends = [None] * len(self.observers)

    def options(self, key):
        async def fetch(context):
            if not self.client.online.is_online:
                self.wrong.append(f"{key} was fetched without a network")
            retried = self.client.get_query_state(key).failure_count
            waited_for = any(not future.done() for future in self.waits[key])
            if retried and not waited_for and not self.client.focus.is_focused:
                self.wrong.append(f"{key} was tried again while nobody looked")
            return await self.source(context)

        return QueryOptions(query_key=key, query_fn=fetch)

    def wait_for(self, key, future):
        self.waits[key].append(future)
        self.futures.append(future)
        self.runtime.run_until_idle()

    @rule(place=places)
    def mount(self, place):
        if self.ends[place] is None:
            key = self.observers[place].options.query_key
            before = len(self.source.calls)
            query = next((query for query in self.client.query_cache if query.key == key), None)
            fresh = (
                query is not None
                and query.state.has_data
                and not query.state.is_invalidated
                and query.age_s < STALE_TIME
            )
            self.ends[place] = self.observers[place].subscribe(lambda result: None)
            self.runtime.run_until_idle()
            assert not fresh or len(self.source.calls) == before

    @rule(place=places)
    def unmount(self, place):
        if self.ends[place] is not None:
            self.ends[place]()
            self.ends[place] = None
            self.runtime.run_until_idle()

    @rule(key=keys)
    def fetch(self, key):
        self.wait_for(key, self.client.fetch(self.options(key)))

    @rule(place=places, cancel_refetch=st.booleans())
    def refetch(self, place, cancel_refetch):
        observer = self.observers[place]
        self.wait_for(observer.options.query_key, observer.refetch(cancel_refetch=cancel_refetch))

    @rule(key=keys, data=st.integers())
    def write(self, key, data):
        self.client.set_query_data(key, data)
        self.runtime.run_until_idle()

    @rule(key=st.sampled_from([(), *KEYS]), cancel_refetch=st.booleans())
    def invalidate(self, key, cancel_refetch):
        self.futures.append(self.client.invalidate_queries(key, cancel_refetch=cancel_refetch))
        self.runtime.run_until_idle()

    @rule(key=st.sampled_from([(), *KEYS]), how=st.sampled_from(["cancel", "remove", "reset"]))
    def end(self, key, how):
        getattr(self.client, f"{how}_queries")(key)
        self.runtime.run_until_idle()

    @rule(online=st.booleans())
    def connect(self, online):
        self.client.online.set_online(online)
        self.runtime.run_until_idle()

    @rule(focused=st.booleans())
    def look(self, focused):
        self.client.focus.set_focused(focused)
        self.runtime.run_until_idle()

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0, STALE_TIME + 1, GC_TIME + 1]))
    def wait(self, seconds):
        self.runtime.advance(seconds)

    @rule(which=st.integers(0, 5), fails=st.booleans())
    @precondition(lambda self: self.source.open)
    def answer(self, which, fails):
        self.settle(self.source, which, fails)

    @rule(scope=st.sampled_from(SCOPES), invalidates=st.booleans())
    def change(self, scope, invalidates):
        number = len(self.mutations)

        async def make(_):
            if not self.client.online.is_online:
                self.wrong.append(f"change {number} was made without a network")
            if number not in self.begun[scope]:
                self.begun[scope].append(number)
            return await self.changes(Variables(number))

        self.called[scope].append(number)
        options = MutationOptions(
            mutation_fn=make,
            scope=scope,
            on_settled=lambda *_: self.client.invalidate_queries() if invalidates else None,
        )
        self.mutations[number] = self.client.mutate(options, number)
        self.runtime.run_until_idle()

    @rule(which=st.integers(0, 5), fails=st.booleans())
    @precondition(lambda self: self.changes.open)
    def answer_change(self, which, fails):
        self.settle(self.changes, which, fails)

    @rule()
    def resume(self):
        self.futures.append(self.client.resume_paused_mutations())
        self.runtime.run_until_idle()

    def settle(self, source, which, fails):
        call = source.open[which % len(source.open)]
        if fails:
            source.fail(ValueError(), call)
        else:
            source.resolve(len(source.calls), call)

    @invariant()
    def nothing_went_wrong(self):
        assert not self.wrong
        assert not self.errors

    @invariant()
    def one_fetch_a_key_and_none_that_is_paused(self):
        running = Counter(call.key for call in self.source.open)
        for key in KEYS:
            state = self.client.get_query_state(key)
            status = state.fetch_status if state else "idle"
            assert running[key] <= (status == "fetching")
            # With the network back, changes come before fetches.
            if status == "paused" and self.client.online.is_online and self.client.focus.is_focused:
                assert self.client.is_mutating()

    @invariant()
    def scopes_are_queues(self):
        running = {call.key for call in self.changes.open}
        for scope in SCOPES:
            assert self.begun[scope] == self.called[scope][: len(self.begun[scope])]
            assert scope is None or len(running.intersection(self.called[scope])) <= 1
        for mutation in self.client.mutation_cache:
            assert not (mutation.state.is_paused and mutation.state.variables in running)

    @invariant()
    def each_change_is_made_once(self):
        made = Counter(call.key for call in self.changes.calls)
        assert all(times <= 2 for times in made.values())  # with its retry
        answered = Counter(
            call.key for call in self.changes.calls if call.future.done() and not call.future.exception()
        )
        assert all(times == 1 for times in answered.values())

    def answer_everything(self):
        self.client.online.set_online(True)
        self.client.focus.set_focused(True)
        self.runtime.run_until_idle()
        while self.client.is_fetching() or self.client.is_mutating():
            for source in (self.source, self.changes):
                for call in source.open:
                    source.resolve(0, call)
            self.runtime.advance(1)  # for those that wait for their next attempt

    def teardown(self):
        if not hasattr(self, "runtime"):
            return
        self.answer_everything()
        self.nothing_went_wrong()
        assert not any(query.state.fetch_status == "paused" for query in self.client.query_cache)
        assert all(future.done() for future in [*self.futures, *self.mutations.values()])
        assert self.begun == self.called
        for place in range(len(self.ends)):
            self.unmount(place)
        self.answer_everything()
        self.runtime.advance(GC_TIME)
        assert len(self.client.query_cache) == len(self.client.mutation_cache) == 0
        self.runtime.close()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
