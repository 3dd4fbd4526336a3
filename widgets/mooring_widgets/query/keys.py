"""Structured query keys: their identity, and matching by prefix.

A key is a list or tuple such as `("sessions", "engagements/e1", {"page": 2})`. Lists equal tuples and the
order of a mapping's entries means nothing, so that keys compare by what they say. Do not change a key after
passing it on.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

QueryKey: TypeAlias = Sequence[Any]
KeyHash: TypeAlias = tuple[Any, ...]

# Told apart by value alone; `1` and `1.0` are one key. Everything else is told apart by type as well,
# or `True` would be the key `1` and a member of an IntEnum its number.
_PLAIN = (str, int, float, bytes, type(None))


@dataclass(frozen=True, slots=True)
class _Entries:
    """A frozen mapping."""

    items: frozenset[tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class _Typed:
    """A value that equals only values of its own type."""

    type: type
    value: Any


def hash_key(key: QueryKey) -> KeyHash:
    """Return the identity of a key: hashable, and equal for keys that say the same.

    Raises:
        TypeError: the key is not a list or tuple, or holds something unhashable or a NaN.
    """
    if not isinstance(key, list | tuple):
        raise TypeError(f"a query key is a list or a tuple, not {key!r}")
    return tuple(_freeze(part) for part in key)


def matches(key: KeyHash, prefix: KeyHash) -> bool:
    """Whether a key begins with a prefix; a mapping matches one that has at least its entries."""
    return len(prefix) <= len(key) and all(map(_covers, key, prefix))


def _freeze(value: Any) -> Any:
    if type(value) in _PLAIN:
        if value != value:
            raise TypeError("a NaN equals nothing, so a query key that holds one would never be found again")
        return value
    if isinstance(value, list | tuple):
        return tuple(_freeze(part) for part in value)
    if isinstance(value, Mapping):
        return _Entries(frozenset((_freeze(name), _freeze(part)) for name, part in value.items()))
    if isinstance(value, Set):
        return _Typed(Set, frozenset(_freeze(part) for part in value))
    try:
        hash(value)
    except TypeError:
        raise TypeError(f"a query key holds plain or hashable values, not {value!r}") from None
    return _Typed(type(value), value)


def _covers(value: Any, part: Any) -> bool:
    if isinstance(value, tuple) and isinstance(part, tuple):
        return matches(value, part)
    if isinstance(value, _Entries) and isinstance(part, _Entries):
        entries = dict(value.items)
        return all(name in entries and _covers(entries[name], wanted) for name, wanted in part.items)
    return bool(value == part)
