"""The records of discovery data; see `records.py`, which lists them with the others."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


def version_label(version_id: str | None, revision: int) -> str:
    """The label of a version in one of its revisions; empty where there is none."""
    return f"{version_id}.{revision}" if version_id and revision else version_id or ""


class AssetType(StrEnum):
    """What an asset is; the values are those of `mooring.v1.AssetType` in lower case."""

    SERVER = "server"
    DATABASE = "database"
    APPLICATION = "application"
    NETWORK = "network"
    LOAD_BALANCER = "load_balancer"
    STORAGE = "storage"
    VIRTUAL_MACHINE = "virtual_machine"
    CONTAINER = "container"
    SECURITY_GROUP = "security_group"
    OTHER = "other"


class DependencyKind(StrEnum):
    """What a dependency is; the values are those of `mooring.v1.DependencyKind` in lower case."""

    FLOW = "flow"
    RUNS_ON = "runs_on"
    LINK = "link"
    USES = "uses"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Asset:
    """One thing of an estate; empty texts and None mean unknown.

    `identity` is the key that the same thing has in the next import (see `core/settlement.py`); `digest` is
    over everything that an import can change, so that equal digests mean an unchanged asset.
    """

    id: str
    identity: str
    digest: str
    display_name: str
    type: AssetType
    external_id: str
    hostname: str
    ip_addresses: tuple[str, ...]
    environment: str
    location: str
    platform: str
    operating_system: str
    status: str
    owner: str
    application: str
    criticality: str
    cpu_cores: float | None
    memory_bytes: int | None
    storage_bytes: int | None
    attributes: dict[str, str]
    source_file: str
    source_sheet: str
    source_row: int
    create_time: datetime
    update_time: datetime
    mac_addresses: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    technology: str = ""
    model: str = ""
    serial_number: str = ""
    business_unit: str = ""
    migration_status: str = ""
    migration_strategy: str = ""
    migration_wave: str = ""
    source: str = ""
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Dependency:
    """One asset's need of another, by their ids; empty texts and None mean unknown.

    `identity` is over its ends, kind, port, protocol and processes, `digest` over what else an import can
    change of it. The display names are those of its ends, empty where it was not read with them.
    """

    id: str
    identity: str
    digest: str
    source_id: str
    target_id: str
    kind: DependencyKind
    port: int | None
    protocol: str
    source_process: str
    target_process: str
    description: str
    attributes: dict[str, str]
    source_file: str
    source_sheet: str
    source_row: int
    create_time: datetime
    update_time: datetime
    source_display_name: str = ""
    target_display_name: str = ""


@dataclass(frozen=True, slots=True)
class DataVersion:
    """One set of assets and dependencies. It is built invisibly, then published by a session's pointer.

    `revision` counts the edits since. What is derived from a version is of one revision of it.
    """

    id: str
    engagement_id: str
    session_id: str
    base_id: str | None
    published: bool
    asset_count: int
    dependency_count: int
    revision: int
    base_revision: int
    create_time: datetime

    @property
    def label(self) -> str:
        """What callers see of the version: another text after each change of what it holds."""
        return version_label(self.id, self.revision)


@dataclass(frozen=True, slots=True)
class SpareVersions:
    """How many data versions no session shows, what they hold, and how many of them are due to be removed.

    What one that is still being built holds is not counted.
    """

    data_versions: int
    assets: int
    dependencies: int
    due: int


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge of an engagement; its id is its operation's. `plan` and `counts` are plain JSON values.

    `version_id` and `revision` are what it left its target with, `base_id` and `base_revision` what was there
    before. `source_state` is what it found of the source session where it archived that.
    """

    id: str
    engagement_id: str
    target_id: str
    source_id: str
    user_id: str
    plan: dict[str, Any]
    counts: dict[str, Any]
    base_id: str | None
    base_revision: int
    source_version_id: str | None
    source_revision: int
    version_id: str
    revision: int
    source_state: dict[str, Any] | None
    create_time: datetime
    revert_time: datetime | None
    reverter_id: str | None


@dataclass(frozen=True, slots=True)
class MergeDrop:
    """What a merge left out of an asset or a dependency (`kind`), by the id that the target knows it by.

    `dropped` has for each field: its name, the target's value, the source's, and whose was taken.
    """

    kind: str
    id: str
    display_name: str
    dropped: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a session's history; its id is its operation's.

    `options` and `report` are plain JSON values. The report is without the rows that were rejected and the
    assets that went missing, except where the import was read by itself. `version_id` and `revision` are
    what it left its session with, `base_id` and `base_revision` what was there before.
    """

    id: str
    engagement_id: str
    session_id: str
    user_id: str
    file_name: str
    sha256: str
    size_bytes: int
    options: dict[str, Any]
    report: dict[str, Any]
    base_id: str | None
    base_revision: int
    version_id: str | None
    revision: int
    create_time: datetime
    revert_time: datetime | None
    reverter_id: str | None
