"""The rows of an exported session, made into what is stored, under new ids or their own.

What is derived is derived anew: digests, sort names, words, the identities of dependencies. Nothing in a file
is believed: whoever forges one, with its seal and its hashes, gets past those and not past the checks here.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from hashlib import blake2b
from math import isfinite
from typing import Any
from uuid import UUID

from mooring_server.core.dependencies import PORT_MAX, dependency_digest, dependency_identity
from mooring_server.core.names import is_id
from mooring_server.core.session_files import SessionFile
from mooring_server.core.staging import LISTS, digest
from mooring_server.store.assets import StoredAsset
from mooring_server.store.assets import stored as stored_asset
from mooring_server.store.dependencies import StoredDependency
from mooring_server.store.dependencies import stored as stored_dependency
from mooring_server.store.reading import EXPORTED_ASSETS, EXPORTED_DEPENDENCIES
from mooring_server.store.records import Asset, AssetType, Dependency, DependencyKind
from mooring_server.store.values import from_json, from_us

_ROW_SIZE_MAX = 2**20
_TIME_PART = len("00000000-0000-0000")


class SessionRows:
    """The rows of a file, each once: all assets first.

    With a `seed` every id becomes another one, the same for the same seed. Raises what the file raises.
    """

    def __init__(self, file: SessionFile, seed: str) -> None:
        self._file = file
        self._rename: Callable[[str], str] = _renamer(seed) if seed else lambda id: id
        self._asset_ids = _Once()

    def assets(self) -> Iterator[tuple[StoredAsset, int]]:
        """The assets, and how many characters each has."""
        identities = _Once()
        for row in self._file.rows(EXPORTED_ASSETS, self._file.manifest.asset_count):
            size = self._check(row)
            is_new = self._asset_ids.add(row["id"]) and identities.add(row["identity"])
            if not (row["display_name"] and is_new):
                raise self._file.altered()
            lists = {name: tuple(row[name]) for name in LISTS}
            try:
                asset = Asset(
                    **{**row, **lists, **_records(row), "type": AssetType(row["type"]), "digest": ""}
                )
            except (ValueError, OverflowError):
                raise self._file.altered() from None
            yield stored_asset(replace(asset, id=self._rename(asset.id), digest=digest(asset))), size

    def dependencies(self) -> Iterator[tuple[StoredDependency, int]]:
        """The dependencies, likewise; after the assets."""
        ids, identities = _Once(), _Once()
        names = [each.name for each in fields(Dependency) if each.name in dict(EXPORTED_DEPENDENCIES.columns)]
        for row in self._file.rows(EXPORTED_DEPENDENCIES, self._file.manifest.dependency_count):
            size = self._check(row)
            ends = [row["source_id"], row["target_id"]]
            key = [row[name] for name in ("port", "protocol", "source_process", "target_process")]
            if not ids.add(row["id"]) or not all(end in self._asset_ids for end in ends):
                raise self._file.altered()
            if row["port"] is not None and not 0 <= row["port"] <= PORT_MAX:
                raise self._file.altered()
            try:
                kind = DependencyKind(row["kind"])
                plain = {**{name: row[name] for name in names}, **_records(row), "kind": kind}
            except (ValueError, OverflowError):
                raise self._file.altered() from None
            source_id, target_id = map(self._rename, ends)
            identity = dependency_identity(source_id, target_id, kind, *key)
            if not identities.add(identity):
                raise self._file.altered()
            made = Dependency(
                **{
                    **plain,
                    "id": self._rename(row["id"]),
                    "source_id": source_id,
                    "target_id": target_id,
                    "identity": identity,
                    "digest": "",
                }
            )
            yield stored_dependency(replace(made, digest=dependency_digest(made))), size

    def _check(self, row: dict[str, Any]) -> int:
        """Refuses values that no export has; how many characters the others have."""
        size = 0
        for name, value in row.items():
            if value is None:
                if name not in _NULLABLE:
                    raise self._file.altered()
            elif value.__class__ is str:
                size += len(value)
                if "\x00" in value:
                    raise self._file.altered()
            elif value.__class__ is list:
                if not all(each.__class__ is str and "\x00" not in each for each in value):
                    raise self._file.altered()
                size += sum(map(len, value))
            elif value.__class__ is float and not isfinite(value):
                raise self._file.altered()
        if size > _ROW_SIZE_MAX or not is_id(row["id"]):
            raise self._file.altered()
        return size


_NULLABLE = frozenset({"cpu_cores", "memory_bytes", "storage_bytes", "port"})


def _records(row: dict[str, Any]) -> dict[str, Any]:
    """Those fields that a record has as other values. Raises ValueError and OverflowError."""
    attributes = from_json(row["attributes"])
    if not isinstance(attributes, dict) or not all(value.__class__ is str for value in attributes.values()):
        raise ValueError("no attributes")
    times = {name: from_us(row[name]) for name in ("create_time", "update_time")}
    return {"attributes": attributes, **times}


def _renamer(seed: str) -> Callable[[str], str]:
    """Other ids for ids. The time in one stays, so that those made together are stored together."""
    key = seed.encode()

    def rename(id: str) -> str:
        made = str(UUID(bytes=blake2b(id.encode(), digest_size=16, key=key).digest()))
        # Of ids, UUIDs alone begin with a digit.
        return id[:_TIME_PART] + made[_TIME_PART:] if id[0].isdigit() else made

    return rename


class _Once:
    """Texts that were seen, by hashes: there may be millions."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def add(self, text: str) -> bool:
        """Whether it is new."""
        count = len(self._seen)
        self._seen.add(_hash(text))
        return len(self._seen) > count

    def __contains__(self, text: str) -> bool:
        return _hash(text) in self._seen


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
