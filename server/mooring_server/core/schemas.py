"""The fields that filters know, list by list, and how a value written in a filter becomes a stored one."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from mooring_server.core import names
from mooring_server.errors import InvalidArgument
from mooring_server.store.lists.conditions import Value
from mooring_server.store.values import to_us

_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d))?", re.ASCII)
_WHOLE_MAX = 2**63 - 1


class FieldKind(StrEnum):
    """What a field is. Texts are equal or not, to the letter; times and numbers also come before others."""

    TEXT = "text"
    TIME = "time"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "true or false"
    ENUM = "enum"
    NAME = "resource name"

    @property
    def is_ordered(self) -> bool:
        """Whether `<` and its like make sense."""
        return self in (FieldKind.TIME, FieldKind.WHOLE, FieldKind.NUMBER)


@dataclass(frozen=True)
class Field:
    """A field. `choices` are an enum's names and what is stored for them; `name` says which resources a name
    is of, and `stored` what of its ids is stored (`-` stands for any engagement).
    """

    kind: FieldKind
    searched: bool = False
    choices: Mapping[str, str] | None = None
    name: names.Kind | None = None
    stored: Callable[[tuple[str, ...]], Value] = tuple

    def value(self, text: str) -> Value:
        """The stored form of what a filter says.

        Raises:
            ValueError: saying what it must be.
        """
        match self.kind:
            case FieldKind.TEXT:
                return text
            case FieldKind.TIME:
                return _time(text)
            case FieldKind.WHOLE:
                return _whole(text)
            case FieldKind.NUMBER:
                return _number(text)
            case FieldKind.FLAG:
                return _chosen(text, {"true": True, "false": False})
            case FieldKind.ENUM:
                return _chosen(text, self.choices or {})
            case FieldKind.NAME:
                return self._name(text)

    def _name(self, text: str) -> Value:
        if self.name is None:
            raise TypeError("a field of resource names must say of what kind")
        # No name is what nothing has.
        if not text:
            raise ValueError(f"must be `{self.name.value}`")
        try:
            _, ids = names.parse(text, (self.name,), "filter")
        except InvalidArgument:
            raise ValueError(f"must be `{self.name.value}`") from None
        if self.name is names.Kind.USER and ids == (names.ME,):
            raise ValueError("must name the user by their id: a filter means the same to everybody")
        return self.stored(ids)


@dataclass(frozen=True, eq=False)
class Schema:
    """The fields of one list. `labels` is the field whose keys stand behind a dot, "" where there is none."""

    fields: Mapping[str, Field]
    labels: str = ""

    def known(self) -> str:
        """The fields, for a message."""
        known = [*self.fields, *([f"{self.labels}.{{key}}"] if self.labels else [])]
        return ", ".join(known)

    def searched(self) -> list[str]:
        """The fields whose words are found."""
        return [name for name, field in self.fields.items() if field.searched]


def enum_choices(members: type[StrEnum], prefix: str) -> dict[str, str]:
    """The names of an enum's values, as the API has them, with and without their prefix."""
    short = {member.name: member.value for member in members}
    return short | {f"{prefix}_{name}": value for name, value in short.items()}


def _time(text: str) -> int:
    if _TIME.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text.upper())
            return to_us(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            pass
    raise ValueError("must be a time as in RFC 3339, to the microsecond: 2026-01-31T12:00:00Z, or a day")


def _whole(text: str) -> int:
    if _WHOLE.fullmatch(text) and len(text) <= 20 and abs(number := int(text)) <= _WHOLE_MAX:
        return number
    raise ValueError("must be a whole number of 64 bits")


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    raise ValueError("must be a number")


def _chosen(text: str, choices: Mapping[str, Value]) -> Value:
    if text not in choices:
        raise ValueError(
            f"must be one of {', '.join(name for name in choices if not _is_long(name, choices))}"
        )
    return choices[text]


def _is_long(name: str, choices: Mapping[str, Value]) -> bool:
    """Whether it is another choice with a prefix."""
    return any(
        name != other and name.endswith(f"_{other}") and choices[name] == choices[other] for other in choices
    )
