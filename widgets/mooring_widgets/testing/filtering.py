"""A little of AIP-160, enough for tests: words, comparisons, `AND`, `OR`, `NOT` and parentheses."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from mooring_widgets.errors import InvalidArgument

_RESTRICTION = re.compile(
    r"""(?:(?P<field>[\w.]+)\s*(?P<sign>!=|<=|>=|[=:<>])\s*)?
    (?P<value>"(?:\\.|[^"\\])*"|[^\s"=:<>()]+)\s*""",
    re.VERBOSE,
)
_AND, _OR, _NOT = (re.compile(pattern) for pattern in (r"AND\b\s*", r"OR\b\s*", r"NOT\b\s*|-"))
_OPEN, _CLOSE = re.compile(r"\(\s*"), re.compile(r"\)\s*")
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ENUMS = ("type", "kind")
_SEARCHED = ("display_name", "description", "hostname", "operating_system", "location", "application")


def passes(thing: Any, filter: str) -> bool:
    """Whether a snapshot is let through.

    Raises:
        InvalidArgument: INVALID_FILTER.
    """
    reading = _Reading(thing, filter.strip())
    result = reading.sequence() if reading.rest else True
    if reading.rest:
        raise InvalidArgument(f"the filter is wrong at {reading.rest!r}", reason="INVALID_FILTER")
    return result


class _Reading:
    """A filter, as far as it was read, and what it says of one thing."""

    def __init__(self, thing: Any, filter: str) -> None:
        self.rest = filter
        self._thing = thing

    def sequence(self) -> bool:
        result = self._either()
        while self.rest and not self.rest.startswith(")"):
            self._take(_AND)
            result = self._either() and result
        return result

    def _either(self) -> bool:
        result = self._one()
        while self._take(_OR):
            result = self._one() or result
        return result

    def _one(self) -> bool:
        if self._take(_NOT):
            return not self._one()
        if self._take(_OPEN):
            result = self.sequence()
            if not self._take(_CLOSE):
                raise InvalidArgument("the filter lacks a )", reason="INVALID_FILTER")
            return result
        restriction = self._take(_RESTRICTION)
        if restriction is None:
            raise InvalidArgument(f"the filter is wrong at {self.rest!r}", reason="INVALID_FILTER")
        return _holds(self._thing, restriction)

    def _take(self, pattern: "re.Pattern[str]") -> "re.Match[str] | None":
        found = pattern.match(self.rest)
        if found is not None:
            self.rest = self.rest[found.end() :]
        return found


def _holds(thing: Any, term: "re.Match[str]") -> bool:
    wanted = re.sub(r"\\(.)", r"\1", term["value"][1:-1]) if term["value"][0] == '"' else term["value"]
    field, sign = term["field"], term["sign"]
    if field is None:
        texts = [getattr(thing, name) for name in _SEARCHED if hasattr(thing, name)]
        return _has_words(" ".join(texts), wanted)
    value = _value(thing, field)
    if sign == ":" and isinstance(value, Mapping):
        return wanted in value
    if sign == ":" and wanted == "*":
        return value not in (None, "")
    if sign == ":" and isinstance(value, str) and field not in _ENUMS:
        return _has_words(value, wanted)
    if sign in _SIGNS:
        return value is not None and _SIGNS[sign](float(value), float(wanted))
    if field in _ENUMS or isinstance(value, bool):
        value, wanted = str(value).casefold(), wanted.casefold()
    same = value == float(wanted) if isinstance(value, int | float) else str(value) == wanted
    return same != (sign == "!=")


def _value(thing: Any, field: str) -> Any:
    name, _, key = field.partition(".")
    if not hasattr(thing, name):
        message = f"the filter is wrong: a {type(thing).__name__} has no field {field!r}"
        raise InvalidArgument(message, reason="INVALID_FILTER")
    value = getattr(thing, name)
    return value.get(key) if key else value


def _has_words(text: str, wanted: str) -> bool:
    words = re.findall(r"\w+", text.casefold())
    return all(any(word.startswith(part) for word in words) for part in re.findall(r"\w+", wanted.casefold()))
