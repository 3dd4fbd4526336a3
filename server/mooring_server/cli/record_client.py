"""Calls about the assets and the dependencies of sessions, which are `engagements/{e}/sessions/{s}` here."""

import json
from collections.abc import Generator, Iterable, Sequence
from typing import Any

from mooring.v1 import assets_pb2, dependencies_pb2, discovery_pb2_grpc

from mooring_server.cli.connection import Absent, Connection, Listed, Refused, request_id
from mooring_server.core.names import is_id

_NAMED_MAX = 5


class Assets:
    """What can be asked about assets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._call = connection.call
        self._discovery = discovery_pb2_grpc.DiscoveryServiceStub(connection.channel)

    def first(
        self, session: str, *, filter: str = "", order_by: str = "", limit: int
    ) -> Listed[assets_pb2.Asset]:
        """The first assets of a session; 0 for all."""
        request = assets_pb2.ListAssetsRequest(parent=session, filter=filter, order_by=order_by)
        return self._connection.first(self._discovery.ListAssets, request, "assets", limit)

    def find(self, session: str, wanted: str) -> assets_pb2.Asset | None:
        """The asset of this id, full name or display name; None where there is none.

        Raises:
            Absent: several have the display name.
        """
        wanted_id = wanted.removeprefix(f"{session}/assets/")
        if is_id(wanted_id):
            try:
                request = assets_pb2.GetAssetRequest(name=f"{session}/assets/{wanted_id}")
                return self._call(self._discovery.GetAsset, request)
            except Refused as refused:
                if refused.reason != "ASSET_NOT_FOUND":
                    raise
        found = self.first(session, filter=f"display_name = {quoted(wanted)}", limit=_NAMED_MAX + 1).items
        if len(found) > 1:
            ids = [one.name.rpartition("/")[2] for one in found[:_NAMED_MAX]]
            ids += ["…"] * (len(found) > _NAMED_MAX)
            raise Absent(f"several assets are called {wanted!r}; name one by its id: {', '.join(ids)}")
        return found[0] if found else None

    def get(self, session: str, wanted: str) -> assets_pb2.Asset:
        """The same.

        Raises:
            Absent: there is none, or several have the display name.
        """
        found = self.find(session, wanted)
        if found is None:
            raise Absent(f"there is no asset {wanted!r} in this session; `mooring assets list` finds them")
        return found

    def update(self, asset: assets_pb2.Asset, fields: Iterable[str], *, create: bool) -> assets_pb2.Asset:
        """Set these fields of an asset; with `create` it is made where it is not there."""
        request = assets_pb2.UpdateAssetRequest(asset=asset, allow_missing=create, request_id=request_id())
        request.update_mask.paths.extend(fields)
        return self._call(self._discovery.UpdateAsset, request, changes=True)

    def delete(self, asset: assets_pb2.Asset, *, force: bool) -> assets_pb2.DeleteAssetResponse:
        """Delete an asset that has not changed since it was read; with `force` its dependencies too."""
        request = assets_pb2.DeleteAssetRequest(
            name=asset.name, etag=asset.etag, force=force, request_id=request_id()
        )
        return self._call(self._discovery.DeleteAsset, request, changes=True)

    def read(self, session: str, *, fields: Sequence[str], filter: str) -> Generator[Any]:
        """The pieces of an Arrow stream of a session's assets."""
        request = assets_pb2.ReadAssetsRequest(parent=session, fields=fields, filter=filter)
        return self._connection.stream(self._discovery.ReadAssets, request)


class Dependencies:
    """What can be asked about dependencies."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._call = connection.call
        self._discovery = discovery_pb2_grpc.DiscoveryServiceStub(connection.channel)

    def first(
        self, session: str, *, filter: str = "", order_by: str = "", limit: int
    ) -> Listed[dependencies_pb2.Dependency]:
        """The first dependencies of a session; 0 for all."""
        request = dependencies_pb2.ListDependenciesRequest(parent=session, filter=filter, order_by=order_by)
        return self._connection.first(self._discovery.ListDependencies, request, "dependencies", limit)

    def get(self, session: str, wanted: str) -> dependencies_pb2.Dependency:
        """The dependency of this id or full name."""
        wanted_id = wanted.removeprefix(f"{session}/dependencies/")
        request = dependencies_pb2.GetDependencyRequest(name=f"{session}/dependencies/{wanted_id}")
        return self._call(self._discovery.GetDependency, request)

    def update(
        self, dependency: dependencies_pb2.Dependency, fields: Iterable[str], *, create: bool
    ) -> dependencies_pb2.Dependency:
        """Set these fields of a dependency; with `create` it is made where it is not there."""
        request = dependencies_pb2.UpdateDependencyRequest(
            dependency=dependency, allow_missing=create, request_id=request_id()
        )
        request.update_mask.paths.extend(fields)
        return self._call(self._discovery.UpdateDependency, request, changes=True)

    def delete(self, dependency: dependencies_pb2.Dependency) -> dependencies_pb2.Dependency:
        """Delete a dependency that has not changed since it was read, and return it as it was."""
        request = dependencies_pb2.DeleteDependencyRequest(
            name=dependency.name, etag=dependency.etag, request_id=request_id()
        )
        return self._call(self._discovery.DeleteDependency, request, changes=True)

    def read(self, session: str, *, fields: Sequence[str], filter: str) -> Generator[Any]:
        """The pieces of an Arrow stream of a session's dependencies."""
        request = dependencies_pb2.ReadDependenciesRequest(parent=session, fields=fields, filter=filter)
        return self._connection.stream(self._discovery.ReadDependencies, request)


def quoted(text: str) -> str:
    """A text as a value of a filter, which it then equals to the letter."""
    return json.dumps(text, ensure_ascii=False).replace("*", "\\*")
