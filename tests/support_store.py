"""Drives a store from plain test functions, and makes the records that tests start from."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from mooring_server.settings import Settings
from mooring_server.store import Asset, AssetType, Role, Tx, migrate, open_store
from mooring_server.store.records import Dependency, DependencyKind

T = TypeVar("T")

ENGAGEMENT = "engagement-1"
USER = "user-1"
START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Database:
    """A store and an event loop of its own, behind blocking calls."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.url = url
        self.settings = Settings(**settings)
        self.clock = Clock()
        self.commits: list[frozenset[str]] = []

    def __enter__(self) -> Self:
        migrate(self.url, self.settings)
        self._runner = asyncio.Runner()
        self.store = open_store(
            self.url, settings=self.settings, clock=self.clock, on_commit=self.commits.append
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.store.close())
        self._runner.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coroutine)

    def read(self, fn: Callable[[Tx], T], *, long: bool = False) -> T:
        return self.run(self.store.read(fn, long=long))

    def write(self, fn: Callable[[Tx], T], *, actor: str = f"users/{USER}") -> T:
        return self.run(self.store.write(fn, actor=actor))

    def together(self, *fns: Callable[[Tx], Any]) -> list[Any]:
        """Writes at once; each one's result or failure, in order."""

        async def gathered() -> list[Any]:
            return await asyncio.gather(*(self.store.write(fn) for fn in fns), return_exceptions=True)

        return self.run(gathered())


def begin(tx: Tx, engagement_id: str = ENGAGEMENT, user_id: str = USER) -> None:
    """An engagement with its default session `baseline`, managed by a user."""
    if tx.users.get(user_id) is None:
        tx.users.insert(user_id, f"subject of {user_id}", "A user", "")
    tx.engagements.insert(engagement_id, "An engagement", "")
    tx.sessions.insert(engagement_id, "baseline", "Baseline", "", "data_import", user_id, is_default=True)
    tx.members.put(engagement_id, user_id, Role.MANAGER)


def session(id: str, display_name: str = "", engagement_id: str = ENGAGEMENT) -> Callable[[Tx], Any]:
    """A write that makes a session."""
    return lambda tx: tx.sessions.insert(engagement_id, id, display_name or id, "", "data_import", USER)


def asset(number: int, **fields: Any) -> Asset:
    """An asset of which nothing is known but its names."""
    known = Asset(
        id=f"asset-{number:06}",
        identity=f"name:{number:06}",
        digest="",
        display_name=f"Asset {number:06}",
        type=AssetType.SERVER,
        external_id="",
        hostname="",
        ip_addresses=(),
        environment="",
        location="",
        platform="",
        operating_system="",
        status="",
        owner="",
        application="",
        criticality="",
        cpu_cores=None,
        memory_bytes=None,
        storage_bytes=None,
        attributes={},
        source_file="estate.csv",
        source_sheet="",
        source_row=number + 2,
        create_time=START,
        update_time=START,
    )
    return replace(known, **fields)


def dependency(number: int, source: int, target: int, **fields: Any) -> Dependency:
    """A dependency between two of the assets of `asset`."""
    known = Dependency(
        id=f"dependency-{number:06}",
        identity=f"dependency:{number:06}",
        digest="",
        source_id=f"asset-{source:06}",
        target_id=f"asset-{target:06}",
        kind=DependencyKind.FLOW,
        port=None,
        protocol="",
        source_process="",
        target_process="",
        description="",
        attributes={},
        source_file="flows.csv",
        source_sheet="",
        source_row=number + 2,
        create_time=START,
        update_time=START,
    )
    return replace(known, **fields)


def publish(tx: Tx, *assets: Asset, session_id: str = "baseline", base_id: str | None = None) -> str:
    """Publishes a version that holds the assets, and nothing of its base; its id."""
    version = tx.versions.begin(ENGAGEMENT, session_id, base_id)
    tx.assets.insert_many(version.id, assets)
    tx.versions.publish(version.id, expected_base_id=base_id, asset_count=len(assets))
    return version.id
