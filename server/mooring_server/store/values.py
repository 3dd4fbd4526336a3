"""How values are stored, the same on every database: times, JSON and new ids."""

import json
import secrets
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def utc_now() -> datetime:
    """The present, aware and in UTC."""
    return datetime.now(UTC)


def to_us(moment: datetime) -> int:
    """An aware time as whole microseconds since 1970 (exactly: no float on the way)."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """The aware time of `to_us`."""
    return _EPOCH + timedelta(microseconds=microseconds)


def from_us_or_none(microseconds: int | None) -> datetime | None:
    """The same for a time that may be absent."""
    return None if microseconds is None else from_us(microseconds)


def to_json(value: Any) -> str:
    """Plain values as compact JSON; NaN and infinities, which JSON lacks, raise ValueError."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> Any:
    """The value of `to_json`."""
    return json.loads(text)


def sort_key(text: str) -> str:
    """What a text sorts by: compatibility forms and case do not count (NFKC, then Unicode case folding)."""
    return unicodedata.normalize("NFKC", text).casefold()


def new_id(now: datetime | None = None) -> str:
    """A UUIDv7 (RFC 9562): ids made later sort later, which keeps the indexes' inserts together.

    Milliseconds, then microseconds (method 3 of its section 6.2), so that a queue keeps its order.
    """
    time_ms, time_us = divmod(to_us(now or utc_now()), 1000)
    value = time_ms << 80 | 0x7 << 76 | time_us << 66 | secrets.randbits(2) << 64
    return str(UUID(int=value | 0b10 << 62 | secrets.randbits(62)))


def first_id(moment: datetime) -> str:
    """What sorts before every `new_id` of that millisecond and later, and after all earlier ones."""
    return str(UUID(int=to_us(moment) // 1000 << 80))
