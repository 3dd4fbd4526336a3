"""What every call of a fake client does: it is counted, and it fails or waits where a test says so."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

from mooring_widgets.client import PageOf
from mooring_widgets.errors import InvalidArgument, MooringError, Unavailable
from mooring_widgets.testing.service import FakeService

T = TypeVar("T")

PAUSE_S = 0.002


class FakeCalls:
    """Counts calls, and makes trouble; see `FakeClient`."""

    def __init__(self, service: FakeService | None = None) -> None:
        self.service = service or FakeService()
        self.calls: list[str] = []
        self._failures: dict[str, list[MooringError]] = {}
        self._held: set[str] = set()

    def fail(self, method: str, error: MooringError, *, times: int = 1) -> None:
        """Makes the next calls of a method raise."""
        self._failures.setdefault(method, []).extend([error] * times)

    @contextlib.contextmanager
    def hold(self, method: str) -> Iterator[None]:
        """Keeps the calls of a method waiting until the block ends."""
        self._held.add(method)
        try:
            yield
        finally:
            self._held.discard(method)

    async def _called(self, method: str) -> None:
        self.calls.append(method)
        while method in self._held:  # noqa: ASYNC110 - released from any thread, which an asyncio.Event forbids
            await asyncio.sleep(PAUSE_S)
        if self.service.outage and method != "watch":  # which tells by itself
            raise Unavailable("no Mooring service answers at fake; is it running?")
        failures = self._failures.get(method)
        if failures:
            raise failures.pop(0)


def ordered(things: Sequence[T], order_by: str, field: str) -> Sequence[T]:
    """A list that is kept in the order of a field, turned round where `order_by` says so.

    Raises:
        InvalidArgument: For any other order.
    """
    if order_by not in ("", field, f"{field} desc"):
        raise InvalidArgument(f"order_by: {order_by!r} is no order here; take {field}")
    return things[::-1] if order_by.endswith(" desc") else things


def page_of(things: Sequence[T], size: int, token: str, skip: int) -> PageOf[T]:
    """Some of a list."""
    start = int(token or 0) + skip
    end = start + size
    return PageOf(tuple(things[start:end]), len(things), str(end) if end < len(things) else "")
