"""How a file is to be read, as a request says it; and what an import would make of an upload."""

from mooring.v1 import assets_pb2, imports_pb2

from mooring_server.errors import InvalidArgument
from mooring_server.ingest import ColumnUse, ReadOptions


def unpack_options(options: imports_pb2.ImportOptions) -> ReadOptions:
    """The options of a request.

    Raises:
        InvalidArgument: a column is named twice, or not at all.
    """
    columns: dict[str, ColumnUse] = {}
    for each in options.columns:
        if not each.column or each.column in columns:
            raise InvalidArgument.field("options.columns", f"must name each column once: {each.column!r}")
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
