"""Ids, times and JSON as they are stored."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mooring_server.store.values import from_json, from_us, new_id, to_json, to_us


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.timezones()))
def test_times_survive_to_the_microsecond(moment: datetime):
    """Whatever the zone, the same instant comes back, in UTC."""
    back = from_us(to_us(moment))
    # In UTC: an hour that its zone leaves out equals no time of another zone.
    assert back == moment.astimezone(UTC)
    assert back.tzinfo is UTC


def test_new_ids_are_version_7_and_sort_by_time():
    """An id is a valid UUIDv7 whose text sorts after those of earlier microseconds."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [new_id(start + timedelta(microseconds=i)) for i in range(2_000)]
    assert ids == sorted(ids)
    assert {(UUID(each).version, UUID(each).variant) for each in ids} == {(7, RFC_4122)}
    assert len({new_id(start) for _ in range(1_000)}) == 1_000


def test_json_keeps_plain_values_and_refuses_what_it_cannot():
    """Texts stay readable; NaN and infinities never reach a database."""
    value = {"Größe": [1, 2.5, None, "\U0001f40d"]}
    assert from_json(to_json(value)) == value
    assert "Größe" in to_json(value)
    with pytest.raises(ValueError, match="JSON"):
        to_json(float("nan"))
