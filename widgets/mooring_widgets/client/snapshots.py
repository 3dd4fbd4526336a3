"""What the client returns: frozen snapshots of the service's resources, as they were when it answered.

Names are full resource names (`engagements/e/sessions/s`); times are aware, in UTC, and None where unset.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
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
    """One state of an engagement's discovery data; equal `data_version`s mean equal data."""

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

    @property
    def engagement(self) -> str:
        """The name of the engagement that holds it."""
        return engagement_of(self.name)


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


@dataclass(frozen=True, slots=True)
class Asset:
    """One thing of an estate. An empty text and a None number mean: not known."""

    name: str
    display_name: str
    type: str = "other"
    external_id: str = ""
    hostname: str = ""
    ip_addresses: tuple[str, ...] = ()
    environment: str = ""
    location: str = ""
    platform: str = ""
    operating_system: str = ""
    status: str = ""
    owner: str = ""
    application: str = ""
    criticality: str = ""
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    storage_bytes: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    source_file: str = ""
    source_sheet: str = ""
    source_row: int = 0
    create_time: datetime | None = None
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageOf(Generic[T]):
    """A page of a list: `total` counts the whole list, `next_token` is empty at its end.

    `data_version` is set for assets alone: a walk by tokens stays within one.
    """

    items: tuple[T, ...]
    total: int
    next_token: str = ""
    data_version: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over assets, each over those where the value is known."""

    asset_count: int = 0
    cpu_cores: float = 0.0
    memory_bytes: int = 0
    storage_bytes: int = 0


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
class Landscape:
    """What a session's assets add up to."""

    name: str
    data_version: str
    totals: Totals
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Switched:
    """Everything that a switch changed."""

    session: Session
    context: Context


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is.

    `phase` is `uploading` (then `done` and `total` are bytes), or `queued`, `reading`, `writing`,
    `publishing`, `done` (then they are rows). `total` is 0 until known.
    """

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not be taken; `sheet` is empty where the file has none."""

    sheet: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.sheet} row {self.row}: {self.reason}".lstrip()


@dataclass(frozen=True, slots=True, repr=False)
class ImportReport:
    """Where every row went: source_rows = created + updated + unchanged + joined + len(rejected)."""

    session: str
    kind: str
    source_rows: int
    created: int
    updated: int
    unchanged: int
    joined: int
    implied: int
    rejected: tuple[RejectedRow, ...] = ()
    created_by_type: Mapping[str, int] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)
    data_version: str = ""
    notes: tuple[str, ...] = ()

    def _counts(self) -> list[tuple[str, int]]:
        return [
            ("created", self.created),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("joined", self.joined),
            ("rejected", len(self.rejected)),
        ]

    def __repr__(self) -> str:
        lines = [f"Imported {self.source_rows:,} rows ({self.kind}) into {self.session}"]
        lines += [f"  {label:<10}{count:>10,}" for label, count in self._counts()]
        if self.implied:
            lines.append(f"  {'implied':<10}{self.implied:>10,}  (assets that a row only mentions)")
        lines += [f"  created {type_}: {count:,}" for type_, count in sorted(self.created_by_type.items())]
        lines += [f"  {row}" for row in self.rejected[:5]]
        if len(self.rejected) > 5:
            lines.append(f"  … and {len(self.rejected) - 5:,} more in .rejected")
        lines += [f"  note: {note}" for note in self.notes[:5]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(label)}</th>" for label, _ in self._counts())
        body = "".join(f"<td>{count:,}</td>" for _, count in self._counts())
        rows = map(str, self.rejected[:20])
        remarks = "".join(f"<li>{escape(text)}</li>" for text in [*rows, *self.notes[:20]])
        return (
            f"<p>Imported {self.source_rows:,} rows ({escape(self.kind)}) into {escape(self.session)}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody><tr>{body}</tr></tbody></table>"
            + (f"<ul>{remarks}</ul>" if remarks else "")
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One changed resource. `kind` is `created`, `updated`, `deleted`, `imported`, `switched`, `archived`,
    `unarchived`, `undeleted` or `revoked`."""

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
    resume. An event without changes is a heartbeat.
    """

    changes: tuple[Change, ...] = ()
    live: bool = True
    gap: bool = False
    token: str = ""
