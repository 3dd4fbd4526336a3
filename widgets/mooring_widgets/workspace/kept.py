"""The file in which a notebook keeps what it read, for when the service is away.

One for each notebook, service and caller, in a folder of caches that only the user may enter. It never holds
a token; who the caller was is in its name alone, as a digest.
"""

import contextlib
import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import platformdirs

from mooring_widgets.client import Context, MooringClient
from mooring_widgets.client.codec import decode, encode
from mooring_widgets.context import Place

_log = logging.getLogger(__name__)

_SIZE_MAX_BYTES = 8 * 2**20
_AGE_MAX_S = 24 * 3600.0
_FILE_AGE_MAX_S = 7 * 24 * 3600.0
_OFF = ("off", "no", "false", "0")


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer.

    Attributes:
        updated_at: When it was read, in seconds since the epoch.
        key, data: As JSON.
    """

    updated_at: float
    key: str
    data: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file holds.

    Attributes:
        context: What was current.
        incarnation: The id of the database that it was read from; empty where nobody said.
        entries: The answers by their keys.
    """

    context: Context
    incarnation: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict)


class KeptFile:
    """A file that may be there. Its methods block, and fail silently: it is only a cache."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(
        cls, client: MooringClient, place: Place, named: str, environ: Mapping[str, str] = os.environ
    ) -> "KeptFile | None":
        """The file of a notebook, or of a context that was named; None where nothing is to be kept.

        A fresh context each time leaves nothing to come back to, and where visitors share a process or a
        notebook (Voilà, `marimo run`) one must not see what another one read.
        """
        where = named or place.notebook_key or place.kernel_key
        shared = any(name.startswith("VOILA_") for name in environ)
        if not where or (shared and not named) or environ.get("MOORING_CACHE", "").lower() in _OFF:
            return None
        folder = platformdirs.user_cache_path("mooring", appauthor=False) / "notebooks"
        name = hashlib.sha256("\0".join((client.fingerprint(), where)).encode()).hexdigest()
        return cls(folder / f"{name}.json")

    def read(self) -> Kept | None:
        """What it holds; None where this version wrote nothing, or somebody else could have."""
        try:
            if not _is_private(self.path) or not _is_private(self.path.parent):
                return None
            found = json.loads(self.path.read_text("utf-8"))
            if found["version"] != version("mooring"):
                return None
            oldest = time.time() - _AGE_MAX_S
            entries = [Entry(*each) for each in found["entries"] if each[0] >= oldest]
            return Kept(decode(found["context"]), found["incarnation"], {each.key: each for each in entries})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("the cache %s cannot be used: %s", self.path, error)
            return None

    def write(self, kept: Kept) -> None:
        """Replaces it, keeping the newest answers where all would be too much."""
        room, entries = _SIZE_MAX_BYTES, []
        for each in sorted(kept.entries.values(), key=lambda entry: -entry.updated_at):
            room -= len(each.key) + len(each.data)
            if room < 0:
                break
            entries.append([each.updated_at, each.key, each.data])
        held: dict[str, Any] = {
            "version": version("mooring"),
            "incarnation": kept.incarnation,
            "context": encode(kept.context),
            "entries": entries,
        }
        draft = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_private(self.path.parent):
                _log.warning("nothing is kept in %s: it is open to other users", self.path.parent)
                return
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(held, file, separators=(",", ":"))
            draft.replace(self.path)
        except OSError as error:
            _log.warning("nothing is kept in %s: %s", self.path, error)
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)

    def remove(self) -> None:
        """Forgets everything."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Removes the files that no notebook has written for a week."""
        with contextlib.suppress(OSError):
            for path in self.path.parent.iterdir():
                with contextlib.suppress(OSError):
                    if path.stat().st_mtime < time.time() - _FILE_AGE_MAX_S:
                        path.unlink()


def _is_private(path: Path) -> bool:
    if not hasattr(os, "getuid"):
        return True
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o077
