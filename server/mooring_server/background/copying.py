"""What a data version takes over of its base as it is, copied inside the database."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from mooring_server.background.pace import Pace
from mooring_server.store import Tx
from mooring_server.store.records import DataVersion

T = TypeVar("T")


class Copied(Protocol):
    """`tx.assets` or `tx.dependencies`."""

    def copy_missing(
        self, from_version: str, to_version: str, after_id: str | None, limit: int
    ) -> tuple[int, str | None]:
        """Copies some; see `store/assets.py`."""


async def copy_missing(
    version: DataVersion,
    noun_of: Callable[[Tx], Copied],
    write: Callable[[Callable[[Tx], tuple[int, str | None]]], Awaitable[tuple[int, str | None]]],
    pace: Pace,
) -> int:
    """Copies what the version's base has and the version lacks, in writes of the pace; how many rows."""
    after: str | None = None
    count = 0
    while version.base_id is not None:
        base_id, rows = version.base_id, pace.rows

        def copy(
            tx: Tx, base_id: str = base_id, after: str | None = after, rows: int = rows
        ) -> tuple[int, str | None]:
            return noun_of(tx).copy_missing(base_id, version.id, after, rows)

        copied, after = await write(pace.timed(rows, copy))
        count += copied
        if after is None:
            break
    return count
