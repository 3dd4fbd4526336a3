"""The landscape: what a session's assets and dependencies add up to, computed once for each state of them."""

from dataclasses import dataclass
from typing import Any

from mooring_server.core import sessions
from mooring_server.errors import Aborted
from mooring_server.store import Tx
from mooring_server.store.landscapes import GROUPED_FIELDS, KNOWABLE_FIELDS, as_document
from mooring_server.store.records import DataVersion

Landscape = dict[str, Any]
"""Plain values in the shape of `mooring.v1.Landscape`, without its `name` and `data_version`.

Assets are named by their ids alone.
"""


@dataclass(frozen=True, slots=True)
class Computed:
    """The landscape of a version in one revision; `document` is to be kept, None where it was kept before."""

    version: DataVersion
    landscape: Landscape
    document: str | None


def find(tx: Tx, engagement_id: str, session_id: str) -> tuple[DataVersion | None, Landscape | None]:
    """What a session shows now, and its landscape: None where that is still to be computed.

    A session without data has an empty one.

    Raises:
        NotFound: SESSION_NOT_FOUND.
    """
    version_id = sessions.get(tx, engagement_id, session_id).data_version_id
    version = None if version_id is None else tx.versions.get(version_id)
    if version is None:
        return None, empty()
    return version, tx.landscapes.get(version.id, version.revision)


def compute(tx: Tx, version_id: str) -> Computed:
    """The landscape of a version as it is now. Reads all of the version: long.

    Raises:
        Aborted: DATA_VERSION_MOVED; the version is no longer kept.
    """
    version = tx.versions.get(version_id)
    if version is None:
        raise Aborted("the session's data changed meanwhile; ask again", reason="DATA_VERSION_MOVED")
    kept = tx.landscapes.get(version.id, version.revision)
    if kept is not None:
        return Computed(version, kept, None)
    landscape = tx.landscapes.aggregate(version.id)
    return Computed(version, landscape, as_document(landscape))


def keep(tx: Tx, computed: Computed) -> None:
    """Keeps what was computed, until the version changes."""
    if computed.document is not None:
        tx.landscapes.put(computed.version.id, computed.version.revision, computed.document)


def empty() -> Landscape:
    """What nothing adds up to."""
    return {
        "totals": {
            "asset_count": 0,
            "cpu_cores": 0.0,
            "memory_bytes": 0,
            "storage_bytes": 0,
            "cpu_known_count": 0,
            "memory_known_count": 0,
            "storage_known_count": 0,
        },
        "groups": [{"field": name, "buckets": [], "value_count": 0} for name in GROUPED_FIELDS],
        "applications": [],
        "application_count": 0,
        "completeness": [{"field": name, "known_count": 0} for name in KNOWABLE_FIELDS],
        "dependencies": {
            "dependency_count": 0,
            "count_by_kind": {},
            "self_count": 0,
            "isolated_count": 0,
            "degrees": [],
        },
    }
