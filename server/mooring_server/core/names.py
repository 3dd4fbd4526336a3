"""Resource names and the ids in them.

An odd id is refused, never trimmed or folded: two spellings of one resource would be two truths.
"""

import re
from collections.abc import Iterable
from enum import StrEnum

from mooring_server.errors import InvalidArgument

ID_RULE = "1 to 63 characters of a-z, 0-9 and -, a letter first; or a UUID in lower case"
ANY = "-"
ME = "me"
DEFAULT_CONTEXT = "default"

_ID = re.compile(r"[a-z][a-z0-9-]{0,62}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUOTE_MAX = 60


class Kind(StrEnum):
    """What a name can name; the value is its pattern."""

    USER = "users/{user}"
    CONTEXT = "users/{user}/contexts/{context}"
    TOKEN = "users/{user}/tokens/{token}"  # noqa: S105 - a pattern
    ENGAGEMENT = "engagements/{engagement}"
    MEMBER = "engagements/{engagement}/members/{user}"
    USAGE = "engagements/{engagement}/usage"
    SHORTCUTS = "engagements/{engagement}/shortcuts"
    SESSION = "engagements/{engagement}/sessions/{session}"
    LANDSCAPE = "engagements/{engagement}/sessions/{session}/landscape"
    ASSET = "engagements/{engagement}/sessions/{session}/assets/{asset}"
    DEPENDENCY = "engagements/{engagement}/sessions/{session}/dependencies/{dependency}"
    IMPORT = "engagements/{engagement}/sessions/{session}/imports/{import}"
    MERGE = "engagements/{engagement}/merges/{merge}"
    OPERATION = "engagements/{engagement}/sessions/{session}/operations/{operation}"

    def of(self, *ids: str) -> str:
        """The name with these ids, as many as the pattern has, in its order."""
        rest = iter(ids)
        return "/".join(next(rest) if part[0] == "{" else part for part in self.value.split("/"))

    def ids(self, name: str, field: str = "name") -> tuple[str, ...]:
        """The ids in a name of this kind, in order.

        Raises:
            InvalidArgument: naming `field`, where the name does not have the pattern.
        """
        return parse(name, (self,), field)[1]


def parse(name: str, kinds: Iterable[Kind], field: str) -> tuple[Kind, tuple[str, ...]]:
    """Which of the kinds a name is of, and its ids in order.

    `sessions/…` is read as `engagements/-/sessions/…`; its first id is then `-`.

    Raises:
        InvalidArgument: naming `field`, where the name has none of the patterns.
    """
    kinds = tuple(kinds)
    if not name:
        raise InvalidArgument.field(field, f"is required: {_patterns(kinds)}")
    full = f"engagements/{ANY}/{name}" if name.startswith("sessions/") else name
    parts = full.split("/")
    for kind in kinds:
        pattern = kind.value.split("/")
        if len(parts) == len(pattern) and all(map(_matches, parts, pattern)):
            ids = tuple(part for part, wanted in zip(parts, pattern, strict=True) if wanted[0] == "{")
            # `-` stands for "whichever engagement": only a session can tell which.
            if ids[0] != ANY or Kind.SESSION.value in kind.value:
                return kind, ids
    raise InvalidArgument.field(field, f"{quote(name)} is not {_patterns(kinds)}; an id is {ID_RULE}")


def sibling(engagement_id: str, name: str, field: str) -> str:
    """The id of the session that a name in a request's field means, of the engagement that the rest is about.

    Raises:
        InvalidArgument: naming `field`, for no session's name, and for one of another engagement.
    """
    its_engagement_id, session_id = Kind.SESSION.ids(name, field)
    if its_engagement_id not in (ANY, engagement_id):
        raise InvalidArgument.field(field, f"{quote(name)} is not of the same engagement")
    return session_id


def is_id(text: str) -> bool:
    """Whether the text can be an id."""
    return _ID.fullmatch(text) is not None


def quote(text: str) -> str:
    """A caller's own text for a message, shortened: details travel in headers, which are small."""
    return repr(text if len(text) <= _QUOTE_MAX else text[:_QUOTE_MAX] + "…")


def _matches(part: str, wanted: str) -> bool:
    if wanted[0] != "{":
        return part == wanted
    return is_id(part) or (part == ANY and wanted == "{engagement}")


def _patterns(kinds: tuple[Kind, ...]) -> str:
    return " or ".join(f"`{kind.value}`" for kind in kinds)
