"""The calls that change single assets and dependencies, as tests make them."""

from typing import Any

from mooring.v1 import assets_pb2, dependencies_pb2
from support_server import Caller


def put_asset(
    caller: Caller,
    name: str,
    paths: Any = (),
    *,
    validate_only: bool = False,
    allow_missing: bool = True,
    request_id: str = "",
    **fields: Any,
) -> assets_pb2.Asset:
    """Updates an asset, or makes it; `paths` are the mask's, `fields` the asset's."""
    request = assets_pb2.UpdateAssetRequest(
        asset=assets_pb2.Asset(name=name, **fields),
        allow_missing=allow_missing,
        validate_only=validate_only,
        request_id=request_id,
    )
    request.update_mask.paths.extend(paths)
    return caller.discovery.UpdateAsset(request)


def get_asset(caller: Caller, name: str) -> assets_pb2.Asset:
    return caller.discovery.GetAsset(assets_pb2.GetAssetRequest(name=name))


def list_assets(caller: Caller, session: str, **fields: Any) -> assets_pb2.ListAssetsResponse:
    return caller.discovery.ListAssets(assets_pb2.ListAssetsRequest(parent=session, **fields))


def delete_asset(caller: Caller, name: str, **fields: Any) -> assets_pb2.DeleteAssetResponse:
    return caller.discovery.DeleteAsset(assets_pb2.DeleteAssetRequest(name=name, **fields))


def put_dependency(
    caller: Caller, name: str, paths: Any = (), *, allow_missing: bool = True, **fields: Any
) -> dependencies_pb2.Dependency:
    """Updates a dependency, or makes it; `paths` are the mask's, `fields` the dependency's."""
    request = dependencies_pb2.UpdateDependencyRequest(
        dependency=dependencies_pb2.Dependency(name=name, **fields), allow_missing=allow_missing
    )
    request.update_mask.paths.extend(paths)
    return caller.discovery.UpdateDependency(request)


def get_dependency(caller: Caller, name: str) -> dependencies_pb2.Dependency:
    return caller.discovery.GetDependency(dependencies_pb2.GetDependencyRequest(name=name))


def list_dependencies(
    caller: Caller, session: str, **fields: Any
) -> dependencies_pb2.ListDependenciesResponse:
    request = dependencies_pb2.ListDependenciesRequest(parent=session, **fields)
    return caller.discovery.ListDependencies(request)


def delete_dependency(caller: Caller, name: str, **fields: Any) -> dependencies_pb2.Dependency:
    return caller.discovery.DeleteDependency(dependencies_pb2.DeleteDependencyRequest(name=name, **fields))
