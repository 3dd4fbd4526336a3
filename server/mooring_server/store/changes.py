"""The change log: collected while a transaction works, written at its end, read by everything downstream.

A stream's revision lives on the row that owns it (an engagement, a user), so it has no gaps and commits in
order. It is bumped last, since the bump locks that row until the commit, and in the order of the streams'
names, since two writers that bump two streams in two orders wait for each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from peewee import Node, Value, fn

from mooring_server.errors import PermissionDenied
from mooring_server.store import tables
from mooring_server.store.engagements import archived
from mooring_server.store.records import Change, ChangeKind, Role
from mooring_server.store.statements import Statement, param, statement_family
from mooring_server.store.values import from_json, from_us, to_json

if TYPE_CHECKING:
    from mooring_server.store.transaction import Tx

_C = tables.Changes
_OWNERS: dict[str, Any] = {"engagements": tables.Engagements, "users": tables.Users}

_BUMP_USER = Statement(
    tables.Users.update({tables.Users.revision: tables.Users.revision + 1})
    .where(tables.Users.id == param("id"))
    .returning(tables.Users.revision)
)
_BUMP_ENGAGEMENT = Statement(
    tables.Engagements.update(
        {
            tables.Engagements.revision: tables.Engagements.revision + 1,
            tables.Engagements.session_count: tables.Engagements.session_count + param("sessions"),
        }
    )
    .where(tables.Engagements.id == param("id"))
    .returning(tables.Engagements.revision, tables.Engagements.archive_time)
)
_INSERT = Statement(_C.insert({field: param(field.name) for field in _C._meta.sorted_fields}))
_HEAD = {
    kind: Statement(owner.select(owner.revision).where(owner.id == param("id")))
    for kind, owner in _OWNERS.items()
}
_EARLIEST = Statement(_C.select(fn.MIN(_C.revision)).where(_C.stream == param("stream")))
_AFTER = Statement(
    _C.select()
    .where((_C.stream == param("stream")) & (_C.revision > param("revision")))
    .order_by(_C.revision, _C.position)
    .limit(param("limit"))
)
_REVISION = Statement(
    _C.select()
    .where((_C.stream == param("stream")) & (_C.revision == param("revision")))
    .order_by(_C.position)
)
_TRIM = Statement(_C.delete().where((_C.stream == param("stream")) & (_C.revision <= param("revision"))))


def _overlong(kind: str) -> Statement:
    owner = _OWNERS[kind]
    stream = Value(f"{kind}/").concat(owner.id)
    kept = _C.select(_C.revision).where(
        (_C.stream == stream) & (_C.revision <= owner.revision - param("keep"))
    )
    return Statement(
        owner.select(owner.id)
        .where((owner.revision > param("keep")) & fn.EXISTS(kept))
        .order_by(owner.id)
        .limit(param("limit"))
    )


_OVERLONG = {kind: _overlong(kind) for kind in _OWNERS}

# Heads asked for in one statement. Lists of ids come in few lengths, so that few statements are built.
_HEADS_MAX = 1_024


@statement_family
def _heads(kind: str, count: int) -> Node:
    owner = _OWNERS[kind]
    ids = [param(str(place)) for place in range(count)]
    query: Node = owner.select(owner.id, owner.revision).where(owner.id.in_(ids))
    return query


class _Note(NamedTuple):
    kind: ChangeKind
    resource: str
    engagement_id: str | None
    session_id: str | None
    detail: Mapping[str, Any]


class Changes:
    """The log, and what this transaction will append to it."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._notes: dict[str, list[_Note]] = {}
        self._sessions: dict[str, int] = {}
        self._in_use: set[str] = set()
        self._roles: dict[str, tuple[str, Role]] = {}

    def note(
        self,
        stream: str,
        kind: ChangeKind,
        resource: str,
        *,
        engagement_id: str | None = None,
        session_id: str | None = None,
        **detail: Any,
    ) -> None:
        """Says that `resource` changes in this transaction. Every mutation of a noun calls it itself.

        What it concerns is in the names of an engagement's stream; a user's stream says it in so many words.
        """
        if stream.startswith("engagements/"):
            engagement_id, session_id = stream.partition("/")[2], _session_of(resource)
        self._notes.setdefault(stream, []).append(_Note(kind, resource, engagement_id, session_id, detail))

    def count_sessions(self, engagement_id: str, difference: int) -> None:
        """Moves the engagement's `session_count` with the bump, which locks the row anyway."""
        self._sessions[engagement_id] = self.pending_sessions(engagement_id) + difference

    def expect_in_use(self, engagement_id: str) -> None:
        """Has the bump refuse an engagement that was archived since this transaction looked at it."""
        self._in_use.add(engagement_id)

    def expect_role(self, engagement_id: str, user_id: str, least: Role) -> None:
        """Has the bump refuse a user whose role was taken away since this transaction looked at it.

        What the transaction does to that role itself is no such thing.
        """
        self._roles[engagement_id] = (user_id, least)

    def pending(self, stream: str) -> int:
        """How far this transaction will move the stream: 1 when it touched it, else 0."""
        return 1 if stream in self._notes else 0

    def pending_sessions(self, engagement_id: str) -> int:
        """How far this transaction will move the engagement's `session_count`."""
        return self._sessions.get(engagement_id, 0)

    def flush(self) -> frozenset[str]:
        """Bumps the touched streams and appends their changes; answers the streams.

        Raises FailedPrecondition (ENGAGEMENT_ARCHIVED), see `expect_in_use`, and PermissionDenied, see
        `expect_role`.
        """
        tx = self._tx
        for stream in sorted(self._notes):
            kind, _, owner = stream.partition("/")
            if kind == "engagements":
                bumped = tx.row(_BUMP_ENGAGEMENT, id=owner, sessions=self.pending_sessions(owner))
                if owner in self._in_use and bumped[1] is not None:
                    raise archived()
                self._require_role(owner)
            else:
                bumped = tx.row(_BUMP_USER, id=owner)
            for position, note in enumerate(self._notes[stream]):
                tx.run(
                    _INSERT,
                    stream=stream,
                    revision=bumped[0],
                    position=position,
                    kind=note.kind.value,
                    resource=note.resource,
                    actor=tx.actor,
                    commit_time=tx.now_us,
                    detail=to_json(note.detail) if note.detail else "{}",
                    engagement_id=note.engagement_id,
                    session_id=note.session_id,
                )
        return frozenset(self._notes)

    def _require_role(self, engagement_id: str) -> None:
        # Whoever changes a role moves the engagement's row too, and that is locked now: nobody comes between.
        if self._tx.is_sqlite or engagement_id not in self._roles:
            return
        user_id, least = self._roles[engagement_id]
        own = f"engagements/{engagement_id}/members/{user_id}"
        if any(note.resource == own for note in self._notes[f"engagements/{engagement_id}"]):
            return
        role = self._tx.members.role(engagement_id, user_id)
        if role is None or role < least:
            raise PermissionDenied("your role in the engagement was taken away in this very moment")

    def head(self, stream: str) -> int | None:
        """The stream's revision; None where there is no such stream."""
        kind, _, owner = stream.partition("/")
        if kind not in _HEAD:
            return None
        row = self._tx.row(_HEAD[kind], id=owner)
        return None if row is None else row[0] + self.pending(stream)

    def heads(self, streams: Iterable[str]) -> dict[str, int]:
        """The revisions of many streams in few statements, without those that there are not.

        For streams that this transaction does not move.
        """
        by_kind = defaultdict[str, list[str]](list)
        for stream in streams:
            kind, _, owner = stream.partition("/")
            by_kind[kind].append(owner)
        found: dict[str, int] = {}
        for kind in by_kind.keys() & _OWNERS.keys():
            for start in range(0, len(by_kind[kind]), _HEADS_MAX):
                ids = by_kind[kind][start : start + _HEADS_MAX]
                count = 1 << (len(ids) - 1).bit_length()
                places = {str(place): ids[min(place, len(ids) - 1)] for place in range(count)}
                rows = self._tx.rows(_heads(kind, count), **places)
                found.update((f"{kind}/{owner}", revision) for owner, revision in rows)
        return found

    def earliest(self, stream: str) -> int:
        """The earliest revision that is still kept; one past the stream's head where none is."""
        earliest = self._tx.row(_EARLIEST, stream=stream)[0]
        return (self.head(stream) or 0) + 1 if earliest is None else earliest

    def after(self, stream: str, revision: int, limit: int) -> list[Change]:
        """The changes past a revision: about `limit`, always whole revisions, at least one if any."""
        rows = self._tx.rows(_AFTER, stream=stream, revision=revision, limit=limit + 1)
        if len(rows) > limit:
            cut = rows[-1][1]
            whole = [row for row in rows if row[1] != cut]
            rows = whole or self._tx.rows(_REVISION, stream=stream, revision=cut)
        return [_change(row) for row in rows]

    def overlong(self, keep: int, limit: int) -> list[str]:
        """At most `limit` streams that hold more than their newest `keep` revisions."""
        found: list[str] = []
        for kind, statement in _OVERLONG.items():
            rows = self._tx.rows(statement, keep=keep, limit=limit - len(found))
            found.extend(f"{kind}/{row[0]}" for row in rows)
        return found

    def trim(self, stream: str, keep: int, limit: int) -> int:
        """Forgets all but the newest `keep` revisions, oldest first, at most `limit` revisions at a time.

        Answers how many changes went; call again until it is 0.
        """
        last = (self.head(stream) or 0) - keep
        oldest = self.earliest(stream)
        return self._tx.run(_TRIM, stream=stream, revision=min(last, oldest + limit - 1))


def _session_of(resource: str) -> str | None:
    parts = resource.split("/")
    return parts[3] if len(parts) > 3 and parts[2] == "sessions" else None


def _change(row: Any) -> Change:
    stream, revision, _, kind, resource, actor, commit_time, detail, *_ = row
    return Change(
        stream, revision, ChangeKind(kind), resource, actor, from_us(commit_time), from_json(detail)
    )
