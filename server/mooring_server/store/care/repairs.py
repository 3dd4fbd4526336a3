"""What the doctor repairs: each looks again, and changes what is still wrong, in a transaction of its own.

A change is noted where a resource visibly changes, so that watchers hear of it.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from peewee import SQL, Value, fn

from mooring_server.errors import AlreadyExists
from mooring_server.store.care import scans
from mooring_server.store.records import ChangeKind, OperationState
from mooring_server.store.statements import Statement, param
from mooring_server.store.tables import (
    Assets,
    Changes,
    DataVersions,
    Dependencies,
    Engagements,
    Landscapes,
    Members,
    Operations,
    SessionLabels,
    Sessions,
    Users,
)
from mooring_server.store.transaction import Tx
from mooring_server.store.values import new_id, to_json

_BASELINE, _TYPE = "Baseline", "data_import"
# As `core/operations.py` keeps failures.
_UNKNOWN_OUTCOME = to_json(
    {
        "failure": "MooringError",
        "reason": "INTERNAL",
        "message": "what came of this operation was lost; look at the session's data",
    }
)

_SESSION = (Sessions.engagement_id == param("engagement_id")) & (Sessions.id == param("id"))
_OLDEST = Statement(
    Sessions.select(Sessions.id)
    .where(
        (Sessions.engagement_id == param("engagement_id"))
        & Sessions.delete_time.is_null()
        & Sessions.archive_time.is_null()
    )
    .order_by(Sessions.create_time, Sessions.id)
    .limit(1)
)
_MANAGER = Statement(
    Members.select(Members.user_id)
    .where(Members.engagement_id == param("engagement_id"))
    .order_by(Members.role.desc(), Members.create_time, Members.user_id)
    .limit(1)
)
_LIVING_COUNT = Statement(
    Sessions.select(fn.COUNT(1)).where(
        (Sessions.engagement_id == param("engagement_id")) & Sessions.delete_time.is_null()
    )
)
_SHOWN = fn.EXISTS(Sessions.select(Value(1)).where(Sessions.data_version_id == DataVersions.id))
_VERSION = DataVersions.id == param("id")
_MARK = Statement(
    DataVersions.update({DataVersions.published: True, DataVersions.idle_time: None}).where(_VERSION & _SHOWN)
)
_UNMARK = Statement(
    DataVersions.update({DataVersions.idle_time: param("now")}).where(
        _VERSION & ~_SHOWN & DataVersions.idle_time.is_null()
    )
)
_RECOUNT_VERSION = Statement(
    DataVersions.update(
        {
            count: table.select(fn.COUNT(1)).where(table.version_id == DataVersions.id)
            for count, table in (
                (DataVersions.asset_count, Assets),
                (DataVersions.dependency_count, Dependencies),
            )
        }
    ).where(_VERSION & DataVersions.idle_time.is_null())
)
_DROP_LANDSCAPE = Statement(Landscapes.delete().where(Landscapes.version_id == param("id")))
_RECOUNT_SESSION = Statement(
    Sessions.update(
        {
            count: fn.COALESCE(
                DataVersions.select(counted).where(DataVersions.id == Sessions.data_version_id), 0
            )
            for count, counted in (
                (Sessions.asset_count, DataVersions.asset_count),
                (Sessions.dependency_count, DataVersions.dependency_count),
                (Sessions.data_revision, DataVersions.revision),
            )
        }
        | {
            Sessions.etag: Sessions.etag + 1,
        }
    ).where(_SESSION)
)
_CLEAR_PARENT = Statement(
    Sessions.update({Sessions.parent_id: None, Sessions.etag: Sessions.etag + 1}).where(_SESSION)
)
# A change of nothing: it locks the row, deleted or not.
_HOLD = Statement(
    Sessions.update({Sessions.labels: Sessions.labels}).where(_SESSION).returning(Sessions.labels)
)
_OF_SESSION = (SessionLabels.engagement_id == param("engagement_id")) & (
    SessionLabels.session_id == param("id")
)
_LABEL_ROWS = Statement(SessionLabels.select(SessionLabels.key, SessionLabels.value).where(_OF_SESSION))
_CLEAR_LABELS = Statement(SessionLabels.delete().where(_OF_SESSION))
_ADD_LABEL = Statement(
    SessionLabels.insert({field: param(field.name) for field in SessionLabels._meta.sorted_fields})
)
_SET_LABELS = Statement(
    Sessions.update({Sessions.labels: param("labels"), Sessions.etag: Sessions.etag + 1}).where(_SESSION)
)
_END = Statement(
    Operations.update(
        {Operations.state: OperationState.FAILED.value, Operations.error: param("error")}
    ).where(Operations.id == param("id"))
)
_CHANGE = (
    (Changes.stream == param("stream"))
    & (Changes.revision == param("revision"))
    & (Changes.position == param("position"))
)
_RESOURCE = Statement(Changes.select(Changes.resource).where(_CHANGE))
_FILE_UNDER = Statement(
    Changes.update(
        {Changes.engagement_id: param("engagement_id"), Changes.session_id: param("session_id")}
    ).where(_CHANGE)
)


def _catch_up(owner: Any) -> Statement:
    last = Changes.select(fn.MAX(Changes.revision)).where(Changes.stream == param("stream"))
    return Statement(
        owner.update({owner.revision: last}).where((owner.id == param("id")) & (owner.revision < last))
    )


_CATCH_UP = {"engagements": _catch_up(Engagements), "users": _catch_up(Users)}


def _named(table: Any) -> tuple[Statement, Statement]:
    keys = [getattr(table, key) == param(f"key_{place}") for place, key in enumerate(scans.keys_of(table))]
    this = keys[0]
    for key in keys[1:]:
        this &= key
    sources = [getattr(table, column) for column in scans.NAMED[table]]
    changed = {table.sort_name: param("sort_name"), table.words: param("words")}
    return Statement(table.select(*sources).where(this)), Statement(table.update(changed).where(this))


_NAMED: dict[str, tuple[Statement, Statement]] = {
    str(table._meta.table_name): _named(table) for table in scans.NAMED
}


def choose_default(tx: Tx, engagement_id: str) -> None:
    """Makes the oldest session in use the default, or a new one where there is none."""
    engagement = tx.engagements.get(engagement_id)
    if engagement is None or engagement.default_session_id:
        return
    oldest = tx.row(_OLDEST, engagement_id=engagement_id)
    if oldest is not None:
        tx.sessions.set_default(engagement_id, oldest[0], None)
        return
    manager = tx.row(_MANAGER, engagement_id=engagement_id)
    for number in count(1):
        name = _BASELINE if number == 1 else f"{_BASELINE} ({number})"
        try:
            tx.sessions.insert(
                engagement_id, new_id(), name, "", _TYPE, manager[0] if manager else "", is_default=True
            )
        except AlreadyExists:  # an archived one is called so
            continue
        return


def unarchive_default(tx: Tx, engagement_id: str, session_id: str) -> None:
    """Takes a default session up again."""
    tx.sessions.unarchive(engagement_id, session_id, None)


def count_sessions(tx: Tx, engagement_id: str) -> None:
    """Counts an engagement's living sessions."""
    # Nobody changes the count between these two and the end: they would have to change the engagement's row.
    tx.engagements.lock(engagement_id)
    engagement = tx.engagements.get(engagement_id)
    (counted,) = tx.row(_LIVING_COUNT, engagement_id=engagement_id)
    if engagement is not None and engagement.session_count != counted:
        stream = f"engagements/{engagement_id}"
        tx.changes.note(stream, ChangeKind.UPDATED, stream)
        tx.changes.count_sessions(engagement_id, counted - engagement.session_count)


def forget_default_engagement(tx: Tx, user_id: str) -> None:
    """Leaves a user without a default engagement, where they are no member of it."""
    user = tx.users.get(user_id)
    home = user.default_engagement_id if user else None
    if home is not None and tx.members.role(home, user_id) is None:
        tx.users.forget_engagement(user_id, home)


def forget_parent(tx: Tx, engagement_id: str, session_id: str) -> None:
    """Leaves a session without a parent."""
    if tx.run(_CLEAR_PARENT, engagement_id=engagement_id, id=session_id):
        _note_session(tx, engagement_id, session_id)


def mark_version(tx: Tx, version_id: str) -> None:
    """Marks a data version as shown, or since now as not shown."""
    tx.run(_MARK, id=version_id)
    tx.run(_UNMARK, id=version_id, now=tx.now_us)


def count_version(tx: Tx, version_id: str) -> None:
    """Counts a data version's assets and dependencies, and forgets what was computed from them."""
    tx.run(_RECOUNT_VERSION, id=version_id)
    drop_landscape(tx, version_id)


def drop_landscape(tx: Tx, version_id: str) -> None:
    """Forgets what a data version adds up to; it is computed again when it is asked for."""
    tx.run(_DROP_LANDSCAPE, id=version_id)


def count_shown(tx: Tx, engagement_id: str, session_id: str) -> None:
    """Gives a session the counts of what it shows."""
    if tx.run(_RECOUNT_SESSION, engagement_id=engagement_id, id=session_id):
        _note_session(tx, engagement_id, session_id)


def derive_texts(tx: Tx, table: str, *key: str) -> None:
    """Makes anew what a row sorts by and is found by."""
    read, write = _NAMED[table]
    this = {f"key_{place}": part for place, part in enumerate(key)}
    row = tx.row(read, **this)
    if row is not None:
        sort_name, words = scans.derived(row)
        tx.run(write, sort_name=sort_name, words=words, **this)


def align_labels(tx: Tx, engagement_id: str, session_id: str) -> None:
    """Makes the rows of a session's labels say what its own row does; the reverse, where that is broken."""
    held = tx.row(_HOLD, engagement_id=engagement_id, id=session_id)
    if held is None:
        return
    labels = scans.labels_in(held[0])
    if labels is None:
        labels = dict(sorted(tx.rows(_LABEL_ROWS, engagement_id=engagement_id, id=session_id)))
        tx.run(_SET_LABELS, engagement_id=engagement_id, id=session_id, labels=to_json(labels))
        _note_session(tx, engagement_id, session_id)
    tx.run(_CLEAR_LABELS, engagement_id=engagement_id, id=session_id)
    tx.run_many(
        _ADD_LABEL,
        (
            {"engagement_id": engagement_id, "session_id": session_id, "key": key, "value": value}
            for key, value in labels.items()
        ),
    )


def end_operation(tx: Tx, operation_id: str) -> None:
    """Calls an operation failed whose outcome nobody knows."""
    tx.run(_END, id=operation_id, error=_UNKNOWN_OUTCOME)


def catch_up(tx: Tx, stream: str) -> None:
    """Moves a stream to the end of its log."""
    kind, _, owner = stream.partition("/")
    tx.run(_CATCH_UP[kind], stream=stream, id=owner)


def file_change(tx: Tx, stream: str, revision: int, position: int) -> None:
    """Files a change under the engagement and the session that its resource's name says."""
    this = {"stream": stream, "revision": revision, "position": position}
    row = tx.row(_RESOURCE, **this)
    if row is not None:
        engagement_id, session_id = scans.concern(stream, row[0])
        tx.run(_FILE_UNDER, engagement_id=engagement_id, session_id=session_id, **this)


def rebuild_words(tx: Tx, name: str) -> None:
    """Makes an index of words anew, on SQLite. It holds the writer for as long as that takes."""
    index = next(one for one in scans.WORD_INDEXES if one.name == name)
    for statement in (*scans.dropping(index), *index.statements(sqlite=True)):
        tx.run(Statement(SQL(statement)))


def _note_session(tx: Tx, engagement_id: str, session_id: str) -> None:
    stream = f"engagements/{engagement_id}"
    tx.changes.note(stream, ChangeKind.UPDATED, f"{stream}/sessions/{session_id}")
