"""Dependencies: what they are known by, how a session's are read, and what can be done to one by hand."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mooring_server.core import sessions, version_pages
from mooring_server.core.fields import Violations
from mooring_server.core.names import ANY, Kind, quote
from mooring_server.core.paging import Query, Window
from mooring_server.core.version_pages import VersionPage
from mooring_server.errors import Aborted, AlreadyExists, NotFound
from mooring_server.store import Tx
from mooring_server.store.lists.conditions import And, Compare, Condition, Not, Or
from mooring_server.store.records import DataVersion, Dependency, DependencyKind

PORT_MAX = 65_535
_TEXTS = ("protocol", "source_process", "target_process")
_ENDS = ("source", "target")
# What a dependency is known by: the fields of the request, and those of the record.
_KEY = {"source": "source_id", "target": "target_id", **{name: name for name in ("kind", "port", *_TEXTS)}}
UPDATABLE = (*_KEY, "description", "attributes")


@dataclass(frozen=True, slots=True)
class AssetName:
    """An asset that a caller names as an end; the engagement may be `-`, for whichever."""

    engagement_id: str
    session_id: str
    id: str

    def is_of(self, engagement_id: str, session_id: str) -> bool:
        """Whether it is one of that session, as far as its name tells."""
        return self.engagement_id in (ANY, engagement_id) and self.session_id == session_id


def dependency_identity(
    source_id: str,
    target_id: str,
    kind: DependencyKind,
    port: int | None,
    protocol: str,
    source_process: str,
    target_process: str,
) -> str:
    """What a dependency is known by in its data version: 32 hexadecimal digits."""
    return _hash([source_id, target_id, kind.value, port, protocol, source_process, target_process])


def dependency_digest(dependency: Dependency) -> str:
    """Hashes all that can be changed of a dependency; where it was read from is not part of it."""
    return _hash([dependency.description, sorted(dependency.attributes.items())])


def page(
    tx: Tx, engagement_id: str, session_id: str, query: Query, window: Window
) -> VersionPage[Dependency]:
    """Some of a session's dependencies that a request asks for, and how many of those there are.

    Raises:
        NotFound: SESSION_NOT_FOUND.
        InvalidArgument: INVALID_PAGE_TOKEN.
    """
    condition = None if query.condition is None else within(query.condition, engagement_id, session_id)
    return version_pages.page(
        tx,
        tx.dependencies,
        lambda version: version.dependency_count,
        engagement_id,
        session_id,
        replace(query, condition=condition),
        window,
    )


def within(condition: Condition, engagement_id: str, session_id: str) -> Condition:
    """The condition with ids for the names of the session's assets; another session's are no ends here."""
    match condition:
        case And(parts):
            return And(tuple(within(part, engagement_id, session_id) for part in parts))
        case Or(parts):
            return Or(tuple(within(part, engagement_id, session_id) for part in parts))
        case Not(part):
            return Not(within(part, engagement_id, session_id))
        case Compare(_, _, (str() as engagement, str() as session, str() as id)):
            here = AssetName(engagement, session, id).is_of(engagement_id, session_id)
            return replace(condition, value=(id if here else "",))
    return condition


def get(tx: Tx, engagement_id: str, session_id: str, dependency_id: str) -> Dependency:
    """A dependency of what a session shows.

    Raises:
        NotFound: SESSION_NOT_FOUND, DEPENDENCY_NOT_FOUND.
    """
    version_id = sessions.get(tx, engagement_id, session_id).data_version_id
    dependency = None if version_id is None else tx.dependencies.get(version_id, dependency_id)
    if dependency is None:
        raise _absent(engagement_id, session_id, dependency_id)
    return dependency


def update(
    tx: Tx,
    engagement_id: str,
    session_id: str,
    dependency_id: str,
    etag: str,
    values: Mapping[str, Any],
    *,
    allow_missing: bool = False,
) -> Dependency:
    """Sets some of the `UPDATABLE` fields of a dependency, if it still has the etag (empty: any).

    `source` and `target` are AssetName. What is set to what it was is not looked at; an edit of nothing else
    changes nothing. With `allow_missing` the dependency is made where there is none.

    Raises:
        NotFound: SESSION_NOT_FOUND, DEPENDENCY_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED.
        Aborted: ETAG_MISMATCH, also where a dependency with that etag is gone; DATA_VERSION_MOVED.
        InvalidArgument: a value is too long, too large or too many, an end is no asset of the session, or
            what the dependency is known by would change.
        AlreadyExists: DEPENDENCY_EXISTS, of a new dependency.
    """
    version = tx.edits.begin(engagement_id, session_id)
    dependency = tx.dependencies.get(version.id, dependency_id)
    violations = Violations()
    record = {_KEY.get(name, name): value for name, value in values.items()}
    for end in _ENDS:
        if end in values:
            record[_KEY[end]] = values[end].id
            if not values[end].is_of(engagement_id, session_id):
                violations.add(f"dependency.{end}", "must be an asset of the same session")
    if dependency is None:
        if not allow_missing:
            raise _absent(engagement_id, session_id, dependency_id)
        if etag:
            raise _moved()
        return _create(tx, version, dependency_id, record, violations)
    if etag not in ("", dependency.digest):
        raise _moved()
    for field, name in _KEY.items():
        if name in record and record[name] != getattr(dependency, name):
            violations.add(
                f"dependency.{field}",
                "is fixed once the dependency is made: make another, and delete this one",
            )
    violations.refuse()
    changed = replace(dependency, **record)
    changed = replace(changed, digest=dependency_digest(changed), update_time=tx.now)
    if changed.digest == dependency.digest:
        return dependency
    _check(changed, dependency.description, dependency.attributes, violations)
    tx.edits.change_dependency(version, changed)
    return changed


def delete(tx: Tx, engagement_id: str, session_id: str, dependency_id: str, etag: str) -> Dependency:
    """Deletes a dependency, if it still has the etag (empty: any); as it was.

    Raises:
        NotFound: SESSION_NOT_FOUND, DEPENDENCY_NOT_FOUND.
        FailedPrecondition: SESSION_ARCHIVED.
        Aborted: ETAG_MISMATCH, DATA_VERSION_MOVED.
    """
    version = tx.edits.begin(engagement_id, session_id)
    dependency = tx.dependencies.get(version.id, dependency_id)
    if dependency is None:
        raise _absent(engagement_id, session_id, dependency_id)
    if etag not in ("", dependency.digest):
        raise _moved()
    tx.edits.delete_dependency(version, dependency_id)
    return dependency


def _create(
    tx: Tx, version: DataVersion, dependency_id: str, values: Mapping[str, Any], violations: Violations
) -> Dependency:
    violations.refuse()
    blank: dict[str, Any] = {
        **dict.fromkeys(("source_id", "target_id", *_TEXTS, "description"), ""),
        "kind": DependencyKind.USES,
        "port": None,
        "attributes": {},
    }
    made = Dependency(
        **{**blank, **values},
        id=dependency_id,
        identity="",
        digest="",
        source_file="",
        source_sheet="",
        source_row=0,
        create_time=tx.now,
        update_time=tx.now,
    )
    names = tx.assets.display_names(version.id, {made.source_id, made.target_id})
    for end in _ENDS:
        id = getattr(made, _KEY[end])
        if not id:
            violations.add(f"dependency.{end}", f"is required: `{Kind.ASSET.value}`")
        elif id not in names:
            violations.add(f"dependency.{end}", f"the session has no asset {quote(id)}")
    if made.port is not None and not 1 <= made.port <= PORT_MAX:
        violations.add("dependency.port", f"must be from 1 to {PORT_MAX}, or not set")
    for name in _TEXTS:
        violations.text(f"dependency.{name}", getattr(made, name))
    _check(made, "", {}, violations)
    key = {name: getattr(made, name) for name in _KEY.values()}
    identity = dependency_identity(**key)
    if known := tx.dependencies.by_identity(version.id, [identity]).get(identity):
        name = Kind.DEPENDENCY.of(version.engagement_id, version.session_id, known.id)
        raise AlreadyExists(
            f"{name} is between the two already, of that kind, port and processes: update that one",
            reason="DEPENDENCY_EXISTS",
        )
    made = replace(
        made,
        identity=identity,
        digest=dependency_digest(made),
        source_display_name=names[made.source_id],
        target_display_name=names[made.target_id],
    )
    tx.edits.create_dependency(version, made)
    return made


def _check(
    dependency: Dependency, description: str, attributes: Mapping[str, str], violations: Violations
) -> None:
    """Refuses what was found wrong, and what is of its other values, but for those that were kept."""
    if dependency.description != description:
        violations.description("dependency.description", dependency.description)
    violations.attributes("dependency.attributes", dependency.attributes, attributes)
    violations.refuse()


def _absent(engagement_id: str, session_id: str, dependency_id: str) -> NotFound:
    name = Kind.DEPENDENCY.of(engagement_id, session_id, dependency_id)
    return NotFound(f"{name} does not exist", reason="DEPENDENCY_NOT_FOUND")


def _moved() -> Aborted:
    return Aborted("the dependency has changed since it was read; get it again", reason="ETAG_MISMATCH")


def _hash(content: list[object]) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
