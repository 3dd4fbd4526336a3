"""The file that a session moves in, as its receivers know it: what it is called, and what it says of itself.

The service alone writes and reads its data; docs/moving.md has the format.
"""

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SUFFIX = ".mooring.zip"

_MANIFEST = "manifest.json"
_UNNAMED = "session"
_NAME_MAX_BYTES = 200  # file systems take 255
# What Windows, the strictest of all, has in no file name.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')


class BrokenOff(Exception):
    """A file that has just come is not whole."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a file says of its session; `content_digest` is the same for the same data, whatever the ids."""

    display_name: str
    asset_count: int
    dependency_count: int
    content_digest: str


def file_name(display_name: str) -> str:
    """What the file of a session is called."""
    plain = _FORBIDDEN.sub("-", display_name).encode()[:_NAME_MAX_BYTES].decode(errors="ignore").strip(" .")
    return (plain or _UNNAMED) + SUFFIX


def summary(file: Path | IO[bytes]) -> Summary:
    """What a file that has just come from the service says of itself.

    Raises:
        BrokenOff: it is not whole.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
        parts = manifest["parts"]
        return Summary(
            manifest["session"]["display_name"],
            parts["assets.parquet"]["rows"],
            parts["dependencies.parquet"]["rows"],
            manifest["content_digest"],
        )
    except (zipfile.BadZipFile, LookupError, ValueError):
        raise BrokenOff("the service broke off in the middle of the file; export the session again") from None
