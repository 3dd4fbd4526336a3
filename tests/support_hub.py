"""Runs tests over a watch hub."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mooring_server.background import WatchHub
from support_store import Database

T = TypeVar("T")


def watching(database: Database, test: Callable[[WatchHub], Awaitable[T]], **settings: Any) -> T:
    """Runs an async test with a hub that is closed afterwards."""

    async def run() -> T:
        hub = WatchHub(database.store, database.settings.model_copy(update=settings))
        database.store.on_commit = hub.notify
        try:
            return await test(hub)
        finally:
            await hub.close()

    return database.run(run())
