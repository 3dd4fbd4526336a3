import copy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st
from mooring_widgets.query.sharing import share


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Mutable:
    name: str


scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=2)
data = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=1) | st.booleans() | st.integers(0, 1), inner, max_size=3)
        | st.builds(Point, inner, inner)
        | st.builds(
            Asset, st.text(max_size=1), st.just(()), st.dictionaries(st.text(max_size=1), inner, max_size=2)
        )
    ),
    max_leaves=10,
)


@given(data)
def test_equal_data_keeps_its_identity(value):
    """Data that says the same as the old is the old object."""
    assert share(value, copy.deepcopy(value)) is value


@given(data, data)
@example(0.0, -0.0)
@example([1, True], [True, 1])
@example({"a": 1, "b": 2}, {"b": 2, "a": 1})
def test_sharing_never_changes_what_is_said(old, new):
    """What comes out says what the new data says, to type and order, and nothing put in changed."""
    before = repr(old), repr(new)
    assert repr(share(old, new)) == repr(new)
    assert (repr(old), repr(new)) == before


def test_unchanged_parts_keep_their_identity():
    """Where one part changed, its siblings stay the same objects."""
    old = {"rows": [Asset("a", ("x", "y")), Asset("b")], "total": [2]}
    new = {"rows": [Asset("a", ("x", "y")), Asset("b", ("z",))], "total": [2]}
    shared = share(old, new)
    assert shared == new
    assert shared["rows"][0] is old["rows"][0]
    assert shared["total"] is old["total"]
    assert shared["rows"][1] is not old["rows"][1]


def test_frozen_dataclasses_share_their_fields():
    """A frozen dataclass with one new field keeps the others' objects."""
    old = Asset("a", attributes={"disks": [1, 2]})
    shared = share(old, replace(old, name="b", attributes={"disks": [1, 2]}))
    assert shared.name == "b"
    assert shared.attributes is old.attributes


def test_what_cannot_be_compared_is_left_alone():
    """Data frames and mutable objects come through as they are."""
    frame, mutable = pd.DataFrame({"a": [1]}), Mutable("a")
    assert share(pd.DataFrame({"a": [1]}), frame) is frame
    assert share(Mutable("a"), mutable) is mutable
    assert share([Mutable("a")], [mutable])[0] is mutable
