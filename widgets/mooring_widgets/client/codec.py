"""Snapshots as JSON and back, for what is kept on disk: plain values and known snapshots, never code.

Texts, whole numbers, booleans and None are themselves and a list is a list; whatever else JSON does not tell
apart is an object with one marked key.
"""

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mooring_widgets.client import snapshots

_MARK = "~"
_KNOWN: dict[str, type[Any]] = {
    name: each
    for name, each in inspect.getmembers(snapshots, inspect.isclass)
    if dataclasses.is_dataclass(each) and each.__module__ == snapshots.__name__
}


def encode(value: Any) -> Any:
    """A value as JSON has it.

    Raises:
        TypeError: For what is neither plain nor a snapshot, or holds such: a data frame, say.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"~float": repr(value)}
    if isinstance(value, datetime):
        return {"~time": value.isoformat()}
    if type(value) is tuple:
        return {"~tuple": [encode(each) for each in value]}
    if type(value) is list:
        return [encode(each) for each in value]
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a mapping is only kept with texts for keys")
        return {"~dict": {key: encode(each) for key, each in value.items()}}
    name = type(value).__name__
    if _KNOWN.get(name) is not type(value):
        raise TypeError(f"a {name} is not kept")
    fields = {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return {_MARK + name: fields}


def decode(value: Any) -> Any:
    """The value that `encode` made this of.

    Raises:
        ValueError: For anything that it did not make.
    """
    if isinstance(value, list):
        return [decode(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise ValueError("this was not written by Mooring")
    [(mark, inner)] = value.items()
    try:
        if mark in _DECODERS:
            return _DECODERS[mark](inner)
        return _KNOWN[mark.removeprefix(_MARK)](**{name: decode(each) for name, each in inner.items()})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this was not written by this version of Mooring: {error}") from None


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "~float": float,
    "~time": datetime.fromisoformat,
    "~tuple": lambda inner: tuple(decode(each) for each in inner),
    "~dict": lambda inner: {key: decode(each) for key, each in inner.items()},
}
