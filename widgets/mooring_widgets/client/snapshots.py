"""What the client returns: frozen snapshots of the service's resources, as they were when it answered.

Names are full resource names (`engagements/e/sessions/s`); times are aware, in UTC, and None where unset.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


def engagement_of(session_name: str) -> str:
    """The engagement's name in a session's full name."""
    engagement, separator, _ = session_name.partition("/sessions/")
    if not separator:
        raise ValueError(f"not a full session name: {session_name!r}")
    return engagement


def id_of(name: str) -> str:
    """The last segment of a resource name."""
    return name.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class User:
    """Who is calling."""

    name: str
    display_name: str
    email: str = ""
    default_engagement: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a notebook stands; `revision` rises by one with each switch."""

    name: str
    engagement: str
    session: str
    revision: int


@dataclass(frozen=True, slots=True)
class Session:
    """One state of an engagement's discovery data; equal `data_version`s mean equal data.

    `parent_session` is the name of the one that it goes back to, empty where none.
    """

    name: str
    display_name: str
    description: str = ""
    type: str = "data_import"
    is_default: bool = False
    creator: str = ""
    data_version: str = ""
    asset_count: int = 0
    etag: str = ""
    create_time: datetime | None = None
    update_time: datetime | None = None
    delete_time: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    parent_session: str = ""
    dependency_count: int = 0
    last_activity_time: datetime | None = None
    archive_time: datetime | None = None

    @property
    def engagement(self) -> str:
        """The name of the engagement that holds it."""
        return engagement_of(self.name)


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """A user's own way to some sessions of an engagement, archived ones too.

    `pinned` in the order of pinning, `recent` those that they switched to, the last one first.
    """

    pinned: tuple[Session, ...] = ()
    recent: tuple[Session, ...] = ()


@dataclass(frozen=True, slots=True)
class Engagement:
    """The work for one client. `revision` is the position of its change stream."""

    name: str
    display_name: str
    description: str = ""
    default_session: str = ""
    session_count: int = 0
    revision: int = 0
    etag: str = ""
    create_time: datetime | None = None
    update_time: datetime | None = None
    archive_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """One thing of an estate. An empty text and a None number mean: not known.

    `implied`: no row of an inventory is about it, something only mentions it.
    """

    name: str
    display_name: str
    type: str = "other"
    external_id: str = ""
    hostname: str = ""
    ip_addresses: tuple[str, ...] = ()
    mac_addresses: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    environment: str = ""
    location: str = ""
    platform: str = ""
    operating_system: str = ""
    technology: str = ""
    model: str = ""
    serial_number: str = ""
    status: str = ""
    owner: str = ""
    application: str = ""
    business_unit: str = ""
    criticality: str = ""
    migration_status: str = ""
    migration_strategy: str = ""
    migration_wave: str = ""
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    storage_bytes: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    source_file: str = ""
    source_sheet: str = ""
    source_row: int = 0
    implied: bool = False
    etag: str = ""
    create_time: datetime | None = None
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """One asset's need of another; `source` and `target` are assets' names.

    `kind` is `flow`, `runs_on`, `link`, `uses` or `other`; `port` is the target's. An empty text and a None
    port mean: not known.
    """

    name: str
    source: str
    target: str
    kind: str = "other"
    port: int | None = None
    protocol: str = ""
    source_process: str = ""
    target_process: str = ""
    description: str = ""
    source_display_name: str = ""
    target_display_name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    source_file: str = ""
    source_sheet: str = ""
    source_row: int = 0
    etag: str = ""
    create_time: datetime | None = None
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageOf(Generic[T]):
    """A page of a list: `total` counts the whole list, `next_token` is empty at its end.

    `data_version` is set for assets and dependencies alone: a walk by tokens stays within one.
    `total_at_least`: with a filter it was only counted so far, and there may be more.
    """

    items: tuple[T, ...]
    total: int
    next_token: str = ""
    data_version: str = ""
    total_at_least: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over assets, each over those where the value is known; `…_known` say of how many that is."""

    asset_count: int = 0
    cpu_cores: float = 0.0
    memory_bytes: int = 0
    storage_bytes: int = 0
    cpu_known: int = 0
    memory_known: int = 0
    storage_known: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """The assets with one value; the empty value stands for not known."""

    value: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Group:
    """A session's assets by one field, most assets first; `value_count` counts values listed or not."""

    field: str
    buckets: tuple[Bucket, ...]
    value_count: int


@dataclass(frozen=True, slots=True)
class AssetReference:
    """An asset's name, and what people read."""

    asset: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Application:
    """An application, and what serves it; of its servers the first 20 by name are listed."""

    application: str
    totals: Totals
    count_by_type: Mapping[str, int] = field(default_factory=dict)
    servers: tuple[AssetReference, ...] = ()
    server_count: int = 0


@dataclass(frozen=True, slots=True)
class Degree:
    """How many different assets need one, and how many it needs."""

    asset: AssetReference
    in_degree: int
    out_degree: int


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a session's dependencies add up to; `degrees` are of the assets with most neighbours.

    `self_count` are those of an asset on itself, which count in no degree; `isolated_count` are assets with
    no other at the end of a dependency.
    """

    count: int = 0
    count_by_kind: Mapping[str, int] = field(default_factory=dict)
    self_count: int = 0
    isolated_count: int = 0
    degrees: tuple[Degree, ...] = ()


@dataclass(frozen=True, slots=True)
class Landscape:
    """What a session's assets add up to.

    `completeness` says of how many assets each field is known; `application_count` counts applications listed
    or not.
    """

    name: str
    data_version: str
    totals: Totals
    groups: tuple[Group, ...]
    applications: tuple[Application, ...] = ()
    application_count: int = 0
    completeness: Mapping[str, int] = field(default_factory=dict)
    dependencies: Dependencies = Dependencies()


@dataclass(frozen=True, slots=True)
class Switched:
    """Everything that a switch changed."""

    session: Session
    context: Context


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that somebody did: `kind` is as in `Change`; `session` is empty where it concerns none."""

    actor: str
    kind: str
    resource: str
    engagement: str = ""
    session: str = ""
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One changed resource. `kind` is `created`, `updated`, `deleted`, `imported`, `reverted`, `switched`,
    `archived`, `unarchived`, `undeleted` or `revoked`."""

    stream: str
    revision: int
    kind: str
    resource: str
    actor: str = ""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """What a watch says.

    `live` is False while the connection is down. `gap` means that changes of the watched streams may have
    been missed, so that everything known of them has to be read again. `token` is where a later watch can
    resume, `incarnation` the id of the database. An event without changes is a heartbeat.
    """

    changes: tuple[Change, ...] = ()
    live: bool = True
    gap: bool = False
    token: str = ""
    incarnation: str = ""
