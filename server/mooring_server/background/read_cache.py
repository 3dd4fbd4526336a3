"""Arrow files of versions that were read before: a folder for each database, the least used go first.

A file's name says what it holds, and how to tell that it is whole. Several servers of one database may share
a folder: nothing is known of it but what is there. Every function may take its time: none is for the event
loop.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from mooring_server.settings import Settings
from mooring_server.store.migrating import is_sqlite
from mooring_server.store.sqlite import sqlite_path

_PIECE_BYTES = 2**20
_SPOOL = ".spool"
# A database that nobody has read for so long may be gone for good.
_UNUSED_MAX_S = 30 * 24 * 3600
_NAME = re.compile(
    r"(?P<stem>[a-z]+_[^_]+)_(?P<revision>\d+)_(?P<rows>\d+)_(?P<size>\d+)_(?P<crc32>[0-9a-f]{8})\.arrow"
)


@dataclass(frozen=True, slots=True)
class Key:
    """What a file holds: all of a table of a version, in one of its revisions, of a database."""

    incarnation: str
    table: str
    version_id: str
    revision: int

    @property
    def stem(self) -> str:
        """What the names of the files of all revisions begin with."""
        return f"{self.table}_{self.version_id}"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is whole; another server may remove it at any time."""

    path: Path
    row_count: int
    size_bytes: int


class ReadCache:
    """At most `bytes_max` of files for each database, in folders of `root`."""

    def __init__(self, root: Path, bytes_max: int) -> None:
        self._root = root
        self._bytes_max = bytes_max
        # What this process wrote, or has looked through, as it was then.
        self._whole: set[tuple[int, ...]] = set()

    @classmethod
    def of(cls, settings: Settings) -> ReadCache:
        """In the server's data folder; else beside its SQLite file, or in the user's folder for caches."""
        return cls(_root(settings), settings.read_cache_max_bytes)

    def spool(self, incarnation: str) -> tuple[int, Path]:
        """A new empty file, open and locked."""
        folder = self._root / incarnation
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(_SPOOL, dir=folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor, Path(name)

    def find(self, key: Key) -> Found | None:
        """The file of that key; None where there is none, or only a damaged one, which goes."""
        for path, name in self._files(self._root / key.incarnation):
            if (name["stem"], int(name["revision"])) != (key.stem, key.revision):
                continue
            with suppress(FileNotFoundError):
                if self._is_whole(path, int(name["size"]), int(name["crc32"], 16)):
                    # The time of its change says whether it is as it was, so that of its use is kept apart.
                    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
                    return Found(path, int(name["rows"]), int(name["size"]))
                path.unlink()
        return None

    def keep(self, spool: Path, key: Key, row_count: int, crc32: int) -> None:
        """Takes a spool in as the file of that key, if it is not too large.

        What there is of earlier revisions goes, then what was used least.
        """
        size = spool.stat().st_size
        if size > self._bytes_max:
            return
        path = spool.with_name(f"{key.stem}_{key.revision}_{row_count}_{size}_{crc32:08x}.arrow")
        spool.rename(path)
        self._whole.add(_identity(path.stat()))
        for other, name in self._files(path.parent):
            if name["stem"] == key.stem and int(name["revision"]) < key.revision:
                other.unlink(missing_ok=True)
        self._evict(path)

    def sweep(self, incarnation: str) -> None:
        """Removes what servers that were killed have left, and what there is of databases long unused."""
        for folder in self._root.glob("*/"):
            for file in folder.iterdir():
                with suppress(FileNotFoundError):
                    if file.suffix == _SPOOL:
                        _unlink_unlocked(file)
                    elif folder.name != incarnation and file.stat().st_atime < time.time() - _UNUSED_MAX_S:
                        file.unlink()
            with suppress(OSError):
                folder.rmdir()  # where nothing is left in it

    def _files(self, folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
        with suppress(FileNotFoundError):
            for path in folder.iterdir():
                if name := _NAME.fullmatch(path.name):
                    yield path, name

    def _evict(self, newest: Path) -> None:
        used = []
        for path, _ in self._files(newest.parent):
            with suppress(FileNotFoundError):
                state = path.stat()
                used.append((state.st_atime_ns, state.st_size, path))
        left = sum(size for _, size, _ in used)
        for _, size, path in sorted(used):
            if left > self._bytes_max and path != newest:
                path.unlink(missing_ok=True)
                left -= size

    def _is_whole(self, path: Path, size: int, crc32: int) -> bool:
        with path.open("rb", buffering=0) as file:
            state = os.fstat(file.fileno())
            if state.st_size != size:
                return False
            if _identity(state) not in self._whole:
                found = 0
                while piece := file.read(_PIECE_BYTES):
                    found = zlib.crc32(piece, found)
                if found != crc32:
                    return False
                self._whole.add(_identity(state))
        return True


def _root(settings: Settings) -> Path:
    if settings.data_dir is not None:
        return settings.data_dir / "reads"
    if is_sqlite(settings.database):
        file = sqlite_path(settings.database)
        return file.with_name(f"{file.name}-reads")
    return platformdirs.user_cache_path("mooring", appauthor=False) / "reads"


def _unlink_unlocked(spool: Path) -> None:
    with spool.open("rb") as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        spool.unlink()


def _identity(state: os.stat_result) -> tuple[int, ...]:
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
