"""PreviewInventory, and how a request says how a file is to be read."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
from mooring.v1 import assets_pb2, imports_pb2

from mooring_server.api.calls import decode
from mooring_server.api.driver import Driver
from mooring_server.background.parsing import preview, spilled
from mooring_server.core import imports, sessions
from mooring_server.core.names import Kind
from mooring_server.errors import InvalidArgument
from mooring_server.ingest import AssetRow, ColumnUse, DependencyRow, End, ReadOptions
from mooring_server.ingest.mapping import SYNONYMS
from mooring_server.ingest.options import no_such
from mooring_server.ingest.preview import Preview
from mooring_server.store import Tx
from mooring_server.store.records import Upload

_PREVIEW = "mooring.v1.DiscoveryService/PreviewInventory"

_ROWS_DEFAULT = 20
_ROWS_MAX = 200
# Options are kept with their import, so they are as small as what they name.
_COLUMNS_MAX = 2_000
_TEXT_MAX = 200


class Previews:
    """Previews, no more at once than there may be imports."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._turns = asyncio.Semaphore(driver.settings.imports_at_once_max)

    def handler(self) -> grpc.RpcMethodHandler[Any, Any]:
        """The RPC."""
        return grpc.unary_unary_rpc_method_handler(self._driver.guarded(_PREVIEW, self._get))

    async def _get(self, data: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """What an import would make of an upload."""
        request = decode(imports_pb2.PreviewInventoryRequest, data)
        driver = self._driver
        admission = driver.admission(_PREVIEW, await driver.identify(context))

        def find(tx: Tx) -> tuple[Upload, ReadOptions]:
            engagement_id, session_id = Kind.SESSION.ids(admission(tx, request.parent), "parent")
            sessions.get(tx, engagement_id, session_id)
            if not 0 <= request.row_count <= _ROWS_MAX:
                raise InvalidArgument.field("row_count", f"must be 0 to {_ROWS_MAX}")
            upload = imports.find_upload(tx, engagement_id, session_id, request.upload_id)
            return upload, unpack_options(request.options)

        upload, options = await driver.store.read(find)
        async with self._turns, spilled(driver.store, upload.id) as (_, path):
            row_count = request.row_count or _ROWS_DEFAULT
            shown = await preview(path, upload.file_name, options, driver.settings, row_count)
        return _pack(shown, upload.file_name).SerializeToString()


def _pack(shown: Preview, file_name: str) -> imports_pb2.PreviewInventoryResponse:
    return imports_pb2.PreviewInventoryResponse(
        kind=shown.kind,
        candidates=[
            imports_pb2.KindCandidate(kind=kind, title=title, confidence=confidence)
            for kind, title, confidence in shown.candidates
        ],
        sheets=shown.sheets,
        sheet=shown.sheet,
        columns=[
            imports_pb2.ColumnPreview(
                column=use.column,
                field=use.field,
                unit=use.unit,
                unit_assumed=use.assumed,
                samples=samples,
            )
            for use, samples in shown.columns
        ],
        assets=[_pack_asset(row, file_name) for row in shown.assets],
        dependencies=map(_pack_dependency, shown.dependencies),
        rejected=[
            imports_pb2.RejectedRow(sheet=row.sheet, row=row.row, reason=row.reason) for row in shown.rejected
        ],
        notes=shown.notes,
        row_total=shown.row_total,
        rows_examined=shown.rows_examined,
        encoding=shown.encoding,
    )


def _pack_asset(row: AssetRow, file_name: str) -> assets_pb2.Asset:
    fields: dict[str, Any] = row.fields
    return assets_pb2.Asset(
        type=assets_pb2.AssetType.Value(f"ASSET_TYPE_{row.type.upper()}"),
        attributes=row.attributes,
        provenance=assets_pb2.Provenance(file=file_name, sheet=row.sheet, row=row.row),
        implied=row.implied,
        **fields,
    )


def _pack_dependency(row: DependencyRow) -> imports_pb2.DependencyPreview:
    return imports_pb2.DependencyPreview(
        source=_said(row.source), target=_said(row.target), kind=row.kind, port=row.port
    )


def _said(end: End) -> str:
    return end.name or end.hostname or end.external_id or end.ip_address


def unpack_options(options: imports_pb2.ImportOptions) -> ReadOptions:
    """The options of a request.

    Raises:
        InvalidArgument: a column is named twice, or not at all; a field or a type that there is not; a text
            that is too long to name anything.
    """
    for name in ("kind", "sheet", "encoding"):
        _check_length(name, getattr(options, name))
    if len(options.columns) > _COLUMNS_MAX:
        raise InvalidArgument.field("options.columns", f"must name at most {_COLUMNS_MAX:,} columns")
    columns: dict[str, ColumnUse] = {}
    for each in options.columns:
        for text in (each.column, each.field, each.unit):
            _check_length("columns", text)
        if not each.column or each.column in columns:
            raise InvalidArgument.field("options.columns", f"must name each column once: `{each.column}`")
        if each.field and each.field not in SYNONYMS:
            raise no_such("columns", "asset field", each.field, SYNONYMS)
        columns[each.column] = ColumnUse(each.column, each.field, each.unit)
    asset_type = ""
    if options.asset_type:
        try:
            asset_type = assets_pb2.AssetType.Name(options.asset_type)
        except ValueError:
            raise InvalidArgument.field("options.asset_type", "must be an asset's type") from None
    return ReadOptions(
        kind=options.kind,
        sheet=options.sheet,
        columns=columns,
        asset_type=asset_type.removeprefix("ASSET_TYPE_").lower(),
        encoding=options.encoding,
    )


def _check_length(option: str, text: str) -> None:
    if len(text) > _TEXT_MAX:
        raise InvalidArgument.field(f"options.{option}", f"must have at most {_TEXT_MAX} characters")
