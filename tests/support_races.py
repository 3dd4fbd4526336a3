"""In a kernel: a twin whose answers come late and in another order, and sessions that can be told apart.

Whatever a view shows of a session, names and numbers, bears the session's tag, `S00` to `S39`.
"""

import asyncio
import random
import threading
import time
from typing import Any

from mooring_widgets.client import Asset, Dependency
from mooring_widgets.testing import FakeClient, FakeService, workspace

SESSIONS = 40
DELAY_MAX_S = 0.08


class LateClient(FakeClient):
    """Each call takes its own time, so that answers overtake one another."""

    def __init__(self, service: FakeService, seed: int) -> None:
        super().__init__(service)
        self._random = random.Random(seed)

    async def _called(self, method: str) -> None:
        await super()._called(method)
        if method != "watch":
            await asyncio.sleep(self._random.random() * DELAY_MAX_S)


def service() -> FakeService:
    """Sessions of 11, 12, 13, … assets."""
    made = FakeService()
    engagement = made.add_engagement("races", "Races", default_session="S00")
    names = [engagement.default_session]
    names += [made.add_session(engagement.name, tag(number)).name for number in range(1, SESSIONS)]
    for number, name in enumerate(names):
        made.add_assets(name, assets(name, number))
        made.add_dependencies(
            name, [Dependency(f"{name}/dependencies/d", f"{name}/assets/0", f"{name}/assets/1", tag(number))]
        )
    return made


def tag(number: int) -> str:
    """What marks a session's data."""
    return f"S{number:02}"


def assets(session: str, number: int) -> list[Asset]:
    """As many as the session's number says, and ten more."""
    mark = tag(number)
    return [
        Asset(
            name=f"{session}/assets/{index}",
            display_name=f"{mark} machine {index}",
            type="server",
            owner=f"{mark} owner",
            location=f"{mark} place",
            cpu_cores=1.0,
        )
        for index in range(11 + number)
    ]


class Races:
    """What the notebook shows, and who else switches."""

    def __init__(self, seed: int) -> None:
        self.client = LateClient(service(), seed)
        self.ws = workspace(self.client)
        self._random = random.Random(seed)
        self._thread: threading.Thread | None = None

    def start(self, switches: int, pause_max_s: float) -> None:
        """Switches at random from a thread, and has others bring data in meanwhile."""
        self._thread = threading.Thread(target=self._run, args=(switches, pause_max_s))
        self._thread.start()

    def join(self) -> None:
        """Waits until it is over."""
        assert self._thread is not None
        self._thread.join()

    def _run(self, switches: int, pause_max_s: float) -> None:
        names = list(self.client.service.sessions)
        for _ in range(switches):
            self.ws.current.switch(self._random.choice(names))
            self.client.service.note("imported", self._random.choice(names))
            time.sleep(self._random.random() * pause_max_s)  # a human's, or a program's, pace


def memory() -> int:
    """What this process holds, in bytes."""
    import gc

    import psutil

    gc.collect()
    return int(psutil.Process().memory_info().rss)


def views(ws: Any) -> list[Any]:
    """Five views of what is current."""

    def owners(discovery):  # type: ignore[no-untyped-def]
        return discovery.groupby("owner").cpu_cores.sum().to_frame("cores")

    def summary(session, landscape):  # type: ignore[no-untyped-def]
        return f"{session.display_name}: {landscape.totals.asset_count} assets"

    return [ws.discovery(), ws.landscape(), ws.dependencies(), ws.view(owners), ws.view(summary)]
