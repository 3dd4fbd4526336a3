"""How much of a file is read, and the two ways in which a file is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from mooring_server.errors import InvalidArgument, MooringError, ResourceExhausted
from mooring_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """What one inventory may hold; each is the setting of the same name."""

    upload_size_max_bytes: int = 100 * 2**20
    expanded_size_max_bytes: int = 2**30
    cells_max: int = 50_000_000
    columns_max: int = 2_000

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that the settings give."""
        return cls(
            upload_size_max_bytes=settings.upload_size_max_bytes,
            expanded_size_max_bytes=settings.expanded_size_max_bytes,
            cells_max=settings.cells_max,
            columns_max=settings.columns_max,
        )

    def check_file_size(self, size_bytes: int) -> None:
        """Refuses a file that is too large."""
        if size_bytes > self.upload_size_max_bytes:
            raise _exceeded(
                "the file is", size_bytes, self.upload_size_max_bytes, "bytes", "upload_size_max_bytes"
            )

    def check_expanded_size(self, size_bytes: int) -> None:
        """Refuses what is small in its file and huge out of it."""
        if size_bytes > self.expanded_size_max_bytes:
            raise _exceeded(
                "unpacked, the inventory is",
                size_bytes,
                self.expanded_size_max_bytes,
                "bytes",
                "expanded_size_max_bytes",
            )

    def check_columns(self, columns: int) -> None:
        """Refuses a table that is too wide."""
        if columns > self.columns_max:
            raise _exceeded("the table has", columns, self.columns_max, "columns", "columns_max")

    def check_cells(self, cells: int) -> None:
        """Refuses a file with too many cells."""
        if cells > self.cells_max:
            raise _exceeded("the file has at least", cells, self.cells_max, "cells", "cells_max")


def _exceeded(subject: str, found: int, most: int, unit: str, setting: str) -> ResourceExhausted:
    return ResourceExhausted(
        f"{subject} {found:,} {unit}; at most {most:,} are read (setting `{setting}`); "
        "split it, or have the limit raised"
    )


def unreadable(message: str) -> InvalidArgument:
    """The failure of a file that is no inventory: the message says what was found and what to do."""
    return InvalidArgument(message, reason="UNREADABLE_INVENTORY")


@contextmanager
def damage_reported(message: str) -> Iterator[None]:
    """Turns whatever a parser says about a hostile file into the one failure that callers know."""
    try:
        yield
    except (MooringError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # a panic in a library is no Exception
        raise unreadable(message) from None
