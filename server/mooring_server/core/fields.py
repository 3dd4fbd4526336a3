"""The rules of single fields. All violations of a request are collected, then refused together."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

from mooring_server.core.names import ID_RULE, is_id, quote
from mooring_server.errors import FieldViolation, InvalidArgument

DISPLAY_NAME_MAX = 200
DESCRIPTION_MAX = 2_000
LABELS_MAX = 64
LABEL_VALUE_MAX = 200
EMAIL_MAX = 254
TEXT_MAX = 500
TEXTS_MAX = 256
ATTRIBUTES_MAX = 256
ATTRIBUTE_KEY_MAX = 200
ATTRIBUTE_VALUE_MAX = 2_000

# Details travel in headers, which are small: nobody needs more than the first few.
_VIOLATIONS_MAX = 10
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ETAG = re.compile(r"[1-9][0-9]{0,17}")
_NO_VERSION = -1
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Violations:
    """What is wrong with a request so far."""

    def __init__(self) -> None:
        self._found: list[FieldViolation] = []

    def add(self, field: str, description: str) -> None:
        """Notes that a field is wrong; the description says what it must be."""
        self._found.append(FieldViolation(field, description))

    def display_name(self, field: str, text: str) -> None:
        """1 to 200 characters on one line, no white space around them."""
        if not 1 <= len(text) <= DISPLAY_NAME_MAX:
            self.add(field, f"must have 1 to {DISPLAY_NAME_MAX} characters, not {len(text)}")
        else:
            self._line(field, text)

    def description(self, field: str, text: str) -> None:
        """Up to 2,000 characters."""
        if len(text) > DESCRIPTION_MAX:
            self.add(field, f"must have at most {DESCRIPTION_MAX:,} characters, not {len(text):,}")

    def email(self, field: str, text: str) -> None:
        """An address of up to 254 characters, or none."""
        if len(text) > EMAIL_MAX:
            self.add(field, f"must have at most {EMAIL_MAX} characters, not {len(text):,}")
        elif text and not (text.isprintable() and _EMAIL.fullmatch(text)):
            self.add(field, "must have one @ with something on both sides and no white space, or be empty")

    def labels(self, field: str, labels: Mapping[str, str]) -> None:
        """At most 64; keys `[a-z][a-z0-9_-]{0,62}`; values up to 200 characters on one line, or empty."""
        if len(labels) > LABELS_MAX:
            self.add(field, f"must be at most {LABELS_MAX}, not {len(labels):,}")
        for key, value in labels.items():
            if not is_label_key(key):
                self.add(field, f"the key {quote(key)} must be 1 to 63 of a-z, 0-9, _ and -, a letter first")
            elif len(value) > LABEL_VALUE_MAX:
                self.add(
                    f"{field}.{key}", f"must have at most {LABEL_VALUE_MAX} characters, not {len(value):,}"
                )
            else:
                self._line(f"{field}.{key}", value)

    def text(self, field: str, text: str) -> None:
        """Up to 500 characters on one line, no white space around them; or nothing."""
        if len(text) > TEXT_MAX:
            self.add(field, f"must have at most {TEXT_MAX} characters, not {len(text):,}")
        else:
            self._line(field, text)

    def texts(self, field: str, texts: Sequence[str]) -> None:
        """At most 256 of them, none empty."""
        if len(texts) > TEXTS_MAX:
            self.add(field, f"must be at most {TEXTS_MAX}, not {len(texts):,}")
            return
        for place, text in enumerate(texts):
            if text:
                self.text(f"{field}[{place}]", text)
            else:
                self.add(f"{field}[{place}]", "must not be empty")

    def number(self, field: str, number: float | None, most: float) -> None:
        """From 0 to `most`, or unknown."""
        if number is not None and not 0 <= number <= most:
            self.add(field, f"must be from 0 to {most:,}, or not set")

    def attributes(self, field: str, attributes: Mapping[str, str], kept: Mapping[str, str]) -> None:
        """At most 256, or as many as were `kept` before; keys have 1 to 200 characters on one line, values at
        most 2,000 characters. What is as it was kept is not looked at: an import takes more.
        """
        if len(attributes) > max(ATTRIBUTES_MAX, len(kept)):
            self.add(field, f"must be at most {ATTRIBUTES_MAX}, not {len(attributes):,}")
        for key, value in attributes.items():
            if kept.get(key) == value:
                continue
            if key not in kept and not 1 <= len(key) <= ATTRIBUTE_KEY_MAX:
                self.add(field, f"the key {quote(key)} must have 1 to {ATTRIBUTE_KEY_MAX} characters")
            elif key not in kept:
                self._line(field, key)
            if len(value) > ATTRIBUTE_VALUE_MAX:
                self.add(field, f"{quote(key)} must have at most {ATTRIBUTE_VALUE_MAX:,} characters")

    def wanted_id(self, field: str, text: str) -> None:
        """An id that the caller chose, or none."""
        if text and not is_id(text):
            self.add(field, f"{quote(text)} must be {ID_RULE}")

    def _line(self, field: str, text: str) -> None:
        if text != text.strip():
            self.add(field, "must not begin or end with white space")
        elif any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
            self.add(field, "must not hold control characters or line breaks")

    def refuse(self) -> None:
        """Raises InvalidArgument if anything was found."""
        if self._found:
            found = self._found[:_VIOLATIONS_MAX]
            raise InvalidArgument("; ".join(f"{v.field}: {v.description}" for v in found), violations=found)


def is_label_key(text: str) -> bool:
    """Whether the text can be the key of a label."""
    return _LABEL_KEY.fullmatch(text) is not None


def check_request_id(text: str) -> None:
    """Refuses a request id that is no UUID; an empty one is none.

    Raises:
        InvalidArgument: for anything but a UUID.
    """
    if text and not _REQUEST_ID.fullmatch(text):
        raise InvalidArgument.field("request_id", "must be a UUID, or empty")


def expected_version(etag: str) -> int | None:
    """The version that an etag demands: None for "any", and one that nothing has for a strange etag."""
    if not etag:
        return None
    return int(etag) if _ETAG.fullmatch(etag) else _NO_VERSION


def mask(paths: Iterable[str], allowed: Iterable[str], populated: Collection[str]) -> tuple[str, ...]:
    """Which of the `allowed` fields an update takes, in their order.

    Those that its mask's `paths` name, all for `*`; without any path those that are `populated` in its body.
    What the body holds besides is not looked at, so that an answer can be sent back as it came.

    Raises:
        InvalidArgument: naming `update_mask`, for a path that is not allowed.
    """
    allowed, paths = tuple(allowed), tuple(paths)
    for path in paths:
        if path not in (*allowed, "*"):
            wanted = ", ".join(f"`{field}`" for field in allowed)
            raise InvalidArgument.field("update_mask", f"{quote(path)} is none of {wanted}; or write `*`")
    if "*" in paths:
        return allowed
    return tuple(field for field in allowed if field in (paths or populated))
