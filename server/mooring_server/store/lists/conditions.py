"""What a list can be narrowed by: conditions over its fields, as a tree of frozen values.

A condition is true of a row or false of it, never unknown: an unknown number or time (NULL) answers no
comparison, and `Not` turns that round. So `x != 1`, which is `Not` of `x = 1`, is true of a row without an x.
`core/filtering.py` makes conditions from a caller's text; `filters.py` turns them into SQL.
"""

from dataclasses import dataclass
from enum import StrEnum


class Op(StrEnum):
    """How a field compares with a value. There is no "unequal": that is `Not` of EQ."""

    EQ = "="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


# As stored: texts, whole microseconds for times; the ids in a resource name, None where any will do.
Value = str | int | float | bool | tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the parts."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """What the part is not true of."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against a value of its kind."""

    field: str
    op: Op
    value: Value


@dataclass(frozen=True, slots=True)
class Begins:
    """A text that begins so, to the letter."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Present:
    """A field that has a value: a text that is not empty, a number that is known."""

    field: str


@dataclass(frozen=True, slots=True)
class Label:
    """A label of that key; of that value too where one is given. An empty key is any label."""

    key: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word (of `values.words`) that begins so, in the field; in any field that is searched where None."""

    word: str
    field: str | None = None


class Standing(StrEnum):
    """How a row of a data version stands beside another version."""

    ALONE = "alone"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Beside:
    """A row that stands so beside another data version; see `pairs.py`. No caller's filter can say that."""

    version_id: str
    standing: Standing


Condition = And | Or | Not | Compare | Begins | Present | Label | Word | Beside


def conjuncts(condition: Condition | None) -> tuple[Condition, ...]:
    """The conditions that all must be true; none for None."""
    if condition is None:
        return ()
    return condition.parts if isinstance(condition, And) else (condition,)


def both(*conditions: Condition | None) -> Condition | None:
    """All of the conditions; None, which is true of everything, where there are none."""
    parts = tuple(part for condition in conditions for part in conjuncts(condition))
    return parts[0] if len(parts) == 1 else And(parts) if parts else None
