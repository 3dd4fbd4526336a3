"""How values are stored, the same on every database: times, JSON and new ids."""

import json
import re
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# What of a text is searched: PostgreSQL keeps neither longer words nor more of them in one index entry.
WORD_MAX = 64
WORDS_MAX = 250
_SHORT_TEXT = 200
_WORD = re.compile(r"[^\W_]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
# One for each field that is searched. Capitals: no word has one.
WORD_MARKS = "ABCDE"


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


# Made once: `json.dumps` with options of its own makes one for each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_json(value: Any) -> str:
    """Plain values as compact JSON; NaN and infinities, which JSON lacks, raise ValueError."""
    # Much of an estate has no addresses, networks or attributes.
    return _ENCODER.encode(value) if value or value.__class__ not in _EMPTY else _EMPTY[value.__class__]


_EMPTY = {tuple: "[]", list: "[]", dict: "{}"}


def from_json(text: str) -> Any:
    """The value of `to_json`."""
    return json.loads(text)


def sort_key(text: str) -> str:
    """What a text sorts by: compatibility forms and case do not count (NFKC, then Unicode case folding)."""
    return unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> tuple[str, ...]:
    """The different words of a text, as they are searched: its runs of letters and digits.

    Case, accents and compatibility forms do not count. The first WORDS_MAX, each to its WORD_MAX-th letter.
    """
    return _short_words(text) if len(text) <= _SHORT_TEXT else _words(text)


def _words(text: str) -> tuple[str, ...]:
    if text.isascii():
        found = _ASCII_WORD.findall(text.lower())
    else:
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        found = _WORD.findall("".join(c for c in plain if unicodedata.category(c)[0] != "M"))
    return tuple(dict.fromkeys(word[:WORD_MAX] for word in found))[:WORDS_MAX]


# An estate says the same few things of most of its assets.
_short_words = lru_cache(maxsize=4_096)(_words)


def searched_text(texts: Iterable[str]) -> str:
    """The words of a row's texts, each behind a space and the mark of its text: ` Aweb A01 Bweb`."""
    marked = zip(WORD_MARKS, texts, strict=False)
    return "".join(f" {mark}{word}" for mark, text in marked for word in words(text))


def after_prefix(prefix: str) -> str | None:
    """The first text behind all that begin with the prefix; None where nothing can be."""
    for at in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[at]) + 1
        if code <= 0x10FFFF:
            return prefix[:at] + chr(0xE000 if code == 0xD800 else code)
    return None


_62_BITS = 2**62 - 1


def new_id(now: datetime | None = None) -> str:
    """A UUIDv7 (RFC 9562): ids made later sort later, which keeps the indexes' inserts together.

    Milliseconds, then microseconds (method 3 of its section 6.2), so that a queue keeps its order.
    """
    time_ms, time_us = divmod(to_us(now or utc_now()), 1000)
    chance = secrets.randbits(64)
    value = time_ms << 80 | 0x7 << 76 | time_us << 66 | chance >> 62 << 64 | 0b10 << 62 | chance & _62_BITS
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def first_id(moment: datetime) -> str:
    """What sorts before every `new_id` of that millisecond and later, and after all earlier ones."""
    return str(UUID(int=to_us(moment) // 1000 << 80))
