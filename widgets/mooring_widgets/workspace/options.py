"""How a file is to be read, as a person says it, checked before anything is sent."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from mooring_widgets.client import ASSET_FIELDS, ASSET_TYPES, ColumnMapping, ImportOptions
from mooring_widgets.errors import FieldViolation, InvalidArgument, did_you_mean, near_names

ColumnTarget: TypeAlias = str | tuple[str, str] | None
"""An asset field, such a field and its unit, or None for an attribute."""

FIELDS = tuple(field for field in ASSET_FIELDS if field != "attributes")
"""What a column can go to."""
UNITS = {
    "cpu_cores": ("cores", "millicores"),
    "memory_bytes": ("B", "KiB", "MiB", "GiB", "TiB"),
    "storage_bytes": ("B", "KiB", "MiB", "GiB", "TiB"),
}
"""What a bare number can count, for the fields that are amounts."""


def import_options(
    *,
    kind: str = "",
    sheet: str = "",
    columns: Mapping[str, ColumnTarget] | None = None,
    asset_type: str = "",
    encoding: str = "",
    known: Collection[str] | None = None,
) -> ImportOptions:
    """The options of an import.

    Args:
        kind: What the file is to be taken for.
        sheet: The sheet to read.
        columns: Where columns go: to a field, to a field in a unit, or None: to the attributes.
        asset_type: The type of assets whose row does not say.
        encoding: Of a text file.
        known: The file's columns, where they are known.

    Raises:
        InvalidArgument: For a field, a column or a type that there is not, with names like it.
    """
    if asset_type and asset_type not in ASSET_TYPES:
        raise _unknown("asset_type", f"there is no asset type {asset_type!r}", asset_type, ASSET_TYPES)
    mappings = tuple(_mapping(column, target, known) for column, target in (columns or {}).items())
    return ImportOptions(kind, sheet, mappings, asset_type, encoding)


def merged(base: ImportOptions, over: ImportOptions) -> ImportOptions:
    """`base`, with whatever `over` says instead; another kind or sheet has other columns."""
    other = (over.kind or base.kind, over.sheet or base.sheet) != (base.kind, base.sheet)
    columns = {} if other else {use.column: use for use in base.columns}
    columns |= {use.column: use for use in over.columns}
    return replace(
        base,
        kind=over.kind or base.kind,
        sheet=over.sheet or base.sheet,
        columns=tuple(columns.values()),
        asset_type=over.asset_type or base.asset_type,
        encoding=over.encoding or base.encoding,
    )


def _mapping(column: str, target: ColumnTarget, known: Collection[str] | None) -> ColumnMapping:
    if known is not None and column not in known:
        raise _unknown("columns", f"the inventory has no column {column!r}", column, known)
    field, unit = (target, "") if isinstance(target, str) else target or ("", "")
    if field and field not in FIELDS:
        raise _unknown("columns", f"an asset has no field {field!r} for column {column!r}", field, FIELDS)
    if unit and field not in UNITS:
        message = (
            f"column {column!r} goes to {field or 'the attributes'}, which has no unit; leave {unit!r} out"
        )
        raise InvalidArgument(message, violations=[FieldViolation("options.columns", message)])
    return ColumnMapping(column, field, unit)


def _unknown(field: str, what: str, wanted: str, there: Iterable[str]) -> InvalidArgument:
    names = [*there]
    hint = did_you_mean(near_names(wanted, names)) or f"there are {', '.join(names)}"
    message = f"{what}; {hint}"
    return InvalidArgument(message, violations=[FieldViolation(f"options.{field}", message)])
