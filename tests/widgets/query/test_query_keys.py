import math
from dataclasses import dataclass
from enum import IntEnum

import pytest
from mooring_widgets.query.keys import hash_key, matches


class Colour(IntEnum):
    RED = 1


@dataclass(frozen=True)
class Filter:
    owner: str


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["sessions", "e1"], ("sessions", "e1")),
        (("a", {"x": 1, "y": [2]}), ("a", {"y": (2,), "x": 1})),
        (("a", {1, 2}), ("a", frozenset({2, 1}))),
        (("a", Filter("me")), ("a", Filter("me"))),
        (("a", 1), ("a", 1.0)),
    ],
)
def test_keys_that_say_the_same_are_one(one, other):
    """Lists and tuples, and mappings in any order, identify the same query."""
    assert hash_key(one) == hash_key(other)
    assert hash(hash_key(one)) == hash(hash_key(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [((1,), ("1",)), ((1,), (True,)), ((0,), (None,)), ((1,), (Colour.RED,)), (([],), ({},))],
)
def test_keys_of_different_types_differ(one, other):
    """Values that only look alike do not share a query."""
    assert hash_key(one) != hash_key(other)


@pytest.mark.parametrize(
    "key", ["sessions", {"a": 1}, ("a", math.nan), ("a", object.__new__(type("U", (), {"__hash__": None})))]
)
def test_what_cannot_be_a_key_is_refused(key):
    """A key that could never be found again is a TypeError at once."""
    with pytest.raises(TypeError, match="query key"):
        hash_key(key)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ((), True),
        (("sessions",), True),
        (("sessions", "e1"), True),
        (("sessions", "e1", {"page": 2}), True),
        (("sessions", "e1", {"page": 2, "order": "name"}), True),
        (("sessions", "e1", {"page": 2, "order": "name"}, ["a"]), True),
        (("sessions", "e1", {"page": 3}), False),
        (("sessions", "e1", {"size": 2}), False),
        (("sessions", "e"), False),
        (("sessions", "e1", {"page": 2}, ["a", "b", "c"]), False),
        (("sessions", "e1", {"page": 2}, ["a", "b"], "more"), False),
    ],
)
def test_prefixes_match_by_part(prefix, expected):
    """A prefix matches whole parts; mappings match by the entries named, nested lists by prefix."""
    key = hash_key(("sessions", "e1", {"page": 2, "order": "name"}, ["a", "b"]))
    assert matches(key, hash_key(prefix)) is expected
