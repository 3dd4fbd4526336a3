"""The assets' part of `mooring.v1.DiscoveryService`."""

from collections.abc import Mapping
from typing import Any

from mooring.v1 import assets_pb2

from mooring_server.api.calls import Call, masked
from mooring_server.api.times import timestamp
from mooring_server.core import assets, lists
from mooring_server.core.names import Kind
from mooring_server.core.staging import LISTS, VALUES
from mooring_server.errors import InvalidArgument
from mooring_server.store import Tx
from mooring_server.store.records import Asset, AssetType, Dependency

_WIRE_TYPES = {type_: assets_pb2.AssetType.Value(f"ASSET_TYPE_{type_.name}") for type_ in AssetType}
# No type is what is stored of one that nobody knows.
_TYPES: Mapping[int, AssetType] = {
    assets_pb2.ASSET_TYPE_UNSPECIFIED: AssetType.OTHER,
    **{number: type_ for type_, number in _WIRE_TYPES.items()},
}
_SAME_NAMES = (*VALUES, "attributes", "implied")


def list_assets(tx: Tx, call: Call, request: assets_pb2.ListAssetsRequest) -> assets_pb2.ListAssetsResponse:
    """A page of a session's assets."""
    engagement_id, session_id = Kind.SESSION.ids(request.parent, "parent")
    query = lists.query(lists.ASSETS, request, call.settings)
    window = call.window(request, request.parent, *query.scope)
    found = assets.page(tx, engagement_id, session_id, query, window)
    return assets_pb2.ListAssetsResponse(
        assets=[pack_asset(request.parent, asset) for asset in found.items],
        next_page_token=call.next_page_token(found.next_key, request.parent, *query.scope),
        total_size=found.total.rows,
        total_size_at_least=found.total.at_least,
        data_version=found.data_version,
    )


def get_asset(tx: Tx, call: Call, request: assets_pb2.GetAssetRequest) -> assets_pb2.Asset:
    """One asset."""
    engagement_id, session_id, asset_id = Kind.ASSET.ids(request.name)
    asset = assets.get(tx, engagement_id, session_id, asset_id)
    return pack_asset(Kind.SESSION.of(engagement_id, session_id), asset)


def edit(request: assets_pb2.UpdateAssetRequest) -> dict[str, Any]:
    """The new values of the fields that are to be set."""
    wanted = request.asset
    values = {name: getattr(wanted, name) for name in masked(request, "asset", assets.UPDATABLE)}
    for name in values.keys() & {"cpu_cores", "memory_bytes", "storage_bytes"}:
        # Not the -0.0 that is another text than 0.0.
        values[name] = values[name] + 0 if wanted.HasField(name) else None  # type: ignore[arg-type]  # one of them
    for name in values.keys() & set(LISTS):
        values[name] = tuple(values[name])
    if "attributes" in values:
        values["attributes"] = dict(wanted.attributes)
    if "type" in values:
        if wanted.type not in _TYPES:
            names = ", ".join(type_.name for type_ in AssetType)
            raise InvalidArgument.field("asset.type", f"must be one of {names}")
        values["type"] = _TYPES[wanted.type]
    return values


def update_asset(tx: Tx, call: Call, request: assets_pb2.UpdateAssetRequest) -> assets_pb2.Asset:
    """An asset with new values, or a new one."""
    engagement_id, session_id, asset_id = Kind.ASSET.ids(request.asset.name, "asset.name")
    asset = assets.update(
        tx,
        engagement_id,
        session_id,
        asset_id,
        request.asset.etag,
        edit(request),
        allow_missing=request.allow_missing,
    )
    return pack_asset(Kind.SESSION.of(engagement_id, session_id), asset)


def delete_asset(
    tx: Tx, call: Call, request: assets_pb2.DeleteAssetRequest
) -> assets_pb2.DeleteAssetResponse:
    """An asset that is gone."""
    engagement_id, session_id, asset_id = Kind.ASSET.ids(request.name)
    asset, gone = assets.delete(tx, engagement_id, session_id, asset_id, request.etag, force=request.force)
    packed = pack_asset(Kind.SESSION.of(engagement_id, session_id), asset)
    return assets_pb2.DeleteAssetResponse(asset=packed, dependency_count=gone)


def pack_asset(session: str, asset: Asset) -> assets_pb2.Asset:
    """An asset of a session, which is given by its name, as a message."""
    return assets_pb2.Asset(
        name=f"{session}/assets/{asset.id}",
        type=_WIRE_TYPES[asset.type],
        provenance=pack_provenance(asset),
        create_time=timestamp(asset.create_time),
        update_time=timestamp(asset.update_time),
        etag=asset.digest,
        **{name: getattr(asset, name) for name in _SAME_NAMES},
    )


def pack_provenance(record: Asset | Dependency) -> assets_pb2.Provenance | None:
    """Where a record was read from; None for one that was written by hand."""
    if not record.source_file:
        return None
    return assets_pb2.Provenance(file=record.source_file, sheet=record.source_sheet, row=record.source_row)
