"""Query functions that answer when the test says so."""

import asyncio
from typing import Any

from mooring_widgets.query import ManualRuntime, QueryFunctionContext, QueryOptions


class Call:
    """One call of a query function, under way until it is resolved, failed or cancelled."""

    def __init__(self, number: int, key: Any) -> None:
        self.number = number
        self.key = key
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.cancelled = False

    @property
    def open(self) -> bool:
        return not self.future.done() and not self.cancelled


class Source:
    """A query function whose calls are answered by hand."""

    def __init__(self, runtime: ManualRuntime) -> None:
        self.runtime = runtime
        self.calls: list[Call] = []

    async def __call__(self, context: QueryFunctionContext) -> Any:
        call = Call(len(self.calls), context.query_key)
        self.calls.append(call)
        try:
            return await call.future
        except asyncio.CancelledError:
            call.cancelled = True
            raise

    @property
    def open(self) -> list[Call]:
        return [call for call in self.calls if call.open]

    def resolve(self, data: Any, call: Call | None = None) -> None:
        (call or self.open[-1]).future.set_result(data)
        self.runtime.run_until_idle()

    def fail(self, error: Exception, call: Call | None = None) -> None:
        (call or self.open[-1]).future.set_exception(error)
        self.runtime.run_until_idle()

    def options(self, *key: Any, **others: Any) -> QueryOptions[Any, Any]:
        return QueryOptions(query_key=key, query_fn=self, **others)


class Recorder:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def __call__(self, result: Any) -> None:
        self.results.append(result)

    @property
    def data(self) -> list[Any]:
        return [result.data for result in self.results]
