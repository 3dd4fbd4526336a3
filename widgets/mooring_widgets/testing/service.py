"""The state behind `FakeClient`: dictionaries that keep the service's rules and note their changes."""

import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from mooring_widgets.client import (
    Asset,
    Change,
    Context,
    Dependency,
    Engagement,
    Import,
    MergeDrop,
    MergeRecord,
    Session,
    engagement_of,
)
from mooring_widgets.errors import AlreadyExists, Conflict, NotFound, PermissionDenied

T = TypeVar("T")

USER = "users/demo"

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge: its record, what is not in the result, and the target's data before it."""

    record: MergeRecord
    drops: tuple[MergeDrop, ...]
    assets: tuple[Asset, ...]
    dependencies: tuple[Dependency, ...]
    data_version: str


class FakeService:
    """A service in memory, for one or more `FakeClient`s. Usable from any thread.

    Attributes:
        engagements, sessions, contexts: By full name.
        deleted: The sessions that were deleted, by full name.
        assets, dependencies: By their session's full name, in display order.
        imports: By their session's full name, newest first.
        uploads: Names and contents by id.
        merges: By full name, oldest first, each with what was there before it.
        before: The assets before each import that can be undone, by its full name.
        pins, visits: The names of sessions by their engagement's, in the order of pinning; the last visited
            first.
        changes: Every change so far, in order.
        outage: While True, every call fails and watches are told that the connection is lost.
        incarnation: The id of its database.
    """

    def __init__(self) -> None:
        self.engagements: dict[str, Engagement] = {}
        self.sessions: dict[str, Session] = {}
        self.deleted: dict[str, Session] = {}
        self.assets: dict[str, list[Asset]] = {}
        self.dependencies: dict[str, list[Dependency]] = {}
        self.imports: dict[str, list[Import]] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.before: dict[str, list[Asset]] = {}
        self.merges: dict[str, Merged] = {}
        self.contexts: dict[str, Context] = {}
        self.pins: dict[str, list[str]] = {}
        self.visits: dict[str, list[str]] = {}
        self.changes: list[Change] = []
        self.outage = False
        self.incarnation = "fake"
        self.lock = threading.RLock()
        self._bindings: dict[str, str] = {}
        self._ids = itertools.count(1)

    def add_engagement(self, id_: str, display_name: str, default_session: str = "Baseline") -> Engagement:
        """An engagement with its default session, `baseline` by default."""
        name = f"engagements/{id_}"
        with self.lock:
            self.engagements[name] = Engagement(name, display_name, etag="1", create_time=self.time())
            session = self.add_session(name, default_session, is_default=True)
            self.set_engagement(name, default_session=session.name)
            self.note("created", name)
            return self.engagements[name]

    def add_session(
        self,
        engagement: str,
        display_name: str,
        *,
        id_: str = "",
        description: str = "",
        type_: str = "data_import",
        labels: Mapping[str, str] | None = None,
        parent_session: str = "",
        is_default: bool = False,
    ) -> Session:
        """A session; its id is its display name in lower case with hyphens, unless given."""
        with self.lock:
            name = f"{engagement}/sessions/{id_ or display_name.lower().replace(' ', '-')}"
            self.check_free(engagement, name, display_name)
            session = Session(
                name=name,
                display_name=display_name,
                description=description,
                type=type_,
                labels=dict(labels or {}),
                parent_session=parent_session,
                is_default=is_default,
                creator=USER,
                etag="1",
                create_time=self.time(),
                update_time=self.time(),
            )
            self.sessions[name] = session
            self.set_engagement(engagement, session_count=self.engagements[engagement].session_count + 1)
            self.note("created", name)
            return session

    def add_assets(self, session: str, assets: Sequence[Asset]) -> None:
        """Replaces the assets of a session, as an import does."""
        self.set_assets(session, assets)
        self.note("imported", session)

    def add_dependencies(self, session: str, dependencies: Sequence[Dependency]) -> None:
        """Replaces the dependencies of a session, as an import does; assets name their ends."""
        with self.lock:
            names = {asset.name: asset.display_name for asset in self.assets.get(session, ())}
            self.dependencies[session] = [
                replace(
                    each,
                    source_display_name=each.source_display_name or names.get(each.source, ""),
                    target_display_name=each.target_display_name or names.get(each.target, ""),
                )
                for each in dependencies
            ]
            self.set_session(session, data_version=self.new_id("v"))
            self.note("imported", session)

    def set_assets(self, session: str, assets: Sequence[Asset]) -> None:
        """The assets of a session from now on, under another data version."""
        with self.lock:
            self.assets[session] = sorted(assets, key=lambda asset: (asset.display_name, asset.name))
            self.set_session(session, asset_count=len(assets), data_version=self.new_id("v"))

    def clone_data(self, source: str, session: str) -> None:
        """Has a session begin with the data of another one, the same data version."""
        with self.lock:

            def moved(name: str) -> str:
                return f"{session}{name.removeprefix(source)}"

            self.assets[session] = [
                replace(asset, name=moved(asset.name)) for asset in self.assets.get(source, [])
            ]
            self.dependencies[session] = [
                replace(each, name=moved(each.name), source=moved(each.source), target=moved(each.target))
                for each in self.dependencies.get(source, [])
            ]
            begun = self.sessions[source]
            self.set_session(
                session,
                asset_count=begun.asset_count,
                dependency_count=begun.dependency_count,
                data_version=begun.data_version,
            )

    def new_id(self, prefix: str) -> str:
        """An id that was not used before."""
        return f"{prefix}{next(self._ids)}"

    def bound_context(self, keys: Sequence[str]) -> Context:
        """The context that one of the keys is bound to, else a new one; then all keys are bound to it."""
        with self.lock:
            known = next((self._bindings[key] for key in keys if key in self._bindings), None)
            context = self.contexts[known] if known else self.new_context(self.new_id("c"))
            self._bindings.update(dict.fromkeys(keys, context.name))
            return context

    def new_context(self, id_: str) -> Context:
        """A context at the first engagement's default session."""
        engagement = next(iter(self.engagements.values()))
        context = Context(f"{USER}/contexts/{id_}", engagement.name, engagement.default_session, 1)
        self.contexts[context.name] = context
        return context

    def session(self, name: str) -> Session:
        """A session, as a caller without access to its engagement must not learn of it."""
        if engagement_of(name) not in self.engagements:
            raise PermissionDenied(f"you have no access to {engagement_of(name)}")
        return found(self.sessions, name, "session", "SESSION_NOT_FOUND")

    def check_free(self, engagement: str, name: str, display_name: str) -> None:
        """AlreadyExists where a sibling has this display name."""
        for other in self.sessions.values():
            if other.engagement == engagement and other.name != name and other.display_name == display_name:
                raise AlreadyExists(
                    f"there is a session called {display_name!r} already", reason="DISPLAY_NAME_TAKEN"
                )

    def check_etag(self, name: str, etag: str) -> Session:
        """The session; Conflict where an etag is given and not its own."""
        session = self.session(name)
        if etag and etag != session.etag:
            raise Conflict("the session has changed; read it again", reason="ETAG_MISMATCH")
        return session

    def set_session(self, name: str, **fields: Any) -> Session:
        """Changes fields, and the etag with them."""
        session = self.sessions[name]
        session = replace(session, etag=str(int(session.etag) + 1), update_time=self.time(), **fields)
        self.sessions[name] = session
        return session

    def set_engagement(self, name: str, **fields: Any) -> Engagement:
        """Changes fields."""
        self.engagements[name] = engagement = replace(self.engagements[name], **fields)
        return engagement

    def note(self, kind: str, resource: str, stream: str = "") -> None:
        """Adds a change to a stream, by default that of its resource."""
        with self.lock:
            stream = stream or "/".join(resource.split("/")[:2])
            self.changes.append(Change(stream, len(self.changes) + 1, kind, resource, USER))

    def time(self, revision: int | None = None) -> datetime:
        """A moment that is later after each change; that of a change, where it is given."""
        return _EPOCH + timedelta(seconds=len(self.changes) if revision is None else revision)


def found(things: Mapping[str, T], name: str, what: str, reason: str) -> T:
    """The thing of that name; NotFound where there is none."""
    if name not in things:
        raise NotFound(f"there is no {what} {name}", reason=reason)
    return things[name]
