"""What must always hold in the database, looked at the slow way. `scans.py` has what SQL cannot compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from peewee import JOIN, BaseQuery, Database, SqliteDatabase, Value, fn

from mooring_server.store.care.old_shape import PREFIX
from mooring_server.store.records import (
    AssetType,
    ChangeKind,
    DependencyKind,
    OperationState,
    Role,
    TokenScope,
)
from mooring_server.store.tables import (
    Assets,
    Changes,
    DataVersions,
    Dependencies,
    Engagements,
    Landscapes,
    Members,
    Operations,
    Sessions,
    Table,
    Tokens,
    UploadChunks,
    Uploads,
    Users,
)

_LIVING = Sessions.delete_time.is_null()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not hold: a sentence, and the key of the row that it is about."""

    sentence: str
    key: tuple[Any, ...] = ()


Faults = Iterator[Fault]


def file(database: Database) -> Faults:
    """The file is whole, and references lead somewhere."""
    # PostgreSQL holds its foreign keys itself and checks its pages as it reads them.
    if isinstance(database, SqliteDatabase):
        for (finding,) in database.execute_sql("PRAGMA integrity_check"):
            if finding != "ok":
                yield Fault(f"The file is damaged: {finding}.")
        for table, _, parent, _ in database.execute_sql("PRAGMA foreign_key_check"):
            # What was put aside refers to nothing, as it always did; of landscapes another check tells.
            if not table.startswith(PREFIX) and table != Landscapes._meta.table_name:
                yield Fault(f"A row of {table} refers to a row of {parent} that is not there.")


def known_values(database: Database) -> Faults:
    """Columns with a few values have one of those."""
    columns: tuple[tuple[type[Table], Any, type[Enum]], ...] = (
        (Members, Members.role, Role),
        (Tokens, Tokens.scope, TokenScope),
        (Assets, Assets.type, AssetType),
        (Dependencies, Dependencies.kind, DependencyKind),
        (Changes, Changes.kind, ChangeKind),
    )
    for table, column, values in columns:
        query = (
            table.select(column, fn.COUNT(1))
            .where(column.not_in([one.value for one in values]))
            .group_by(column)
        )
        for value, count in _rows(database, query):
            where = f"{table._meta.table_name}.{column.column_name}"
            yield Fault(f"{count} rows have {value!r} in {where}, which is nothing that we know.")


def defaults(database: Database) -> Faults:
    """An engagement has one default session, which lives."""
    default = (Sessions.engagement_id == Engagements.id) & Sessions.is_default & _LIVING
    query = (
        Engagements.select(Engagements.id, fn.COUNT(Sessions.id))
        .join(Sessions, JOIN.LEFT_OUTER, on=default)
        .group_by(Engagements.id)
        .having(fn.COUNT(Sessions.id) != 1)
    )
    for engagement, count in _rows(database, query):
        yield Fault(f"Engagement {engagement} has {count} default sessions instead of one.", (engagement,))


def archived_defaults(database: Database) -> Faults:
    """A default session is not archived."""
    query = Sessions.select(Sessions.engagement_id, Sessions.id).where(
        Sessions.is_default & _LIVING & Sessions.archive_time.is_null(False)
    )
    for key in _rows(database, query):
        yield Fault(f"Session {'/'.join(key)} is the default and archived.", key)


def session_counts(database: Database) -> Faults:
    """An engagement's count of sessions is that of the living ones."""
    living = (Sessions.engagement_id == Engagements.id) & _LIVING
    query = (
        Engagements.select(Engagements.id, Engagements.session_count, fn.COUNT(Sessions.id))
        .join(Sessions, JOIN.LEFT_OUTER, on=living)
        .group_by(Engagements.id, Engagements.session_count)
        .having(fn.COUNT(Sessions.id) != Engagements.session_count)
    )
    for engagement, said, counted in _rows(database, query):
        yield Fault(
            f"Engagement {engagement} says that it has {said} sessions and has {counted}.", (engagement,)
        )


def managers(database: Database) -> Faults:
    """An engagement has a manager."""
    manages = (Members.engagement_id == Engagements.id) & (Members.role == int(Role.MANAGER))
    query = (
        Engagements.select(Engagements.id)
        .join(Members, JOIN.LEFT_OUTER, on=manages)
        .where(Members.user_id.is_null())
    )
    for (engagement,) in _rows(database, query):
        yield Fault(f"Engagement {engagement} has no manager.", (engagement,))


def default_engagements(database: Database) -> Faults:
    """A user is a member of their default engagement."""
    member = (Members.engagement_id == Users.default_engagement_id) & (Members.user_id == Users.id)
    query = (
        Users.select(Users.id, Users.default_engagement_id)
        .join(Members, JOIN.LEFT_OUTER, on=member)
        .where(Users.default_engagement_id.is_null(False) & Members.user_id.is_null())
    )
    for user, engagement in _rows(database, query):
        yield Fault(
            f"User {user} has {engagement} as their default engagement and is no member there.", (user,)
        )


def parents(database: Database) -> Faults:
    """A session's parent is another session of its engagement, deleted or not."""
    parent = Sessions.alias("parent")
    here = (parent.engagement_id == Sessions.engagement_id) & (parent.id == Sessions.parent_id)
    query = (
        Sessions.select(Sessions.engagement_id, Sessions.id, Sessions.parent_id)
        .join(parent, JOIN.LEFT_OUTER, on=here)
        .where(
            Sessions.parent_id.is_null(False) & (parent.id.is_null() | (Sessions.parent_id == Sessions.id))
        )
    )
    for engagement, session, wanted in _rows(database, query):
        yield Fault(
            f"Session {engagement}/{session} has the parent {wanted}, which is no other session there.",
            (engagement, session),
        )


def missing_versions(database: Database) -> Faults:
    """What a session shows is there."""
    query = (
        Sessions.select(Sessions.engagement_id, Sessions.id, Sessions.data_version_id)
        .join(DataVersions, JOIN.LEFT_OUTER, on=(DataVersions.id == Sessions.data_version_id))
        .where(Sessions.data_version_id.is_null(False) & DataVersions.id.is_null())
    )
    for engagement, session, version in _rows(database, query):
        yield Fault(f"Session {engagement}/{session} shows the data version {version}, which is not there.")


def shown_versions(database: Database) -> Faults:
    """A data version is marked as shown if a session shows it, and only then."""
    shown = fn.EXISTS(Sessions.select(Value(1)).where(Sessions.data_version_id == DataVersions.id))
    marked = DataVersions.published & DataVersions.idle_time.is_null()
    for is_shown in (True, False):
        where = (shown & ~marked) if is_shown else (~shown & DataVersions.idle_time.is_null())
        for (version,) in _rows(database, DataVersions.select(DataVersions.id).where(where)):
            what = (
                "is shown and not marked as shown" if is_shown else "is marked as shown, and nothing shows it"
            )
            yield Fault(f"Data version {version} {what}.", (version,))


def version_counts(database: Database) -> Faults:
    """A data version's counts of assets and dependencies are right."""
    for table, count in ((Assets, DataVersions.asset_count), (Dependencies, DataVersions.dependency_count)):
        query = (
            DataVersions.select(DataVersions.id, count, fn.COUNT(table.id))
            .join(table, JOIN.LEFT_OUTER, on=(table.version_id == DataVersions.id))
            # One that nothing shows may be half deleted.
            .where(DataVersions.idle_time.is_null())
            .group_by(DataVersions.id, count)
            .having(fn.COUNT(table.id) != count)
        )
        what = table._meta.table_name
        for version, said, counted in _rows(database, query):
            yield Fault(
                f"Data version {version} says that it has {said} {what} and has {counted}.", (version,)
            )


def shown_counts(database: Database) -> Faults:
    """A session's counts of assets, dependencies and edits are those of what it shows."""
    for count, shown, what in (
        (Sessions.asset_count, DataVersions.asset_count, "assets"),
        (Sessions.dependency_count, DataVersions.dependency_count, "dependencies"),
        (Sessions.data_revision, DataVersions.revision, "edits"),
    ):
        counted = fn.COALESCE(shown, 0)
        query = (
            Sessions.select(Sessions.engagement_id, Sessions.id, count, counted)
            .join(DataVersions, JOIN.LEFT_OUTER, on=(DataVersions.id == Sessions.data_version_id))
            .where(count != counted)
            .where(Sessions.data_version_id.is_null() | DataVersions.id.is_null(False))
        )
        for engagement, session, said, has in _rows(database, query):
            yield Fault(
                f"Session {engagement}/{session} says that it has {said} {what} and shows {has}.",
                (engagement, session),
            )


def ends(database: Database) -> Faults:
    """Both ends of a dependency are assets of its data version."""
    missing = [
        ~fn.EXISTS(
            Assets.select(Value(1)).where((Assets.version_id == Dependencies.version_id) & (Assets.id == end))
        )
        for end in (Dependencies.source_id, Dependencies.target_id)
    ]
    query = (
        Dependencies.select(
            DataVersions.engagement_id,
            DataVersions.session_id,
            Dependencies.id,
            Dependencies.source_id,
            Dependencies.target_id,
        )
        .join(DataVersions, on=(DataVersions.id == Dependencies.version_id))
        # One that nothing shows may be half built.
        .where(DataVersions.idle_time.is_null() & (missing[0] | missing[1]))
    )
    for engagement, session, dependency, source, target in _rows(database, query):
        yield Fault(
            f"Dependency {dependency} of session {engagement}/{session} is between the assets {source} and "
            f"{target}, which are not both there."
        )


def landscapes(database: Database) -> Faults:
    """What a data version adds up to is kept for a revision that it has had."""
    query = (
        Landscapes.select(Landscapes.version_id, Landscapes.revision)
        .join(DataVersions, JOIN.LEFT_OUTER, on=(DataVersions.id == Landscapes.version_id))
        .where(DataVersions.id.is_null() | (Landscapes.revision > DataVersions.revision))
    )
    for version, revision in _rows(database, query):
        yield Fault(
            f"A landscape is kept of data version {version} in its revision {revision}, which is not there.",
            (version,),
        )


def uploads(database: Database) -> Faults:
    """An upload that is complete has all its pieces."""
    query = (
        Uploads.select(Uploads.id, Uploads.chunk_count, fn.COUNT(UploadChunks.position))
        .join(UploadChunks, JOIN.LEFT_OUTER, on=(UploadChunks.upload_id == Uploads.id))
        .where(Uploads.complete & (Uploads.create_time > 0))
        .group_by(Uploads.id, Uploads.chunk_count)
        .having(fn.COUNT(UploadChunks.position) != Uploads.chunk_count)
    )
    for upload, said, counted in _rows(database, query):
        yield Fault(f"Upload {upload} has {counted} of its {said} pieces.")


def operations(database: Database) -> Faults:
    """An operation is in a state that there is, and tells its outcome once it has ended."""
    failed = (OperationState.FAILED.value, OperationState.CANCELLED.value)
    query = Operations.select(Operations.id, Operations.state).where(
        Operations.state.not_in([state.value for state in OperationState])
        | ((Operations.state == OperationState.SUCCEEDED.value) & Operations.result.is_null())
        | (Operations.state.in_(failed) & Operations.error.is_null())
    )
    for operation, state in _rows(database, query):
        yield Fault(f"Operation {operation} is {state!r} and does not tell its outcome.", (operation,))


def revisions(database: Database) -> Faults:
    """A stream's log has no gaps and ends where the stream is."""
    heads = _heads(database)
    for name, first, last, count in _rows(database, _kept()):
        head = heads.pop(name, None)
        if head is None:
            yield Fault(f"The log has changes of {name}, which is not there.")
        elif last < head:
            yield Fault(f"{name} is at revision {head} and its log ends at {last}.")
        elif last - first + 1 != count:
            yield Fault(f"The log of {name} has gaps between {first} and {last}.")
    for name, head in heads.items():
        if head:
            yield Fault(f"{name} is at revision {head} and its log is empty.")


def heads(database: Database) -> Faults:
    """No stream is behind its own log, or its next change would be refused."""
    heads = _heads(database)
    for name, _, last, _ in _rows(database, _kept()):
        if last > heads.get(name, last):
            yield Fault(f"{name} is at revision {heads[name]} and its log goes on to {last}.", (name,))


def _heads(database: Database) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind, owner in (("engagements", Engagements), ("users", Users)):
        stream = Value(f"{kind}/").concat(owner.id)
        found.update(_rows(database, owner.select(stream, owner.revision)))
    return found


def _kept() -> BaseQuery:
    columns = (
        Changes.stream,
        fn.MIN(Changes.revision),
        fn.MAX(Changes.revision),
        fn.COUNT(Changes.revision.distinct()),
    )
    return cast("BaseQuery", Changes.select(*columns).group_by(Changes.stream))


def _rows(database: Database, query: BaseQuery) -> Iterator[Any]:
    yield from query.tuples().execute(database)
