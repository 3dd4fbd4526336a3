import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from mooring_widgets.query import AsyncioRuntime, QueryClient, QueryObserver, QueryOptions
from support_waiting import until

DEADLINE_S = 20


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE_S)
        loop.close()


@pytest.fixture
def client(loop) -> Iterator[QueryClient]:
    client = QueryClient(runtime=AsyncioRuntime(loop))
    yield client
    client.clear()


class Heard:
    """A listener to wait on."""

    def __init__(self):
        self.results = []
        self.threads = set()
        self._changed = threading.Condition()

    def __call__(self, result):
        with self._changed:
            self.results.append(result)
            self.threads.add(threading.get_ident())
            self._changed.notify_all()

    def wait_for(self, predicate):
        with self._changed:
            assert self._changed.wait_for(lambda: self.results and predicate(self.results[-1]), DEADLINE_S)


def test_a_plain_thread_fetches_and_observes(client):
    """From a thread without a loop a future gives the data, and a listener hears on the runtime's."""

    async def answer(context):
        await asyncio.sleep(0)
        return context.query_key[0], threading.get_ident()

    options = QueryOptions(query_key=("a",), query_fn=answer, stale_time=60)
    name, thread = client.fetch(options).result(DEADLINE_S)
    assert name == "a"
    assert thread != threading.get_ident()
    heard = Heard()
    observer = QueryObserver(client, options)
    observer.subscribe(heard)
    client.invalidate_queries().result(DEADLINE_S)
    heard.wait_for(lambda result: result.is_success and not result.is_fetching)
    assert heard.threads == {thread}


def test_another_loop_awaits(client):
    """`fetch_query` may be awaited on any loop, as in a notebook cell."""

    async def answer(context):
        return 7

    assert asyncio.run(client.fetch_query(QueryOptions(query_key=("a",), query_fn=answer))) == 7


def test_timers_run(client):
    """Retry delays, stale times and gc times pass in real time."""
    attempts = []

    async def second_time(context):
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError
        return 1

    heard = Heard()
    observer = QueryObserver(
        client,
        QueryOptions(query_key=("a",), query_fn=second_time, retry_delay=0.01, stale_time=0.01, gc_time=0.01),
    )
    unsubscribe = observer.subscribe(heard)
    heard.wait_for(lambda result: result.data == 1 and result.is_stale)
    unsubscribe()
    until(lambda: len(client.query_cache) == 0)


def test_many_threads_at_once(client):
    """Threads that fetch, switch, write and invalidate together leave one true answer for each key."""
    epoch = [0]

    async def answer(context):
        began = epoch[0]
        await asyncio.sleep(0)
        return context.query_key[0], began

    def options(key):
        return QueryOptions(query_key=(key,), query_fn=answer, stale_time=60)

    wrong = []

    def work(number):
        observer = QueryObserver(client, options(0))
        unsubscribe = observer.subscribe(lambda result: None)
        for step in range(40):
            key = (number + step) % 3
            observer.set_options(options(key))
            data = observer.get_current_result().data
            if data is not None and data[0] != key:
                wrong.append((key, data))
            if step % 7 == 0:
                client.invalidate_queries((key,), cancel_refetch=bool(step % 2))
            if step % 5 == 0:
                client.fetch(options(key)).result(DEADLINE_S)
        unsubscribe()

    heard = [Heard() for _ in range(3)]
    for key in range(3):
        QueryObserver(client, options(key)).subscribe(heard[key])
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, number) for number in range(6)]:
            done.result(DEADLINE_S * 2)
    assert not wrong
    epoch[0] = 1
    client.invalidate_queries().result(DEADLINE_S)
    for key in range(3):
        heard[key].wait_for(lambda result, key=key: result.data == (key, 1) and not result.is_stale)


def test_the_end_of_the_loop_is_quiet(client, loop):
    """After the loop has closed, letting go of everything raises nothing, and a fetch says what is wrong."""

    async def never(context):
        await asyncio.Event().wait()

    options = QueryOptions(query_key=("a",), query_fn=never)
    observer = QueryObserver(client, options)
    unsubscribe = observer.subscribe(lambda result: None)
    future = client.fetch(options)
    client.clear()
    assert future.exception(DEADLINE_S) is not None
    stopped = threading.Event()
    loop.call_soon_threadsafe(lambda: (stopped.set(), loop.stop()))
    assert stopped.wait(DEADLINE_S)
    until(lambda: not loop.is_running())
    loop.close()
    unsubscribe()
    with pytest.raises(RuntimeError, match="closed"):
        client.fetch(options)
