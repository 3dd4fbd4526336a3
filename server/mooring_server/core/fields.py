"""The rules of single fields. All violations of a request are collected, then refused together."""

import re
import unicodedata

from mooring_server.core.names import ID_RULE, is_id, quote
from mooring_server.errors import FieldViolation, InvalidArgument

DISPLAY_NAME_MAX = 200
DESCRIPTION_MAX = 2_000

# Details travel in headers, which are small: nobody needs more than the first few.
_VIOLATIONS_MAX = 10
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ETAG = re.compile(r"[1-9][0-9]{0,17}")
_NO_VERSION = -1


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
        elif text != text.strip():
            self.add(field, "must not begin or end with white space")
        elif any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
            self.add(field, "must not hold control characters or line breaks")

    def description(self, field: str, text: str) -> None:
        """Up to 2,000 characters."""
        if len(text) > DESCRIPTION_MAX:
            self.add(field, f"must have at most {DESCRIPTION_MAX:,} characters, not {len(text):,}")

    def wanted_id(self, field: str, text: str) -> None:
        """An id that the caller chose, or none."""
        if text and not is_id(text):
            self.add(field, f"{quote(text)} must be {ID_RULE}")

    def refuse(self) -> None:
        """Raises InvalidArgument if anything was found."""
        if self._found:
            found = self._found[:_VIOLATIONS_MAX]
            raise InvalidArgument("; ".join(f"{v.field}: {v.description}" for v in found), violations=found)


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
