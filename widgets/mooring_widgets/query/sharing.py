"""Structural sharing: new data that equals the old keeps the old's identity, in whole or in part.

Whoever compares with `is` then sees what really changed, and a refetch that brought nothing new repaints
nothing.
"""

import copy
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")

_ATOMS = frozenset({str, int, bool, bytes, type(None)})


def share(old: object, new: T) -> T:
    """Return `new`, with every part that equals its counterpart in `old` replaced by that one.

    Looks into lists, tuples (named ones too), dicts and frozen dataclasses. Other values are shared when they
    are hashable, of one type and equal. Neither argument is changed. What cannot be compared is left as it
    is.
    """
    shared: T = _share(old, new)
    return shared


def _share(old: Any, new: Any) -> Any:
    if old is new or type(old) is not type(new):
        return new
    if type(new) in _ATOMS:  # most values by far, so this line sets the pace
        return old if old == new else new
    if isinstance(new, dict):
        return _share_dict(old, new)
    if isinstance(new, list | tuple):
        return _share_sequence(old, new)
    if getattr(getattr(type(new), "__dataclass_params__", None), "frozen", False):
        return _share_dataclass(old, new)
    return old if _equal(old, new) else new


def _share_dict(old: dict[Any, Any], new: dict[Any, Any]) -> Any:
    parts = {name: _share(old[name], value) if name in old else value for name, value in new.items()}
    # The order of a dict is part of what it says: columns are drawn in it.
    if len(old) == len(new) and all(
        _share(a, b) is a and old[a] is parts[b] for a, b in zip(old, parts, strict=True)
    ):
        return old
    return parts if type(new) is dict else new


def _share_sequence(old: Any, new: Any) -> Any:
    parts = [_share(a, b) for a, b in zip(old, new, strict=False)]
    if len(old) == len(new) and all(a is b for a, b in zip(old, parts, strict=True)):
        return old
    parts.extend(new[len(parts) :])
    if type(new) is list:
        return parts
    if type(new) is tuple:
        return tuple(parts)
    return new._make(parts) if hasattr(new, "_make") else new


def _share_dataclass(old: Any, new: Any) -> Any:
    names = [field.name for field in fields(new)]
    parts = {name: _share(getattr(old, name), getattr(new, name)) for name in names}
    if all(getattr(old, name) is part for name, part in parts.items()):
        return old
    # Not `replace`: it runs `__init__`, and refuses fields that this does not take.
    shared = copy.copy(new)
    for name, part in parts.items():
        object.__setattr__(shared, name, part)
    return shared


def _equal(old: Any, new: Any) -> bool:
    if type(new) is float:
        return bool(old.hex() == new.hex())  # two NaNs say the same, two zeros of different sign do not
    try:
        return hash(old) == hash(new) and bool(old == new)
    except Exception:  # data frames and arrays refuse, each in its own way
        return False
