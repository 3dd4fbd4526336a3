"""The file that a session moves in, opened: its seal, its manifest and its hashes are checked first."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mooring_server.core.names import is_id, quote
from mooring_server.core.sessions import Draft, SessionType
from mooring_server.core.transfers import TABLES
from mooring_server.errors import InvalidArgument
from mooring_server.store.reading import BulkTable
from mooring_server.store.session_file import FORMAT, FORMAT_VERSION, MANIFEST, SEAL_LENGTH, schema

_MANIFEST_MAX_BYTES = 2**20
_PIECE_BYTES = 2**20
_ROWS = 1_000
_MEMBERS = sorted([*(f"{table.name}.parquet" for table in TABLES), MANIFEST])


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file says of itself; `draft` is the session to make, with the id that it had."""

    draft: Draft
    asset_count: int
    dependency_count: int
    content_digest: str


class SessionFile:
    """An exported session; `folder` is for what is unpacked.

    Raises, as its methods do, InvalidArgument (UNREADABLE_SESSION): it is none, was altered, or is of a
    version of the format that is not known here.
    """

    def __init__(self, path: Path, file_name: str, folder: Path) -> None:
        self._file_name = file_name
        self._folder = folder
        if not zipfile.is_zipfile(path):
            raise self._none()
        try:
            with zipfile.ZipFile(path) as archive:
                if MANIFEST not in archive.namelist():
                    raise self._none()
                _check_seal(path)
                plain = _plain_manifest(archive)
                if plain["format_version"] == FORMAT_VERSION:
                    self.manifest = _manifest(plain)
                    for table in TABLES:
                        self._unpack(archive, _member(table), plain["parts"][_member(table)])
        except _FAULTS as fault:
            raise self.altered() from fault
        if plain["format_version"] != FORMAT_VERSION:
            version = quote(str(plain["format_version"]))
            raise self._refusal(
                f"its format is version {version}, and this server knows version {FORMAT_VERSION}; update it"
            )

    def rows(self, table: BulkTable, row_count: int) -> Iterator[dict[str, Any]]:
        """The rows of a table, few of them in memory; times as microseconds since 1970."""
        wanted = schema(table.columns)
        plain = pa.schema([(each.name, _without_times(each.type)) for each in wanted])
        try:
            with pq.ParquetFile(self._folder / _member(table)) as parquet:
                if not parquet.schema_arrow.equals(wanted) or parquet.metadata.num_rows != row_count:
                    raise self.altered()
                for batch in parquet.iter_batches(_ROWS, use_threads=False):
                    yield from batch.cast(plain).to_pylist()
        except (pa.ArrowException, OSError, UnicodeDecodeError) as fault:
            raise self.altered() from fault

    def altered(self) -> InvalidArgument:
        """How one is refused whose bytes or rows are not those of an export."""
        return self._refusal("it is damaged, or was altered since it was exported; export the session again")

    def _none(self) -> InvalidArgument:
        return self._refusal(
            "it is no exported session, or not all of one (`mooring sessions export` makes them); "
            "inventories are imported by `mooring import`"
        )

    def _refusal(self, why: str) -> InvalidArgument:
        return InvalidArgument(f"{self._file_name} cannot be imported: {why}", reason="UNREADABLE_SESSION")

    def _unpack(self, archive: zipfile.ZipFile, name: str, told: dict[str, Any]) -> None:
        """Writes a part to the folder, so that it can be read at any place."""
        hashed, size = sha256(), 0
        with archive.open(name) as member, (self._folder / name).open("wb") as file:
            while piece := member.read(_PIECE_BYTES):
                hashed.update(piece)
                size += len(piece)
                file.write(piece)
        if (hashed.hexdigest(), size) != (told["sha256"], told["size_bytes"]):
            raise ValueError("a part is another one")


# What a file does to those who read it that is not what the manifest promises.
_FAULTS = (
    zipfile.BadZipFile,
    InvalidArgument,
    LookupError,
    TypeError,
    ValueError,
    NotImplementedError,
    EOFError,
)


def _check_seal(path: Path) -> None:
    with path.open("rb") as file:
        left = path.stat().st_size - SEAL_LENGTH
        hashed = sha256()
        while left > 0:
            piece = file.read(min(_PIECE_BYTES, left))
            hashed.update(piece)
            left -= len(piece)
        if file.read() != hashed.hexdigest().encode():
            raise ValueError("the seal is broken")


def _plain_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    entries = archive.infolist()
    # Stored as they are: what is unpacked is no larger than the file.
    if any(each.compress_type != zipfile.ZIP_STORED for each in entries):
        raise ValueError("a part is compressed")
    if archive.getinfo(MANIFEST).file_size > _MANIFEST_MAX_BYTES:
        raise ValueError("the manifest is too long")
    plain: dict[str, Any] = json.loads(archive.read(MANIFEST))
    if plain["format"] != FORMAT:
        raise ValueError("another format")
    # Those of another version may have other parts.
    if plain["format_version"] == FORMAT_VERSION and sorted(each.filename for each in entries) != _MEMBERS:
        raise ValueError("other parts")
    return plain


def _manifest(plain: dict[str, Any]) -> Manifest:
    session, parts = plain["session"], plain["parts"]
    if not is_id(session["id"]):
        raise ValueError("no id")
    draft = Draft(
        session["id"],
        session["display_name"],
        session["description"],
        SessionType(session["type"]),
        dict(session["labels"]),
    )
    assets, dependencies = (int(parts[_member(table)]["rows"]) for table in TABLES)
    return Manifest(draft, assets, dependencies, str(plain["content_digest"]))


def _member(table: BulkTable) -> str:
    return f"{table.name}.parquet"


def _without_times(type_: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_timestamp(type_) else type_
