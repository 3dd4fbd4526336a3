"""How a file is to be read, and how its columns were."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mooring_server.errors import InvalidArgument

_GIVEN_MAX = 100
_NAMED_MAX = 20


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


def no_such(option: str, what: str, given: str, known: Iterable[str]) -> InvalidArgument:
    """The failure of an option that names what is not there; it says what is nearest, or what there is."""
    given = given[:_GIVEN_MAX]
    names = {name.casefold(): name for name in reversed([*known])}
    near = difflib.get_close_matches(given.casefold(), names, n=1)
    if near:
        said = f"did you mean `{names[near[0]]}`?"
    elif names:
        first = [f"`{name}`" for name in reversed([*names.values()])][:_NAMED_MAX]
        said = f"there is {', '.join(first)}{', …' if len(names) > _NAMED_MAX else ''}"
    else:
        said = "leave it out"
    return InvalidArgument.field(f"options.{option}", f"there is no {what} `{given}`; {said}")
