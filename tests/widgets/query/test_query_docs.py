"""What the pages on the query client say is true."""

import dataclasses
import inspect
import re
from pathlib import Path

import pytest
from mooring_widgets import query as package
from mooring_widgets.query import (
    InfiniteQueryObserver,
    InfiniteQueryOptions,
    InfiniteQueryResult,
    MutationDefaults,
    MutationObserver,
    MutationOptions,
    MutationResult,
    QueriesObserver,
    QueryClient,
    QueryDefaults,
    QueryFunctionContext,
    QueryObserver,
    dehydrate,
    exponential_backoff,
    restore,
)
from mooring_widgets.query.mutation_options import missing_mutation_fn
from mooring_widgets.query.options import missing_query_fn
from support_query import Recorder

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "query-client.md"
NAMES = {
    one.__name__: one for one in (exponential_backoff, missing_query_fn, missing_mutation_fn, restore)
} | {name: getattr(QueryClient, name) for name in ("invalidate_queries", "refetch_queries")}


def table(begins):
    """The first two columns of the table below a line."""
    text = PAGE.read_text("utf-8").split(f"\n{begins}\n")[1]
    lines = text.strip().partition("\n\n")[0].splitlines()[2:]
    return {
        option.strip("`"): eval(value.strip("`"), dict(NAMES))  # noqa: S307 - our own page
        for option, value in (re.split(r"\s*\|\s*", line.strip("| "))[:2] for line in lines)
    }


QUERIES = table("Of queries: `QueryDefaults`.")
MUTATIONS = table("Of mutations: `MutationDefaults`.")
ARGUMENTS = table("Of arguments.")


def test_the_examples_run():
    """Whoever types the page from its beginning to its end gets what it says."""
    names = {}
    text = PAGE.read_text("utf-8")
    for found in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        padded = "\n" * text.count("\n", 0, found.start(1)) + found[1]
        exec(compile(padded, PAGE, "exec"), names)  # noqa: S102 - what the reader would run


@pytest.mark.parametrize(("said", "defaults"), [(QUERIES, QueryDefaults()), (MUTATIONS, MutationDefaults())])
def test_the_tables_name_every_default(said, defaults):
    """Each option that has a default is in the table, with that default, and no other one."""
    assert said == {field.name: getattr(defaults, field.name) for field in dataclasses.fields(defaults)}


def test_the_arguments_have_the_defaults_of_the_table():
    """As the signatures have them."""
    for path, value in ARGUMENTS.items():
        function, argument = path.split(".")
        assert inspect.signature(NAMES[function]).parameters[argument].default == value


def test_times_of_the_table_hold(client, source, runtime):
    """Data is fresh and kept for as long as the table says, and an ended mutation is listed as long."""

    async def change(_):
        return None

    assert QUERIES["stale_time"] == 0
    client.set_query_data(["a"], 1)
    client.mutate(MutationOptions(mutation_fn=change), None)
    runtime.advance(min(QUERIES["gc_time"], MUTATIONS["gc_time"]) - 1)
    assert (len(client.query_cache), len(client.mutation_cache)) == (1, 1)
    observer = QueryObserver(client, source.options("a"))
    assert observer.get_current_result().is_stale
    runtime.advance(1)
    assert (len(client.query_cache), len(client.mutation_cache)) == (1, 0)
    runtime.advance(QUERIES["gc_time"] - 1)  # the observer was the last use
    assert len(client.query_cache) == 0


@pytest.mark.parametrize(
    ("begin", "retries"),
    [
        (lambda client, source: QueryObserver(client, source.options("a")).subscribe(Recorder()), "retry"),
        (lambda client, source: client.fetch(source.options("a")), "fetch_retry"),
    ],
)
def test_retries_of_the_table_hold(client, source, runtime, begin, retries):
    """So many attempts follow the first, after the delays of the table."""
    begin(client, source)
    runtime.run_until_idle()
    for number in range(int(QUERIES[retries])):
        source.fail(ValueError())
        delay = QUERIES["retry_delay"](number, ValueError())
        runtime.advance(delay - 0.01)
        assert not source.open
        runtime.advance(0.01)
    source.fail(ValueError())
    runtime.advance(100)
    assert not source.open
    assert client.get_query_state(["a"]).status == "error"


def test_retries_of_mutations_hold(client, runtime):
    """A change that fails is not repeated."""
    calls = []

    async def refuse(_):
        calls.append(1)
        raise ValueError

    client.mutate(MutationOptions(mutation_fn=refuse), None)
    runtime.advance(100)
    assert len(calls) == 1 + MUTATIONS["retry"]


def test_what_fetches_by_default(client, source, runtime):
    """Mounting, focus and network fetch stale data; time alone does not; nothing runs without a network."""
    assert (QUERIES["refetch_on_mount"], QUERIES["refetch_on_window_focus"], QUERIES["retry_on_mount"]) == (
        True,
        True,
        True,
    )
    client.set_query_data(["a"], 1)
    QueryObserver(client, source.options("a")).subscribe(Recorder())
    for happen in (
        lambda on: None,
        client.focus.set_focused,
        client.online.set_online,
    ):
        happen(False)
        happen(True)
        runtime.run_until_idle()
        source.resolve(1)
        runtime.advance(1000)
        assert not source.open
    client.online.set_online(False)
    client.fetch(source.options("b"))
    runtime.run_until_idle()
    assert not source.open


def test_an_invalidation_fetches_what_the_table_says(client, source, runtime):
    """Active queries alone, in place of the fetch under way."""
    client.prefetch(source.options("unseen"))
    QueryObserver(client, source.options("seen")).subscribe(Recorder())
    runtime.run_until_idle()
    client.invalidate_queries()
    runtime.run_until_idle()
    assert [call.key for call in source.open] == [("unseen",), ("seen",)]
    assert [call.cancelled for call in source.calls] == [False, True, False]


def test_every_name_of_the_mapping_exists(client):
    """Each name on our side of the tables is exported, or an option, field or method that is there."""
    known = set(vars(client)) | set(vars(client.query_cache))
    for home in (package, package.Runtime, package.FocusManager, package.OnlineManager, QueryClient):
        known.update(dir(home))
    for observer in (QueryObserver, QueriesObserver, InfiniteQueryObserver, MutationObserver):
        known.update(dir(observer))
    for kind in (InfiniteQueryOptions, InfiniteQueryResult, MutationOptions, MutationResult):
        known.update(dir(kind))
    for kind in (InfiniteQueryOptions, InfiniteQueryResult, QueryFunctionContext):
        known.update(field.name for field in dataclasses.fields(kind))
    for function in (QueryClient, QueriesObserver, dehydrate, restore, QueryClient.refetch_queries):
        known.update(inspect.signature(function).parameters)
    text = (DOCS / "tanstack.md").read_text("utf-8").split("## Different on purpose")[0]
    for line in text.splitlines():
        if line.startswith("| `"):
            names = re.findall(r"`([A-Za-z_.]+)[`(]", line.split(" | ", 1)[1])
            assert {name.split(".")[-1] for name in names} <= known, line


def test_every_export_is_on_the_pages():
    """A reader of the two pages hears of all there is, but for protocols and shapes of plain data."""
    told = (DOCS / "tanstack.md").read_text("utf-8") + PAGE.read_text("utf-8")
    quiet = {"UNSET", "Cancellable", "NetworkMode", "QueryKey", "QueryState", "MissingFunction"}
    for name in package.__all__:
        if name not in quiet and not name.startswith(("Dehydrated", "Persisted")):
            assert name in told, name
