"""A little of AIP-160, enough for tests: `field = "value"` and `field : "part"`, joined by AND."""

import re
from typing import Any

from mooring_widgets.errors import InvalidArgument

_CLAUSE = re.compile(r'\s*(?P<field>\w+)\s*(?P<sign>[=:])\s*(?P<value>"[^"]*"|[^\s"]+)\s*')


def passes(thing: Any, filter: str) -> bool:
    """Whether a snapshot is let through.

    Raises:
        InvalidArgument: INVALID_FILTER.
    """
    for clause in filter.split(" AND ") if filter.strip() else ():
        match = _CLAUSE.fullmatch(clause)
        if match is None or not hasattr(thing, match["field"]):
            raise InvalidArgument(f"the filter is wrong at {clause!r}", reason="INVALID_FILTER")
        value, wanted = str(getattr(thing, match["field"])).casefold(), match["value"].strip('"').casefold()
        if not (value == wanted if match["sign"] == "=" else wanted in value):
            return False
    return True
