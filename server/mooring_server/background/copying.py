"""What a data version takes over of another one as it is, copied inside the database."""

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
    from_id: str | None,
    version: DataVersion,
    noun_of: Callable[[Tx], Copied],
    write: Callable[[Callable[[Tx], tuple[int, str | None]]], Awaitable[tuple[int, str | None]]],
    pace: Pace,
) -> int:
    """Copies what one version (None: nothing) has and the other lacks, in writes of the pace; how many."""
    after: str | None = None
    count = 0
    while from_id is not None:
        rows = pace.rows

        def copy(tx: Tx, after: str | None = after, rows: int = rows) -> tuple[int, str | None]:
            return noun_of(tx).copy_missing(from_id, version.id, after, rows)

        copied, after = await write(pace.timed(rows, copy))
        count += copied
        if after is None:
            break
    return count
