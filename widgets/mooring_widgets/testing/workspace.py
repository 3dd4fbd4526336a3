"""A workspace over a fake service, and a clock that a test moves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mooring_widgets.client import Asset, library_loop
from mooring_widgets.query import AsyncioRuntime, Cancellable
from mooring_widgets.testing.client import FakeClient
from mooring_widgets.testing.service import FakeService
from mooring_widgets.workspace import Workspace
from mooring_widgets.workspace.workspace import open_workspace

_GIB = 2**30


def demo_service() -> FakeService:
    """Contoso with the sessions Baseline (5 assets), Wave 1 (3) and Wave 2 (none), and Fabrikam."""
    service = FakeService()
    contoso = service.add_engagement("contoso", "Contoso")
    service.add_session(contoso.name, "Wave 1")
    service.add_session(contoso.name, "Wave 2")
    service.add_engagement("fabrikam", "Fabrikam")
    for session, count in ((contoso.default_session, 5), ("engagements/contoso/sessions/wave-1", 3)):
        service.add_assets(session, demo_assets(session, count))
    return service


def demo_assets(session: str, count: int) -> list[Asset]:
    """`count` virtual machines of 4 cores, 16 GiB of memory and 100 GiB of storage each."""
    return [
        Asset(
            name=f"{session}/assets/vm-{index:05}",
            display_name=f"vm-{index:05}",
            type="virtual_machine",
            hostname=f"vm-{index:05}.example.net",
            environment=("production", "test")[index % 2],
            operating_system=("Ubuntu 24.04", "Windows Server 2022")[index % 2],
            location="Lyon",
            status="running",
            owner=("Ada", "Grace")[index % 2],
            cpu_cores=4.0,
            memory_bytes=16 * _GIB,
            storage_bytes=100 * _GIB,
        )
        for index in range(count)
    ]


def workspace(client: FakeClient | None = None, *, clock: "ManualClock | None" = None) -> Workspace:
    """A workspace over a fake service, `demo_service` by default. Close it when the test ends.

    Args:
        client: What it talks to. Two clients of one service are two kernels.
        clock: Moves its queries' time by hand; by default time passes.
    """
    used = client or FakeClient(demo_service())
    loop = library_loop()
    runtime = _ClockRuntime(loop.asyncio, clock) if clock is not None else None

    async def open_() -> Workspace:
        return await open_workspace(used, loop, await used.open_context(), runtime=runtime)

    return loop.wait(open_())


class ManualClock:
    """Time that stands still until `advance`."""

    def __init__(self, wall: float = 1_700_000_000.0) -> None:
        self._now = 0.0
        self._wall = wall
        self._timers: list[_Timer] = []

    def now(self) -> float:
        """Seconds since it was made."""
        return self._now

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._wall + self._now

    def call_later(self, delay_s: float, fn: Callable[[], None]) -> Cancellable:
        """Calls a function when time has moved so far."""
        timer = _Timer(self._now + delay_s, fn, self._timers)
        self._timers.append(timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Moves time, calling what becomes due in its order."""
        end = self._now + seconds
        while due := [timer for timer in self._timers if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            timer.cancel()
            self._now = max(self._now, timer.when)
            timer.fn()
        self._now = end


@dataclass(eq=False)
class _Timer:
    when: float
    fn: Callable[[], None]
    waiting: "list[_Timer]"

    def cancel(self) -> None:
        if self in self.waiting:
            self.waiting.remove(self)


class _ClockRuntime(AsyncioRuntime):
    """Runs on the real loop by the clock's time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: ManualClock) -> None:
        super().__init__(loop)
        self._clock = clock

    def now(self) -> float:
        return self._clock.now()

    def wall(self) -> float:
        return self._clock.wall()

    async def sleep(self, delay_s: float) -> None:
        woken = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        timer = self._clock.call_later(delay_s, wake)
        try:
            await woken.wait()
        finally:
            timer.cancel()

    def call_later(self, delay_s: float, fn: Callable[[], None]) -> Cancellable:
        return self._clock.call_later(delay_s, fn)
