"""From the API's messages about discovery data to snapshots, and back where they are sent."""

from collections.abc import Mapping
from typing import Any

from mooring.v1 import assets_pb2, dependencies_pb2, imports_pb2, landscape_pb2, transfers_pb2

from mooring_widgets.client import previews, reports, snapshots
from mooring_widgets.client.decode import time
from mooring_widgets.errors import FieldViolation, InvalidArgument

_ASSET_TYPE = "ASSET_TYPE_"
_KIND = "DEPENDENCY_KIND_"

ASSET_TYPES = tuple(key.removeprefix(_ASSET_TYPE).lower() for key in assets_pb2.AssetType.keys()[1:])
"""What an asset can be."""

# In the order of Asset: what is copied as it is.
_TEXTS = (
    "external_id",
    "hostname",
    "environment",
    "location",
    "platform",
    "operating_system",
    "technology",
    "model",
    "serial_number",
    "status",
    "owner",
    "application",
    "business_unit",
    "criticality",
    "migration_status",
    "migration_strategy",
    "migration_wave",
)
_LISTS = ("ip_addresses", "mac_addresses", "networks")
_NUMBERS = ("cpu_cores", "memory_bytes", "storage_bytes")
ASSET_FIELDS = ("display_name", "type", *_TEXTS, *_LISTS, *_NUMBERS, "attributes")
"""What of an asset can be set."""


def asset_type_value(name: str) -> assets_pb2.AssetType.ValueType:
    """The API's value of `server`, `virtual_machine`, …; empty: unspecified."""
    if not name:
        return assets_pb2.ASSET_TYPE_UNSPECIFIED
    if name not in ASSET_TYPES:
        message = f"there is no asset type {name!r}; take one of {', '.join(ASSET_TYPES)}"
        raise InvalidArgument(message, violations=[FieldViolation("asset.type", message)])
    return assets_pb2.AssetType.Value(_ASSET_TYPE + name.upper())


def asset(message: assets_pb2.Asset) -> snapshots.Asset:
    """An asset."""
    fields: dict[str, Any] = {name: getattr(message, name) for name in _TEXTS}
    fields |= {name: tuple(getattr(message, name)) for name in _LISTS}
    known = {field.name for field, _ in message.ListFields()}  # of an unset number the value would be 0
    fields |= {name: getattr(message, name) for name in _NUMBERS if name in known}
    return snapshots.Asset(
        name=message.name,
        display_name=message.display_name,
        type=_asset_type(message.type),
        attributes=dict(message.attributes),
        source_file=message.provenance.file,
        source_sheet=message.provenance.sheet,
        source_row=message.provenance.row,
        implied=message.implied,
        etag=message.etag,
        create_time=time(message.create_time),
        update_time=time(message.update_time),
        **fields,
    )


def asset_message(name: str, etag: str, values: Mapping[str, Any]) -> assets_pb2.Asset:
    """An asset with some values to set; a None number leaves it unset, which means not known.

    Raises:
        InvalidArgument: For a field that there is not, and for an unknown type.
    """
    message = assets_pb2.Asset(name=name, etag=etag)
    for field, value in values.items():
        if field not in ASSET_FIELDS:
            text = f"an asset has no field {field!r} that can be set; there are {', '.join(ASSET_FIELDS)}"
            raise InvalidArgument(text, violations=[FieldViolation(f"asset.{field}", text)])
        if field == "type":
            message.type = asset_type_value(value)
        elif field == "attributes":
            message.attributes.update(value)
        elif field in _LISTS:
            getattr(message, field).extend(value)
        elif value is not None:
            setattr(message, field, value)
    return message


def dependency(message: dependencies_pb2.Dependency) -> snapshots.Dependency:
    """A dependency."""
    return snapshots.Dependency(
        name=message.name,
        source=message.source,
        target=message.target,
        kind=dependencies_pb2.DependencyKind.Name(message.kind).removeprefix(_KIND).lower(),
        port=message.port if message.HasField("port") else None,
        protocol=message.protocol,
        source_process=message.source_process,
        target_process=message.target_process,
        description=message.description,
        source_display_name=message.source_display_name,
        target_display_name=message.target_display_name,
        attributes=dict(message.attributes),
        source_file=message.provenance.file,
        source_sheet=message.provenance.sheet,
        source_row=message.provenance.row,
        etag=message.etag,
        create_time=time(message.create_time),
        update_time=time(message.update_time),
    )


def landscape(message: landscape_pb2.Landscape) -> snapshots.Landscape:
    """A landscape."""
    return snapshots.Landscape(
        name=message.name,
        data_version=message.data_version,
        totals=_totals(message.totals),
        groups=tuple(
            snapshots.Group(
                group.field,
                tuple(snapshots.Bucket(bucket.value, _totals(bucket.totals)) for bucket in group.buckets),
                group.value_count,
            )
            for group in message.groups
        ),
        applications=tuple(
            snapshots.Application(
                each.application,
                _totals(each.totals),
                dict(each.asset_count_by_type),
                tuple(map(_reference, each.servers)),
                each.server_count,
            )
            for each in message.applications
        ),
        application_count=message.application_count,
        completeness={each.field: each.known_count for each in message.completeness},
        dependencies=_dependencies(message.dependencies),
    )


def progress(
    message: imports_pb2.ImportInventoryMetadata | transfers_pb2.ImportSessionMetadata,
) -> reports.Progress:
    """How far an import is."""
    phase = imports_pb2.ImportPhase.Name(message.phase).removeprefix("IMPORT_PHASE_").lower()
    return reports.Progress(phase, message.rows_done, message.rows_total)


def options_message(options: reports.ImportOptions) -> imports_pb2.ImportOptions:
    """How a file is to be read."""
    return imports_pb2.ImportOptions(
        kind=options.kind,
        sheet=options.sheet,
        columns=[
            imports_pb2.ColumnMapping(column=use.column, field=use.field, unit=use.unit)
            for use in options.columns
        ],
        asset_type=asset_type_value(options.asset_type),
        encoding=options.encoding,
    )


def report(session: str, told: imports_pb2.ImportReport) -> reports.ImportReport:
    """What an import did to a session."""
    return reports.ImportReport(
        session=session,
        kind=told.kind,
        source_rows=told.source_rows,
        created=told.created,
        updated=told.updated,
        unchanged=told.unchanged,
        joined=told.joined,
        implied=told.implied,
        rejected=_rejected(told.rejected),
        created_by_type=dict(told.created_by_type),
        mapping=dict(told.mapping),
        data_version=told.data_version,
        notes=tuple(told.notes),
        implied_by_type=dict(told.implied_by_type),
        dependencies_created=told.dependencies_created,
        dependencies_updated=told.dependencies_updated,
        dependencies_unchanged=told.dependencies_unchanged,
        missing_count=told.missing_count,
        missing=tuple(
            reports.MissingAsset(
                each.asset,
                each.display_name,
                each.provenance.file,
                each.provenance.sheet,
                each.provenance.row,
            )
            for each in told.missing
        ),
        replayed=told.replayed,
        import_name=getattr(told, "import"),
        columns=_mappings(told.columns),
    )


def import_(message: imports_pb2.Import) -> reports.Import:
    """One import of a session's history."""
    return reports.Import(
        name=message.name,
        file_name=message.file_name,
        report=report(message.name.partition("/imports/")[0], message.report),
        sha256=message.sha256,
        size_bytes=message.size_bytes,
        user=message.user,
        options=reports.ImportOptions(
            message.options.kind,
            message.options.sheet,
            _mappings(message.options.columns),
            _asset_type(message.options.asset_type) if message.options.asset_type else "",
            message.options.encoding,
        ),
        base_data_version=message.base_data_version,
        data_version=message.data_version,
        create_time=time(message.create_time),
        revert_time=time(message.revert_time),
        reverter=message.reverter,
        revertible=message.revertible,
    )


def preview(message: imports_pb2.PreviewInventoryResponse) -> previews.Preview:
    """What an import would make of an upload."""
    return previews.Preview(
        kind=message.kind,
        candidates=tuple(
            previews.KindCandidate(each.kind, each.title, each.confidence) for each in message.candidates
        ),
        sheets=tuple(message.sheets),
        sheet=message.sheet,
        columns=previews.Columns(
            previews.ColumnPreview(each.column, each.field, each.unit, each.unit_assumed, tuple(each.samples))
            for each in message.columns
        ),
        assets=tuple(map(asset, message.assets)),
        dependencies=tuple(
            previews.DependencyPreview(
                each.source, each.target, each.kind, each.port if each.HasField("port") else None
            )
            for each in message.dependencies
        ),
        rejected=_rejected(message.rejected),
        notes=tuple(message.notes),
        row_total=message.row_total if message.HasField("row_total") else None,
        rows_examined=message.rows_examined,
        encoding=message.encoding,
    )


def _asset_type(value: assets_pb2.AssetType.ValueType) -> str:
    return assets_pb2.AssetType.Name(value).removeprefix(_ASSET_TYPE).lower()


def _rejected(rows: Any) -> tuple[reports.RejectedRow, ...]:
    return tuple(reports.RejectedRow(row.sheet, row.row, row.reason) for row in rows)


def _mappings(columns: Any) -> tuple[reports.ColumnMapping, ...]:
    return tuple(reports.ColumnMapping(each.column, each.field, each.unit) for each in columns)


def _totals(message: landscape_pb2.LandscapeTotals) -> snapshots.Totals:
    return snapshots.Totals(
        message.asset_count,
        message.cpu_cores,
        message.memory_bytes,
        message.storage_bytes,
        message.cpu_known_count,
        message.memory_known_count,
        message.storage_known_count,
    )


def _reference(message: landscape_pb2.AssetReference) -> snapshots.AssetReference:
    return snapshots.AssetReference(message.asset, message.display_name)


def _dependencies(message: landscape_pb2.LandscapeDependencies) -> snapshots.Dependencies:
    return snapshots.Dependencies(
        message.dependency_count,
        dict(message.count_by_kind),
        message.self_count,
        message.isolated_count,
        tuple(
            snapshots.Degree(_reference(each.asset), each.in_degree, each.out_degree)
            for each in message.degrees
        ),
    )
