"""The dependencies' part of `mooring.v1.DiscoveryService`."""

from collections.abc import Mapping
from typing import Any

from mooring.v1 import dependencies_pb2

from mooring_server.api.assets import pack_provenance
from mooring_server.api.calls import Call, masked
from mooring_server.api.times import timestamp
from mooring_server.core import dependencies, lists
from mooring_server.core.dependencies import AssetName
from mooring_server.core.names import Kind
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.records import Dependency, DependencyKind

_WIRE_KINDS = {
    kind: dependencies_pb2.DependencyKind.Value(f"DEPENDENCY_KIND_{kind.name}") for kind in DependencyKind
}
_KINDS: Mapping[int, DependencyKind] = {number: kind for kind, number in _WIRE_KINDS.items()}
_SAME_NAMES = (
    "port",
    "protocol",
    "source_process",
    "target_process",
    "description",
    "attributes",
    "source_display_name",
    "target_display_name",
)


def list_dependencies(
    tx: Tx, call: Call, request: dependencies_pb2.ListDependenciesRequest
) -> dependencies_pb2.ListDependenciesResponse:
    """A page of a session's dependencies."""
    engagement_id, session_id = Kind.SESSION.ids(request.parent, "parent")
    query = lists.query(lists.DEPENDENCIES, request, call.settings)
    window = call.window(request, request.parent, *query.scope)
    found = dependencies.page(tx, engagement_id, session_id, query, window)
    return dependencies_pb2.ListDependenciesResponse(
        dependencies=[pack_dependency(request.parent, each) for each in found.items],
        next_page_token=call.next_page_token(found.next_key, request.parent, *query.scope),
        total_size=found.total.rows,
        total_size_at_least=found.total.at_least,
        data_version=found.data_version,
    )


def get_dependency(
    tx: Tx, call: Call, request: dependencies_pb2.GetDependencyRequest
) -> dependencies_pb2.Dependency:
    """One dependency."""
    engagement_id, session_id, dependency_id = Kind.DEPENDENCY.ids(request.name)
    dependency = dependencies.get(tx, engagement_id, session_id, dependency_id)
    return pack_dependency(Kind.SESSION.of(engagement_id, session_id), dependency)


def edit(request: dependencies_pb2.UpdateDependencyRequest) -> dict[str, Any]:
    """The new values of the fields that are to be set. A kind that is not told is none to set."""
    wanted = request.dependency
    values: dict[str, Any] = {
        name: getattr(wanted, name) for name in masked(request, "dependency", dependencies.UPDATABLE)
    }
    for end in values.keys() & {"source", "target"}:
        values[end] = AssetName(*Kind.ASSET.ids(values[end], f"dependency.{end}"))
    if "port" in values and not wanted.HasField("port"):
        values["port"] = None
    if "attributes" in values:
        values["attributes"] = dict(wanted.attributes)
    if values.get("kind") == dependencies_pb2.DEPENDENCY_KIND_UNSPECIFIED:
        del values["kind"]
    elif "kind" in values:
        if wanted.kind not in _KINDS:
            names = ", ".join(kind.name for kind in DependencyKind)
            raise InvalidArgument.field("dependency.kind", f"must be one of {names}")
        values["kind"] = _KINDS[wanted.kind]
    return values


def update_dependency(
    tx: Tx, call: Call, request: dependencies_pb2.UpdateDependencyRequest
) -> dependencies_pb2.Dependency:
    """A dependency with new values, or a new one."""
    engagement_id, session_id, dependency_id = Kind.DEPENDENCY.ids(request.dependency.name, "dependency.name")
    dependency = dependencies.update(
        tx,
        engagement_id,
        session_id,
        dependency_id,
        request.dependency.etag,
        edit(request),
        allow_missing=request.allow_missing,
    )
    return pack_dependency(Kind.SESSION.of(engagement_id, session_id), dependency)


def delete_dependency(
    tx: Tx, call: Call, request: dependencies_pb2.DeleteDependencyRequest
) -> dependencies_pb2.Dependency:
    """A dependency that is gone."""
    engagement_id, session_id, dependency_id = Kind.DEPENDENCY.ids(request.name)
    dependency = dependencies.delete(tx, engagement_id, session_id, dependency_id, request.etag)
    return pack_dependency(Kind.SESSION.of(engagement_id, session_id), dependency)


def pack_dependency(session: str, dependency: Dependency) -> dependencies_pb2.Dependency:
    """A dependency of a session, which is given by its name, as a message."""
    return dependencies_pb2.Dependency(
        name=f"{session}/dependencies/{dependency.id}",
        source=f"{session}/assets/{dependency.source_id}",
        target=f"{session}/assets/{dependency.target_id}",
        kind=_WIRE_KINDS[dependency.kind],
        provenance=pack_provenance(dependency),
        create_time=timestamp(dependency.create_time),
        update_time=timestamp(dependency.update_time),
        etag=dependency.digest,
        **{name: getattr(dependency, name) for name in _SAME_NAMES},
    )
