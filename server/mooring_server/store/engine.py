"""What the two databases have in common: how work runs and how driver failures leave."""

import logging
from collections.abc import Callable
from typing import Protocol, TypeVar

from peewee import Database, DatabaseError, DataError, IntegrityError, InterfaceError, ProgrammingError

from mooring_server.errors import Unavailable

T = TypeVar("T")

logger = logging.getLogger(__name__)

# Work runs inside an open transaction. A write answers its result and the streams that it touched.
ReadWork = Callable[[Database], T]
WriteWork = Callable[[Database], tuple[T, frozenset[str]]]
Committed = Callable[[frozenset[str]], None]


class Engine(Protocol):
    """A database behind the two verbs."""

    async def read(self, work: ReadWork[T], *, long: bool) -> T:
        """Runs the work in a transaction of its own that sees one state."""

    async def write(self, work: WriteWork[T], *, durable: bool) -> T:
        """Runs the work, perhaps twice, and answers after its commit."""

    def is_awaited(self) -> bool:
        """Whether somebody waits for work to end that nobody waits for: bulk work should make an end."""

    async def close(self) -> None:
        """Finishes what was begun, then lets go of the database."""


def is_driver_failure(failure: BaseException) -> bool:
    """Whether the database failed, rather than our use of it (which is a fault to be seen as one)."""
    if isinstance(failure, DataError | IntegrityError | ProgrammingError):
        return False
    return isinstance(failure, DatabaseError | InterfaceError)


def stopping() -> Unavailable:
    """The answer to work that comes after `close`."""
    return Unavailable("the server is stopping; try again")


def outward(failure: BaseException) -> BaseException:
    """The failure as callers see it: never a driver's text, which goes to the log."""
    if is_driver_failure(failure):
        logger.error("the database failed", exc_info=failure)
        return Unavailable("the database does not answer just now; try again")
    if isinstance(failure, StopIteration):
        # A future refuses to carry it, and its caller would wait for ever.
        return RuntimeError("StopIteration left a transaction")
    return failure
