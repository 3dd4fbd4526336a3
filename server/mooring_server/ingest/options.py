"""How a file is to be read, and how its columns were."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """Where a column goes: an asset field, or "" for an attribute.

    `unit` is what a bare number in it counts, where the field is an amount; `assumed`: nothing names it.
    """

    column: str
    field: str
    unit: str = ""
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is to be read; what is empty is found out. `columns` maps names to fields and units."""

    kind: str = ""
    sheet: str = ""
    columns: Mapping[str, ColumnUse] = field(default_factory=dict)
    asset_type: str = ""
    encoding: str = ""
