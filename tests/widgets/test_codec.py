"""What is kept on disk comes back as it was."""

import dataclasses
import inspect
import json
import types
import typing
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mooring_widgets.client import Landscape, PageOf, Session, snapshots
from mooring_widgets.client.codec import decode, encode

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=20,
)
KINDS = [
    each
    for _, each in inspect.getmembers(snapshots, inspect.isclass)
    if dataclasses.is_dataclass(each) and each.__module__ == snapshots.__name__
]


def filled(kind: Any) -> Any:
    """A snapshot with something in every field."""
    hints = typing.get_type_hints(kind)
    return kind(**{field.name: _value(hints[field.name]) for field in dataclasses.fields(kind)})


def _value(hint: Any) -> Any:
    parts, origin = typing.get_args(hint), typing.get_origin(hint)
    if origin is types.UnionType:
        return _value(next(part for part in parts if part is not type(None)))
    if origin is tuple:
        return (_value(parts[0]),)
    if origin is not None:  # a mapping, whose keys are texts
        return {"~tuple": _value(parts[1])}
    if isinstance(hint, typing.TypeVar):
        return filled(Session)
    values = {str: "~x", int: 3, float: 1.5, bool: True, datetime: datetime(2026, 1, 1, tzinfo=UTC)}
    return values[hint] if hint in values else filled(hint)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_snapshot_comes_back(kind: Any) -> None:
    """Each kind of snapshot, with all its fields, through JSON."""
    value = filled(kind)
    assert decode(json.loads(json.dumps(encode(value)))) == value


@given(PLAIN)
def test_every_plain_value_comes_back(value: Any) -> None:
    """Tuples stay tuples, and whatever looks like a mark stays what it is."""
    assert decode(json.loads(json.dumps(encode(value)))) == value


@pytest.mark.parametrize(
    "value", [pd.DataFrame(), PageOf((object(),), 1), {1: "x"}, {"x": b""}, Landscape], ids=str
)
def test_what_is_not_plain_is_refused(value: Any) -> None:
    """Nothing is kept that could not be read again as it was."""
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": 1, "b": 2},
        {"~Session": {"nmae": "x"}},
        {"~Popen": {"args": "ls"}},
        {"~time": 3},
        {"~tuple": 3},
    ],
    ids=str,
)
def test_what_was_not_written_here_is_refused(value: Any) -> None:
    """A file of another version, or of somebody else, is an error and makes no object."""
    with pytest.raises(ValueError):  # noqa: PT011 - its texts are of no use to anybody
        decode(value)
