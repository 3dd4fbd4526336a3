"""Which asset a row is about: the key that the same thing has in the next import.

A row's identity is the first of these that it has:

1. `id:`   the id that its source gives it (a UUID, a resource id), in lower case. A number alone is no such
   id: two lists count from 1 as often as not.
2. `host:` its host name in lower case. Where the display name is another (neither the host name nor its first
   label), the display name is part of it: copies of a machine often keep its host name.
3. `name:` its display name, with its location where one is given: in NetBox, and in vCenter, names are unique
   within their site.
4. `tag:`  a serial number, an asset tag or a numeric id; they come last since they are often filled in later.

A device of NetBox can have `place:` after these, where it is mounted (`netbox.py`).

A row that has none of them cannot be found again, so it is rejected. An identity longer than IDENTITY_MAX
characters is replaced by its hash, since it is an index key.
"""

import hashlib
from collections.abc import Mapping

IDENTITY_MAX = 500

# Between the parts of an identity: no cell of text holds it.
_SEPARATOR = "\x1f"


def identity_of(fields: Mapping[str, object], tag: str = "") -> str | None:
    """The identity of a row with these asset fields; `tag` is its serial number or asset tag."""
    external_id, hostname, name, location = (
        str(fields.get(key, "")) for key in ("external_id", "hostname", "display_name", "location")
    )
    host = hostname.casefold()
    if external_id and not is_number(external_id):
        return identity("id", external_id.casefold())
    if host and name.casefold() in ("", host, host.partition(".")[0]):
        return identity("host", host)
    if host:
        return identity("host", host, name)
    if name:
        return identity("name", name, location)
    if tag or external_id:
        return identity("tag", tag or external_id)
    return None


def is_number(text: str) -> bool:
    """Whether an id is a mere number."""
    return text.isdecimal()


def identity(kind: str, *parts: str) -> str:
    """The identity of a kind made of these parts; empty ones at the end do not count."""
    key = _SEPARATOR.join(parts).rstrip(_SEPARATOR)
    if len(key) > IDENTITY_MAX:
        key = "sha256-" + hashlib.sha256(key.encode()).hexdigest()
    return f"{kind}:{key}"
