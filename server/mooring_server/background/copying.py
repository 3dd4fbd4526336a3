"""What a data version that is being built takes: rows, and what another one has as it is.

The latter is copied inside the database. All of it stops for whoever else waits for the writer.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from mooring_server.background.pace import Pace
from mooring_server.store import Tx
from mooring_server.store.records import DataVersion

T = TypeVar("T")

# It costs less than to add rows.
_TURN_ROWS = 100


class Copied(Protocol):
    """`tx.assets` or `tx.dependencies`."""

    def insert_stored(self, version_id: str, rows: Sequence[Any]) -> None:
        """Adds rows."""

    def copy_missing(
        self,
        from_version: str,
        to_version: str,
        after_id: str | None,
        limit: int,
        until_id: str | None = None,
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
            return copy_some(tx, noun_of(tx), from_id, version.id, after, rows)

        copied, after = await write(pace.timed(rows, copy))
        count += copied
        if after is None:
            break
    return count


def insert_some(tx: Tx, noun: Copied, version_id: str, rows: Sequence[Any]) -> int:
    """Adds rows until somebody else waits for the writer: answers how many of the first it added."""
    count = 0
    for part in tx.turns(rows):
        noun.insert_stored(version_id, part)
        count += len(part)
    return count


def copy_some(
    tx: Tx,
    noun: Copied,
    from_id: str,
    to_id: str,
    after: str | None,
    limit: int,
    until: str | None = None,
) -> tuple[int, str | None]:
    """Copies what a version has after an id (until one) and the other lacks.

    Looks at `limit` rows, at fewer where somebody else waits for the writer. Answers how many it copied and
    where to go on, None at the end.
    """
    count = 0
    for part in tx.turns(range(limit), _TURN_ROWS):
        copied, after = noun.copy_missing(from_id, to_id, after, len(part), until)
        count += copied
        if after is None:
            break
    return count, after
