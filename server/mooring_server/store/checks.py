"""What must always hold in the database, looked at the slow way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from peewee import JOIN, BaseQuery, Database, SqliteDatabase, Value, fn

from mooring_server.store.tables import Assets, Changes, DataVersions, Engagements, Sessions, Users

_SENTENCES_MAX = 100


def broken_invariants(database: Database) -> list[str]:
    """A sentence for each invariant that does not hold; at most 100 for each kind."""
    checks: tuple[Callable[[Database], Iterator[str]], ...] = (
        _file,
        _defaults,
        _session_counts,
        _shown_versions,
        _asset_counts,
        _revisions,
    )
    return [sentence for check in checks for sentence in islice(check(database), _SENTENCES_MAX)]


def _rows(database: Database, query: BaseQuery) -> Iterator[Any]:
    yield from query.tuples().execute(database)


def _file(database: Database) -> Iterator[str]:
    # PostgreSQL holds its foreign keys itself and checks its pages as it reads them.
    if isinstance(database, SqliteDatabase):
        for (finding,) in database.execute_sql("PRAGMA integrity_check"):
            if finding != "ok":
                yield f"The file is damaged: {finding}."
        for table, _, parent, _ in database.execute_sql("PRAGMA foreign_key_check"):
            yield f"A row of {table} refers to a row of {parent} that is not there."


def _defaults(database: Database) -> Iterator[str]:
    default = (
        (Sessions.engagement_id == Engagements.id) & Sessions.is_default & Sessions.delete_time.is_null()
    )
    query = (
        Engagements.select(Engagements.id, fn.COUNT(Sessions.id))
        .join(Sessions, JOIN.LEFT_OUTER, on=default)
        .group_by(Engagements.id)
        .having(fn.COUNT(Sessions.id) != 1)
    )
    for engagement, count in _rows(database, query):
        yield f"Engagement {engagement} has {count} default sessions instead of one."


def _session_counts(database: Database) -> Iterator[str]:
    living = (Sessions.engagement_id == Engagements.id) & Sessions.delete_time.is_null()
    query = (
        Engagements.select(Engagements.id, Engagements.session_count, fn.COUNT(Sessions.id))
        .join(Sessions, JOIN.LEFT_OUTER, on=living)
        .group_by(Engagements.id, Engagements.session_count)
        .having(fn.COUNT(Sessions.id) != Engagements.session_count)
    )
    for engagement, said, counted in _rows(database, query):
        yield f"Engagement {engagement} says that it has {said} sessions and has {counted}."


def _shown_versions(database: Database) -> Iterator[str]:
    query = (
        Sessions.select(
            Sessions.engagement_id, Sessions.id, Sessions.data_version_id, DataVersions.published,
            Sessions.asset_count, DataVersions.asset_count, DataVersions.idle_time,
        )
        .join(DataVersions, JOIN.LEFT_OUTER, on=(DataVersions.id == Sessions.data_version_id))
        .where(Sessions.data_version_id.is_null(False))
    )  # fmt: skip
    for engagement, session, version, published, said, counted, idle_time in _rows(database, query):
        name = f"Session {engagement}/{session}"
        if published is None:
            yield f"{name} shows the data version {version}, which is not there."
        elif not published or idle_time is not None:
            yield f"{name} shows the data version {version}, which is not marked as shown."
        elif said != counted:
            yield f"{name} says that it has {said} assets and its data version says {counted}."


def _asset_counts(database: Database) -> Iterator[str]:
    query = (
        DataVersions.select(DataVersions.id, DataVersions.asset_count, fn.COUNT(Assets.id))
        .join(Assets, JOIN.LEFT_OUTER, on=(Assets.version_id == DataVersions.id))
        # One that nothing shows may be half deleted.
        .where(DataVersions.idle_time.is_null())
        .group_by(DataVersions.id, DataVersions.asset_count)
        .having(fn.COUNT(Assets.id) != DataVersions.asset_count)
    )
    for version, said, counted in _rows(database, query):
        yield f"Data version {version} says that it has {said} assets and has {counted}."


def _revisions(database: Database) -> Iterator[str]:
    heads: dict[str, int] = {}
    for kind, owner in (("engagements", Engagements), ("users", Users)):
        stream = Value(f"{kind}/").concat(owner.id)
        heads.update(_rows(database, owner.select(stream, owner.revision)))
    kept = Changes.select(
        Changes.stream,
        fn.MIN(Changes.revision),
        fn.MAX(Changes.revision),
        fn.COUNT(Changes.revision.distinct()),
    ).group_by(Changes.stream)
    for name, first, last, count in _rows(database, kept):
        head = heads.pop(name, None)
        if head is None:
            yield f"The log has changes of {name}, which is not there."
        elif last != head:
            yield f"{name} is at revision {head} and its log ends at {last}."
        elif last - first + 1 != count:
            yield f"The log of {name} has gaps between {first} and {last}."
    for name, head in heads.items():
        if head:
            yield f"{name} is at revision {head} and its log is empty."
