"""What leaves the store: frozen records, never rows.

Ids are bare (`wave-1`), not resource names. Times are aware and in UTC. A change of a record is a new record
from the store; nobody edits one.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any, Generic, TypeVar

from mooring_server.store.data_records import (
    Asset,
    AssetType,
    DataVersion,
    Dependency,
    DependencyKind,
    Import,
    Merge,
    MergeDrop,
    SpareVersions,
    version_label,
)

__all__ = [
    "Activity",
    "Asset",
    "AssetType",
    "Change",
    "ChangeKind",
    "Context",
    "DataVersion",
    "Dependency",
    "DependencyKind",
    "Engagement",
    "Import",
    "Member",
    "Merge",
    "MergeDrop",
    "Operation",
    "OperationState",
    "Order",
    "Page",
    "Role",
    "Session",
    "SpareVersions",
    "StoredAnswer",
    "Token",
    "TokenScope",
    "Upload",
    "UsageDay",
    "User",
    "version_label",
]

T = TypeVar("T")


class Role(IntEnum):
    """What a member may do, each including the one before."""

    VIEWER = 1
    ANALYST = 2
    MANAGER = 3


class TokenScope(StrEnum):
    """What an API token allows; the values are those of `mooring.v1.TokenScope` in lower case."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class ChangeKind(StrEnum):
    """What happened to a resource."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    IMPORTED = "imported"
    SWITCHED = "switched"
    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"
    UNDELETED = "undeleted"
    REVOKED = "revoked"
    REVERTED = "reverted"
    MERGED = "merged"


class Order(StrEnum):
    """How lists are ordered; the values are those of `order_by`, and `desc` turns all of an order round."""

    DISPLAY_NAME = "display_name"
    DISPLAY_NAME_DESC = "display_name desc"
    CREATE_TIME = "create_time"
    CREATE_TIME_DESC = "create_time desc"
    LAST_ACTIVITY_TIME = "last_activity_time"
    LAST_ACTIVITY_TIME_DESC = "last_activity_time desc"
    TIME = "time"
    TIME_DESC = "time desc"

    @property
    def descends(self) -> bool:
        """Whether the greatest come first."""
        return self.value.endswith(" desc")


class OperationState(StrEnum):
    """The life of a long-running operation; it ends in one of the last three."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class User:
    """A caller. `subject` is what the identity provider calls them; `revision` counts their stream."""

    id: str
    subject: str
    display_name: str
    email: str
    default_engagement_id: str | None
    revision: int
    etag: int
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Context:
    """A user's place. `revision` rises by one with each switch."""

    user_id: str
    id: str
    engagement_id: str
    session_id: str
    revision: int
    create_time: datetime
    update_time: datetime
    use_time: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, without its secret. `use_time` is kept to the hour."""

    user_id: str
    id: str
    display_name: str
    scope: TokenScope
    expire_time: datetime
    create_time: datetime
    revoke_time: datetime | None
    use_time: datetime | None


@dataclass(frozen=True, slots=True)
class Engagement:
    """The work for one client. `revision` is the position of its change stream."""

    id: str
    display_name: str
    description: str
    default_session_id: str
    session_count: int
    revision: int
    etag: int
    create_time: datetime
    update_time: datetime
    archive_time: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """A user in an engagement. `last_activity_time` is as far as the log is kept."""

    engagement_id: str
    user_id: str
    display_name: str
    role: Role
    etag: int
    create_time: datetime
    update_time: datetime
    last_activity_time: datetime | None


@dataclass(frozen=True, slots=True)
class Session:
    """One state of an engagement's data. `data_version_id` is None until something was imported."""

    engagement_id: str
    id: str
    display_name: str
    description: str
    type: str
    is_default: bool
    creator_id: str
    data_version_id: str | None
    asset_count: int
    etag: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None
    labels: dict[str, str]
    parent_id: str | None
    dependency_count: int
    last_activity_time: datetime
    archive_time: datetime | None
    data_revision: int = 0

    @property
    def data_label(self) -> str:
        """What callers see of its data version; empty where it has none."""
        return version_label(self.data_version_id, self.data_revision)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that waits to be imported; its bytes are read chunk by chunk."""

    id: str
    engagement_id: str
    session_id: str
    user_id: str
    file_name: str
    sha256: str
    size_bytes: int
    chunk_count: int
    complete: bool
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """Long work on a session. `progress`, `result` and `error` are plain JSON values.

    `host` is the id of the process that runs it, empty while it is queued. That process refreshes
    `update_time`; a running operation that nobody has refreshed for long was interrupted.
    """

    id: str
    engagement_id: str
    session_id: str
    user_id: str
    kind: str
    state: OperationState
    cancel_requested: bool
    host: str
    arguments: dict[str, Any]
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One changed resource: all rows of one stream and revision were one commit."""

    stream: str
    revision: int
    kind: ChangeKind
    resource: str
    actor: str
    commit_time: datetime
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that somebody did in an engagement; `actor` is `users/{user}`."""

    actor: str
    kind: ChangeKind
    resource: str
    engagement_id: str
    session_id: str | None
    time: datetime


@dataclass(frozen=True, slots=True)
class UsageDay:
    """What happened in an engagement on a day in UTC."""

    date: date
    sessions_created: int = 0
    switches: int = 0
    imports: int = 0
    active_users: int = 0


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a mutating call answered: `payload_hash` tells a retry from a reuse of its request id."""

    payload_hash: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some records in order; `next_key` is where the next page starts, None at the end."""

    items: tuple[T, ...]
    next_key: tuple[Any, ...] | None
